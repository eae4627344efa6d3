//! The search for rows that refer to a parent row which neither exists nor is restored with them.

use uuid::Uuid;

use super::later_deletions::{KeyColumns, later_deletions_of};
use crate::catalog::live_table::LiveForeignKey;
use crate::db::{Database, Dialect, quote};
use crate::deletion::archive::entries::ArchiveLayout;
use crate::error::Error;
use crate::restore::archived_table::{ArchivedTable, sqlite_text};
use crate::restore::conflict::{LISTED, query_or_empty};
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::restore::target_rows::TargetRows;

/// Returns the target rows whose parent is missing, for each foreign key that the restore sets.
pub(super) async fn find(context: &RestoreContext<'_>, target: &TargetRows<'_>) -> Result<Vec<Conflict>, Error> {
    let dialect = context.dialect();
    let mut conflicts = Vec::new();
    for reference in target.live.references.iter().filter(|reference| affects_key(dialect, target, reference)) {
        let parents = context.tables.iter().filter(|table| holds_rows_of(dialect, table, &reference.whole));
        let parents: Vec<TargetRows<'_>> =
            parents.filter_map(|table| TargetRows::new(dialect, table, context.unarchived_tables)).collect();
        let sql = missing_sql(dialect, target, reference, &parents);
        conflicts.extend(conflicts_of(context, target.archived, reference, sql).await?);
    }
    Ok(conflicts)
}

/// Returns whether the archive contains deleted rows of the table that a foreign key refers to.
fn holds_rows_of(dialect: Dialect, table: &ArchivedTable, (schema, name): &(String, String)) -> bool {
    table.name.0 == *schema && dialect.is_same_name(&table.name.1, name) && table.rows().is_some()
}

/// Returns whether the restore sets a foreign key's columns.
///
/// If it only sets references again, a foreign key without any of their columns is not changed.
fn affects_key(dialect: Dialect, target: &TargetRows<'_>, reference: &LiveForeignKey) -> bool {
    let is_set = |name: &String| match &target.archived.layout {
        ArchiveLayout::Rows(_) => true,
        ArchiveLayout::References(layout) => {
            layout.cleared.iter().any(|column| dialect.is_same_name(&column.name, name))
        }
    };
    reference.columns.iter().all(|name| target.has_column(dialect, name)) && reference.columns.iter().any(is_set)
}

