//! Queries for sessions, with whatever columns an adopted database has.

use std::collections::HashMap;
use std::sync::Arc;

use entity::session_status::SessionStatus;
use entity::whatsapp_sessions::Column;
use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::filter::{SessionFilter, status};
use super::model::Session;
use crate::catalog::SESSIONS;
use crate::db::pagination::{KeyType, Page, PageRequest, PagedQuery, SortKey, SortOrder};
use crate::db::{BindParams, Database, Dialect, SqlValue, TableColumns};
use crate::error::Error;

/// The columns of a [`Session`], in the order in which they are read.
const SELECTED: [Column; 6] =
    [Column::Id, Column::SessionName, Column::Status, Column::PhoneNumber, Column::CreatedAt, Column::UpdatedAt];

/// The sort key of a list of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionSortKey {
    /// When the row was created.
    CreatedAt,
    /// When the row was last updated.
    UpdatedAt,
    /// [`Session::name`].
    Name,
    /// The status as stored.
    Status,
}

/// Returns the sessions with these ids, in no particular order. Unknown ids are skipped.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, ids: &[Uuid]) -> Result<Vec<Session>, Error> {
    find_in(db.pool(), db, &*TableColumns::load_cached(db, SESSIONS).await?, ids).await
}

/// Returns the names of sessions by id, for the audit record.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn names_by_id(
    conn: &impl ConnectionTrait,
    db: &Database,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, String>, Error> {
    let sessions = find_in(conn, db, &TableColumns::load(conn, db, SESSIONS).await?, ids).await?;
    Ok(sessions.into_iter().map(|session| (session.id, session.name)).collect())
}

/// Returns the sessions with these ids as [`find`] does, on a given connection and with given columns.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_in(
    conn: &impl ConnectionTrait,
    db: &Database,
    columns: &TableColumns,
    ids: &[Uuid],
) -> Result<Vec<Session>, Error> {
    let mut parameters = BindParams::default();
    let filter = SessionFilter { ids: Some(ids.to_vec()), ..SessionFilter::default() };
    let conditions = filter.conditions(db.dialect(), columns, &mut parameters).join(" AND ");
    let sql =
        format!("SELECT {} FROM {} listed WHERE {conditions}", columns.select_list(&SELECTED, &[]), columns.table());
    let rows = conn.query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(from_row).collect()
}

/// Returns one page of the sessions that match a filter.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(
    db: &Database,
    filter: &SessionFilter,
    by: SessionSortKey,
    descending: bool,
    slice: &PageRequest,
) -> Result<Page<Session>, Error> {
    let columns = TableColumns::load_cached(db, SESSIONS).await?;
    let list = list(db.dialect(), &columns, filter, by, descending);
    let page = list.page(db.pool(), &columns.select_list(&SELECTED, &slice.unasked.columns), slice).await?;
    page.map(|row| from_row(&row))
}

/// Counts the sessions that match a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &SessionFilter) -> Result<i64, Error> {
    let columns = TableColumns::load_cached(db, SESSIONS).await?;
    list(db.dialect(), &columns, filter, SessionSortKey::CreatedAt, false).count(db.pool()).await
}

fn list(
    dialect: Dialect,
    columns: &TableColumns,
    filter: &SessionFilter,
    by: SessionSortKey,
    descending: bool,
) -> PagedQuery {
    let mut parameters = BindParams::default();
    let conditions = filter.conditions(dialect, columns, &mut parameters);
    let time = |column| columns.sortable(column).map(|sql| SortKey::nullable(sql, KeyType::Time));
    let (name, key) = match by {
        SessionSortKey::CreatedAt => ("created", time(Column::CreatedAt)),
        SessionSortKey::UpdatedAt => ("updated", time(Column::UpdatedAt)),
        SessionSortKey::Name => ("name", Some(SortKey::new(name_sql(columns), KeyType::Text))),
        SessionSortKey::Status => ("status", Some(SortKey::new(status(columns), KeyType::Text))),
    };
    let name: Arc<str> = format!("sessions by {name}{}", if descending { ", last first" } else { "" }).into();
    let id = columns.id_key(Column::Id);
    let from = format!("{} listed", columns.table());
    PagedQuery { dialect, from, conditions, parameters, order: SortOrder { name, by: key, id, descending } }
}

