//! The preview of a cleanup: what it would do. Nothing is changed.

use sea_orm::ConnectionTrait;
use serde::Serialize;
use uuid::Uuid;

use super::criteria::Criteria;
use super::gateway_filter::{Selection, select_missing_from_gateway};
use super::model::SkippedSession;
use crate::catalog::SESSIONS;
use crate::db::{Database, TableColumns};
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::{Impact, SchemaSnapshot};
use crate::session::{Session, queries};

/// The number of sessions that a preview shows.
pub const SAMPLE: usize = 20;

/// What deleting every matching session would do.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The impact of deleting all of them together.
    pub impact: Impact,
    /// The number of matching sessions.
    pub session_count: i64,
    /// The first sessions, in the order in which they would be deleted.
    pub sample: Vec<Session>,
    /// The sessions that meet all criteria but the one about the gateway, each with the reason.
    pub skipped: Vec<SkippedSession>,
}

/// Returns the effect that a cleanup with these criteria would have now. The gateway is queried only if a criterion
/// concerns it.
///
/// # Errors
/// [`Error::BadInput`], [`Error::Unavailable`], [`Error::Timeout`].
pub async fn preview(db: &Database, gateway: Option<&Gateway>, criteria: &Criteria) -> Result<Preview, Error> {
    let selection = select_missing_from_gateway(db, gateway, criteria).await?;
    let snapshot = db.snapshot().await?;
    let PlannedCleanup { ids, impact } = PlannedCleanup::load(&snapshot, db, criteria, selection.as_ref()).await?;
    let first = &ids[..ids.len().min(SAMPLE)];
    let columns = TableColumns::load(&snapshot, db, SESSIONS).await?;
    let mut sample = queries::find_in(&snapshot, db, &columns, first).await?;
    snapshot.commit().await?;
    sample.sort_by_key(|session| first.iter().position(|id| *id == session.id));
    let skipped = selection.map(|selection| selection.skipped).unwrap_or_default();
    Ok(Preview { session_count: impact.session_count, impact, sample, skipped })
}

/// The sessions that meet criteria, in the order in which they are deleted, and the impact of deleting them together.
pub(super) struct PlannedCleanup {
    pub ids: Vec<Uuid>,
    pub impact: Impact,
}

impl PlannedCleanup {
    /// Reads the sessions that meet the criteria now, among those of a selection where there is one. A session that is
    /// deleted between the two statements is left out of both.
    ///
    /// # Errors
    /// [`Error::BadInput`], [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn load(
        conn: &impl ConnectionTrait,
        db: &Database,
        criteria: &Criteria,
        selection: Option<&Selection>,
    ) -> Result<Self, Error> {
        let mut filter = criteria.filter(db.settings().clock.now())?;
        filter.ids = selection.map_or_else(|| criteria.ids.clone(), |selection| Some(selection.selected.clone()));
        let ids = queries::find_matching_ids(conn, db, &filter, criteria.limit).await?;
        Self::of_sessions(conn, db, ids).await
    }

    /// Reads the impact of these sessions, without those that do not exist.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn of_sessions(conn: &impl ConnectionTrait, db: &Database, mut ids: Vec<Uuid>) -> Result<Self, Error> {
        let schema = SchemaSnapshot::load(conn, db).await?;
        loop {
            let (impact, unknown) = schema.impact_of(conn, &ids).await?;
            if unknown.is_empty() {
                return Ok(Self { ids, impact });
            }
            ids.retain(|id| !unknown.contains(&id.to_string()));
        }
    }
}
