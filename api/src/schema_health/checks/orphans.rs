//! `ORPHANED_ROWS`: references to rows that do not exist. Where a key is checked there are none; where it is missing,
//! not validated, or on SQLite (which lets everything in while foreign keys are off), they are counted.

use super::rule_drift::Missing;
use super::{Draft, rule_drift};
use crate::catalog::ForeignKey;
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::Scene;
use crate::schema_health::row_counts::To;
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// The drafts of this check; each is a finding only if there are such rows.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let unchecked = scene
        .keys()
        .filter(|key| scene.dialect == Dialect::Sqlite || !key.validated || !key.enforced)
        .filter(|key| scene.countable(key.table) && scene.countable(key.referenced))
        .map(|key| of_key(scene, key));
    let missing = rule_drift::missing(scene).filter(|missing| missing.countable(scene)).map(|missing| {
        let orphans = Orphans {
            table: &missing.declared.table,
            columns: &missing.declared.columns,
            child: missing.table.clone(),
            parent: missing.parent.clone(),
            parent_name: &missing.declared.referenced_table,
            to: missing.parent_columns.iter().map(|name| of_missing(scene, &missing, name)).collect(),
            may_be_null: false,
        };
        Draft { subject: missing.subject(), ..orphans.draft() }
    });
    unchecked.chain(missing).collect()
}

/// Rows of a table that refer to nothing.
struct Orphans<'a> {
    table: &'a str,
    columns: &'a [String],
    child: String,
    parent: String,
    parent_name: &'a str,
    to: Vec<To>,
    may_be_null: bool,
}

fn of_key(scene: &Scene, key: &ForeignKey) -> Draft {
    let orphans = Orphans {
        table: &scene.table(key.table).display,
        columns: &key.columns,
        child: scene.sql_carrier(key),
        parent: scene.sql_referenced(key),
        parent_name: &scene.table(key.referenced).display,
        to: key.columns.iter().zip(&key.referenced_columns).map(|pair| of_present(scene, key, pair)).collect(),
        may_be_null: scene.take_null(key.table, &key.columns),
    };
    Draft {
        constraint: Some(key.constraint.clone()),
        subject: scene.subject(key.table, &key.columns),
        ..orphans.draft()
    }
}

fn of_present(scene: &Scene, key: &ForeignKey, (column, to): (&String, &String)) -> To {
    To { name: to.clone(), collation: key.collation(&scene.graph, column, to) }
}

/// Of the referring column nothing is known; the default gives way to any other.
fn of_missing(scene: &Scene, missing: &Missing<'_>, to: &str) -> To {
    let collation = scene.table(missing.referenced).column(to).and_then(|column| column.collation.as_deref());
    let collation = collation.filter(|name| *name != "pg_catalog.\"default\"");
    To { name: to.to_owned(), collation: collation.map_or_else(String::new, |name| format!(" COLLATE {name}")) }
}

impl Orphans<'_> {
    fn draft(&self) -> Draft {
        let message = format!(
            "Rows of {} refer by {} to rows of {} that do not exist.",
            self.table,
            self.columns.join(", "),
            self.parent_name
        );
        Draft {
            rows: Some(row_counts::orphans(&self.child, self.columns, &self.parent, &self.to)),
            only_with_rows: true,
            fixes: self.fixes(),
            ..Draft::about_table(FindingCode::OrphanedRows, Severity::Error, self.table, message)
        }
    }

    fn fixes(&self) -> Vec<Fix> {
        let condition = row_counts::orphaned(self.columns, &self.parent, &self.to);
        let delete = Fix {
            statement: format!("DELETE FROM {} AS child WHERE {condition}", self.child),
            consequence: format!("The rows of {} that refer to nothing are deleted for good.", self.table),
        };
        let clear: Vec<String> = self.columns.iter().map(|column| format!("{} = NULL", quote(column))).collect();
        let clear = Fix {
            statement: format!("UPDATE {} AS child SET {} WHERE {condition}", self.child, clear.join(", ")),
            consequence: format!("The rows of {} stay, without the reference that led nowhere.", self.table),
        };
        if self.may_be_null { vec![clear, delete] } else { vec![delete] }
    }
}
