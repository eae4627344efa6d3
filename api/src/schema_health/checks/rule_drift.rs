//! `RULE_DRIFT`: a reference that this program knows has an unexpected rule, or no foreign key at all.

use crate::catalog::{Action, ForeignKey, TableId};
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::{CheckContext, DeclaredReference, column_list};
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::{repair_sql, row_counts};

/// Returns a draft for each reference with an unexpected rule, and for each without a foreign key.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let unexpected = context.enforced_keys().filter_map(|key| {
        let declared = context.declared_for(key)?;
        (declared.on_delete != key.on_delete).then(|| wrong_rule_finding(context, key, declared))
    });
    unexpected.chain(missing_keys(context).map(|missing| missing.draft(context))).collect()
}

fn wrong_rule_finding(context: &CheckContext, key: &ForeignKey, declared: &DeclaredReference) -> FindingDraft {
    let message = format!(
        "{} refers to {} by {} with ON DELETE {}; expected is ON DELETE {}.",
        context.table(key.table).display,
        context.table(key.referenced).display,
        key.columns.join(", "),
        key.on_delete,
        declared.on_delete
    );
    let severity = if never_blocks(context, key) { Severity::Warning } else { Severity::Error };
    FindingDraft {
        rows: row_counts::referring(context, key),
        fixes: vec![repair_sql::change_rule(context, key, declared.on_delete)],
        ..FindingDraft::about_key(context, FindingCode::RuleDrift, severity, key, message)
    }
}

/// Returns whether the rule never blocks a deletion.
fn never_blocks(context: &CheckContext, key: &ForeignKey) -> bool {
    match key.on_delete {
        Action::Cascade => true,
        Action::SetNull => context.all_nullable(key.table, &key.set_columns),
        Action::SetDefault | Action::Restrict | Action::NoAction => false,
    }
}

/// A declared reference whose table and columns exist, but not its foreign key.
pub(super) struct MissingKey<'a> {
    pub declared: &'a DeclaredReference,
    /// The SQL name of the referring table.
    pub table: String,
    /// The SQL name of the referenced table.
    pub parent: String,
    pub referenced: TableId,
    pub parent_columns: Vec<String>,
}

/// Returns the declared references to tables that a deletion reaches which have no foreign key of any kind.
pub(super) fn missing_keys(context: &CheckContext) -> impl Iterator<Item = MissingKey<'_>> {
    context.declared().iter().filter_map(|declared| {
        let parent = context.graph.find(&context.schema, &declared.referenced_table)?;
        let parent_columns = context.table(parent).primary_key.clone();
        let columns = context.facts.columns.get(&(context.schema.clone(), declared.table.clone()))?;
        let columns_exist = declared.columns.iter().all(|column| columns.contains(column));
        let has_key = context.keys().any(|key| {
            key.referenced == parent
                && context.table(key.table).schema == context.schema
                && context.table(key.table).name == declared.table
                && key.columns == declared.columns
                && key.enforced
        });
        let is_missing = context.reached.contains(&parent)
            && columns_exist
            && !has_key
            && parent_columns.len() == declared.columns.len();
        is_missing.then(|| MissingKey {
            declared,
            table: context.sql_name(&context.schema, &declared.table),
            parent: context.sql_table(parent),
            referenced: parent,
            parent_columns,
        })
    })
}

impl MissingKey<'_> {
    /// Returns the subject of a finding about the reference.
    pub fn subject(&self) -> String {
        format!("{}.{}", self.declared.table, self.declared.columns.join(","))
    }

    /// Returns whether the current role may count the table's rows. The graph lacks a table of which all keys are
    /// missing.
    pub fn countable(&self, context: &CheckContext) -> bool {
        let name = (context.schema.clone(), self.declared.table.clone());
        match context.graph.find(&name.0, &name.1) {
            Some(table) => context.countable(table),
            None => context.dialect == Dialect::Sqlite || context.facts.readable.contains(&name),
        }
    }

    fn draft(self, context: &CheckContext) -> FindingDraft {
        let DeclaredReference { table, columns, referenced_table, on_delete } = self.declared;
        let message = format!(
            "{table}.{} has no foreign key to {referenced_table}: after a deletion, its rows refer to rows that no \
             longer exist.",
            columns.join(", ")
        );
        let rows = self.countable(context).then(|| {
            format!("SELECT count(*) FROM {} AS child WHERE {}", self.table, row_counts::all_not_null(columns))
        });
        FindingDraft {
            subject: self.subject(),
            rows,
            fixes: vec![self.add_key(context)],
            ..FindingDraft::about_table(
                FindingCode::RuleDrift,
                Severity::Error,
                table,
                format!("{message} Expected is ON DELETE {on_delete}."),
            )
        }
    }

    fn add_key(&self, context: &CheckContext) -> Fix {
        let DeclaredReference { table, columns, referenced_table, on_delete } = self.declared;
        let name = quote(&format!("{table}_{}_fkey", columns.join("_")));
        let statement = match context.dialect {
            Dialect::Postgres => format!(
                "ALTER TABLE {} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {on_delete}",
                self.table,
                column_list(columns),
                self.parent,
                column_list(&self.parent_columns)
            ),
            Dialect::Sqlite => repair_sql::sqlite_rebuild(
                context.migrations_pending,
                table,
                &format!(
                    "FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {on_delete}",
                    column_list(columns),
                    self.parent,
                    column_list(&self.parent_columns)
                ),
            ),
        };
        let consequence = format!(
            "The reference to {referenced_table} is enforced from then on. The statement fails while rows of {table} \
             refer to rows that do not exist."
        );
        Fix { statement, consequence }
    }
}
