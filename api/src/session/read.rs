//! Reading sessions, whatever columns an adopted database has.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use entity::whatsapp_sessions::Column;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use uuid::Uuid;

use super::{Session, SessionStatus};
use crate::catalog::{Columns, SESSIONS};
use crate::db::{Database, Dialect};
use crate::error::Error;

/// What is read of a session.
const SELECTED: [Column; 6] =
    [Column::Id, Column::SessionName, Column::Status, Column::PhoneNumber, Column::CreatedAt, Column::UpdatedAt];

/// The sessions with these ids, in no particular order; ids that no session has are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, ids: &[Uuid]) -> Result<Vec<Session>, Error> {
    find_in(db.pool(), db, ids).await
}

/// Names by id, for the audit record.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn names(conn: &impl ConnectionTrait, db: &Database, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, Error> {
    let sessions = find_in(conn, db, ids).await?;
    Ok(sessions.into_iter().map(|session| (session.id, session.name)).collect())
}

async fn find_in(conn: &impl ConnectionTrait, db: &Database, ids: &[Uuid]) -> Result<Vec<Session>, Error> {
    let columns = Columns::now(conn, db, SESSIONS).await?;
    let listed = match db.dialect() {
        Dialect::Postgres => "SELECT value FROM jsonb_array_elements_text($1::jsonb)",
        Dialect::Sqlite => "SELECT value FROM json_each($1)",
    };
    let sql = format!(
        "SELECT {} FROM {} c WHERE c.id IN (SELECT {} FROM ({listed}) listed)",
        columns.selected(&SELECTED),
        columns.table(),
        columns.typed(Column::Id, "listed.value"),
    );
    let ids = serde_json::to_string(ids).unwrap_or_default();
    let rows = conn.query_all_raw(db.dialect().statement(sql, [ids.into()])).await?;
    rows.iter().map(session).collect()
}

/// Where a page starts: the sort value and the id of the row before it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Position {
    /// The row's creation time as the database writes it; none where it has none, which sorts as the oldest.
    pub created_at: Option<String>,
    /// The row's id, which breaks ties.
    pub id: Uuid,
}

/// One page of sessions, newest first, ties broken by id.
#[derive(Debug, Clone)]
pub struct Page {
    /// The sessions, each with its position.
    pub sessions: Vec<(Position, Session)>,
    /// Whether more follow.
    pub has_next: bool,
    /// Whether any stand before the first.
    pub has_previous: bool,
}

/// The first `first` sessions behind `after`.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, first: u32, after: Option<&Position>) -> Result<Page, Error> {
    let dialect = db.dialect();
    // PostgreSQL would fail on a moment that is none, which only a forged cursor has.
    let moment = after.and_then(|after| after.created_at.as_deref()).filter(|_| dialect == Dialect::Postgres);
    if moment.is_some_and(|moment| DateTime::parse_from_rfc3339(moment).is_err()) {
        return Err(Error::BadInput(
            "after is not a cursor of this list: take one from its edges or pageInfo.".to_owned(),
        ));
    }
    let columns = Columns::now(db.pool(), db, SESSIONS).await?;
    let created = columns.instant(Column::CreatedAt);
    let (behind, values) =
        after.map_or_else(|| (None, Vec::new()), |after| behind(dialect, &columns, created.as_deref(), after));
    let condition = behind.as_ref().map_or_else(|| "1 = 1".to_owned(), |behind| format!("({behind})"));
    let order =
        created.map_or_else(|| "c.id DESC".to_owned(), |created| format!("{created} DESC NULLS LAST, c.id DESC"));
    let previous = behind.map_or_else(
        || "1 = 0".to_owned(),
        |behind| format!("EXISTS (SELECT 1 FROM {} c WHERE NOT ({behind}))", columns.table()),
    );
    let sql = format!(
        "SELECT page.*, CASE WHEN {previous} THEN 1 ELSE 0 END AS has_previous FROM (SELECT 1 AS one) one LEFT JOIN \
         (SELECT {} FROM {} c WHERE {condition} ORDER BY {order} LIMIT {}) page ON 1 = 1",
        columns.selected(&SELECTED),
        columns.table(),
        u64::from(first) + 1
    );
    let rows = db.pool().query_all_raw(dialect.statement(sql, values)).await?;
    let has_previous = rows.first().map(|row| row.try_get::<i32>("", "has_previous")).transpose()? == Some(1);
    let mut sessions = Vec::new();
    for row in &rows {
        if row.try_get::<Option<String>>("", "id")?.is_some() {
            let session = session(row)?;
            sessions.push((Position { created_at: row.try_get("", "created_at")?, id: session.id }, session));
        }
    }
    let limit = usize::try_from(first).unwrap_or(usize::MAX);
    let has_next = sessions.len() > limit;
    sessions.truncate(limit);
    Ok(Page { sessions, has_next, has_previous })
}

