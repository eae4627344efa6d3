//! Queries for groups, which adapt to the columns of an adopted database.

use std::collections::HashMap;
use std::sync::Arc;

use entity::whatsapp_groups::Column;
use sea_orm::{ConnectionTrait as _, IdenStatic as _, QueryResult};
use uuid::Uuid;

use super::filter::GroupFilter;
use super::model::Group;
use crate::catalog::GROUPS;
use crate::db::pagination::{KeyType, Page, PageRequest, PagedQuery, SortKey, SortOrder};
use crate::db::{BindParams, Database, Dialect, SqlValue, TableColumns};
use crate::error::Error;

/// The sort key of a list of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupSortKey {
    /// Sorts by [`Group::name`].
    Name,
    /// Sorts by [`Group::participant_count`].
    ParticipantCount,
    /// Sorts by [`Group::created_at`].
    CreatedAt,
}

/// A request for one page of a list of groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupPageRequest {
    /// The filter that the listed groups match.
    pub filter: GroupFilter,
    /// The sort key.
    pub by: GroupSortKey,
    /// Sorts the largest value first.
    pub descending: bool,
    /// The part of the list to return.
    pub slice: PageRequest,
}

/// Returns the groups with these ids, in no particular order. Unknown ids are ignored.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, ids: &[Uuid]) -> Result<Vec<Group>, Error> {
    let columns = TableColumns::load_cached(db, GROUPS).await?;
    let mut parameters = BindParams::default();
    let filter = GroupFilter { ids: Some(ids.to_vec()), ..GroupFilter::default() };
    let conditions = filter.conditions(db.dialect(), &columns, &mut parameters).join(" AND ");
    let sql = format!("SELECT {} FROM {} listed WHERE {conditions}", select_list(&columns, &[]), columns.table());
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(from_row).collect()
}

/// Returns one page of a list of groups.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, part: &GroupPageRequest) -> Result<Page<Group>, Error> {
    let columns = TableColumns::load_cached(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    list.page(db.pool(), &select_list(&columns, &part.slice.unasked.columns), &part.slice)
        .await?
        .map(|row| from_row(&row))
}

/// Returns one page of each session's list of groups. A single statement reads all pages.
///
/// # Errors
/// Returns the errors of [`page`].
pub async fn page_of_each(
    db: &Database,
    part: &GroupPageRequest,
    sessions: &[Uuid],
) -> Result<HashMap<Uuid, Page<Group>>, Error> {
    let columns = TableColumns::load_cached(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    let of = columns.id_key(Column::SessionId);
    let selected = select_list(&columns, &part.slice.unasked.columns);
    let pages = list.page_of_each(db.pool(), &selected, &part.slice, &of, &id_texts(sessions)).await?;
    sessions.iter().zip(pages).map(|(session, page)| Ok((*session, page.map(|row| from_row(&row))?))).collect()
}

/// Counts the groups that match a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &GroupFilter) -> Result<i64, Error> {
    let columns = TableColumns::load_cached(db, GROUPS).await?;
    list(db.dialect(), &columns, filter, GroupSortKey::Name, false).count(db.pool()).await
}

/// Counts the groups of each session that match a filter, with one statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_of_each(
    db: &Database,
    filter: &GroupFilter,
    sessions: &[Uuid],
) -> Result<HashMap<Uuid, i64>, Error> {
    let columns = TableColumns::load_cached(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, filter, GroupSortKey::Name, false);
    let counts = list.count_of_each(db.pool(), &columns.id_key(Column::SessionId), &id_texts(sessions)).await?;
    counts.into_iter().map(|(session, groups)| Ok((parse_id(&session)?, groups))).collect()
}

fn list(
    dialect: Dialect,
    columns: &TableColumns,
    filter: &GroupFilter,
    by: GroupSortKey,
    descending: bool,
) -> PagedQuery {
    let mut parameters = BindParams::default();
    let conditions = filter.conditions(dialect, columns, &mut parameters);
    let (name, key) = match by {
        GroupSortKey::Name => ("name", Some(SortKey::new(name_sql(columns), KeyType::Text))),
        GroupSortKey::ParticipantCount => {
            let count = columns.number(Column::ParticipantCount);
            ("participants", count.map(|count| SortKey::nullable(count, KeyType::Number)))
        }
        GroupSortKey::CreatedAt => {
            let created = columns.sortable(Column::CreatedAt);
            ("created", created.map(|created| SortKey::nullable(created, KeyType::Time)))
        }
    };
    let name: Arc<str> = format!("groups by {name}{}", if descending { ", last first" } else { "" }).into();
    let id = columns.id_key(Column::Id);
    let from = format!("{} listed", columns.table());
    PagedQuery { dialect, from, conditions, parameters, order: SortOrder { name, by: key, id, descending } }
}

/// Returns SQL for [`Group::name`].
///
/// Fallbacks are added only if a name may be missing. An index can serve the order by name only if this SQL is the bare
/// column (on PostgreSQL also without NULLS FIRST or NULLS LAST).
fn name_sql(columns: &TableColumns) -> String {
    columns.not_null_text(Column::GroupName).unwrap_or_else(|| {
        let [name, jid, id] = [Column::GroupName, Column::GroupJid, Column::Id].map(|column| columns.as_text(column));
        format!("coalesce({name}, {jid}, substr({id}, 1, 8))")
    })
}

/// Returns the SELECT list of a [`Group`], in the order in which [`from_row`] reads it.
fn select_list(columns: &TableColumns, unrequested: &[&str]) -> String {
    // The address is the fallback for a missing name, so it is also selected for the name.
    let is_fallback =
        |column: &str| column == Column::GroupJid.as_str() && columns.not_null_text(Column::GroupName).is_none();
    let unrequested: Vec<&str> = unrequested.iter().copied().filter(|column| !is_fallback(column)).collect();
    let texts = columns.select_list(
        &[Column::Id, Column::SessionId, Column::GroupJid, Column::GroupName, Column::CreatedAt, Column::UpdatedAt],
        &unrequested,
    );
    let count = columns.number(Column::ParticipantCount).unwrap_or_else(|| "NULL".to_owned());
    format!("{texts}, CAST({count} AS bigint) AS {}", Column::ParticipantCount.as_str())
}

fn from_row(row: &QueryResult) -> Result<Group, Error> {
    let [group_id, session_id, jid, name, created_at, updated_at] = SqlValue::first_n(row)?;
    let [jid, name] = [jid, name].map(|value| value.map(SqlValue::into_text));
    let [created_at, updated_at] = [created_at, updated_at].map(|value| value.as_ref().and_then(SqlValue::timestamp));
    let short_id = || group_id.as_ref().map(SqlValue::to_string).unwrap_or_default().chars().take(8).collect();
    Ok(Group {
        id: group_id.as_ref().map_or_else(|| parse_id(""), uuid)?,
        session_id: session_id.as_ref().map(uuid).transpose()?,
        name: name.or_else(|| jid.clone()).unwrap_or_else(short_id),
        jid,
        participant_count: row.try_get("", Column::ParticipantCount.as_str())?,
        created_at,
        updated_at,
    })
}

fn id_texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn uuid(id: &SqlValue) -> Result<Uuid, Error> {
    id.uuid().map_or_else(|| parse_id(&id.to_string()), Ok)
}

/// Parses the id of a group or of its session.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] if it is not a UUID.
pub(super) fn parse_id(text: &str) -> Result<Uuid, Error> {
    text.parse()
        .map_err(|_| Error::IncompatibleDatabase(format!("A group has or names the id {text}, which is not a UUID.")))
}
