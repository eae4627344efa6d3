//! `BLOCKS_DELETION`: NO ACTION and RESTRICT refuse to let a parent go; so does SET DEFAULT without a usable default.

use super::Draft;
use crate::catalog::{Action, ForeignKey};
use crate::db::quote;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, repair_sql, row_counts};

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    scene
        .enforced_keys()
        .filter_map(|key| match key.on_delete {
            Action::NoAction | Action::Restrict => Some(refusing(scene, key)),
            Action::SetDefault => unusable_default(scene, key),
            Action::Cascade | Action::SetNull => None,
        })
        .collect()
}

fn refusing(scene: &Scene, key: &ForeignKey) -> Draft {
    let (table, parent) = (&scene.table(key.table).display, &scene.table(key.referenced).display);
    let message = format!(
        "{table} refers to {parent} by {} with ON DELETE {}: a row of {parent} that one of {table} refers to cannot be deleted.",
        key.columns.join(", "),
        key.on_delete
    );
    Draft { rows: row_counts::referring(scene, key), fixes: fixes(scene, key), ..draft(scene, key, message) }
}

/// SET DEFAULT: refused where the default is null and the column takes none, and where the default is a value that no
/// row of the parent has. A default that is computed gives a value that nothing has yet.
fn unusable_default(scene: &Scene, key: &ForeignKey) -> Option<Draft> {
    let table = scene.table(key.table);
    let defaults: Vec<(&String, Option<&str>)> = key
        .set_columns
        .iter()
        .map(|name| (name, table.column(name).and_then(|column| column.default.as_deref()).filter(|sql| !is_null(sql))))
        .collect();
    let nulls: Vec<String> =
        defaults.iter().filter(|(_, default)| default.is_none()).map(|(name, _)| (*name).clone()).collect();
    let rows = if !scene.take_null(key.table, &nulls)
        || defaults.iter().any(|(_, sql)| sql.is_some_and(|sql| !is_literal(sql)))
    {
        row_counts::referring(scene, key)
    } else if !nulls.is_empty() {
        return None;
    } else {
        scene.countable(key.table).then(|| without_parent_by_default(scene, key, &defaults))
    };
    let message = format!(
        "{} refers to {} by {} with ON DELETE SET DEFAULT, and the default is no row that could take the deleted one's place.",
        table.display,
        scene.table(key.referenced).display,
        key.columns.join(", ")
    );
    Some(Draft { rows, only_with_rows: true, fixes: fixes(scene, key), ..draft(scene, key, message) })
}

fn draft(scene: &Scene, key: &ForeignKey, message: String) -> Draft {
    Draft::about_key(scene, FindingCode::BlocksDeletion, Severity::Error, key, message)
}

/// CASCADE, and SET NULL where it works; the rule that this program expects comes first.
fn fixes(scene: &Scene, key: &ForeignKey) -> Vec<Fix> {
    let expected = scene.declared_for(key).map(|declared| declared.on_delete);
    let mut rules = vec![Action::Cascade];
    if scene.take_null(key.table, &key.columns) {
        rules.push(Action::SetNull);
    }
    rules.sort_by_key(|rule| Some(*rule) != expected);
    rules.into_iter().map(|rule| repair_sql::change_rule(scene, key, rule)).collect()
}

/// Counts the rows for which the parent that the defaults name does not exist.
fn without_parent_by_default(scene: &Scene, key: &ForeignKey, defaults: &[(&String, Option<&str>)]) -> String {
    let matching: Vec<String> = key
        .referenced_columns
        .iter()
        .zip(&key.columns)
        .map(|(there, here)| {
            let value = defaults
                .iter()
                .find(|(name, _)| *name == here)
                .and_then(|(_, sql)| *sql)
                .map_or_else(|| format!("child.{}", quote(here)), |sql| format!("({sql})"));
            format!("parent.{} = {value}", quote(there))
        })
        .collect();
    format!(
        "SELECT count(*) FROM {} AS child WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS parent WHERE {})",
        scene.sql_carrier(key),
        row_counts::set(&key.columns),
        scene.sql_referenced(key),
        matching.join(" AND ")
    )
}

fn is_null(sql: &str) -> bool {
    let value = sql.split("::").next().unwrap_or(sql);
    value.trim_matches(['(', ')', ' ']).eq_ignore_ascii_case("null")
}

/// A quoted text or a number, perhaps with a cast: an expression that can be compared without running anything.
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