/// The rows behind a position, newest first; a row without a creation time sorts as the oldest. Never null, so that it
/// can be negated.
fn behind(
    dialect: Dialect,
    columns: &Columns,
    created: Option<&str>,
    after: &Position,
) -> (Option<String>, Vec<Value>) {
    let id = columns.typed(Column::Id, "$1");
    let values = vec![after.id.to_string().into()];
    let Some(created) = created else {
        return (Some(format!("c.id < {id}")), values);
    };
    let Some(moment) = &after.created_at else {
        return (Some(format!("{created} IS NULL AND c.id < {id}")), values);
    };
    let then = match dialect {
        Dialect::Postgres => "CAST($2 AS timestamptz)",
        Dialect::Sqlite => "$2",
    };
    let condition = format!(
        "{created} IS NULL OR ({created} IS NOT NULL AND ({created} < {then} OR ({created} = {then} AND c.id < {id})))"
    );
    (Some(condition), vec![after.id.to_string().into(), moment.clone().into()])
}

/// How many sessions there are.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database) -> Result<i64, Error> {
    let columns = Columns::now(db.pool(), db, SESSIONS).await?;
    let sql = format!("SELECT count(*) AS sessions FROM {} c", columns.table());
    let row = db.pool().query_one_raw(db.dialect().statement(sql, [])).await?;
    Ok(row.map(|row| row.try_get("", "sessions")).transpose()?.unwrap_or_default())
}

/// The stale sessions whose row has not changed since `older_than`, oldest first. One without any time is left out, since
/// nobody can tell that it is not being paired right now.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn stale_for_purge(db: &Database, older_than: DateTime<Utc>) -> Result<Vec<Uuid>, Error> {
    stale_in(db.pool(), db, older_than).await
}

/// The same within a transaction.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn stale_in(
    conn: &impl ConnectionTrait,
    db: &Database,
    older_than: DateTime<Utc>,
) -> Result<Vec<Uuid>, Error> {
    let columns = Columns::now(conn, db, SESSIONS).await?;
    let Some(unchanged) = columns.before(&[Column::UpdatedAt, Column::CreatedAt], "$1") else {
        return Ok(Vec::new());
    };
    let stale: Vec<String> =
        SessionStatus::STALE.iter().filter_map(|status| status.as_raw()).map(|word| format!("'{word}'")).collect();
    let order = columns.instant(Column::UpdatedAt).map_or_else(String::new, |updated| format!("{updated}, "));
    let sql = format!(
        "SELECT CAST(c.id AS text) AS id FROM {} c WHERE CAST(c.status AS text) IN ({}) AND c.phone_number IS NULL \
         AND {unchanged} ORDER BY {order}c.id",
        columns.table(),
        stale.join(", ")
    );
    let rows = conn.query_all_raw(db.dialect().statement(sql, [db.dialect().time(older_than)])).await?;
    rows.iter().map(|row| id(&row.try_get::<String>("", "id")?)).collect()
}

fn session(row: &QueryResult) -> Result<Session, Error> {
    let text: String = row.try_get("", "id")?;
    let phone_number: Option<String> = row.try_get("", "phone_number")?;
    let name: Option<String> = row.try_get("", "session_name")?;
    let instant = |column: &str| -> Result<Option<DateTime<Utc>>, Error> {
        Ok(row.try_get::<Option<String>>("", column)?.as_deref().and_then(moment))
    };
    Ok(Session {
        id: id(&text)?,
        name: name.or_else(|| phone_number.clone()).unwrap_or_else(|| text.chars().take(8).collect()),
        raw_status: row.try_get::<Option<String>>("", "status")?.unwrap_or_default(),
        phone_number,
        created_at: instant("created_at")?,
        updated_at: instant("updated_at")?,
    })
}

fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::Unsuitable(format!("A session has the id {text}, which is no UUID.")))
}

/// An instant as PostgreSQL wrote it for us, or as anybody may have written it to SQLite; without a zone it is in UTC.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z"));
    zoned.map(|moment| moment.to_utc()).ok().or_else(|| {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
            .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f"));
        local.map(|moment| moment.and_utc()).ok()
    })
}
