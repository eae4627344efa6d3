//! `SET_NULL_ON_NOT_NULL`: a rule that contradicts its column. The databases accept it and fail when it is needed.

use super::Draft;
use crate::catalog::{Action, ForeignKey};
use crate::db::quote;
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, repair_sql, row_counts};

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    scene
        .enforced_keys()
        .filter(|key| key.on_delete == Action::SetNull && !scene.take_null(key.table, &key.set_columns))
        .map(|key| draft(scene, key))
        .collect()
}

fn draft(scene: &Scene, key: &ForeignKey) -> Draft {
    let (table, parent) = (&scene.table(key.table).display, &scene.table(key.referenced).display);
    let message = format!(
        "{table} refers to {parent} by {} with ON DELETE SET NULL, but {} takes no null: a row of {parent} that one of \
         {table} refers to cannot be deleted.",
        key.columns.join(", "),
        forbidding(scene, key).join(", ")
    );
    Draft {
        rows: row_counts::referring(scene, key),
        fixes: std::iter::once(repair_sql::change_rule(scene, key, Action::Cascade))
            .chain(drop_not_null(scene, key))
            .collect(),
        ..Draft::about_key(scene, FindingCode::SetNullOnNotNull, Severity::Error, key, message)
    }
}

/// The columns that the rule would set to null and that take none.
fn forbidding(scene: &Scene, key: &ForeignKey) -> Vec<String> {
    key.set_columns
        .iter()
        .filter(|name| !scene.table(key.table).column(name).is_some_and(|column| column.nullable))
        .cloned()
        .collect()
}

/// Letting the columns take null, where nothing but their own NOT NULL stands against it.
fn drop_not_null(scene: &Scene, key: &ForeignKey) -> Option<Fix> {
    let table = scene.table(key.table);
    let name = (table.schema.clone(), table.name.clone());
    let columns = forbidding(scene, key);
    let possible =
        columns.iter().all(|column| scene.facts.droppable_not_null.contains(&(name.clone(), column.clone())));
    possible.then(|| {
        let drops: Vec<String> =
            columns.iter().map(|column| format!("ALTER COLUMN {} DROP NOT NULL", quote(column))).collect();
        Fix {
            statement: format!("ALTER TABLE {} {}", scene.sql_table(key.table), drops.join(", ")),
            consequence: repair_sql::consequence(scene, key, Action::SetNull)
                + " Programs that read the table must be ready for the null.",
        }
    })
}
