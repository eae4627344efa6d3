//! `BLOCKS_DELETION`: NO ACTION and RESTRICT block the deletion of a parent row; so does SET DEFAULT without a usable
//! default.

use crate::catalog::{Action, ForeignKey};
use crate::db::quote;
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::{repair_sql, row_counts};

/// Returns a draft for each blocking foreign key.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    context
        .enforced_keys()
        .filter_map(|key| match key.on_delete {
            Action::NoAction | Action::Restrict => Some(blocking_rule(context, key)),
            Action::SetDefault => unusable_default(context, key),
            Action::Cascade | Action::SetNull => None,
        })
        .collect()
}

fn blocking_rule(context: &CheckContext, key: &ForeignKey) -> FindingDraft {
    let (table, parent) = (&context.table(key.table).display, &context.table(key.referenced).display);
    let message = format!(
        "{table} refers to {parent} by {} with ON DELETE {}: a row of {parent} that one of {table} refers to cannot be deleted.",
        key.columns.join(", "),
        key.on_delete
    );
    FindingDraft {
        rows: row_counts::referring(context, key),
        fixes: fixes(context, key),
        ..draft(context, key, message)
    }
}

/// Returns a draft for SET DEFAULT if the default is null and the column is NOT NULL, or if the parent has no row with
/// the default. A computed default counts as a value that the parent does not have.
fn unusable_default(context: &CheckContext, key: &ForeignKey) -> Option<FindingDraft> {
    let table = context.table(key.table);
    let defaults: Vec<(&String, Option<&str>)> = key
        .set_columns
        .iter()
        .map(|name| (name, table.column(name).and_then(|column| column.default.as_deref()).filter(|sql| !is_null(sql))))
        .collect();
    let nulls: Vec<String> =
        defaults.iter().filter(|(_, default)| default.is_none()).map(|(name, _)| (*name).clone()).collect();
    let rows = if !context.all_nullable(key.table, &nulls)
        || defaults.iter().any(|(_, sql)| sql.is_some_and(|sql| !is_literal(sql)))
    {
        row_counts::referring(context, key)
    } else if !nulls.is_empty() {
        return None;
    } else {
        context.countable(key.table).then(|| without_parent_by_default(context, key, &defaults))
    };
    let message = format!(
        "{} refers to {} by {} with ON DELETE SET DEFAULT, and the default does not refer to a row that could replace \
         the deleted one.",
        table.display,
        context.table(key.referenced).display,
        key.columns.join(", ")
    );
    Some(FindingDraft { rows, only_with_rows: true, fixes: fixes(context, key), ..draft(context, key, message) })
}

fn draft(context: &CheckContext, key: &ForeignKey, message: String) -> FindingDraft {
    FindingDraft::about_key(context, FindingCode::BlocksDeletion, Severity::Error, key, message)
}

/// Returns the fixes CASCADE and, for nullable columns, SET NULL. The rule that this program expects comes first.
fn fixes(context: &CheckContext, key: &ForeignKey) -> Vec<Fix> {
    let expected = context.declared_for(key).map(|declared| declared.on_delete);
    let mut rules = vec![Action::Cascade];
    if context.all_nullable(key.table, &key.columns) {
        rules.push(Action::SetNull);
    }
    rules.sort_by_key(|rule| Some(*rule) != expected);
    rules.into_iter().map(|rule| repair_sql::change_rule(context, key, rule)).collect()
}

/// Returns SQL that counts the rows for which the parent with the default values does not exist.
fn without_parent_by_default(context: &CheckContext, key: &ForeignKey, defaults: &[(&String, Option<&str>)]) -> String {
    let matching: Vec<String> = key
        .referenced_columns
        .iter()
        .zip(&key.columns)
        .map(|(parent, child)| {
            let value = defaults
                .iter()
                .find(|(name, _)| *name == child)
                .and_then(|(_, sql)| *sql)
                .map_or_else(|| format!("child.{}", quote(child)), |sql| format!("({sql})"));
            format!("parent.{} = {value}", quote(parent))
        })
        .collect();
    format!(
        "SELECT count(*) FROM {} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
        context.sql_carrier(key),
        row_counts::all_not_null(&key.columns),
        context.sql_referenced(key),
        matching.join(" AND ")
    )
}

/// Returns whether a default expression is null.
fn is_null(sql: &str) -> bool {
    let value = sql.split("::").next().unwrap_or(sql);
    value.trim_matches(['(', ')', ' ']).eq_ignore_ascii_case("null")
}

/// Returns whether an expression is a quoted text or a number, perhaps with a cast. Comparing it calls no functions.
fn is_literal(sql: &str) -> bool {
    let quoted = sql.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
    let rest = match quoted {
        Some((_, rest)) => rest,
        None => sql.trim_start_matches(|sign: char| sign == '-' || sign == '.' || sign.is_ascii_digit()),
    };
    rest.len() < sql.len() && (rest.is_empty() || rest.starts_with("::")) && !rest.contains(['(', '\''])
}

#[cfg(test)]
mod tests {
    use super::{is_literal, is_null};

    #[test]
    fn literals_are_told_from_what_would_have_to_be_run() {
        for sql in ["'a'", "'a'::text", "42", "-1", "'00000000-0000-0000-0000-000000000000'::uuid"] {
            assert!(is_literal(sql), "{sql}");
        }
        for sql in
            ["gen_random_uuid()", "nextval('s'::regclass)", "'a' || f()", "CURRENT_TIMESTAMP", "'a'::text || 'b'"]
        {
            assert!(!is_literal(sql), "{sql}");
        }
    }

    #[test]
    fn a_null_default_is_none() {
        for sql in ["NULL", "null", "NULL::uuid", "(NULL)"] {
            assert!(is_null(sql), "{sql}");
        }
    }
}