/// Returns SQL for [`Session::name`].
fn name_sql(columns: &TableColumns) -> String {
    let [name, phone, id] =
        [Column::SessionName, Column::PhoneNumber, Column::Id].map(|column| columns.as_text(column));
    format!("coalesce({name}, {phone}, substr({id}, 1, 8))")
}

/// Counts the sessions by status and by whether they are stale.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_by_status(db: &Database) -> Result<Vec<(SessionStatus, bool, i64)>, Error> {
    let columns = TableColumns::load_cached(db, SESSIONS).await?;
    let sql = format!(
        "SELECT status, unpaired, count(*) AS sessions FROM (SELECT {} AS status, \
         CASE WHEN listed.phone_number IS NULL THEN 1 ELSE 0 END AS unpaired FROM {} listed) counted GROUP BY status, unpaired",
        status(&columns),
        columns.table()
    );
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, [])).await?;
    let counts = rows.iter().map(|row| {
        let status = SessionStatus::from_raw(&row.try_get::<String>("", "status")?);
        let stale = row.try_get::<i32>("", "unpaired")? == 1 && SessionStatus::STALE.contains(&status);
        Ok((status, stale, row.try_get("", "sessions")?))
    });
    counts.collect()
}

/// Returns the ids of at most `limit` sessions that match a filter: those that have not been updated for the longest
/// time first, those without any time last. The id breaks ties.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find_matching_ids(
    conn: &impl ConnectionTrait,
    db: &Database,
    filter: &SessionFilter,
    limit: Option<u32>,
) -> Result<Vec<Uuid>, Error> {
    let columns = TableColumns::load(conn, db, SESSIONS).await?;
    let mut parameters = BindParams::default();
    let mut conditions = filter.conditions(db.dialect(), &columns, &mut parameters);
    conditions.push("1 = 1".to_owned());
    let updated = columns.first_timestamp(&[Column::UpdatedAt, Column::CreatedAt]);
    let order = updated.map_or_else(String::new, |updated| format!("{updated} NULLS LAST, "));
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let sql = format!(
        "SELECT {} FROM {} listed WHERE {} ORDER BY {order}listed.id{limit}",
        columns.select_list(&[Column::Id], &[]),
        columns.table(),
        conditions.join(" AND ")
    );
    let rows = conn.query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(|row| parse_id(SqlValue::from_row(row, 0)?.as_ref())).collect()
}

fn from_row(row: &QueryResult) -> Result<Session, Error> {
    let [id, name, status, phone_number, created_at, updated_at] = SqlValue::first_n(row)?;
    let [name, status, phone_number] = [name, status, phone_number].map(|value| value.map(SqlValue::into_text));
    let [created_at, updated_at] = [created_at, updated_at].map(|value| value.as_ref().and_then(SqlValue::timestamp));
    Ok(Session {
        id: parse_id(id.as_ref())?,
        name: name.or_else(|| phone_number.clone()).unwrap_or_else(|| id_text(id.as_ref()).chars().take(8).collect()),
        raw_status: status.unwrap_or_default(),
        phone_number,
        created_at,
        updated_at,
    })
}

fn parse_id(id: Option<&SqlValue>) -> Result<Uuid, Error> {
    id.and_then(SqlValue::uuid).ok_or_else(|| {
        Error::IncompatibleDatabase(format!("A session has the id {}, which is not a UUID.", id_text(id)))
    })
}

fn id_text(id: Option<&SqlValue>) -> String {
    id.map_or_else(|| "null".to_owned(), SqlValue::to_string)
}
