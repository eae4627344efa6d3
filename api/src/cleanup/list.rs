//! Lists: the runs, and what a run left.

use sea_orm::QueryResult;
use uuid::Uuid;

use super::run::{SELECTED, run};
use super::{CleanupRun, SkippedSession, id};
use crate::db::Database;
use crate::db::page::{Key, Kind, List, Order, Page, Parameters, Slice};
use crate::error::Error;

/// One part of the runs, newest first.
///
/// # Errors
/// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, slice: &Slice) -> Result<Page<CleanupRun>, Error> {
    runs(db).page(db.pool(), SELECTED, slice).await?.map(|row| run(&row))
}

/// How many runs there are.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database) -> Result<i64, Error> {
    runs(db).count(db.pool()).await
}

fn runs(db: &Database) -> List {
    let order = Order {
        name: "cleanup runs, last first".to_owned(),
        by: Some(Key::new("c.created_at", Kind::Time)),
        id: Key::new("c.id", Kind::Uuid),
        descending: true,
    };
    let from = format!("{} c", db.own_table("cleanup_runs"));
    List { dialect: db.dialect(), from, conditions: Vec::new(), parameters: Parameters::default(), order }
}

/// One part of the sessions that a run left, in the order in which they would have gone.
///
/// # Errors
/// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn skipped(db: &Database, run: Uuid, slice: &Slice) -> Result<Page<SkippedSession>, Error> {
    let list = skipped_of(db, run);
    list.page(db.pool(), "c.session_id, c.code, c.message", slice).await?.map(|row| skipped_session(&row))
}

/// How many sessions a run has left so far.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_skipped(db: &Database, run: Uuid) -> Result<i64, Error> {
    skipped_of(db, run).count(db.pool()).await
}

fn skipped_of(db: &Database, run: Uuid) -> List {
    let mut parameters = Parameters::default();
    let run_id = db.dialect().as_uuid(&parameters.bind(run.to_string()));
    let conditions = vec![format!("c.run_id = {run_id}"), "c.state = 'SKIPPED'".to_owned()];
    let order = Order {
        name: "skipped sessions".to_owned(),
        by: Some(Key::new("c.position", Kind::Number)),
        id: Key::new("c.session_id", Kind::Text),
        descending: false,
    };
    let from = format!("{} c", db.own_table("cleanup_run_sessions"));
    List { dialect: db.dialect(), from, conditions, parameters, order }
}

fn skipped_session(row: &QueryResult) -> Result<SkippedSession, Error> {
    let code: String = row.try_get("", "code")?;
    Ok(SkippedSession {
        session_id: id(&row.try_get::<String>("", "session_id")?)?,
        code: serde_json::from_value(code.into())
            .map_err(|error| Error::Unsuitable(format!("A skipped session's reason cannot be read: {error}")))?,
        message: row.try_get("", "message")?,
    })
}
