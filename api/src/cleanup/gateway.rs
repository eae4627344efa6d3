//! What the gateway says of a cleanup's sessions. It is asked before a transaction and never within one.

use std::collections::HashMap;

use uuid::Uuid;

use super::{Criteria, SkippedSession};
use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, GatewaySessionState, GatewayState};
use crate::refusal::RefusalCode;
use crate::session::read;

/// How many sessions are asked about before a limit is looked at.
const TOGETHER: usize = 100;

/// The sessions that meet the other criteria, by what the gateway says of them.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Those that it does not know, in the order in which they go.
    pub missing: Vec<Uuid>,
    /// The others, each with the reason why it stays.
    pub others: Vec<SkippedSession>,
}

/// Asks about all sessions that meet the other criteria, or until there are as many as are wanted. None where the
/// criteria do not care.
pub(super) async fn asked(
    db: &Database,
    gateway: Option<&Gateway>,
    criteria: &Criteria,
) -> Result<Option<Asked>, Error> {
    let Some(gateway) = wanted(gateway, criteria)? else { return Ok(None) };
    let mut filter = criteria.filter(db.settings().clock.now())?;
    filter.ids.clone_from(&criteria.ids);
    let ids = read::matching(db.pool(), db, &filter, None).await?;
    let most = criteria.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let mut asked = Asked::default();
    for ids in ids.chunks(TOGETHER) {
        if asked.missing.len() >= most {
            break;
        }
        let answers = gateway.ask_each(ids).await;
        let others = kept(ids, &answers, criteria, false);
        asked.missing.extend(ids.iter().filter(|id| !others.iter().any(|other| other.session_id == **id)));
        asked.others.extend(others);
    }
    Ok(Some(asked))
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
    use GatewaySessionState::{Connected, NotFound, Unknown, Unreachable};
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
