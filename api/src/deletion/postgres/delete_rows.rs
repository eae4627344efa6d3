//! Locking, deleting and unlinking rows on PostgreSQL.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};

use super::statements;
use super::table_stats::{TableChanges, changes_so_far};
use crate::catalog::TableId;
use crate::db::{Database, Dialect};
use crate::deletion::archive::writer::ArchiveWriter;
use crate::deletion::row_counts::{DeletedRows, TableRowCounts};
use crate::error::Error;
use crate::impact::plan::DeletionPlan;
use crate::impact::sql::PlanSql;
use crate::impact::sql::shape::QueryShape;
use crate::impact::{Component, SchemaSnapshot};

/// How often the foreign keys are read, or the rows of a cycle locked, while other transactions keep changing them.
const MAX_ROUNDS: usize = 20;

/// Reads the foreign keys and locks their tables, so that the keys stay as they are until the transaction ends.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] where the keys keep changing; [`Error::LockTimeout`], [`Error::Unavailable`],
/// [`Error::Timeout`].
pub(in crate::deletion) async fn lock_schema(
    transaction: &DatabaseTransaction,
    db: &Database,
) -> Result<SchemaSnapshot, Error> {
    let mut schema = SchemaSnapshot::load(transaction, db).await?;
    for _ in 0..MAX_ROUNDS {
        let plan = DeletionPlan::new(&schema.graph);
        let sql = PlanSql { plan: &plan, dialect: Dialect::Postgres, shape: QueryShape::Joins };
        transaction.execute_raw(Dialect::Postgres.statement(statements::lock_tables(&sql), [])).await?;
        let again = SchemaSnapshot::load(transaction, db).await?;
        if again == schema {
            return Ok(schema);
        }
        schema = again;
    }
    Err(Error::IncompatibleDatabase(
        "The foreign keys keep changing. Try again when the schema no longer changes.".to_owned(),
    ))
}

/// Locks the rows to be deleted, level by level, and then the rows to be unlinked.
///
/// Each level is a statement of its own, which sees everything that was committed before the level above was locked.
/// Rows of tables that nothing refers to are not locked.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] where other transactions keep adding rows to a cycle; [`Error::LockTimeout`],
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(in crate::deletion) async fn lock_rows(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    ids: &str,
) -> Result<(), Error> {
    for component in &sql.plan.components {
        lock_component(transaction, sql, component, ids).await?;
    }
    for edge in statements::locked_edges(sql.plan) {
        lock_count(transaction, statements::lock_unlinked(sql, edge), ids).await?;
    }
    Ok(())
}

/// Locks the rows of a component. The rows of a cycle are locked again until their number stays the same.
async fn lock_component(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    component: &Component,
    ids: &str,
) -> Result<(), Error> {
    let mut before = -1;
    for _ in 0..MAX_ROUNDS {
        let mut locked = 0;
        for &table in component.tables.iter().filter(|&&table| sql.plan.is_node(table)) {
            locked += lock_count(transaction, statements::lock_node(sql, table), ids).await?;
        }
        if !component.cyclic || locked == before {
            return Ok(());
        }
        before = locked;
    }
    Err(Error::IncompatibleDatabase(
        "Other transactions keep adding rows that the deletion would have to delete. Try again.".to_owned(),
    ))
}

/// Executes a locking statement and returns the number of locked rows.
async fn lock_count(transaction: &DatabaseTransaction, sql: String, ids: &str) -> Result<i64, Error> {
    let row = transaction.query_one_raw(Dialect::Postgres.statement(sql, [ids.into()])).await?;
    Ok(row.map(|row| row.try_get("", "locked")).transpose()?.unwrap_or_default())
}

/// Deletes and unlinks the rows of a plan, then fires the deferred triggers, so that nothing fails at the commit.
///
/// # Errors
/// [`Error::Refused`] where the database refuses; [`Error::LockTimeout`], [`Error::Unavailable`], [`Error::Timeout`].
pub(in crate::deletion) async fn delete_rows(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    ids: &str,
    archive: &ArchiveWriter,
) -> Result<DeletedRows, Error> {
    let before = changes_so_far(transaction).await?;
    let statement = Dialect::Postgres.statement(statements::delete(sql, archive), [ids.into()]);
    let rows = transaction.query_all_raw(statement).await?;
    let mut tables: HashMap<TableId, TableRowCounts> = HashMap::new();
    for row in rows {
        let table: i64 = row.try_get("", "table_number")?;
        let (deleted, unlinked) = (row.try_get("", "deleted")?, row.try_get("", "unlinked")?);
        let counts = TableRowCounts { deleted, unlinked, flagged: row.try_get("", "flagged")? };
        tables.insert(TableId::try_from(table).unwrap_or_default(), counts);
    }
    transaction.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
    let after = changes_so_far(transaction).await?;
    let (unexplained, unarchived_rows) = match (before, after) {
        (Some(before), Some(after)) => {
            let archived = archived_rows(&after) - archived_rows(&before);
            (unexplained_changes(sql, &tables, &before, &after), archive.unarchived_rows(&tables, archived))
        }
        _ => (0, 0),
    };
    Ok(DeletedRows { tables, unexplained, unarchived_rows })
}

/// Returns the number of archived rows among the changes.
fn archived_rows(changes: &TableChanges) -> i64 {
    let table = ("session_admin".to_owned(), "archived_rows".to_owned());
    changes.get(&table).map_or(0, |changed| changed.inserted)
}

/// Returns the number of deleted rows that `counts` does not explain. An unlinked row that moves to another partition
/// counts as deleted there and inserted here.
fn unexplained_changes(
    sql: &PlanSql<'_>,
    counts: &HashMap<TableId, TableRowCounts>,
    before: &TableChanges,
    after: &TableChanges,
) -> i64 {
    let unexplained = after.iter().map(|(table, now)| {
        let then = before.get(table).copied().unwrap_or_default();
        let found = sql.plan.graph.find(&table.0, &table.1);
        let own = found.and_then(|table| counts.get(&table)).copied().unwrap_or_default();
        let partitioned = found.is_some_and(|table| sql.table(table).partitioned);
        let moved = if partitioned { (now.inserted - then.inserted).min(own.unlinked) } else { 0 };
        (now.deleted - then.deleted - moved - own.deleted).abs()
    });
    unexplained.sum()
}