/// Returns SQL for the target rows without a parent, with the columns `row_key` and `text_0`, `text_1`, … (the
/// referring values).
///
/// The live parent is looked up row by row with the index that the foreign key requires. The remaining rows are sorted
/// together with the restored parents. The duration of the sort does not depend on an estimate of the archive, whose
/// statistics may be older than the deletion.
fn missing_sql(
    dialect: Dialect,
    target: &TargetRows<'_>,
    reference: &LiveForeignKey,
    parents: &[TargetRows<'_>],
) -> String {
    let numbers = 0..reference.columns.len();
    let column = |number: usize| format!("target.{}", quote(&reference.columns[number]));
    let list = |item: &dyn Fn(usize) -> String| numbers.clone().map(item).collect::<Vec<_>>().join(", ");
    let texts = list(&|number| format!("{} AS text_{number}", text(dialect, target, reference, number)));
    let values = list(&|number| format!("{} AS value_{number}", normalized(dialect, column(number))));
    let mut conditions: Vec<String> = numbers.clone().map(|number| format!("{} IS NOT NULL", column(number))).collect();
    conditions.extend(reference.predicate.iter().map(|predicate| format!("({predicate})")));
    let same: Vec<String> =
        numbers.clone().map(|number| reference.equals_parent(dialect, number, "parent", &column(number))).collect();
    let missing = format!(
        "SELECT 1 AS is_child, target.session_admin_key AS row_key, {texts}, {values} FROM {} target WHERE {} \
         AND NOT EXISTS (SELECT 1 FROM {} parent WHERE {})",
        target.relation,
        conditions.join(" AND "),
        reference.relation(dialect),
        same.join(" AND ")
    );
    let texts = list(&|number| format!("text_{number}"));
    let no_texts = list(&|_| "NULL".to_owned());
    let restored = parents
        .iter()
        .filter(|parent| reference.referenced_columns.iter().all(|name| parent.has_column(dialect, name)));
    let restored: String = restored
        .map(|parent| {
            let values = list(&|number| {
                normalized(dialect, format!("restored.{}", quote(&reference.referenced_columns[number])))
            });
            format!(" UNION ALL SELECT 0, NULL, {no_texts}, {values} FROM {} restored", parent.relation)
        })
        .collect();
    if restored.is_empty() {
        return format!("SELECT row_key, {texts} FROM ({missing}) missing LIMIT {LISTED}");
    }
    let same = list(&|number| format!("value_{number}{}", reference.collation(number)));
    format!(
        "SELECT row_key, {texts} FROM (SELECT is_child, row_key, {texts}, \
         count(*) FILTER (WHERE is_child = 0) OVER (PARTITION BY {same}) AS parents \
         FROM ({missing}{restored}) children_and_parents) counted \
         WHERE is_child = 1 AND parents = 0 LIMIT {LISTED}"
    )
}

/// Returns SQL for a referring value as text, in the form in which the archive stores the parent's value.
fn text(dialect: Dialect, target: &TargetRows<'_>, reference: &LiveForeignKey, number: usize) -> String {
    let name = &reference.columns[number];
    let value = format!("target.{}", quote(name));
    match (dialect, target.live.column(dialect, name)) {
        (Dialect::Postgres, Some(column)) => column.text(&value),
        (Dialect::Postgres, None) => format!("CAST({value} AS text)"),
        (Dialect::Sqlite, _) => sqlite_text(&value),
    }
}

/// Returns SQL that makes equal values of different SQLite types identical.
///
/// Archived values have no type on SQLite: 1 in one column may refer to '1' or 1.0 in another. Only a cast through text
/// makes 1.0 equal to 1.
fn normalized(dialect: Dialect, value: String) -> String {
    let number = format!("CAST(CAST(CAST({value} AS text) AS numeric) AS text)");
    match dialect {
        Dialect::Postgres => value,
        Dialect::Sqlite => format!("CASE WHEN typeof({value}) IN ('integer', 'real') THEN {number} ELSE {value} END"),
    }
}

async fn conflicts_of(
    context: &RestoreContext<'_>,
    table: &ArchivedTable,
    reference: &LiveForeignKey,
    sql: String,
) -> Result<Vec<Conflict>, Error> {
    let mut row_keys: Vec<String> = Vec::new();
    let mut parent_keys: Vec<Vec<String>> = Vec::new();
    for row in query_or_empty(context.tx, context.dialect(), sql).await? {
        let numbers = 0..reference.columns.len();
        let parent_key = numbers.map(|number| row.try_get("", &format!("text_{number}"))).collect::<Result<_, _>>()?;
        row_keys.push(row.try_get("", "row_key")?);
        parent_keys.push(parent_key);
    }
    let columns = reference.referenced_columns.iter().zip(&reference.collations);
    let key_columns = KeyColumns {
        table: &reference.whole,
        columns: columns.map(|(name, collation)| (name.as_str(), collation.as_deref())).collect(),
    };
    let later_deletions = later_deletions_of(context, &key_columns, &parent_keys).await?;
    let conflicts = row_keys.into_iter().zip(&parent_keys).enumerate().map(|(position, (key, parent_key))| {
        let deletion_id = later_deletions.get(&position).copied();
        let message = message(context.db, reference, parent_key, deletion_id);
        Conflict { table: table.display.clone(), key, message, deletion_id }
    });
    Ok(conflicts.collect())
}

fn message(db: &Database, reference: &LiveForeignKey, parent_key: &[String], later_deletion: Option<Uuid>) -> String {
    let (schema, name) = &reference.referenced;
    let parent = if schema == db.schema() { name.clone() } else { format!("{schema}.{name}") };
    let (columns, key) = (reference.columns.join(", "), parent_key.join(", "));
    match later_deletion {
        Some(deletion) => format!(
            "{columns} refers to the row {key} of {parent}, which the later deletion {deletion} deleted. Restore that \
             deletion first."
        ),
        None => format!(
            "{columns} refers to the row {key} of {parent}, which no longer exists. Insert that row, then restore \
             again."
        ),
    }
}
