//! Deleting and unlinking rows on SQLite.
//!
//! SQLite has one writer at a time, so no row is locked. No statement changes several tables, so the rows are listed
//! first, and then the tables are changed one after the other, those that refer before those referred to.

use std::collections::{BTreeSet, HashMap};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};

use super::change_audit::ChangeAudit;
use super::foreign_key_check::broken_references;
use crate::catalog::TableId;
use crate::db::{Dialect, quote};
use crate::deletion::archive::sqlite as archiving;
use crate::deletion::archive::writer::ArchiveWriter;
use crate::deletion::row_counts::{DeletedRows, TableRowCounts};
use crate::deletion::sqlite_work_tables::{create_list, deleting_table, drop_list, execute_counted, updating_table};
use crate::error::{DatabaseMessage, Error};
use crate::impact::plan::DeletionPlan;
use crate::impact::sql::changes::{
    ClearedColumns, assignments, changed_rows, changed_tables, cleared_columns, deleted_rows,
};
use crate::impact::sql::{PlanSql, row_id_names};

/// Whether SQLite may enforce its foreign keys during a deletion.
///
/// It may not where a cycle leads back to a table: it executes CASCADE, SET NULL and SET DEFAULT row by row, ahead of
/// the order, and never defers RESTRICT, so it would refuse a cycle of rows that are all deleted. It may not where a
/// key refers to a table that does not exist either. Then the keys are off, and every one of them is checked
/// afterwards.
pub(in crate::deletion) fn may_enforce(plan: &DeletionPlan<'_>) -> bool {
    let refers_nowhere = plan.reached_tables().iter().any(|&table| plan.graph.tables[table].has_dangling_key);
    !refers_nowhere && !plan.acts_within_cycle()
}

/// Deletes and unlinks the rows of a plan. `check` compares every foreign key of the database before and after.
pub(in crate::deletion) async fn delete_rows(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    ids: &str,
    archive: &ArchiveWriter,
    check: bool,
) -> Result<DeletedRows, Error> {
    let broken_before = if check { broken_references(transaction).await? } else { BTreeSet::new() };
    let changing = changed_tables(sql.plan);
    let mut archived = 0;
    for &table in &changing {
        list_rows(transaction, sql, table, ids).await?;
        archived += archiving::archive_rows(transaction, sql, archive, table).await?;
        archiving::list_references(transaction, sql, archive, table).await?;
    }
    let audit = ChangeAudit::begin(transaction, sql, &changing).await?;
    let mut tables: HashMap<TableId, TableRowCounts> = HashMap::new();
    for &table in &changing {
        let columns = cleared_columns(sql, table);
        if !columns.is_empty() {
            tables.entry(table).or_default().unlinked = unlink(transaction, sql, table, &columns).await?;
        }
    }
    for table in sql.plan.children_first() {
        tables.entry(table).or_default().deleted = delete(transaction, sql, table).await?;
    }
    let unexplained = audit.unexplained_changes(transaction, sql, &tables).await?;
    for &table in &changing {
        let unlinked = tables.get(&table).map_or(0, |counts| counts.unlinked);
        archived += archiving::archive_references(transaction, sql, archive, table, unlinked).await?;
        drop_list(transaction, &deleting_table(table)).await?;
        drop_list(transaction, &updating_table(table)).await?;
    }
    if check && let Some((table, ..)) = broken_references(transaction).await?.difference(&broken_before).next() {
        return Err(Error::Refused(Box::new(dangling_references(table))));
    }
    let unarchived_rows = archive.unarchived_rows(&tables, archived);
    Ok(DeletedRows { tables, unexplained, unarchived_rows })
}

/// Lists the rows of a table that are to be deleted and to be unlinked, before anything changes.
async fn list_rows(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    table: TableId,
    ids: &str,
) -> Result<(), Error> {
    let names = row_id_names(sql.table(table).row_id.len());
    let edges: BTreeSet<usize> = cleared_columns(sql, table).values().flatten().map(|(edge, _)| *edge).collect();
    let of_edges: String = edges.iter().map(|edge| format!(", changed_by_{edge}")).collect();
    create_list(transaction, &deleting_table(table), &names).await?;
    create_list(transaction, &updating_table(table), &format!("{names}{of_edges}")).await?;
    let insert = async |list: String, rows: String| {
        let insert = format!("INSERT INTO {list} {} {rows}", sql.with_clause());
        transaction.execute_raw(Dialect::Sqlite.statement(insert, [ids.into()])).await
    };
    if sql.plan.deletes_from[table] {
        insert(deleting_table(table), deleted_rows(sql, table)).await?;
    }
    if !edges.is_empty() {
        insert(updating_table(table), changed_rows(sql, table)).await?;
    }
    Ok(())
}

async fn unlink(
    transaction: &DatabaseTransaction,
    sql: &PlanSql<'_>,
    table: TableId,
    columns: &ClearedColumns,
) -> Result<i64, Error> {
    // ABORT is what foreign keys do, whatever the table's own conflict clauses say.
    let update = format!(
        "UPDATE OR ABORT {} AS child SET {} FROM {} listed WHERE {}",
        sql.relation(table),
        assignments(columns),
        updating_table(table),
        sql.same_row(table, "child", "listed")
    );
    execute_counted(transaction, update).await
}

async fn delete(transaction: &DatabaseTransaction, sql: &PlanSql<'_>, table: TableId) -> Result<i64, Error> {
    let row_id: Vec<String> = sql.table(table).row_id.iter().map(|name| quote(name)).collect();
    let delete = format!(
        "DELETE FROM {} WHERE ({}) IN (SELECT * FROM {})",
        sql.relation(table),
        row_id.join(", "),
        deleting_table(table)
    );
    execute_counted(transaction, delete).await
}

/// Returns what SQLite would refuse at COMMIT, in a message that names the table and the probable cause, which SQLite's
/// own does not.
fn dangling_references(table: &str) -> DatabaseMessage {
    let message = format!("rows of {table} would refer to deleted rows; look for triggers that write to it");
    DatabaseMessage { source: DbErr::Custom(message.clone()), message, table: Some(table.to_owned()), constraint: None }
}
