//! Writing the audit record of a deletion, in its transaction.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DatabaseTransaction};
use uuid::Uuid;

use crate::db::{Database, Dialect, distinct};
use crate::deletion::model::{DeletedSession, Deletion, DeletionRequest, DeletionStatus};
use crate::error::Error;
use crate::impact::Impact;

/// Writes and returns the audit record of a deletion. `names` are the names of the sessions, `run_id` the run that it
/// is a batch of.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub(in crate::deletion) async fn record(
    transaction: &DatabaseTransaction,
    db: &Database,
    request: &DeletionRequest,
    impact: &Impact,
    mut names: HashMap<Uuid, String>,
    run_id: Option<Uuid>,
) -> Result<Deletion, Error> {
    let allowed = [
        ("allowConnected", request.terms.allow_connected),
        ("allowPendingMessages", request.terms.allow_pending_messages),
    ];
    let sessions = distinct(&request.session_ids).into_iter();
    let session = |id: Uuid| DeletedSession {
        id,
        name: names.remove(&id),
        gateway: request.gateway.get(&id).map(|said| said.state),
    };
    let deleted_at = db.settings().clock.now();
    let restorable_until = Some(db.settings().archive_retention)
        .filter(|retention| request.terms.archive && !retention.is_zero())
        .map(|retention| deleted_at + retention);
    let deletion = Deletion {
        id: Uuid::new_v4(),
        status: if restorable_until.is_some() { DeletionStatus::Restorable } else { DeletionStatus::NotArchived },
        sessions: sessions.map(session).collect(),
        rows_deleted: impact.rows_deleted,
        rows_unlinked: impact.rows_unlinked,
        tables: impact.tables.clone(),
        deleted_by: request.principal.clone(),
        reason: request.terms.reason.clone(),
        deleted_at,
        restorable_until,
        restored_at: None,
        restored_by: None,
        erased_at: None,
        erased_by: None,
        allowed: allowed.iter().filter(|(_, given)| *given).map(|(name, _)| (*name).to_owned()).collect(),
        run_id,
    };
    let dialect = db.dialect();
    let insert = format!(
        "INSERT INTO {} (id, deleted_by, reason, deleted_at, rows_deleted, rows_unlinked, tables, allowed, run_id, \
         status, restorable_until) \
         VALUES ({}, $2, $3, $4, $5, $6, {}, {}, {}, $10, $11)",
        db.internal_table("deletions"),
        dialect.uuid_parameter(1),
        dialect.json_parameter(7),
        dialect.json_parameter(8),
        dialect.uuid_parameter(9),
    );
    let values = [
        deletion.id.to_string().into(),
        deletion.deleted_by.clone().into(),
        deletion.reason.clone().into(),
        dialect.timestamp_param(deletion.deleted_at),
        deletion.rows_deleted.into(),
        deletion.rows_unlinked.into(),
        to_json(&deletion.tables).into(),
        to_json(&deletion.allowed).into(),
        run_id.map(|id| id.to_string()).into(),
        deletion.status.as_str().into(),
        restorable_until.map_or(dialect.null_timestamp_param(), |moment| dialect.timestamp_param(moment)),
    ];
    transaction.execute_raw(dialect.statement(insert, values)).await?;
    record_sessions(transaction, db, &deletion).await?;
    Ok(deletion)
}

/// Marks a deletion as restored, in the restore's transaction. Returns its audit record as it is then.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`], [`Error::MissingGrant`].
pub(crate) async fn mark_restored(
    transaction: &DatabaseTransaction,
    db: &Database,
    deletion: Deletion,
    principal: &str,
) -> Result<Deletion, Error> {
    let dialect = db.dialect();
    let now = db.settings().clock.now();
    let sql = format!(
        "UPDATE {} SET status = 'RESTORED', restored_at = $2, restored_by = $3 WHERE id = {}",
        db.internal_table("deletions"),
        dialect.uuid_parameter(1)
    );
    let values = [deletion.id.to_string().into(), dialect.timestamp_param(now), principal.into()];
    transaction.execute_raw(dialect.statement(sql, values)).await?;
    let restored_by = Some(principal.to_owned());
    Ok(Deletion { status: DeletionStatus::Restored, restored_at: Some(now), restored_by, ..deletion })
}

/// Writes all sessions of a deletion with one statement.
async fn record_sessions(transaction: &DatabaseTransaction, db: &Database, deletion: &Deletion) -> Result<(), Error> {
    let dialect = db.dialect();
    let insert = format!(
        "INSERT INTO {} (deletion_id, session_id, name, gateway, position) SELECT {}, {}",
        db.internal_table("deleted_sessions"),
        dialect.uuid_parameter(1),
        match dialect {
            Dialect::Postgres => {
                "value ->> 'id', value ->> 'name', value ->> 'gateway', (number - 1)::int \
                 FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS listed(value, number)"
            }
            Dialect::Sqlite => "value ->> 'id', value ->> 'name', value ->> 'gateway', key FROM json_each($2)",
        }
    );
    let values = [deletion.id.to_string().into(), to_json(&deletion.sessions).into()];
    transaction.execute_raw(dialect.statement(insert, values)).await?;
    Ok(())
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
