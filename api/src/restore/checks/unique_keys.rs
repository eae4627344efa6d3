//! The search for target rows whose value of a unique key is now used by another row.

use sea_orm::{ConnectionTrait, DatabaseTransaction, TransactionTrait};

use crate::catalog::live_table::{LiveTable, UniqueKey};
use crate::db::{Dialect, quote};
use crate::deletion::archive::ReferenceLayout;
use crate::deletion::archive::entries::{ArchiveLayout, archived_rows_table};
use crate::error::Error;
use crate::restore::archived_table::{ArchivedTable, sqlite_text};
use crate::restore::conflict::{LISTED, query_or_empty};
use crate::restore::context::RestoreContext;
use crate::restore::model::Conflict;
use crate::restore::references::UnarchivedTables;
use crate::restore::sqlite;
use crate::restore::target_rows::TargetRows;

/// Returns the target rows that a unique key rejects, for each key.
pub(super) async fn find(context: &RestoreContext<'_>, target: &TargetRows<'_>) -> Result<Vec<Conflict>, Error> {
    let mut conflicts = Vec::new();
    for key in &target.live.unique_keys {
        if let Some(parts) = &key.parts {
            conflicts.extend(find_by_expression(context, target, key, parts).await?);
        }
    }
    if target.live.unique_keys.iter().any(|key| key.parts.is_none()) {
        let more = find_by_insertion(context, target, &conflicts).await?;
        conflicts.extend(more);
    }
    Ok(conflicts)
}

/// Evaluates a key's expressions over the target rows and the live rows.
async fn find_by_expression(
    context: &RestoreContext<'_>,
    target: &TargetRows<'_>,
    key: &UniqueKey,
    parts: &[(String, String)],
) -> Result<Vec<Conflict>, Error> {
    let dialect = context.dialect();
    let mut selected: Vec<String> =
        parts.iter().enumerate().map(|(number, (part, _))| format!("{part} AS part_{number}")).collect();
    let identity = target.existing.iter().enumerate();
    selected.extend(identity.map(|(number, (column, _))| format!("{column} AS identity_{number}")));
    let selected = selected.join(", ");
    let predicate = key.predicate.as_ref().map_or_else(String::new, |predicate| format!(" WHERE {predicate}"));
    let key_value: Vec<String> =
        (0..parts.len()).map(|number| format!("coalesce({}, 'null')", text(dialect, number))).collect();
    let live = format!("(SELECT {selected} FROM {}{predicate})", target.live.relation(dialect));
    let sql = format!(
        "SELECT target.session_admin_key AS row_key, {} AS key_value \
         FROM (SELECT session_admin_key, {selected} FROM {} target{predicate}) target WHERE {} LIMIT {LISTED}",
        key_value.join(" || ', ' || "),
        target.relation,
        exists_equal(dialect, target, key, parts, &live)
    );
    let rows = query_or_empty(context.tx, dialect, sql).await?;
    let names: Vec<&str> = parts.iter().map(|(part, _)| part.split(" COLLATE ").next().unwrap_or(part)).collect();
    let conflicts = rows.iter().map(|row| {
        let message = format!(
            "Another row now has the same {} ({}), which {} allows only once. Delete or change that row, then restore \
             again.",
            names.join(", ").replace('"', ""),
            row.try_get::<String>("", "key_value")?,
            key.name
        );
        let row_key = row.try_get("", "row_key")?;
        Ok(Conflict { table: target.archived.display.clone(), key: row_key, message, deletion_id: None })
    });
    conflicts.collect()
}

fn text(dialect: Dialect, number: usize) -> String {
    match dialect {
        Dialect::Postgres => format!("CAST(target.part_{number} AS text)"),
        Dialect::Sqlite => sqlite_text(&format!("target.part_{number}")),
    }
}

/// Returns the condition that a live row, other than `target` itself, has the key value of `target`.
///
/// Plain equality is a separate subquery, so that the database can use the index of the key.
fn exists_equal(
    dialect: Dialect,
    target: &TargetRows<'_>,
    key: &UniqueKey,
    parts: &[(String, String)],
    live: &str,
) -> String {
    let identity = target.existing.iter().enumerate();
    let identity: Vec<String> = identity
        .map(|(number, (_, equals))| format!("target.identity_{number} {equals} live.identity_{number}"))
        .collect();
    let others = if identity.is_empty() { String::new() } else { format!(" AND NOT ({})", identity.join(" AND ")) };
    let exists = |same: Vec<String>| format!("EXISTS (SELECT 1 FROM {live} live WHERE {}{others})", same.join(" AND "));
    let equal = |number: usize, operator: &str| format!("target.part_{number} {operator} live.part_{number}");
    let plain = exists(parts.iter().enumerate().map(|(number, (_, operator))| equal(number, operator)).collect());
    if !key.nulls_equal || dialect == Dialect::Sqlite {
        return plain;
    }
    let any_null: Vec<String> = (0..parts.len()).map(|number| format!("target.part_{number} IS NULL")).collect();
    let equal_or_null = parts.iter().enumerate().map(|(number, (_, operator))| {
        format!("({} OR (target.part_{number} IS NULL AND live.part_{number} IS NULL))", equal(number, operator))
    });
    format!("({plain} OR (({}) AND {}))", any_null.join(" OR "), exists(equal_or_null.collect()))
}

