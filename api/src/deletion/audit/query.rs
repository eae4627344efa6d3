//! Reading the audit trail.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

use crate::db::pagination::{Key, Kind, List, Order, Page, Slice};
use crate::db::{Database, Dialect, Parameters, ids_parameter};
use crate::deletion::model::{Deletion, DeletionStatus};
use crate::error::Error;

/// What deletions meet, all of it; nothing for all deletions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// In one of these states; an empty list is met by none.
    pub statuses: Option<Vec<DeletionStatus>>,
    /// Took this session.
    pub session_id: Option<Uuid>,
    /// A batch of this cleanup run.
    pub run_id: Option<Uuid>,
    /// Made by this principal.
    pub deleted_by: Option<String>,
    /// Made after this moment.
    pub deleted_after: Option<DateTime<Utc>>,
    /// Made before this moment.
    pub deleted_before: Option<DateTime<Utc>>,
}

/// The deletion with this id.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, id: Uuid) -> Result<Option<Deletion>, Error> {
    find_in(db.pool(), db, id).await
}

/// The same within a transaction.
pub(crate) async fn find_in(conn: &impl ConnectionTrait, db: &Database, id: Uuid) -> Result<Option<Deletion>, Error> {
    Ok(find_many(conn, db, &[id]).await?.pop())
}

/// Returns the deletion with this id, and keeps others from restoring or erasing it until the transaction ends.
///
/// # Errors
/// [`Error::LockTimeout`] where another transaction restores or erases it for too long; [`Error::Unavailable`],
/// [`Error::Timeout`].
pub(crate) async fn find_locked(
    transaction: &DatabaseTransaction,
    db: &Database,
    id: Uuid,
) -> Result<Option<Deletion>, Error> {
    // SQLite has one writer at a time.
    if db.dialect() == Dialect::Postgres {
        let lock = format!("SELECT 1 FROM {} WHERE id = CAST($1 AS uuid) FOR UPDATE", db.own_table("deletions"));
        transaction.execute_raw(db.dialect().statement(lock, [id.to_string().into()])).await?;
    }
    find_in(transaction, db, id).await
}

/// The deletions with these ids, in no particular order; ids that none has are left out.
pub(crate) async fn find_many(
    conn: &impl ConnectionTrait,
    db: &Database,
    ids: &[Uuid],
) -> Result<Vec<Deletion>, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT {} FROM {} c WHERE c.id IN (SELECT {} FROM {} listed)",
        selected(db),
        db.own_table("deletions"),
        dialect.as_uuid("listed.value"),
        dialect.elements("$1")
    );
    let rows = conn.query_all_raw(dialect.statement(sql, [ids_parameter(ids).into()])).await?;
    rows.iter().map(|row| deletion(db, row)).collect()
}

/// One part of the deletions that meet a filter, newest first.
///
/// # Errors
/// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, filter: &Filter, slice: &Slice) -> Result<Page<Deletion>, Error> {
    list(db, filter).page(db.pool(), &selected(db), slice).await?.map(|row| deletion(db, &row))
}

/// How many deletions there are, and how many rows they took.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn totals(db: &Database) -> Result<(u64, u64), Error> {
    let deletions = db.own_table("deletions");
    let sql = format!(
        "SELECT count(*) AS deletions, CAST(COALESCE(sum(rows_deleted), 0) AS bigint) AS rows_deleted FROM {deletions}"
    );
    let Some(row) = db.pool().query_one_raw(db.dialect().statement(sql, [])).await? else { return Ok((0, 0)) };
    let number = |column| row.try_get::<i64>("", column).map(i64::unsigned_abs);
    Ok((number("deletions")?, number("rows_deleted")?))
}

/// How many deletions meet a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &Filter) -> Result<i64, Error> {
    list(db, filter).count(db.pool()).await
}

/// The same part of the deletions of each of these cleanup runs; runs without any may be missing.
///
/// # Errors
/// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page_of_each_run(
    db: &Database,
    slice: &Slice,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, Page<Deletion>>, Error> {
    let list = list(db, &Filter::default());
    let pages = list.page_of_each(db.pool(), &selected(db), slice, &of_run(), &texts(runs)).await?;
    runs.iter().zip(pages).map(|(run, page)| Ok((*run, page.map(|row| deletion(db, &row))?))).collect()
}

/// How many deletions each of these cleanup runs has made; runs without any are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_of_each_run(db: &Database, runs: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    let counts = list(db, &Filter::default()).count_of_each(db.pool(), &of_run(), &texts(runs)).await?;
    counts.into_iter().map(|(run, count)| Ok((id(&run)?, count))).collect()
}

