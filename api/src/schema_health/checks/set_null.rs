//! `SET_NULL_ON_NOT_NULL`: a rule that contradicts its column. The database accepts the key, and fails when it applies
//! the rule.

use crate::catalog::{Action, ForeignKey};
use crate::db::quote;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::{repair_sql, row_counts};

/// Returns a draft for each contradictory foreign key.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    context
        .enforced_keys()
        .filter(|key| key.on_delete == Action::SetNull && !context.all_nullable(key.table, &key.set_columns))
        .map(|key| draft(context, key))
        .collect()
}

fn draft(context: &CheckContext, key: &ForeignKey) -> FindingDraft {
    let (table, parent) = (&context.table(key.table).display, &context.table(key.referenced).display);
    let message = format!(
        "{table} refers to {parent} by {} with ON DELETE SET NULL, but {} cannot be null: a row of {parent} that one \
         of {table} refers to cannot be deleted.",
        key.columns.join(", "),
        not_null_columns(context, key).join(", ")
    );
    FindingDraft {
        rows: row_counts::referring(context, key),
        fixes: std::iter::once(repair_sql::change_rule(context, key, Action::Cascade))
            .chain(drop_not_null(context, key))
            .collect(),
        ..FindingDraft::about_key(context, FindingCode::SetNullOnNotNull, Severity::Error, key, message)
    }
}

/// Returns the NOT NULL columns that the rule would set to null.
fn not_null_columns(context: &CheckContext, key: &ForeignKey) -> Vec<String> {
    key.set_columns
        .iter()
        .filter(|name| !context.table(key.table).column(name).is_some_and(|column| column.nullable))
        .cloned()
        .collect()
}

/// Returns the fix that drops NOT NULL; none if a domain or a primary key forbids null as well.
fn drop_not_null(context: &CheckContext, key: &ForeignKey) -> Option<Fix> {
    let table = context.table(key.table);
    let name = (table.schema.clone(), table.name.clone());
    let columns = not_null_columns(context, key);
    let possible =
        columns.iter().all(|column| context.facts.droppable_not_null.contains(&(name.clone(), column.clone())));
    possible.then(|| {
        let drops: Vec<String> =
            columns.iter().map(|column| format!("ALTER COLUMN {} DROP NOT NULL", quote(column))).collect();
        Fix {
            statement: format!("ALTER TABLE {} {}", context.sql_table(key.table), drops.join(", ")),
            consequence: repair_sql::consequence(context, key, Action::SetNull)
                + " Programs that read the table must be able to handle null.",
        }
    })
}
