//! Erasing the archive of a deletion before it expires, together with the names and the reason in its audit record.

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use serde::Serialize;
use uuid::Uuid;

use super::erasure_hook::ErasureHook;
use crate::db::{Database, Dialect, WriteTransaction};
use crate::deletion::audit::query;
use crate::deletion::model::Deletion;
use crate::deletion::refusals;
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};

/// The outcome of an erasure: the erased deletion, or refusals.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureOutcome {
    /// The audit record after the erasure; none where no deletion has the id.
    pub deletion: Option<Deletion>,
    /// Why nothing was erased.
    pub refusals: Vec<Refusal>,
}

/// Erases the archived rows and references of a deletion, the names of its sessions, its reason, and the search and
/// reason of the run that it was a batch of: all of it, or nothing. The audit record still says who deleted which
/// sessions when, and how many rows.
///
/// A deletion can be erased once, whatever its status; a restored one stays RESTORED, the others become ERASED. A run
/// is blanked as soon as one of its deletions is erased, since its search and reason are about all of them. While the
/// run is under way its search still selects sessions: then [`expire`](crate::deletion::expire) blanks it after its
/// end. Other batches of the run keep their own records.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub async fn erase(db: &Database, id: Uuid, principal: &str, hook: &impl ErasureHook) -> Result<ErasureOutcome, Error> {
    let outcome = match erase_in_transaction(db, id, principal, hook).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(target: "session_admin::deletion", %source, "an erasure gave up waiting for a lock");
            return Ok(ErasureOutcome { deletion: None, refusals: vec![refusals::lock_timeout("erasure")] });
        }
        other => other?,
    };
    if outcome.refusals.is_empty() {
        truncate_log(db).await;
    }
    Ok(outcome)
}

async fn erase_in_transaction(
    db: &Database,
    id: Uuid,
    principal: &str,
    hook: &impl ErasureHook,
) -> Result<ErasureOutcome, Error> {
    let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(true).await?;
    match erase_in_transaction_once(&transaction, db, id, principal, hook).await {
        Ok(outcome) if outcome.refusals.is_empty() => {
            transaction.commit().await?;
            Ok(outcome)
        }
        other => {
            // The first error is the one to report.
            let _ = transaction.rollback().await;
            other
        }
    }
}

async fn erase_in_transaction_once(
    transaction: &DatabaseTransaction,
    db: &Database,
    id: Uuid,
    principal: &str,
    hook: &impl ErasureHook,
) -> Result<ErasureOutcome, Error> {
    require_overwriting(transaction, db).await?;
    let Some(deletion) = query::find_locked(transaction, db, id).await? else {
        let refusal = Refusal::for_field(
            "input.id",
            RefusalCode::NotFound,
            format!("No deletion has the id {id}. Nothing was erased."),
        );
        return Ok(ErasureOutcome { deletion: None, refusals: vec![refusal] });
    };
    if deletion.erased_at.is_some() {
        let refusal = Refusal::for_field("input.id", RefusalCode::ArchiveGone, "The deletion has been erased already.");
        return Ok(ErasureOutcome { deletion: Some(deletion), refusals: vec![refusal] });
    }
    let (dialect, deletion_id) = (db.dialect(), db.dialect().uuid_parameter(1));
    let entries = db.internal_table("archived_tables");
    let statements = [
        format!(
            "DELETE FROM {} WHERE table_id IN \
             (SELECT entry.id FROM {entries} entry WHERE entry.deletion_id = {deletion_id})",
            db.internal_table("archived_rows")
        ),
        format!("DELETE FROM {entries} WHERE deletion_id = {deletion_id}"),
        format!("UPDATE {} SET name = NULL WHERE deletion_id = {deletion_id}", db.internal_table("deleted_sessions")),
    ];
    for statement in statements {
        transaction.execute_raw(dialect.statement(statement, [id.to_string().into()])).await?;
    }
    let mark = format!(
        "UPDATE {} SET status = CASE status WHEN 'RESTORED' THEN status ELSE 'ERASED' END, reason = NULL, \
         erased_at = $2, erased_by = $3 WHERE id = {deletion_id}",
        db.internal_table("deletions")
    );
    let now = dialect.timestamp_param(db.settings().clock.now());
    transaction.execute_raw(dialect.statement(mark, [id.to_string().into(), now, principal.into()])).await?;
    hook.erase(transaction, db, &deletion).await?;
    Ok(ErasureOutcome { deletion: query::find_in(transaction, db, id).await?, refusals: Vec::new() })
}

/// Checks that SQLite overwrites deleted content, which it does only where the pragma `secure_delete` is on. SQLite
/// ignores the pragma silently where it cannot be set.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] where it does not.
pub(in crate::deletion) async fn require_overwriting(
    transaction: &DatabaseTransaction,
    db: &Database,
) -> Result<(), Error> {
    if db.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let row = transaction.query_one_raw(Dialect::Sqlite.statement("PRAGMA secure_delete", [])).await?;
    if row.map(|row| row.try_get_by_index::<i64>(0)).transpose()? == Some(1) {
        return Ok(());
    }
    Err(Error::IncompatibleDatabase(
        "SQLite does not overwrite erased data: PRAGMA secure_delete has no effect. Nothing was erased.".to_owned(),
    ))
}

/// Empties SQLite's write-ahead log, which still holds what was erased. The rows are deleted whether or not the log can
/// be emptied now.
pub(in crate::deletion) async fn truncate_log(db: &Database) {
    let why = match db.truncate_wal().await {
        Ok(true) => return,
        Ok(false) => "other connections use the database without a pause".to_owned(),
        Err(error) => error.database_message(),
    };
    tracing::warn!(target: "session_admin::deletion", why, "the write-ahead log may still contain erased data; a server tries again within an hour");
}
