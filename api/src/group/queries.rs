//! Queries for groups, with whatever columns an adopted database has.

use std::collections::HashMap;
use std::sync::Arc;

use entity::whatsapp_groups::Column;
use sea_orm::{ConnectionTrait as _, IdenStatic as _, QueryResult};
use uuid::Uuid;

use super::filter::Filter;
use super::model::Group;
use crate::catalog::GROUPS;
use crate::db::pagination::{Key, Kind, List, Order, Page, Slice};
use crate::db::{Cell, Columns, Database, Dialect, Parameters};
use crate::error::Error;

/// The sort key of a list of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// [`Group::name`].
    Name,
    /// The number of participants.
    ParticipantCount,
    /// When the row was created.
    CreatedAt,
}

/// A request for one page of a list of groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// The groups of the list.
    pub filter: Filter,
    /// The sort key.
    pub by: SortBy,
    /// Sorts the largest value first.
    pub descending: bool,
    /// The page.
    pub slice: Slice,
}

/// Returns the groups with these ids, in no particular order. Unknown ids are skipped.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, ids: &[Uuid]) -> Result<Vec<Group>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let mut parameters = Parameters::default();
    let filter = Filter { ids: Some(ids.to_vec()), ..Filter::default() };
    let conditions = filter.conditions(db.dialect(), &columns, &mut parameters).join(" AND ");
    let sql = format!("SELECT {} FROM {} listed WHERE {conditions}", select_list(&columns, &[]), columns.table());
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(from_row).collect()
}

/// Returns one page of a list of groups.
///
/// # Errors
/// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, part: &Part) -> Result<Page<Group>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    list.page(db.pool(), &select_list(&columns, &part.slice.unasked.columns), &part.slice)
        .await?
        .map(|row| from_row(&row))
}

/// Returns the same page of each session's groups, with one statement.
///
/// # Errors
/// Those of [`page`].
pub async fn page_of_each(db: &Database, part: &Part, sessions: &[Uuid]) -> Result<HashMap<Uuid, Page<Group>>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    let of = columns.key(Column::SessionId);
    let selected = select_list(&columns, &part.slice.unasked.columns);
    let pages = list.page_of_each(db.pool(), &selected, &part.slice, &of, &texts(sessions)).await?;
    sessions.iter().zip(pages).map(|(session, page)| Ok((*session, page.map(|row| from_row(&row))?))).collect()
}

/// Counts the groups that match a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &Filter) -> Result<i64, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    list(db.dialect(), &columns, filter, SortBy::Name, false).count(db.pool()).await
}

/// Counts the groups of each session that match a filter, with one statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_of_each(db: &Database, filter: &Filter, sessions: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, filter, SortBy::Name, false);
    let counts = list.count_of_each(db.pool(), &columns.key(Column::SessionId), &texts(sessions)).await?;
    counts.into_iter().map(|(session, groups)| Ok((parse_id(&session)?, groups))).collect()
}

fn list(dialect: Dialect, columns: &Columns, filter: &Filter, by: SortBy, descending: bool) -> List {
    let mut parameters = Parameters::default();
    let conditions = filter.conditions(dialect, columns, &mut parameters);
    let (name, key) = match by {
        SortBy::Name => ("name", Some(Key::new(name_sql(columns), Kind::Text))),
        SortBy::ParticipantCount => {
            let count = columns.number(Column::ParticipantCount);
            ("participants", count.map(|count| Key::nullable(count, Kind::Number)))
        }
        SortBy::CreatedAt => {
            let created = columns.sortable(Column::CreatedAt);
            ("created", created.map(|created| Key::nullable(created, Kind::Time)))
        }
    };
    let name: Arc<str> = format!("groups by {name}{}", if descending { ", last first" } else { "" }).into();
    let id = columns.key(Column::Id);
    let from = format!("{} listed", columns.table());
    List { dialect, from, conditions, parameters, order: Order { name, by: key, id, descending } }
}

/// Returns SQL for [`Group::name`].
///
/// An index serves the order by name only if this is the column alone, on PostgreSQL also without NULLS FIRST or LAST.
/// So the fallbacks are added only where a name may be missing.
fn name_sql(columns: &Columns) -> String {
    columns.filled_text(Column::GroupName).unwrap_or_else(|| {
        let [name, jid, id] = [Column::GroupName, Column::GroupJid, Column::Id].map(|column| columns.as_text(column));
        format!("coalesce({name}, {jid}, substr({id}, 1, 8))")
    })
}

/// Returns the SELECT list of a [`Group`], in the order in which it is read.
fn select_list(columns: &Columns, unrequested: &[&str]) -> String {
    // The address is also the fallback for a missing name.
    let is_fallback =
        |column: &str| column == Column::GroupJid.as_str() && columns.filled_text(Column::GroupName).is_none();
    let unrequested: Vec<&str> = unrequested.iter().copied().filter(|column| !is_fallback(column)).collect();
    let texts = columns.selected(
        &[Column::Id, Column::SessionId, Column::GroupJid, Column::GroupName, Column::CreatedAt, Column::UpdatedAt],
        &unrequested,
    );
    let count = columns.number(Column::ParticipantCount).unwrap_or_else(|| "NULL".to_owned());
    format!("{texts}, CAST({count} AS bigint) AS {}", Column::ParticipantCount.as_str())
}

fn from_row(row: &QueryResult) -> Result<Group, Error> {
    let [group_id, session_id, jid, name, created_at, updated_at] = Cell::first(row)?;
    let [jid, name] = [jid, name].map(|value| value.map(Cell::into_text));
    let [created_at, updated_at] = [created_at, updated_at].map(|value| value.as_ref().and_then(Cell::moment));
    let short_id = || group_id.as_ref().map(Cell::to_string).unwrap_or_default().chars().take(8).collect();
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

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn uuid(id: &Cell) -> Result<Uuid, Error> {
    id.uuid().map_or_else(|| parse_id(&id.to_string()), Ok)
}

/// Parses the id of a group or of its session.
///
/// # Errors
/// [`Error::Unsuitable`] if it is not a UUID.
pub(super) fn parse_id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::Unsuitable(format!("A group has or names the id {text}, which is no UUID.")))
}