/// Writes all rows in a savepoint, skipping those that a unique key rejects, and returns the skipped rows.
///
/// This is needed because SQLite does not report the expressions of an index over expressions or of a partial index.
async fn find_by_insertion(
    context: &RestoreContext<'_>,
    target: &TargetRows<'_>,
    known: &[Conflict],
) -> Result<Vec<Conflict>, Error> {
    let (table, live) = (target.archived, target.live);
    let savepoint = context.tx.begin().await?;
    let keys = match &table.layout {
        ArchiveLayout::Rows(layout) if layout.key.is_empty() => Ok(Vec::new()),
        ArchiveLayout::Rows(layout) => rejected_rows(&savepoint, table, live, &layout.key).await,
        ArchiveLayout::References(layout) => {
            rejected_references(&savepoint, table, live, layout, context.unarchived_tables).await
        }
    };
    savepoint.rollback().await?;
    let keys = match keys {
        // Another conflict also prevents the attempt. The database's own message is reported instead.
        Err(Error::Refused(_)) => return Ok(Vec::new()),
        keys => keys?,
    };
    let names: Vec<&str> =
        live.unique_keys.iter().filter(|key| key.parts.is_none()).map(|key| key.name.as_str()).collect();
    let message = format!(
        "Another row now has the same value in the unique key {}. Delete or change that row, then restore again.",
        names.join(" or ")
    );
    let is_new = |key: &String| !known.iter().any(|other| other.table == table.display && other.key == *key);
    let conflicts = keys.into_iter().filter(is_new).map(|key| Conflict {
        table: table.display.clone(),
        key,
        message: message.clone(),
        deletion_id: None,
    });
    Ok(conflicts.collect())
}

/// Returns the keys of archived rows that cannot be inserted.
async fn rejected_rows(
    savepoint: &DatabaseTransaction,
    table: &ArchivedTable,
    live: &LiveTable,
    key: &[usize],
) -> Result<Vec<String>, Error> {
    let dialect = Dialect::Sqlite;
    let Some(layout) = table.rows() else { return Ok(Vec::new()) };
    savepoint.execute_unprepared(&sqlite::insert_sql(table, live, "ON CONFLICT DO NOTHING")).await?;
    let same = key.iter().map(|&position| {
        format!("live.{} = {}", quote(&layout.columns[position].name), ArchivedTable::value(dialect, position))
    });
    let sql = format!(
        "SELECT {} AS row_key {} AND NOT EXISTS (SELECT 1 FROM {} live WHERE {}) LIMIT {LISTED}",
        table.key_text(dialect),
        table.rows_clause(dialect),
        live.relation(dialect),
        same.collect::<Vec<_>>().join(" AND ")
    );
    row_keys(savepoint, sql).await
}

/// Returns the keys of rows in which a reference cannot be set again.
async fn rejected_references(
    savepoint: &DatabaseTransaction,
    table: &ArchivedTable,
    live: &LiveTable,
    layout: &ReferenceLayout,
    unarchived: &UnarchivedTables,
) -> Result<Vec<String>, Error> {
    let dialect = Dialect::Sqlite;
    let update = sqlite::update_sql(table, layout, live, unarchived);
    // OR IGNORE also skips rows that are rejected for other reasons, so it is used only after a unique key has failed.
    let attempt = savepoint.begin().await?;
    let result = attempt.execute_unprepared(&update).await.map_err(Error::from);
    attempt.rollback().await?;
    if !matches!(&result, Err(Error::Refused(database_message)) if database_message.message.contains("UNIQUE constraint failed"))
    {
        return Ok(Vec::new());
    }
    savepoint.execute_unprepared(&update.replacen("UPDATE", "UPDATE OR IGNORE", 1)).await?;
    let can_be_set: Vec<String> =
        layout.units.iter().map(|unit| layout.can_be_set(dialect, unit, live, unarchived)).collect();
    let sql = format!(
        "SELECT {} AS row_key FROM {} archived JOIN {} live ON {} WHERE archived.table_id = {} AND ({}) LIMIT {LISTED}",
        table.key_text(dialect),
        archived_rows_table(dialect),
        live.relation(dialect),
        layout.is_same_row(dialect, live),
        table.id,
        can_be_set.join(" OR ")
    );
    row_keys(savepoint, sql).await
}

async fn row_keys(savepoint: &DatabaseTransaction, sql: String) -> Result<Vec<String>, Error> {
    let rows = savepoint.query_all_raw(Dialect::Sqlite.statement(sql, [])).await?;
    Ok(rows.iter().map(|row| row.try_get("", "row_key")).collect::<Result<_, _>>()?)
}
