//! A deletion on PostgreSQL: what is locked before it is counted, and the statement that does it.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement};

use crate::catalog::TableId;
use crate::db::{Database, Dialect};
use crate::error::Error;
use crate::impact::plan::Plan;
use crate::impact::sql::Sql;
use crate::impact::sql::shape::Shape;
use crate::impact::{Component, Reading};

use super::statements;
use super::table_stats::{Changes, changes_so_far};
use crate::deletion::archive::writer::Archive;
use crate::deletion::row_counts::{Done, Removed};

/// How often the rows of a cycle are looked for before a deletion gives up on others who keep adding to them.
const ROUNDS: usize = 20;

/// Reads the foreign keys and keeps them as they are until the transaction ends.
pub(in crate::deletion) async fn settle(transaction: &DatabaseTransaction, db: &Database) -> Result<Reading, Error> {
    let mut reading = Reading::now(transaction, db).await?;
    for _ in 0..ROUNDS {
        let plan = Plan::new(&reading.graph);
        let sql = Sql { plan: &plan, dialect: Dialect::Postgres, shape: Shape::Joins };
        transaction.execute_raw(statement(statements::lock_tables(&sql))).await?;
        let again = Reading::now(transaction, db).await?;
        if again == reading {
            return Ok(reading);
        }
        reading = again;
    }
    Err(Error::Unsuitable("The foreign keys keep changing. Try again when the schema is at rest.".to_owned()))
}

/// Locks the rows that go, level by level, each level in a statement of its own, which sees what was committed before the
/// level above it was locked; then the rows that will be unlinked. Leaves are not locked: nothing refers to them.
pub(in crate::deletion) async fn lock_rows(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    ids: &str,
) -> Result<(), Error> {
    for component in &sql.plan.components {
        lock_component(transaction, sql, component, ids).await?;
    }
    for edge in statements::unlinking(sql.plan) {
        locked(transaction, statements::lock_unlinked(sql, edge), ids).await?;
    }
    Ok(())
}

async fn lock_component(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    component: &Component,
    ids: &str,
) -> Result<(), Error> {
    let mut before = -1;
    for _ in 0..ROUNDS {
        let mut found = 0;
        for &table in component.tables.iter().filter(|&&table| sql.plan.is_node(table)) {
            found += locked(transaction, statements::lock_node(sql, table), ids).await?;
        }
        if !component.cyclic || found == before {
            return Ok(());
        }
        before = found;
    }
    Err(Error::Unsuitable("Other transactions keep adding rows to what is to be deleted. Try again.".to_owned()))
}

async fn locked(transaction: &DatabaseTransaction, sql: String, ids: &str) -> Result<i64, Error> {
    let row = transaction.query_one_raw(Dialect::Postgres.statement(sql, [ids.into()])).await?;
    Ok(row.map(|row| row.try_get("", "locked")).transpose()?.unwrap_or_default())
}

/// Deletes and unlinks, then fires what was deferred, so that nothing fails at the commit.
pub(in crate::deletion) async fn remove(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    ids: &str,
    archive: &Archive,
) -> Result<Removed, Error> {
    let before = changes_so_far(transaction).await?;
    let statement = Dialect::Postgres.statement(statements::delete(sql, archive), [ids.into()]);
    let rows = transaction.query_all_raw(statement).await?;
    let mut tables: HashMap<TableId, Done> = HashMap::new();
    for row in rows {
        let table: i64 = row.try_get("", "t")?;
        let (deleted, unlinked) = (row.try_get("", "deleted")?, row.try_get("", "unlinked")?);
        let done = Done { deleted, unlinked, flagged: row.try_get("", "flagged")? };
        tables.insert(TableId::try_from(table).unwrap_or_default(), done);
    }
    transaction.execute_unprepared("SET CONSTRAINTS ALL IMMEDIATE").await?;
    let after = changes_so_far(transaction).await?;
    let (unexplained, unkept) = match (before, after) {
        (Some(before), Some(after)) => {
            (unexplained(sql, &tables, &before, &after), archive.unkept(&tables, kept(&after) - kept(&before)))
        }
        _ => (0, 0),
    };
    Ok(Removed { tables, unexplained, unkept })
}

/// Rows that were put into archives.
fn kept(changes: &Changes) -> i64 {
    let own = ("session_admin".to_owned(), "archived_rows".to_owned());
    changes.get(&own).map_or(0, |changed| changed.inserted)
}

/// Rows that went beside those that the statement deleted. An unlinked row that moves to another partition counts as
/// deleted there and inserted here.
fn unexplained(sql: &Sql<'_>, done: &HashMap<TableId, Done>, before: &Changes, after: &Changes) -> i64 {
    let beside = after.iter().map(|(table, now)| {
        let then = before.get(table).copied().unwrap_or_default();
        let found = sql.plan.graph.find(&table.0, &table.1);
        let ours = found.and_then(|table| done.get(&table)).copied().unwrap_or_default();
        let partitioned = found.is_some_and(|table| sql.table(table).partitioned);
        let moved = if partitioned { (now.inserted - then.inserted).min(ours.unlinked) } else { 0 };
        (now.deleted - then.deleted - moved - ours.deleted).abs()
    });
    beside.sum()
}

fn statement(sql: String) -> Statement {
    Dialect::Postgres.statement(sql, [])
}
