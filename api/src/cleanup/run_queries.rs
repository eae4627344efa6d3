//! Lists of runs, and of the sessions that a run skipped.

use std::collections::HashMap;

use sea_orm::QueryResult;
use uuid::Uuid;

use super::model::{CleanupRun, SkippedSession};
use super::run_record::{SELECTED, id, run};
use crate::db::pagination::{KeyType, Page, PageRequest, PagedQuery, SortKey, SortOrder};
use crate::db::{BindParams, Database};
use crate::error::Error;

/// Returns one page of the runs, newest first.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, slice: &PageRequest) -> Result<Page<CleanupRun>, Error> {
    runs(db).page(db.pool(), SELECTED, slice).await?.map(|row| run(&row))
}

/// Returns the number of runs.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database) -> Result<i64, Error> {
    runs(db).count(db.pool()).await
}

fn runs(db: &Database) -> PagedQuery {
    let order = SortOrder {
        name: "cleanup runs, last first".into(),
        by: Some(SortKey::new("run.created_at", KeyType::Time)),
        id: SortKey::new("run.id", KeyType::Uuid),
        descending: true,
    };
    let from = format!("{} run", db.internal_table("cleanup_runs"));
    PagedQuery { dialect: db.dialect(), from, conditions: Vec::new(), parameters: BindParams::default(), order }
}

/// Returns one page of the sessions that a run skipped, in the order of its list.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_skipped(db: &Database, run: Uuid, slice: &PageRequest) -> Result<Page<SkippedSession>, Error> {
    Ok(find_skipped_of_each(db, slice, &[run]).await?.remove(&run).unwrap_or(Page::empty()))
}

/// Returns the same page of the skipped sessions of each of these runs; runs that skipped none may be missing.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_skipped_of_each(
    db: &Database,
    slice: &PageRequest,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, Page<SkippedSession>>, Error> {
    let order = SortOrder {
        name: "skipped sessions".into(),
        by: Some(SortKey::new("session.position", KeyType::Number)),
        id: SortKey::new("session.session_id", KeyType::Text),
        descending: false,
    };
    let from = format!("{} session", db.internal_table("cleanup_run_sessions"));
    let conditions = vec!["session.state = 'SKIPPED'".to_owned()];
    let list = PagedQuery { dialect: db.dialect(), from, conditions, parameters: BindParams::default(), order };
    let parents: Vec<String> = runs.iter().map(Uuid::to_string).collect();
    let of_run = SortKey::new("session.run_id", KeyType::Uuid);
    let columns = "session.session_id, session.code, session.message";
    let pages = list.page_of_each(db.pool(), columns, slice, &of_run, &parents).await?;
    runs.iter().zip(pages).map(|(run, page)| Ok((*run, page.map(|row| skipped_session(&row))?))).collect()
}

fn skipped_session(row: &QueryResult) -> Result<SkippedSession, Error> {
    let code: String = row.try_get("", "code")?;
    Ok(SkippedSession {
        session_id: id(&row.try_get::<String>("", "session_id")?)?,
        code: serde_json::from_value(code.into()).map_err(|error| {
            Error::IncompatibleDatabase(format!("A skipped session's reason cannot be read: {error}"))
        })?,
        message: row.try_get("", "message")?,
    })
}
