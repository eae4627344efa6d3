//! A deletion on SQLite: one writer at a time, so nothing is locked row by row; no statement changes several tables, so
//! the rows are listed first and the tables are gone through, those that refer before those referred to.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::error::{Error, Said};
use crate::impact::plan::Plan;
use crate::impact::sql::Sql;
use crate::impact::sql::changes::{Cleared, assignments, changed_rows, cleared, gone_rows, written};

use super::change_audit::Witness;
use super::foreign_key_check::broken_references;
use crate::deletion::archive::sqlite as keep;
use crate::deletion::archive::writer::Archive;
use crate::deletion::row_counts::{Done, Removed};
use crate::deletion::sqlite_work_tables::{affected, changed, gone};

/// Whether SQLite can be left to enforce its keys meanwhile. It cannot where a cycle leads back: it fires CASCADE, SET NULL
/// and SET DEFAULT row by row, ahead of the order, and never defers RESTRICT, so a cycle of rows that all go would be
/// refused. Nor can it where a key refers to a table that does not exist. Then the keys are off and every one of them is
/// checked afterwards.
pub(in crate::deletion) fn may_enforce(plan: &Plan<'_>) -> bool {
    let nowhere = plan.reached().iter().any(|&table| plan.graph.tables[table].refers_nowhere);
    !nowhere && !plan.acts_within_cycle()
}

/// Deletes and unlinks. `check` compares every foreign key of the database before and after.
pub(in crate::deletion) async fn remove(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    ids: &str,
    archive: &Archive,
    check: bool,
) -> Result<Removed, Error> {
    let broken_before = if check { broken_references(transaction).await? } else { BTreeSet::new() };
    let written = written(sql.plan);
    let mut kept = 0;
    for &table in &written {
        list(transaction, sql, table, ids).await?;
        kept += keep::keep_rows(transaction, sql, archive, table).await?;
        keep::note_references(transaction, sql, archive, table).await?;
    }
    let witness = Witness::before(transaction, sql, &written).await?;
    let mut tables: HashMap<TableId, Done> = HashMap::new();
    for &table in &written {
        let columns = cleared(sql, table);
        if !columns.is_empty() {
            tables.entry(table).or_default().unlinked = unlink(transaction, sql, table, &columns).await?;
        }
    }
    for table in sql.plan.children_first() {
        tables.entry(table).or_default().deleted = delete(transaction, sql, table).await?;
    }
    let unexplained = witness.after(transaction, sql, &tables).await?;
    for &table in &written {
        let unlinked = tables.get(&table).map_or(0, |done| done.unlinked);
        kept += keep::keep_references(transaction, sql, archive, table, unlinked).await?;
        transaction.execute_unprepared(&format!("DROP TABLE {}", gone(table))).await?;
        transaction.execute_unprepared(&format!("DROP TABLE {}", changed(table))).await?;
    }
    if check && let Some((table, ..)) = broken_references(transaction).await?.difference(&broken_before).next() {
        return Err(Error::Refused(Box::new(left_behind(table))));
    }
    let unkept = archive.unkept(&tables, kept);
    Ok(Removed { tables, unexplained, unkept })
}

/// Writes down which rows of a table go and which change, before anything does.
async fn list(transaction: &DatabaseTransaction, sql: &Sql<'_>, table: TableId, ids: &str) -> Result<(), Error> {
    let width = sql.table(table).row_id.len();
    let names: Vec<String> = (0..width).map(|place| format!("r{place}")).collect();
    let names = names.join(", ");
    let edges: BTreeSet<usize> = cleared(sql, table).values().flatten().map(|(edge, _)| *edge).collect();
    let marks: String = edges.iter().map(|edge| format!(", h{edge}")).collect();
    for (list, columns) in [(gone(table), names.clone()), (changed(table), format!("{names}{marks}"))] {
        transaction.execute_unprepared(&format!("DROP TABLE IF EXISTS {list}")).await?;
        transaction.execute_unprepared(&format!("CREATE TEMP TABLE {}({columns})", list.replace("temp.", ""))).await?;
    }
    if sql.plan.doomed[table] {
        let rows = format!("INSERT INTO {} {} {}", gone(table), sql.with(), gone_rows(sql, table));
        transaction.execute_raw(Dialect::Sqlite.statement(rows, [ids.into()])).await?;
    }
    if !edges.is_empty() {
        let rows = format!("INSERT INTO {} {} {}", changed(table), sql.with(), changed_rows(sql, table));
        transaction.execute_raw(Dialect::Sqlite.statement(rows, [ids.into()])).await?;
    }
    Ok(())
}

async fn unlink(
    transaction: &DatabaseTransaction,
    sql: &Sql<'_>,
    table: TableId,
    columns: &Cleared,
) -> Result<i64, Error> {
    // As foreign keys do it, whatever the table says of its own conflicts.
    let update = format!(
        "UPDATE OR ABORT {} AS c SET {} FROM {} s WHERE {}",
        sql.relation(table),
        assignments(columns),
        changed(table),
        sql.same_row(table, "c", "s")
    );
    affected(transaction, update).await
}

async fn delete(transaction: &DatabaseTransaction, sql: &Sql<'_>, table: TableId) -> Result<i64, Error> {
    let key: Vec<String> = sql.table(table).row_id.iter().map(|name| quote(name)).collect();
    let delete =
        format!("DELETE FROM {} WHERE ({}) IN (SELECT * FROM {})", sql.relation(table), key.join(", "), gone(table));
    affected(transaction, delete).await
}

/// What SQLite would say at COMMIT, with more words: it names neither table nor cause.
fn left_behind(table: &str) -> Said {
    let message = format!("rows of {table} would refer to rows that are gone; look for triggers that write to it");
    Said { source: DbErr::Custom(message.clone()), message, table: Some(table.to_owned()), constraint: None }
}
