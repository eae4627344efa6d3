//! The search for rows that a later deletion has deleted and archived.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ConnectionTrait, QueryResult, TransactionTrait};
use serde_json::json;
use uuid::Uuid;

use crate::db::Dialect;
use crate::deletion::archive::entries::{ArchiveLayout, archived_rows_table};
use crate::error::Error;
use crate::restore::archived_table::{ArchivedTable, load_of_later_deletions};
use crate::restore::conflict::LISTED;
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;

/// The number of SELECTs in one UNION ALL. SQLite allows at most 500.
const SELECTS_PER_STATEMENT: usize = 100;

/// A column's name and collation.
pub(super) type Column<'a> = (&'a str, Option<&'a str>);

/// Key columns of one table, which is identified by schema and name.
pub(super) struct KeyColumns<'a> {
    pub table: &'a (String, String),
    pub columns: Vec<Column<'a>>,
}

/// Returns the later deletion that deleted the row of each key, by index into `keys`.
///
/// Keys are texts in the order of the columns. Only deletions that can be restored count.
pub(super) async fn later_deletions_of(
    context: &RestoreContext<'_>,
    key_columns: &KeyColumns<'_>,
    keys: &[Vec<String>],
) -> Result<HashMap<usize, Uuid>, Error> {
    let mut found = HashMap::new();
    if keys.is_empty() {
        return Ok(found);
    }
    let searched = listed_keys(context.dialect(), key_columns.columns.len());
    let rows = find_deleted(context, key_columns, &searched, Some(json!(keys).to_string())).await?;
    for (row, later_deletion) in rows {
        let position: i64 = row.try_get("", "key_number")?;
        if let Ok(position) = usize::try_from(position) {
            found.insert(position, later_deletion);
        }
    }
    Ok(found)
}

/// Executes the query `searched` and returns those of its rows that a later, restorable deletion has deleted, with that
/// deletion.
///
/// The columns `key_0`, `key_1`, … of the query are keys. `parameter` is the query's parameter 1.
async fn find_deleted(
    context: &RestoreContext<'_>,
    key_columns: &KeyColumns<'_>,
    searched: &str,
    parameter: Option<String>,
) -> Result<Vec<(QueryResult, Uuid)>, Error> {
    let dialect = context.dialect();
    let mut found = Vec::new();
    let tables = load_of_later_deletions(context.tx, context.db, context.deletion_id, key_columns.table).await?;
    let selects: Vec<String> =
        tables.iter().filter_map(|table| select_archived(dialect, table, &key_columns.columns)).collect();
    if selects.is_empty() {
        return Ok(found);
    }
    let savepoint = context.tx.begin().await?;
    if dialect == Dialect::Postgres {
        // The planner may estimate an archive as empty and scan it once for each searched row.
        savepoint.execute_unprepared("SET LOCAL enable_nestloop = off").await?;
    }
    for chunk in selects.chunks(SELECTS_PER_STATEMENT) {
        let sql = format!("WITH searched AS MATERIALIZED ({searched}) {} LIMIT {LISTED}", chunk.join(" UNION ALL "));
        let values = parameter.iter().map(|value| value.clone().into());
        for row in savepoint.query_all_raw(dialect.statement(sql, values)).await? {
            let later_deletion: String = row.try_get("", "deletion_id")?;
            if let Ok(later_deletion) = later_deletion.parse() {
                found.push((row, later_deletion));
            }
        }
    }
    savepoint.rollback().await?;
    Ok(found)
}

/// Returns SQL that reads the keys in parameter 1, a JSON array of arrays, as `key_number, key_0, key_1, …`.
fn listed_keys(dialect: Dialect, width: usize) -> String {
    let keys: String =
        (0..width).map(|number| format!(", CAST(listed.value ->> {number} AS text) AS key_{number}")).collect();
    match dialect {
        Dialect::Postgres => format!(
            "SELECT listed.number - 1 AS key_number{keys} \
             FROM jsonb_array_elements(CAST($1 AS jsonb)) WITH ORDINALITY AS listed(value, number)"
        ),
        Dialect::Sqlite => format!("SELECT listed.key AS key_number{keys} FROM json_each($1) AS listed"),
    }
}

/// Returns SQL for the searched rows that an archive contains, or `None` if the archive lacks a column.
///
/// The archive is scanned once. SQLite executes a CROSS JOIN in the written order, and builds an index over the
/// searched rows.
fn select_archived(dialect: Dialect, table: &ArchivedTable, columns: &[Column<'_>]) -> Option<String> {
    let layout = table.rows()?;
    let conditions = columns.iter().enumerate().map(|(number, (name, collation))| {
        let position = layout.columns.iter().position(|column| dialect.is_same_name(&column.name, name))?;
        let collation = collation.map_or_else(String::new, |name| format!(" COLLATE {name}"));
        Some(format!("{}{collation} = searched.key_{number}", ArchivedTable::text(dialect, position)))
    });
    let conditions: Vec<String> = conditions.collect::<Option<_>>()?;
    let join = match dialect {
        Dialect::Postgres => "JOIN",
        Dialect::Sqlite => "CROSS JOIN",
    };
    Some(format!(
        "SELECT searched.*, '{}' AS deletion_id FROM {} archived {join} searched ON {} WHERE archived.table_id = {}",
        table.deletion_id,
        archived_rows_table(dialect),
        conditions.join(" AND "),
        table.id
    ))
}

/// Returns the unlinked rows that a later deletion has deleted.
///
/// That deletion must be restored first. Otherwise its rows would be restored without these references.
pub(in crate::restore) async fn deleted_unlinked_rows(context: &RestoreContext<'_>) -> Result<Vec<Conflict>, Error> {
    let dialect = context.dialect();
    let mut conflicts = Vec::new();
    for table in context.tables {
        let (ArchiveLayout::References(layout), Some(live)) = (&table.layout, &table.live) else { continue };
        let keys: String = (0..layout.key.len())
            .map(|position| format!(", {} AS key_{position}", ArchivedTable::text(dialect, position)))
            .collect();
        // A subquery looks up each row by the index of its key, because most tables have many more rows than were
        // unlinked.
        let deleted_rows = format!(
            "SELECT {} AS row_key{keys} {} AND (SELECT 1 FROM {} live WHERE {} LIMIT 1) IS NULL",
            table.key_text(dialect),
            table.rows_clause(dialect),
            live.relation(dialect),
            layout.is_same_row(dialect, live)
        );
        let key_columns = KeyColumns {
            table: &table.name,
            columns: layout.key.iter().map(|column| (column.name.as_str(), None)).collect(),
        };
        // If several deletions have deleted the row, the last one must be restored first.
        let mut last_deletions = BTreeMap::new();
        for (row, later_deletion) in find_deleted(context, &key_columns, &deleted_rows, None).await? {
            last_deletions.insert(row.try_get::<String>("", "row_key")?, later_deletion);
        }
        conflicts.extend(last_deletions.into_iter().map(|(key, later_deletion)| Conflict {
            table: table.display.clone(),
            key,
            message: format!(
                "The later deletion {later_deletion} deleted the row whose reference is to be restored. Restore that \
                 deletion first."
            ),
            deletion_id: Some(later_deletion),
        }));
    }
    Ok(conflicts)
}
