//! The purge of stale sessions that `migrate` makes once, through the engine, as a recorded deletion.

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use crate::cli::output::Output;
use crate::cli::{principal, prompt, render};
use crate::db::Database;
use crate::deletion::{self, DeletionOutcome, DeletionRequest, DeletionTerms};
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, ask_about_each};
use crate::impact::{self, Impact};
use crate::refusal::RefusalCode;
use crate::session::Filter;
use crate::session::queries::{find, matching};

/// Somebody may be pairing a session that was updated within this time.
const SPARED: TimeDelta = TimeDelta::hours(24);

/// The sessions to purge and what that does.
pub(in crate::cli) struct Plan {
    pub ids: Vec<Uuid>,
    pub impact: Impact,
}

/// How the purge ended.
pub(in crate::cli) enum Purged {
    /// Nothing is stale.
    Nothing,
    Done(DeletionOutcome),
    /// The engine refused; the purge stays pending.
    Refused(DeletionOutcome),
    /// Whoever was asked said no; the purge stays pending.
    Declined,
}

/// A stale session that stays, since messages are still to be sent or the gateway says that it is connected.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Spared {
    pub id: Uuid,
    pub name: String,
    pub pending_messages: i64,
    /// What the gateway says of it; none where there is no gateway.
    pub gateway: Option<GatewaySessionState>,
}

/// The stale sessions: those to purge, if there are any, and those that are spared.
#[derive(Default)]
pub(in crate::cli) struct Stale {
    pub plan: Option<Plan>,
    pub spared: Vec<Spared>,
}

/// What the purge would take now; nothing where nothing is stale, or where there are no sessions at all yet.
pub(in crate::cli) async fn plan(db: &Database, gateway: Option<&Gateway>) -> Result<Stale, Error> {
    let ids = match matching(db.pool(), db, &wanted(db), None).await {
        // A new database: the tables come with the migrations.
        Err(Error::Unsuitable(_)) => return Ok(Stale::default()),
        other => other?,
    };
    let spared = spared(db, gateway, &ids).await?;
    let ids = ids.into_iter().filter(|id| !spared.iter().any(|spared| spared.id == *id)).collect();
    Ok(Stale { plan: planned(db, ids).await?, spared })
}

/// The sessions that the purge takes.
fn wanted(db: &Database) -> Filter {
    Filter { stale: Some(true), unchanged_since: Some(db.settings().clock.now() - SPARED), ..Filter::default() }
}

async fn planned(db: &Database, ids: Vec<Uuid>) -> Result<Option<Plan>, Error> {
    if ids.is_empty() {
        return Ok(None);
    }
    let impact = impact::of_sessions(db, &ids).await?;
    Ok(Some(Plan { ids, impact }))
}

/// Those of these sessions with which messages still to be sent would go, and those that are connected after all.
async fn spared(db: &Database, gateway: Option<&Gateway>, ids: &[Uuid]) -> Result<Vec<Spared>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let impacts = impact::of_each_session(db, ids).await?;
    let pending = |id: &Uuid| impacts.get(id).map_or(0, |impact| impact.pending_messages);
    let answers = ask_about_each(gateway, ids).await;
    let said = |id: &Uuid| answers.get(id).map(|said| said.state);
    let stays = |id: &Uuid| pending(id) > 0 || said(id) == Some(GatewaySessionState::Connected);
    let waiting: Vec<Uuid> = ids.iter().copied().filter(stays).collect();
    let sessions = find(db, &waiting).await?.into_iter();
    let mut spared: Vec<Spared> = sessions
        .map(|session| Spared {
            pending_messages: pending(&session.id),
            gateway: said(&session.id),
            id: session.id,
            name: session.name,
        })
        .collect();
    spared.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(spared)
}

/// Purges what was shown and is still stale, and gives those that are spared. Where the mended foreign keys take more or
/// less than was shown, that is shown again, and asked for again unless the answer was given in advance.
pub(in crate::cli) async fn run(
    db: &Database,
    gateway: Option<&Gateway>,
    shown: &Stale,
    yes: bool,
    output: Output,
) -> Result<(Purged, Vec<Spared>), Error> {
    let Stale { plan, spared } = still_stale(db, gateway, shown).await?;
    if spared != shown.spared && !spared.is_empty() {
        output.text(render::spared(&spared));
    }
    let purged = match plan {
        Some(now) => purge(db, gateway, shown.plan.as_ref(), now, yes, output).await?,
        None => Purged::Nothing,
    };
    Ok((purged, spared))
}

async fn purge(
    db: &Database,
    gateway: Option<&Gateway>,
    shown: Option<&Plan>,
    now: Plan,
    yes: bool,
    output: Output,
) -> Result<Purged, Error> {
    if shown.is_none_or(|shown| differs(&shown.impact, &now.impact)) {
        output.text("\nWith the foreign keys mended, the purge takes:\n");
        output.text(render::impact(&now.impact));
        if !yes && !prompt::confirm("Purge these sessions?")? {
            return Ok(Purged::Declined);
        }
    }
    let request = DeletionRequest {
        session_ids: now.ids,
        terms: DeletionTerms {
            expected_impact: Some(now.impact.token),
            reason: Some("purge of stale sessions by migrate".to_owned()),
            ..DeletionTerms::default()
        },
        must_meet: Some(wanted(db)),
        principal: principal(),
        ..DeletionRequest::default()
    };
    let outcome = deletion::delete(db, &request.asked(gateway).await).await?;
    Ok(if outcome.refusals.is_empty() { Purged::Done(outcome) } else { Purged::Refused(outcome) })
}

/// What is stale now, without sessions that nobody has been shown. Mended keys may lead to other messages, so one that
/// was to be spared may go after all, and the other way round.
async fn still_stale(db: &Database, gateway: Option<&Gateway>, shown: &Stale) -> Result<Stale, Error> {
    let Stale { plan: now, spared } = plan(db, gateway).await?;
    let planned_then = shown.plan.iter().flat_map(|plan| &plan.ids);
    let known: Vec<Uuid> = planned_then.chain(shown.spared.iter().map(|spared| &spared.id)).copied().collect();
    let plan = match now {
        Some(now) if now.ids.iter().any(|id| !known.contains(id)) => {
            planned(db, now.ids.into_iter().filter(|id| known.contains(id)).collect()).await?
        }
        now => now,
    };
    Ok(Stale { plan, spared })
}

/// Whether another number of rows goes or stays.
fn differs(shown: &Impact, now: &Impact) -> bool {
    let counts = |impact: &Impact| -> Vec<(String, i64, i64)> {
        impact.tables.iter().map(|table| (table.table.clone(), table.rows_deleted, table.rows_unlinked)).collect()
    };
    counts(shown) != counts(now)
}

/// What to do when the purge was refused.
pub(in crate::cli) fn advice(outcome: &DeletionOutcome) -> &'static str {
    let codes: Vec<RefusalCode> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
    if codes.contains(&RefusalCode::BlockedByForeignKey) {
        "`session-admin doctor` says how to mend what blocks it; then run migrate again."
    } else {
        "Run `session-admin migrate` again: it goes on with the purge."
    }
}