fn of_run() -> Key {
    Key::nullable("c.run_id", Kind::Uuid)
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn list(db: &Database, filter: &Filter) -> List {
    let mut parameters = Parameters::default();
    let conditions = conditions(db, filter, &mut parameters);
    let order = Order {
        name: "deletions, last first".into(),
        by: Some(Key::new("c.deleted_at", Kind::Time)),
        id: Key::new("c.id", Kind::Uuid),
        descending: true,
    };
    List { dialect: db.dialect(), from: format!("{} c", db.own_table("deletions")), conditions, parameters, order }
}

fn conditions(db: &Database, filter: &Filter, parameters: &mut Parameters) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Some(statuses) = &filter.statuses {
        conditions.push(any_of(db, statuses, parameters));
    }
    if let Some(session) = filter.session_id {
        conditions.push(format!(
            "c.id IN (SELECT s.deletion_id FROM {} s WHERE s.session_id = {})",
            db.own_table("deleted_sessions"),
            parameters.bind(session.to_string())
        ));
    }
    if let Some(run) = filter.run_id {
        let run = parameters.bind(run.to_string());
        conditions.push(format!("c.run_id = {}", db.dialect().as_uuid(&run)));
    }
    if let Some(principal) = &filter.deleted_by {
        conditions.push(format!("c.deleted_by = {}", parameters.bind(principal.clone())));
    }
    for (moment, than) in [(filter.deleted_after, ">"), (filter.deleted_before, "<")] {
        let bound = moment.map(|moment| parameters.bind(db.dialect().time(moment)));
        conditions.extend(bound.map(|parameter| format!("c.deleted_at {than} {parameter}")));
    }
    conditions
}

/// In one of these states, as they are now: what has expired is marked by and by.
fn any_of(db: &Database, statuses: &[DeletionStatus], parameters: &mut Parameters) -> String {
    let depends = statuses.iter().any(|status| matches!(status, DeletionStatus::Restorable | DeletionStatus::Expired));
    // A parameter that nothing uses has no type.
    let now = if depends { parameters.bind(db.dialect().time(db.settings().clock.now())) } else { String::new() };
    let states = statuses.iter().map(|status| match status {
        DeletionStatus::Restorable => format!("(c.status = 'RESTORABLE' AND c.restorable_until > {now})"),
        DeletionStatus::Expired => {
            format!("(c.status = 'EXPIRED' OR (c.status = 'RESTORABLE' AND c.restorable_until <= {now}))")
        }
        other => format!("c.status = '{}'", other.word()),
    });
    let states: Vec<String> = states.collect();
    if states.is_empty() { "1 = 0".to_owned() } else { format!("({})", states.join(" OR ")) }
}

/// What is selected of a deletion `c`: its sessions too, so that a page of deletions is one statement.
fn selected(db: &Database) -> String {
    let sessions = match db.dialect() {
        Dialect::Postgres => {
            "CAST(json_agg(json_build_object('id', s.session_id, 'name', s.name, 'gateway', s.gateway) \
             ORDER BY s.position) AS text)"
        }
        Dialect::Sqlite => {
            "json_group_array(json_object('id', s.session_id, 'name', s.name, 'gateway', s.gateway) ORDER BY s.position)"
        }
    };
    format!(
        "CAST(c.id AS text) AS id, c.deleted_by, c.reason, c.deleted_at, c.rows_deleted, c.rows_unlinked, c.status, \
         c.restorable_until, c.restored_at, c.restored_by, c.erased_at, c.erased_by, \
         CAST(c.run_id AS text) AS run_id, \
         CAST(c.tables AS text) AS tables, CAST(c.allowed AS text) AS allowed, \
         (SELECT coalesce({sessions}, '[]') FROM {} s WHERE s.deletion_id = c.id) AS sessions",
        db.own_table("deleted_sessions")
    )
}

fn deletion(db: &Database, row: &QueryResult) -> Result<Deletion, Error> {
    let text = |column: &str| row.try_get::<String>("", column);
    let word = text("status")?;
    let mut status = DeletionStatus::of_word(&word).ok_or_else(|| unreadable(&format!("{word} is no status")))?;
    let restorable_until = row.try_get("", "restorable_until")?;
    if status == DeletionStatus::Restorable && restorable_until <= Some(db.settings().clock.now()) {
        // Its rows are erased by and by; nobody can have them back until then.
        status = DeletionStatus::Expired;
    }
    Ok(Deletion {
        id: id(&text("id")?)?,
        status,
        sessions: from_json(&text("sessions")?)?,
        rows_deleted: row.try_get("", "rows_deleted")?,
        rows_unlinked: row.try_get("", "rows_unlinked")?,
        tables: from_json(&text("tables")?)?,
        deleted_by: text("deleted_by")?,
        reason: row.try_get("", "reason")?,
        deleted_at: row.try_get("", "deleted_at")?,
        restorable_until,
        restored_at: row.try_get("", "restored_at")?,
        restored_by: row.try_get("", "restored_by")?,
        erased_at: row.try_get("", "erased_at")?,
        erased_by: row.try_get("", "erased_by")?,
        allowed: from_json(&text("allowed")?)?,
        run_id: row.try_get::<Option<String>>("", "run_id")?.as_deref().map(id).transpose()?,
    })
}

fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| unreadable(&format!("{text} is no UUID")))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(what: &str) -> Error {
    Error::Unsuitable(format!("The audit record cannot be read: {what}."))
}
