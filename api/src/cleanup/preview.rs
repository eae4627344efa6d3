//! What a cleanup would do; nothing is changed.

use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::criteria::Criteria;
use super::gateway_filter::{Picked, asked};
use super::model::SkippedSession;
use crate::catalog::SESSIONS;
use crate::db::{Columns, Database};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Impact, Reading};
use crate::session::{Session, queries};

/// The sessions that a preview shows.
pub const SAMPLE: usize = 20;

/// What deleting every matching session would do.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Of all of them together.
    pub impact: Impact,
    /// How many they are.
    pub session_count: i64,
    /// The first ones, in the order in which they would go.
    pub sample: Vec<Session>,
    /// Those that meet the criteria but for what the gateway says of them, or does not, each with the reason.
    pub skipped: Vec<SkippedSession>,
}

/// What a cleanup by these criteria would do now. The gateway is asked only where the criteria are about it.
///
/// # Errors
/// [`Error::BadInput`], [`Error::Unavailable`], [`Error::Timeout`].
pub async fn preview(db: &Database, gateway: Option<&Gateway>, criteria: &Criteria) -> Result<Preview, Error> {
    let picked = asked(db, gateway, criteria).await?;
    let snapshot = db.snapshot().await?;
    let Selected { ids, impact } = Selected::now(&snapshot, db, criteria, picked.as_ref()).await?;
    let first = &ids[..ids.len().min(SAMPLE)];
    let columns = Columns::now(&snapshot, db, SESSIONS).await?;
    let mut sample = queries::find_in(&snapshot, db, &columns, first).await?;
    snapshot.commit().await?;
    sample.sort_by_key(|session| first.iter().position(|id| *id == session.id));
    let skipped = picked.map(|picked| picked.left).unwrap_or_default();
    Ok(Preview { session_count: impact.session_count, impact, sample, skipped })
}

/// The sessions that meet criteria, in the order in which they go, and what deleting them together does.
pub(super) struct Selected {
    pub ids: Vec<Uuid>,
    pub impact: Impact,
}

impl Selected {
    /// Looks now, among those that were picked where some were. A session that somebody deletes between
    /// the two statements is left out of both.
    pub async fn now(
        conn: &impl ConnectionTrait,
        db: &Database,
        criteria: &Criteria,
        picked: Option<&Picked>,
    ) -> Result<Self, Error> {
        let mut filter = criteria.filter(db.settings().clock.now())?;
        filter.ids = picked.map_or_else(|| criteria.ids.clone(), |picked| Some(picked.taken.clone()));
        let ids = queries::matching(conn, db, &filter, criteria.limit).await?;
        Self::of(conn, db, ids).await
    }

    /// These sessions.
    pub async fn of(conn: &impl ConnectionTrait, db: &Database, mut ids: Vec<Uuid>) -> Result<Self, Error> {
        let reading = Reading::now(conn, db).await?;
        loop {
            let (impact, unknown) = reading.of_sessions(conn, &ids).await?;
            if unknown.is_empty() {
                return Ok(Self { ids, impact });
            }
            ids.retain(|id| !unknown.contains(&id.to_string()));
        }
    }
}
