//! What the gateway says of a cleanup's sessions. It is asked before a transaction and never within one.

use std::collections::HashMap;

use uuid::Uuid;

use super::criteria::Criteria;
use super::model::SkippedSession;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, GatewayState, ask_about_each, ask_each};
use crate::refusal::RefusalCode;
use crate::session::queries;

use GatewaySessionState::{Connected, NotFound, Unknown, Unreachable};

/// How many sessions are asked about before a limit is looked at.
const TOGETHER: usize = 100;

/// The sessions that meet the criteria that the database can tell, by whether a run is to take them.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// Those that it is to take, in the order in which they go.
    pub taken: Vec<Uuid>,
    /// The others, each with the reason why it stays.
    pub left: Vec<SkippedSession>,
    /// Whether the gateway answered about none of those that it was asked about last: then the others are not waited for.
    silent: bool,
}

impl Picked {
    /// Takes those of these sessions in of which the gateway says nothing else; all of them where there is none. Those that
    /// it was not asked about, since it is silent, are asked about before they go.
    pub async fn ask(&mut self, gateway: Option<&Gateway>, ids: &[Uuid], criteria: &Criteria, allow_connected: bool) {
        let answers = if self.silent { ask_each(gateway, ids).await } else { ask_about_each(gateway, ids).await };
        self.silent = !answers.is_empty() && answers.values().all(|said| said.state == Unreachable);
        let left = kept(ids, &answers, criteria, allow_connected);
        self.taken.extend(ids.iter().filter(|id| !left.iter().any(|left| left.session_id == **id)));
        self.left.extend(left);
    }
}

/// Asks about all sessions that meet the other criteria, or until there are as many as are wanted; those are taken that
/// it does not know. None where the criteria do not care.
pub(super) async fn asked(
    db: &Database,
    gateway: Option<&Gateway>,
    criteria: &Criteria,
) -> Result<Option<Picked>, Error> {
    let Some(gateway) = wanted(gateway, criteria)? else { return Ok(None) };
    let mut filter = criteria.filter(db.settings().clock.now())?;
    filter.ids.clone_from(&criteria.ids);
    let ids = queries::matching(db.pool(), db, &filter, None).await?;
    let most = criteria.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut picked = Picked::default();
    for ids in ids.chunks(TOGETHER) {
        if picked.taken.len() >= most {
            break;
        }
        picked.ask(Some(gateway), ids, criteria, false).await;
    }
    Ok(Some(picked))
}

/// The gateway, where the criteria cannot do without it.
///
/// # Errors
/// [`Error::BadInput`] where none is configured.
pub(super) fn wanted<'a>(gateway: Option<&'a Gateway>, criteria: &Criteria) -> Result<Option<&'a Gateway>, Error> {
    if !criteria.missing_from_gateway {
        return Ok(None);
    }
    let none = || {
        let message = "missingFromGateway: no gateway is configured here that could be asked; name it with --gateway-url \
                       (SESSION_ADMIN_GATEWAY_URL).";
        Error::BadInput(message.to_owned())
    };
    gateway.map(Some).ok_or_else(none)
}

/// Those of these sessions that stay because of what the gateway said, in the order given.
pub(super) fn kept(
    ids: &[Uuid],
    answers: &HashMap<Uuid, GatewayState>,
    criteria: &Criteria,
    allow_connected: bool,
) -> Vec<SkippedSession> {
    let kept = |id: &Uuid| {
        let (code, message) = why(answers.get(id)?, criteria.missing_from_gateway, allow_connected)?;
        Some(SkippedSession::new(*id, code, message))
    };
    ids.iter().filter_map(kept).collect()
}

fn why(said: &GatewayState, only_missing: bool, allow_connected: bool) -> Option<(RefusalCode, String)> {
    match said.state {
        Connected if !allow_connected => {
            let message = "The gateway says that it is connected. Disconnect it first, or set allowConnected.";
            Some((RefusalCode::GatewayDisagrees, message.to_owned()))
        }
        NotFound => None,
        _ if !only_missing => None,
        Unreachable | Unknown => {
            let detail = said.detail.as_deref().unwrap_or_default();
            Some((RefusalCode::NoLongerMatches, format!("Whether the gateway knows it is not known. {detail}")))
        }
        state => Some((RefusalCode::NoLongerMatches, format!("The gateway knows it: {}.", state.word()))),
    }
}
