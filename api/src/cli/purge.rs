//! The purge of stale sessions that `migrate` makes once, through the engine, as a recorded deletion.

use chrono::TimeDelta;
use uuid::Uuid;

use super::output::Output;
use super::{ask, principal, render};
use crate::db::Database;
use crate::deletion::{self, DeletionOutcome, DeletionRequest};
use crate::error::Error;
use crate::impact::{self, Impact};
use crate::refusal::RefusalCode;
use crate::session::read::stale_for_purge;

/// Somebody may be pairing a session that was updated within this time.
const SPARED: TimeDelta = TimeDelta::hours(24);

/// The sessions to purge and what that does.
pub(super) struct Plan {
    pub ids: Vec<Uuid>,
    pub impact: Impact,
}

/// How the purge ended.
pub(super) enum Purged {
    /// Nothing is stale.
    Nothing,
    Done(DeletionOutcome),
    /// The engine refused; the purge stays pending.
    Refused(DeletionOutcome),
    /// Whoever was asked said no; the purge stays pending.
    Declined,
}

/// What the purge would take now; none where nothing is stale, or where there are no sessions at all yet.
pub(super) async fn plan(db: &Database) -> Result<Option<Plan>, Error> {
    let older_than = db.settings().clock.now() - SPARED;
    let ids = match stale_for_purge(db, older_than).await {
        Ok(ids) if ids.is_empty() => return Ok(None),
        // A new database: the tables come with the migrations.
        Err(Error::Unsuitable(_)) => return Ok(None),
        other => other?,
    };
    let impact = impact::of_sessions(db, &ids).await?;
    Ok(Some(Plan { ids, impact }))
}

/// Purges what was shown and is still stale. Where the mended foreign keys take more or less than was shown, that is
/// shown again, and asked for again unless the answer was given in advance.
pub(super) async fn run(db: &Database, shown: Option<&Plan>, yes: bool, output: Output) -> Result<Purged, Error> {
    let Some(now) = still_stale(db, shown).await? else { return Ok(Purged::Nothing) };
    if shown.is_none_or(|shown| differs(&shown.impact, &now.impact)) {
        output.text("\nWith the foreign keys mended, the purge takes:\n");
        output.text(render::impact(&now.impact));
        if !yes && !ask::confirm("Purge these sessions?")? {
            return Ok(Purged::Declined);
        }
    }
    let request = DeletionRequest {
        session_ids: now.ids,
        expected_impact: Some(now.impact.token),
        reason: Some("purge of stale sessions by migrate".to_owned()),
        principal: principal(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(db, &request).await?;
    Ok(if outcome.refusals.is_empty() { Purged::Done(outcome) } else { Purged::Refused(outcome) })
}

/// The plan as it is now, without sessions that nobody has been shown.
async fn still_stale(db: &Database, shown: Option<&Plan>) -> Result<Option<Plan>, Error> {
    let Some(shown) = shown else { return Ok(None) };
    let now = plan(db).await?;
    let Some(now) = now else { return Ok(None) };
    if now.ids.iter().all(|id| shown.ids.contains(id)) {
        return Ok(Some(now));
    }
    let ids: Vec<Uuid> = now.ids.into_iter().filter(|id| shown.ids.contains(id)).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let impact = impact::of_sessions(db, &ids).await?;
    Ok(Some(Plan { ids, impact }))
}

/// Whether another number of rows goes or stays.
fn differs(shown: &Impact, now: &Impact) -> bool {
    let counts = |impact: &Impact| -> Vec<(String, i64, i64)> {
        impact.tables.iter().map(|table| (table.table.clone(), table.rows_deleted, table.rows_unlinked)).collect()
    };
    counts(shown) != counts(now)
}

/// What to do when the purge was refused.
pub(super) fn advice(outcome: &DeletionOutcome) -> &'static str {
    let codes: Vec<RefusalCode> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
    if codes.contains(&RefusalCode::BlockedByForeignKey) {
        "`session-admin doctor` says how to mend what blocks it; then run migrate again."
    } else {
        "Run `session-admin migrate` again: it goes on with the purge."
    }
}
