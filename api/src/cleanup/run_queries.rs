//! Lists of runs, and of the sessions that a run skipped.

use std::collections::HashMap;

use sea_orm::QueryResult;
use uuid::Uuid;

use super::model::{CleanupRun, SkippedSession};
use super::run_record::{SELECTED, id, run};
use crate::db::pagination::{Key, Kind, List, Order, Page, Slice};
use crate::db::{Database, Parameters};
use crate::error::Error;

/// Returns one page of the runs, newest first.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, slice: &Slice) -> Result<Page<CleanupRun>, Error> {
    runs(db).page(db.pool(), SELECTED, slice).await?.map(|row| run(&row))
}

/// Returns the number of runs.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database) -> Result<i64, Error> {
    runs(db).count(db.pool()).await
}

fn runs(db: &Database) -> List {
    let order = Order {
        name: "cleanup runs, last first".into(),
        by: Some(Key::new("run.created_at", Kind::Time)),
        id: Key::new("run.id", Kind::Uuid),
        descending: true,
    };
    let from = format!("{} run", db.own_table("cleanup_runs"));
    List { dialect: db.dialect(), from, conditions: Vec::new(), parameters: Parameters::default(), order }
}

/// Returns one page of the sessions that a run skipped, in the order of its list.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn skipped(db: &Database, run: Uuid, slice: &Slice) -> Result<Page<SkippedSession>, Error> {
    Ok(skipped_of_each(db, slice, &[run]).await?.remove(&run).unwrap_or(Page::empty()))
}

/// Returns the same page of the skipped sessions of each of these runs; runs that skipped none may be missing.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn skipped_of_each(
    db: &Database,
    slice: &Slice,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, Page<SkippedSession>>, Error> {
    let order = Order {
        name: "skipped sessions".into(),
        by: Some(Key::new("session.position", Kind::Number)),
        id: Key::new("session.session_id", Kind::Text),
        descending: false,
    };
    let from = format!("{} session", db.own_table("cleanup_run_sessions"));
    let conditions = vec!["session.state = 'SKIPPED'".to_owned()];
    let list = List { dialect: db.dialect(), from, conditions, parameters: Parameters::default(), order };
    let parents: Vec<String> = runs.iter().map(Uuid::to_string).collect();
    let of_run = Key::new("session.run_id", Kind::Uuid);
    let columns = "session.session_id, session.code, session.message";
    let pages = list.page_of_each(db.pool(), columns, slice, &of_run, &parents).await?;
    runs.iter().zip(pages).map(|(run, page)| Ok((*run, page.map(|row| skipped_session(&row))?))).collect()
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
