//! `RULE_DRIFT`: a reference that this program knows has another rule than it expects, or no foreign key at all.

use super::Draft;
use crate::catalog::{Action, ForeignKey, TableId};
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::{Declared, Scene, list};
use crate::schema_health::{FindingCode, Fix, Severity, repair_sql, row_counts};

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let differing = scene.enforced_keys().filter_map(|key| {
        let declared = scene.declared_for(key)?;
        (declared.on_delete != key.on_delete).then(|| differing(scene, key, declared))
    });
    differing.chain(missing(scene).map(|missing| missing.draft(scene))).collect()
}

fn differing(scene: &Scene, key: &ForeignKey, declared: &Declared) -> Draft {
    let message = format!(
        "{} refers to {} by {} with ON DELETE {}; expected is ON DELETE {}.",
        scene.table(key.table).display,
        scene.table(key.referenced).display,
        key.columns.join(", "),
        key.on_delete,
        declared.on_delete
    );
    let severity = if lets_through(scene, key) { Severity::Warning } else { Severity::Error };
    Draft {
        rows: row_counts::referring(scene, key),
        fixes: vec![repair_sql::change_rule(scene, key, declared.on_delete)],
        ..Draft::about_key(scene, FindingCode::RuleDrift, severity, key, message)
    }
}

/// Whether a deletion passes the key, whatever the rows.
fn lets_through(scene: &Scene, key: &ForeignKey) -> bool {
    match key.on_delete {
        Action::Cascade => true,
        Action::SetNull => scene.take_null(key.table, &key.set_columns),
        Action::SetDefault | Action::Restrict | Action::NoAction => false,
    }
}

/// A declared reference whose table and columns exist, and whose key does not.
pub(super) struct Missing<'a> {
    pub declared: &'a Declared,
    /// The table as SQL names it.
    pub table: String,
    pub parent: String,
    pub referenced: TableId,
    pub parent_columns: Vec<String>,
}

/// The declared references to tables that a deletion reaches that have no key of any kind.
pub(super) fn missing(scene: &Scene) -> impl Iterator<Item = Missing<'_>> {
    scene.declared().iter().filter_map(|declared| {
        let parent = scene.graph.find(&scene.schema, &declared.referenced_table)?;
        let parent_columns = scene.table(parent).primary_key.clone();
        let columns = scene.facts.columns.get(&(scene.schema.clone(), declared.table.clone()))?;
        let there = declared.columns.iter().all(|column| columns.contains(column));
        let key = scene.keys().any(|key| {
            key.referenced == parent
                && scene.table(key.table).schema == scene.schema
                && scene.table(key.table).name == declared.table
                && key.columns == declared.columns
                && key.enforced
        });
        let absent = scene.reached.contains(&parent) && there && !key && parent_columns.len() == declared.columns.len();
        absent.then(|| Missing {
            declared,
            table: scene.sql_name(&scene.schema, &declared.table),
            parent: scene.sql_table(parent),
            referenced: parent,
            parent_columns,
        })
    })
}

impl Missing<'_> {
    /// What a finding about it is about.
    pub fn subject(&self) -> String {
        format!("{}.{}", self.declared.table, self.declared.columns.join(","))
    }

    /// Whether this role may count the table's rows. The graph leaves out a table whose keys are all gone.
    pub fn countable(&self, scene: &Scene) -> bool {
        let name = (scene.schema.clone(), self.declared.table.clone());
        match scene.graph.find(&name.0, &name.1) {
            Some(table) => scene.countable(table),
            None => scene.dialect == Dialect::Sqlite || scene.facts.readable.contains(&name),
        }
    }

    fn draft(self, scene: &Scene) -> Draft {
        let Declared { table, columns, referenced_table, on_delete } = self.declared;
        let message = format!(
            "{table}.{} has no foreign key to {referenced_table}: a deletion leaves its rows behind, referring to nothing.",
            columns.join(", ")
        );
        let rows = self
            .countable(scene)
            .then(|| format!("SELECT count(*) FROM {} AS child WHERE {}", self.table, row_counts::set(columns)));
        Draft {
            subject: self.subject(),
            rows,
            fixes: vec![self.add_key(scene)],
            ..Draft::about_table(
                FindingCode::RuleDrift,
                Severity::Error,
                table,
                format!("{message} Expected is ON DELETE {on_delete}."),
            )
        }
    }

    fn add_key(&self, scene: &Scene) -> Fix {
        let Declared { table, columns, referenced_table, on_delete } = self.declared;
        let name = quote(&format!("{table}_{}_fkey", columns.join("_")));
        let statement = match scene.dialect {
            Dialect::Postgres => format!(
                "ALTER TABLE {} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {on_delete}",
                self.table,
                list(columns),
                self.parent,
                list(&self.parent_columns)
            ),
            Dialect::Sqlite => repair_sql::sqlite_rebuild(
                scene.migrations_pending,
                table,
                &format!(
                    "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {on_delete}",
                    list(columns),
                    self.parent,
                    list(&self.parent_columns)
                ),
            ),
        };
        let consequence = format!(
            "The reference to {referenced_table} is enforced from then on. It fails while rows of {table} refer to rows that do not exist."
        );
        Fix { statement, consequence }
    }
}
