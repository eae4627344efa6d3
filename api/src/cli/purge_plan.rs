//! The stale sessions that `migrate` purges, and those that it spares.

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, query_all};
use crate::impact::{self, Impact};
use crate::session::SessionFilter;
use crate::session::queries::{find, find_matching_ids};

/// The minimum time since a session's last update. A session that was updated later may still be pairing, and is not
/// purged.
const MINIMUM_AGE: TimeDelta = TimeDelta::hours(24);

/// The sessions to purge, and the impact of deleting them.
pub(in crate::cli) struct PurgePlan {
    pub ids: Vec<Uuid>,
    pub impact: Impact,
}

/// A stale session that is not purged, because it has pending messages or the gateway reports it as connected.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct SparedSession {
    pub id: Uuid,
    pub name: String,
    pub pending_messages: i64,
    /// The state that the gateway reports; `None` without a gateway.
    pub gateway: Option<GatewaySessionState>,
}

/// All stale sessions, divided into those to purge and those to spare.
#[derive(Default)]
pub(in crate::cli) struct StaleSessions {
    pub plan: Option<PurgePlan>,
    pub spared: Vec<SparedSession>,
}

/// Finds the stale sessions and decides which of them to purge. A database without the business tables has none.
pub(in crate::cli) async fn plan_purge(db: &Database, gateway: Option<&Gateway>) -> Result<StaleSessions, Error> {
    let ids = match find_matching_ids(db.pool(), db, &purge_filter(db), None).await {
        // A new database: the migrations create the tables.
        Err(Error::IncompatibleDatabase(_)) => return Ok(StaleSessions::default()),
        result => result?,
    };
    let spared = find_spared(db, gateway, &ids).await?;
    let ids = ids.into_iter().filter(|id| !spared.iter().any(|spared| spared.id == *id)).collect();
    Ok(StaleSessions { plan: plan_for(db, ids).await?, spared })
}

/// Plans the purge again after the foreign keys were repaired. Sessions that were not previewed are excluded from the
/// purge. A repaired key may lead to other messages, so that a session may move between the purged and the spared ones.
pub(in crate::cli) async fn replan_purge(
    db: &Database,
    gateway: Option<&Gateway>,
    previewed: &StaleSessions,
) -> Result<StaleSessions, Error> {
    let StaleSessions { plan: current, spared } = plan_purge(db, gateway).await?;
    let planned_ids = previewed.plan.iter().flat_map(|plan| &plan.ids);
    let known: Vec<Uuid> = planned_ids.chain(previewed.spared.iter().map(|spared| &spared.id)).copied().collect();
    let plan = match current {
        Some(current) if current.ids.iter().any(|id| !known.contains(id)) => {
            plan_for(db, current.ids.into_iter().filter(|id| known.contains(id)).collect()).await?
        }
        current => current,
    };
    Ok(StaleSessions { plan, spared })
}

/// Returns the filter that matches the sessions to purge.
pub(in crate::cli) fn purge_filter(db: &Database) -> SessionFilter {
    SessionFilter {
        stale: Some(true),
        last_activity_before: Some(db.settings().clock.now() - MINIMUM_AGE),
        ..SessionFilter::default()
    }
}

async fn plan_for(db: &Database, ids: Vec<Uuid>) -> Result<Option<PurgePlan>, Error> {
    if ids.is_empty() {
        return Ok(None);
    }
    let impact = impact::impact_of(db, &ids).await?;
    Ok(Some(PurgePlan { ids, impact }))
}

/// Returns those of the sessions that have pending messages or are connected according to the gateway, sorted by name.
async fn find_spared(db: &Database, gateway: Option<&Gateway>, ids: &[Uuid]) -> Result<Vec<SparedSession>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let impacts = impact::impact_of_each(db, ids).await?;
    let pending_messages = |id: &Uuid| impacts.get(id).map_or(0, |impact| impact.pending_messages);
    let results = query_all(gateway, ids).await;
    let state = |id: &Uuid| results.get(id).map(|result| result.state);
    let is_spared = |id: &Uuid| pending_messages(id) > 0 || state(id) == Some(GatewaySessionState::Connected);
    let spared_ids: Vec<Uuid> = ids.iter().copied().filter(is_spared).collect();
    let sessions = find(db, &spared_ids).await?.into_iter();
    let mut spared: Vec<SparedSession> = sessions
        .map(|session| SparedSession {
            pending_messages: pending_messages(&session.id),
            gateway: state(&session.id),
            id: session.id,
            name: session.name,
        })
        .collect();
    spared.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(spared)
}
