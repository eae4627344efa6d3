//! The selection of sessions by the gateway's answers. The gateway is queried before a transaction, never within one.

use std::collections::HashMap;

use uuid::Uuid;

use super::criteria::Criteria;
use super::model::SkippedSession;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, GatewayState, query_all, query_if_available_each};
use crate::refusal::RefusalCode;
use crate::session::queries;

use GatewaySessionState::{Connected, NotFound, Unknown, Unreachable};

/// The number of sessions that the gateway is queried about together, before the limit is compared.
const SESSIONS_PER_QUERY: usize = 100;

/// Sessions that meet the criteria in the database, divided by whether a run is to delete them.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// The sessions that it is to delete, in their order.
    pub selected: Vec<Uuid>,
    /// The other sessions, each with the reason.
    pub skipped: Vec<SkippedSession>,
    /// Whether the gateway answered none of the last queries. In that case, further sessions are queried only if it
    /// answers again.
    gateway_is_silent: bool,
}

impl Selection {
    /// Returns whether a session is skipped.
    pub fn skips(&self, id: Uuid) -> bool {
        self.skipped.iter().any(|session| session.session_id == id)
    }

    /// Adds sessions to the selection, except those that the gateway's answers exclude. Without a gateway, all sessions
    /// are added. Sessions that are not queried because the gateway is silent are queried before they are deleted.
    pub async fn add(&mut self, gateway: Option<&Gateway>, ids: &[Uuid], criteria: &Criteria, allow_connected: bool) {
        let answers = if self.gateway_is_silent {
            query_if_available_each(gateway, ids).await
        } else {
            query_all(gateway, ids).await
        };
        self.gateway_is_silent = !answers.is_empty() && answers.values().all(|answer| answer.state == Unreachable);
        let skipped = skipped_by_gateway(ids, &answers, criteria, allow_connected);
        self.selected.extend(ids.iter().filter(|id| !skipped.iter().any(|session| session.session_id == **id)));
        self.skipped.extend(skipped);
    }
}

/// Selects the sessions that the gateway does not know, of those that meet the other criteria, until there are as many
/// as the criteria's limit. None where the criteria are not about the gateway.
///
/// # Errors
/// [`Error::BadInput`] where no gateway is configured; [`Error::Unavailable`], [`Error::Timeout`].
pub(super) async fn select_missing_from_gateway(
    db: &Database,
    gateway: Option<&Gateway>,
    criteria: &Criteria,
) -> Result<Option<Selection>, Error> {
    let Some(gateway) = required_gateway(gateway, criteria)? else { return Ok(None) };
    let mut filter = criteria.filter(db.settings().clock.now())?;
    filter.ids.clone_from(&criteria.ids);
    let ids = queries::find_matching_ids(db.pool(), db, &filter, None).await?;
    let limit = criteria.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut selection = Selection::default();
    for ids in ids.chunks(SESSIONS_PER_QUERY) {
        if selection.selected.len() >= limit {
            break;
        }
        selection.add(Some(gateway), ids, criteria, false).await;
    }
    Ok(Some(selection))
}

/// Returns the gateway if the criteria require it.
///
/// # Errors
/// [`Error::BadInput`] where they do and none is configured.
pub(super) fn required_gateway<'a>(
    gateway: Option<&'a Gateway>,
    criteria: &Criteria,
) -> Result<Option<&'a Gateway>, Error> {
    if !criteria.missing_from_gateway {
        return Ok(None);
    }
    let none = || {
        let message = "missingFromGateway needs a gateway, and none is configured. Set --gateway-url \
                       (SESSION_ADMIN_GATEWAY_URL).";
        Error::BadInput(message.to_owned())
    };
    gateway.map(Some).ok_or_else(none)
}

/// Returns the sessions that the gateway's answers speak against, in the order given.
pub(super) fn skipped_by_gateway(
    ids: &[Uuid],
    answers: &HashMap<Uuid, GatewayState>,
    criteria: &Criteria,
    allow_connected: bool,
) -> Vec<SkippedSession> {
    let skipped = |id: &Uuid| {
        let (code, message) = reason(answers.get(id)?, criteria.missing_from_gateway, allow_connected)?;
        Some(SkippedSession::new(*id, code, message))
    };
    ids.iter().filter_map(skipped).collect()
}

fn reason(answer: &GatewayState, only_missing: bool, allow_connected: bool) -> Option<(RefusalCode, String)> {
    match answer.state {
        Connected if !allow_connected => {
            let message = "According to the gateway, the session is connected. Disconnect it first, or set \
                           allowConnected.";
            Some((RefusalCode::GatewayDisagrees, message.to_owned()))
        }
        NotFound => None,
        _ if !only_missing => None,
        Unreachable | Unknown => {
            let detail = answer.detail.as_deref().unwrap_or_default();
            let message = format!("The gateway did not say whether it knows the session. {detail}");
            Some((RefusalCode::NoLongerMatches, message))
        }
        state => Some((RefusalCode::NoLongerMatches, format!("The gateway knows the session: {}.", state.as_str()))),
    }
}
