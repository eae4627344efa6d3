//! `ORPHANED_ROWS`: references to rows that do not exist.
//!
//! A validated foreign key excludes them. They are counted where a key is missing or not validated, and on SQLite,
//! which accepts any reference while foreign keys are off.

use super::rule_drift;
use super::rule_drift::MissingKey;
use crate::catalog::ForeignKey;
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;
use crate::schema_health::row_counts::ReferencedColumn;

/// Returns a draft for each reference that may have orphans. It is a finding only if there are some.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let unchecked = context
        .keys()
        .filter(|key| context.dialect == Dialect::Sqlite || !key.validated || !key.enforced)
        .filter(|key| context.countable(key.table) && context.countable(key.referenced))
        .map(|key| check_key(context, key));
    let missing = rule_drift::missing_keys(context).filter(|missing| missing.countable(context)).map(|missing| {
        let orphans = Orphans {
            table: &missing.declared.table,
            columns: &missing.declared.columns,
            child: missing.table.clone(),
            parent: missing.parent.clone(),
            parent_name: &missing.declared.referenced_table,
            referenced: missing
                .parent_columns
                .iter()
                .map(|name| referenced_by_missing(context, &missing, name))
                .collect(),
            is_nullable: false,
        };
        FindingDraft { subject: missing.subject(), ..orphans.draft() }
    });
    unchecked.chain(missing).collect()
}

/// Rows of a table that may refer to rows which do not exist.
struct Orphans<'a> {
    table: &'a str,
    columns: &'a [String],
    /// The SQL name of the referring table.
    child: String,
    /// The SQL name of the referenced table.
    parent: String,
    parent_name: &'a str,
    referenced: Vec<ReferencedColumn>,
    is_nullable: bool,
}

fn check_key(context: &CheckContext, key: &ForeignKey) -> FindingDraft {
    let orphans = Orphans {
        table: &context.table(key.table).display,
        columns: &key.columns,
        child: context.sql_carrier(key),
        parent: context.sql_referenced(key),
        parent_name: &context.table(key.referenced).display,
        referenced: key
            .columns
            .iter()
            .zip(&key.referenced_columns)
            .map(|pair| referenced_by(context, key, pair))
            .collect(),
        is_nullable: context.all_nullable(key.table, &key.columns),
    };
    FindingDraft {
        constraint: Some(key.constraint.clone()),
        subject: context.subject(key.table, &key.columns),
        ..orphans.draft()
    }
}

fn referenced_by(context: &CheckContext, key: &ForeignKey, (column, to): (&String, &String)) -> ReferencedColumn {
    ReferencedColumn { name: to.clone(), collation: key.collation(&context.graph, column, to) }
}

/// The collation of the referring column is unknown. The referenced column's default collation needs no COLLATE clause.
fn referenced_by_missing(context: &CheckContext, missing: &MissingKey<'_>, to: &str) -> ReferencedColumn {
    let collation = context.table(missing.referenced).column(to).and_then(|column| column.collation.as_deref());
    let collation = collation.filter(|name| *name != "pg_catalog.\"default\"");
    ReferencedColumn {
        name: to.to_owned(),
        collation: collation.map_or_else(String::new, |name| format!(" COLLATE {name}")),
    }
}

impl Orphans<'_> {
    fn draft(&self) -> FindingDraft {
        let message = format!(
            "Rows of {} refer by {} to rows of {} that do not exist.",
            self.table,
            self.columns.join(", "),
            self.parent_name
        );
        FindingDraft {
            rows: Some(row_counts::orphans(&self.child, self.columns, &self.parent, &self.referenced)),
            only_with_rows: true,
            fixes: self.fixes(),
            ..FindingDraft::about_table(FindingCode::OrphanedRows, Severity::Error, self.table, message)
        }
    }

    fn fixes(&self) -> Vec<Fix> {
        let condition = row_counts::is_orphan(self.columns, &self.parent, &self.referenced);
        let delete = Fix {
            statement: format!("DELETE FROM {} AS child WHERE {condition}", self.child),
            consequence: format!("The rows of {} that refer to missing rows are deleted permanently.", self.table),
        };
        let clear: Vec<String> = self.columns.iter().map(|column| format!("{} = NULL", quote(column))).collect();
        let clear = Fix {
            statement: format!("UPDATE {} AS child SET {} WHERE {condition}", self.child, clear.join(", ")),
            consequence: format!("The rows of {} remain, without the broken reference.", self.table),
        };
        if self.is_nullable { vec![clear, delete] } else { vec![delete] }
    }
}
