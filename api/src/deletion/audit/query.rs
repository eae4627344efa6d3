//! Reading the audit trail.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult};
use uuid::Uuid;

use crate::db::pagination::{KeyType, Page, PageRequest, PagedQuery, SortKey, SortOrder};
use crate::db::{BindParams, Database, Dialect, ids_parameter};
use crate::deletion::model::{Deletion, DeletionStatus};
use crate::error::Error;

/// The conditions that deletions meet, joined by AND; without any, all deletions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DeletionFilter {
    /// The status is one of these; no deletion meets an empty list.
    pub statuses: Option<Vec<DeletionStatus>>,
    /// The deletion deleted this session.
    pub session_id: Option<Uuid>,
    /// The deletion is a batch of this cleanup run.
    pub run_id: Option<Uuid>,
    /// The deletion was made by the principal with this name.
    pub deleted_by: Option<String>,
    /// The deletion was made after this time.
    pub deleted_after: Option<DateTime<Utc>>,
    /// The deletion was made before this time.
    pub deleted_before: Option<DateTime<Utc>>,
}

/// Returns the deletion with this id.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, id: Uuid) -> Result<Option<Deletion>, Error> {
    find_in(db.pool(), db, id).await
}

/// Returns the deletion with this id, read on the given connection.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn find_in(conn: &impl ConnectionTrait, db: &Database, id: Uuid) -> Result<Option<Deletion>, Error> {
    Ok(find_many(conn, db, &[id]).await?.pop())
}

/// Returns the deletion with this id, and locks it: no other transaction can restore or erase it until this one ends.
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
        let lock = format!("SELECT 1 FROM {} WHERE id = CAST($1 AS uuid) FOR UPDATE", db.internal_table("deletions"));
        transaction.execute_raw(db.dialect().statement(lock, [id.to_string().into()])).await?;
    }
    find_in(transaction, db, id).await
}

/// Returns the deletions with these ids, in no particular order; ids that no deletion has are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn find_many(
    conn: &impl ConnectionTrait,
    db: &Database,
    ids: &[Uuid],
) -> Result<Vec<Deletion>, Error> {
    let dialect = db.dialect();
    let sql = format!(
        "SELECT {} FROM {} deletion WHERE deletion.id IN (SELECT {} FROM {} listed)",
        selected(db),
        db.internal_table("deletions"),
        dialect.cast_uuid("listed.value"),
        dialect.json_elements("$1")
    );
    let rows = conn.query_all_raw(dialect.statement(sql, [ids_parameter(ids).into()])).await?;
    rows.iter().map(|row| deletion(db, row)).collect()
}

/// Returns one page of the deletions that meet a filter, newest first.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, filter: &DeletionFilter, slice: &PageRequest) -> Result<Page<Deletion>, Error> {
    list(db, filter).page(db.pool(), &selected(db), slice).await?.map(|row| deletion(db, &row))
}

/// Returns the number of all deletions, and of the rows that they deleted.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn totals(db: &Database) -> Result<(u64, u64), Error> {
    let deletions = db.internal_table("deletions");
    let sql = format!(
        "SELECT count(*) AS deletions, CAST(COALESCE(sum(rows_deleted), 0) AS bigint) AS rows_deleted FROM {deletions}"
    );
    let Some(row) = db.pool().query_one_raw(db.dialect().statement(sql, [])).await? else { return Ok((0, 0)) };
    let number = |column| row.try_get::<i64>("", column).map(i64::unsigned_abs);
    Ok((number("deletions")?, number("rows_deleted")?))
}

/// Returns the number of deletions that meet a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &DeletionFilter) -> Result<i64, Error> {
    list(db, filter).count(db.pool()).await
}

/// Returns the same page of the deletions of each of these cleanup runs; runs without deletions may be missing.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page_of_each_run(
    db: &Database,
    slice: &PageRequest,
    runs: &[Uuid],
) -> Result<HashMap<Uuid, Page<Deletion>>, Error> {
    let list = list(db, &DeletionFilter::default());
    let pages = list.page_of_each(db.pool(), &selected(db), slice, &of_run(), &id_texts(runs)).await?;
    runs.iter().zip(pages).map(|(run, page)| Ok((*run, page.map(|row| deletion(db, &row))?))).collect()
}

/// Returns the number of deletions of each of these cleanup runs; runs without deletions are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_of_each_run(db: &Database, runs: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    let counts = list(db, &DeletionFilter::default()).count_of_each(db.pool(), &of_run(), &id_texts(runs)).await?;
    counts.into_iter().map(|(run, count)| Ok((id(&run)?, count))).collect()
}

fn of_run() -> SortKey {
    SortKey::nullable("deletion.run_id", KeyType::Uuid)
}

