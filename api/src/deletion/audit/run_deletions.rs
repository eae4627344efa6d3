//! The deletions that are batches of one cleanup run, as SQL that the run's own statements are built on.

use sea_orm::ConnectionTrait;
use uuid::Uuid;

use crate::db::{Database, Dialect};
use crate::error::Error;

/// Returns a query of the sessions of a run's deletions that have not been restored, in the order in which a restore
/// takes them: those of the newest deletion first.
///
/// Its columns are `position` (from 0), `session_id`, `deletion_id`, and `restorable`: whether the deletion's archive
/// can still be restored. `run` and `now` are SQL for the run's id and the current time. Archive entries are numbered
/// in the order in which deletions are made, which a clock that was set back cannot change; deletions without entries
/// come last.
pub(crate) fn sessions_to_restore(db: &Database, run: &str, now: &str) -> String {
    let newest_entry = format!(
        "(SELECT max(entry.id) FROM {} entry WHERE entry.deletion_id = deletion.id)",
        db.internal_table("archived_tables")
    );
    let integer = match db.dialect() {
        Dialect::Postgres => "::int",
        Dialect::Sqlite => "",
    };
    format!(
        "SELECT (row_number() OVER (ORDER BY coalesce({newest_entry}, 0) DESC, deletion.deleted_at DESC, deletion.id, \
         deleted.position) - 1){integer} AS position, deleted.session_id, deletion.id AS deletion_id, \
         (deletion.status = 'RESTORABLE' AND deletion.restorable_until > {now}) AS restorable \
         FROM {} deletion JOIN {} deleted ON deleted.deletion_id = deletion.id \
         WHERE deletion.run_id = {run} AND deletion.restored_at IS NULL",
        db.internal_table("deletions"),
        db.internal_table("deleted_sessions")
    )
}

/// Returns the number of a run's deletions that have been restored.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn count_restored(conn: &impl ConnectionTrait, db: &Database, run: Uuid) -> Result<i64, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT count(*) AS restored FROM {} WHERE run_id = {} AND restored_at IS NOT NULL",
        db.internal_table("deletions"),
        dialect.uuid_parameter(1)
    );
    let row = conn.query_one_raw(dialect.statement(sql, [run.to_string().into()])).await?;
    Ok(row.map(|row| row.try_get("", "restored")).transpose()?.unwrap_or_default())
}

/// Returns a condition: a deletion of the run has been erased. `run` is SQL for the run's id.
pub(crate) fn has_erased_deletion(db: &Database, run: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {} deletion WHERE deletion.run_id = {run} AND deletion.erased_at IS NOT NULL)",
        db.internal_table("deletions")
    )
}
