//! Erasing what a deletion kept, before its time, and what its record tells of people.

use sea_orm::{ConnectionTrait, DatabaseTransaction, Value};
use serde::Serialize;
use uuid::Uuid;

use crate::db::{Database, Dialect, Writing};
use crate::deletion::audit::query;
use crate::deletion::model::Deletion;
use crate::deletion::refusals;
use crate::error::Error;
use crate::refusal::{Refusal, RefusalCode};

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErasureOutcome {
    /// The audit record, as it is then; none where there is no such deletion.
    pub deletion: Option<Deletion>,
    /// Why nothing was erased.
    pub refusals: Vec<Refusal>,
}

/// Erases the rows and references that a deletion kept, the names of its sessions, its reason, and the search and reason
/// of the run that it was a batch of: all of it, or nothing. What remains says who deleted which sessions when, and how
/// many rows.
///
/// A deletion can be erased once, whatever has become of it; one that was restored stays RESTORED, the others are ERASED.
/// A run is blanked as soon as one of its deletions is erased, since its words are about all of them. As long as it is
/// under way, its search still decides which sessions go: then it is blanked by [`expire`](crate::deletion::expire) after its end.
/// Other batches of the run keep their own records.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub async fn erase(db: &Database, id: Uuid, principal: &str) -> Result<ErasureOutcome, Error> {
    let outcome = match attempt(db, id, principal).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(%source, "an erasure gave up waiting for a lock");
            return Ok(ErasureOutcome { deletion: None, refusals: vec![refusals::lock_timeout("erasure")] });
        }
        other => other?,
    };
    if outcome.refusals.is_empty() {
        truncate_log(db).await;
    }
    Ok(outcome)
}

async fn attempt(db: &Database, id: Uuid, principal: &str) -> Result<ErasureOutcome, Error> {
    let Writing { transaction, turn: _turn } = db.writing(true).await?;
    match within(&transaction, db, id, principal).await {
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

async fn within(
    transaction: &DatabaseTransaction,
    db: &Database,
    id: Uuid,
    principal: &str,
) -> Result<ErasureOutcome, Error> {
    overwrites(transaction, db).await?;
    let Some(deletion) = locked(transaction, db, id).await? else {
        let refusal = Refusal::about(
            "input.id",
            RefusalCode::NotFound,
            format!("No deletion has the id {id}. Nothing was erased."),
        );
        return Ok(ErasureOutcome { deletion: None, refusals: vec![refusal] });
    };
    if deletion.erased_at.is_some() {
        let refusal = Refusal::about("input.id", RefusalCode::ArchiveGone, "The deletion has been erased already.");
        return Ok(ErasureOutcome { deletion: Some(deletion), refusals: vec![refusal] });
    }
    let (dialect, one) = (db.dialect(), db.dialect().uuid_parameter(1));
    let kept = db.own_table("archived_tables");
    let statements = [
        format!(
            "DELETE FROM {} WHERE table_id IN (SELECT t.id FROM {kept} t WHERE t.deletion_id = {one})",
            db.own_table("archived_rows")
        ),
        format!("DELETE FROM {kept} WHERE deletion_id = {one}"),
        format!("UPDATE {} SET name = NULL WHERE deletion_id = {one}", db.own_table("deleted_sessions")),
        // What stood in the way of a restore may have been a value of its rows.
        format!(
            "UPDATE {} SET message = 'What was in the way has been erased.' WHERE deletion_id = {one} AND message IS NOT NULL",
            db.own_table("cleanup_run_sessions")
        ),
        format!(
            "UPDATE {} SET error = 'What was in the way has been erased.' WHERE error IS NOT NULL AND restores = \
             (SELECT d.run_id FROM {} d WHERE d.id = {one})",
            db.own_table("cleanup_runs"),
            db.own_table("deletions")
        ),
    ];
    for statement in statements {
        transaction.execute_raw(dialect.statement(statement, [id.to_string().into()])).await?;
    }
    let mark = format!(
        "UPDATE {} SET status = CASE status WHEN 'RESTORED' THEN status ELSE 'ERASED' END, reason = NULL, \
         erased_at = $2, erased_by = $3 WHERE id = {one}",
        db.own_table("deletions")
    );
    let now = dialect.time(db.settings().clock.now());
    transaction.execute_raw(dialect.statement(mark, [id.to_string().into(), now, principal.into()])).await?;
    blank_runs(transaction, db, deletion.run_id).await?;
    Ok(ErasureOutcome { deletion: query::find_in(transaction, db, id).await?, refusals: Vec::new() })
}

/// The deletion, which nobody restores or erases until the transaction ends.
async fn locked(transaction: &DatabaseTransaction, db: &Database, id: Uuid) -> Result<Option<Deletion>, Error> {
    if db.dialect() == Dialect::Postgres {
        let lock = format!("SELECT 1 FROM {} WHERE id = CAST($1 AS uuid) FOR UPDATE", db.own_table("deletions"));
        transaction.execute_raw(db.dialect().statement(lock, [id.to_string().into()])).await?;
    }
    query::find_in(transaction, db, id).await
}

/// Takes the search and the reason from finished runs of which a deletion has been erased: from this one, or from all.
pub(in crate::deletion) async fn blank_runs(
    transaction: &DatabaseTransaction,
    db: &Database,
    only: Option<Uuid>,
) -> Result<(), Error> {
    let dialect = db.dialect();
    let (search, without) = match dialect {
        Dialect::Postgres => {
            ("CAST(c.criteria AS jsonb) ->> 'search'", "CAST(CAST(criteria AS jsonb) - 'search' AS text)")
        }
        Dialect::Sqlite => ("c.criteria ->> 'search'", "json_remove(criteria, '$.search')"),
    };
    let (this, values): (String, Vec<Value>) = match only {
        Some(run) => (format!("c.id = {} AND ", dialect.uuid_parameter(1)), vec![run.to_string().into()]),
        None => (String::new(), Vec::new()),
    };
    let sql = format!(
        "UPDATE {} AS c SET reason = NULL, criteria = {without} WHERE {this}c.finished_at IS NOT NULL \
         AND (c.reason IS NOT NULL OR {search} IS NOT NULL) \
         AND EXISTS (SELECT 1 FROM {} d WHERE d.run_id = c.id AND d.erased_at IS NOT NULL)",
        db.own_table("cleanup_runs"),
        db.own_table("deletions")
    );
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    Ok(())
}

/// SQLite overwrites what is deleted only where `secure_delete` is on, and takes the pragma in silence where it cannot be.
pub(in crate::deletion) async fn overwrites(transaction: &DatabaseTransaction, db: &Database) -> Result<(), Error> {
    if db.dialect() == Dialect::Postgres {
        return Ok(());
    }
    let row = transaction.query_one_raw(Dialect::Sqlite.statement("PRAGMA secure_delete", [])).await?;
    if row.map(|row| row.try_get_by_index::<i64>(0)).transpose()? == Some(1) {
        return Ok(());
    }
    Err(Error::Unsuitable(
        "SQLite does not overwrite what is erased: PRAGMA secure_delete has no effect. Nothing was erased.".to_owned(),
    ))
}

/// What was erased still stands in SQLite's write-ahead log until that is emptied. The rows are gone whether or not it can
/// be just now.
pub(in crate::deletion) async fn truncate_log(db: &Database) {
    let why = match db.truncate_log().await {
        Ok(true) => return,
        Ok(false) => "somebody reads or writes the database without a pause".to_owned(),
        Err(error) => error.said(),
    };
    tracing::warn!(why, "what was erased may still stand in the write-ahead log; a server tries again within an hour");
}