fn id_texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn list(db: &Database, filter: &DeletionFilter) -> PagedQuery {
    let mut parameters = BindParams::default();
    let conditions = conditions(db, filter, &mut parameters);
    let order = SortOrder {
        name: "deletions, last first".into(),
        by: Some(SortKey::new("deletion.deleted_at", KeyType::Time)),
        id: SortKey::new("deletion.id", KeyType::Uuid),
        descending: true,
    };
    let from = format!("{} deletion", db.internal_table("deletions"));
    PagedQuery { dialect: db.dialect(), from, conditions, parameters, order }
}

fn conditions(db: &Database, filter: &DeletionFilter, parameters: &mut BindParams) -> Vec<String> {
    let mut conditions = Vec::new();
    if let Some(statuses) = &filter.statuses {
        conditions.push(has_status(db, statuses, parameters));
    }
    if let Some(session) = filter.session_id {
        conditions.push(format!(
            "deletion.id IN (SELECT deleted.deletion_id FROM {} deleted WHERE deleted.session_id = {})",
            db.internal_table("deleted_sessions"),
            parameters.bind(session.to_string())
        ));
    }
    if let Some(run) = filter.run_id {
        let run = parameters.bind(run.to_string());
        conditions.push(format!("deletion.run_id = {}", db.dialect().cast_uuid(&run)));
    }
    if let Some(principal) = &filter.deleted_by {
        conditions.push(format!("deletion.deleted_by = {}", parameters.bind(principal.clone())));
    }
    for (moment, operator) in [(filter.deleted_after, ">"), (filter.deleted_before, "<")] {
        let bound = moment.map(|moment| parameters.bind(db.dialect().timestamp_param(moment)));
        conditions.extend(bound.map(|parameter| format!("deletion.deleted_at {operator} {parameter}")));
    }
    conditions
}

/// Returns the condition that a deletion has one of these statuses now. Expired archives are marked only once an hour,
/// so the time decides too.
fn has_status(db: &Database, statuses: &[DeletionStatus], parameters: &mut BindParams) -> String {
    let depends_on_time =
        statuses.iter().any(|status| matches!(status, DeletionStatus::Restorable | DeletionStatus::Expired));
    // PostgreSQL knows no type for a parameter that nothing uses.
    let now = if depends_on_time {
        parameters.bind(db.dialect().timestamp_param(db.settings().clock.now()))
    } else {
        String::new()
    };
    let conditions = statuses.iter().map(|status| match status {
        DeletionStatus::Restorable => format!("(deletion.status = 'RESTORABLE' AND deletion.restorable_until > {now})"),
        DeletionStatus::Expired => {
            format!(
                "(deletion.status = 'EXPIRED' \
                 OR (deletion.status = 'RESTORABLE' AND deletion.restorable_until <= {now}))"
            )
        }
        other => format!("deletion.status = '{}'", other.as_str()),
    });
    let conditions: Vec<String> = conditions.collect();
    if conditions.is_empty() { "1 = 0".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

/// Returns what is selected of a deletion, its sessions included, so that a page of deletions is one statement.
fn selected(db: &Database) -> String {
    let sessions = match db.dialect() {
        Dialect::Postgres => {
            "CAST(json_agg(json_build_object('id', deleted.session_id, 'name', deleted.name, 'gateway', deleted.gateway) \
             ORDER BY deleted.position) AS text)"
        }
        Dialect::Sqlite => {
            "json_group_array(json_object('id', deleted.session_id, 'name', deleted.name, 'gateway', deleted.gateway) \
             ORDER BY deleted.position)"
        }
    };
    format!(
        "CAST(deletion.id AS text) AS id, deletion.deleted_by, deletion.reason, deletion.deleted_at, \
         deletion.rows_deleted, deletion.rows_unlinked, deletion.status, deletion.restorable_until, \
         deletion.restored_at, deletion.restored_by, deletion.erased_at, deletion.erased_by, \
         CAST(deletion.run_id AS text) AS run_id, CAST(deletion.tables AS text) AS tables, \
         CAST(deletion.allowed AS text) AS allowed, \
         (SELECT coalesce({sessions}, '[]') FROM {} deleted WHERE deleted.deletion_id = deletion.id) AS sessions",
        db.internal_table("deleted_sessions")
    )
}

fn deletion(db: &Database, row: &QueryResult) -> Result<Deletion, Error> {
    let text = |column: &str| row.try_get::<String>("", column);
    let word = text("status")?;
    let mut status =
        DeletionStatus::from_name(&word).ok_or_else(|| unreadable_error(&format!("{word} is not a status")))?;
    let restorable_until = row.try_get("", "restorable_until")?;
    if status == DeletionStatus::Restorable && restorable_until <= Some(db.settings().clock.now()) {
        // Its rows are erased later, but it cannot be restored any more.
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
    text.parse().map_err(|_| unreadable_error(&format!("{text} is not a UUID")))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| unreadable_error(&error.to_string()))
}

fn unreadable_error(detail: &str) -> Error {
    Error::IncompatibleDatabase(format!("The audit record cannot be read: {detail}."))
}
