//! Reading groups, whatever columns an adopted database has.

use std::collections::HashMap;
use std::sync::Arc;

use entity::whatsapp_groups::Column;
use sea_orm::{ConnectionTrait as _, IdenStatic as _, QueryResult};
use uuid::Uuid;

use super::{Filter, Group};
use crate::catalog::GROUPS;
use crate::db::pagination::{Key, Kind, List, Order, Page, Slice};
use crate::db::{Cell, Columns, Database, Dialect, Parameters};
use crate::error::Error;

/// What a list of groups is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// The name, as [`Group::name`] has it.
    Name,
    /// How many people are in the group.
    ParticipantCount,
    /// When the row was made.
    CreatedAt,
}

/// A part of a list of groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Part {
    /// Which groups.
    pub filter: Filter,
    /// What decides their order.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
    /// Which of them.
    pub slice: Slice,
}

/// The groups with these ids, in no particular order; ids that no group has are left out.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn find(db: &Database, ids: &[Uuid]) -> Result<Vec<Group>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let mut parameters = Parameters::default();
    let filter = Filter { ids: Some(ids.to_vec()), ..Filter::default() };
    let conditions = filter.conditions(db.dialect(), &columns, &mut parameters).join(" AND ");
    let sql = format!("SELECT {} FROM {} c WHERE {conditions}", selected(&columns, &[]), columns.table());
    let rows = db.pool().query_all_raw(db.dialect().statement(sql, parameters.into_values())).await?;
    rows.iter().map(group).collect()
}

/// One part of a list of groups.
///
/// # Errors
/// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
pub async fn page(db: &Database, part: &Part) -> Result<Page<Group>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    list.page(db.pool(), &selected(&columns, &part.slice.unasked.columns), &part.slice).await?.map(|row| group(&row))
}

/// The same part of each session's groups, with one statement.
///
/// # Errors
/// Those of [`page`].
pub async fn page_of_each(db: &Database, part: &Part, sessions: &[Uuid]) -> Result<HashMap<Uuid, Page<Group>>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, &part.filter, part.by, part.descending);
    let of = columns.key(Column::SessionId);
    let selected = selected(&columns, &part.slice.unasked.columns);
    let pages = list.page_of_each(db.pool(), &selected, &part.slice, &of, &texts(sessions)).await?;
    sessions.iter().zip(pages).map(|(session, page)| Ok((*session, page.map(|row| group(&row))?))).collect()
}

/// How many groups meet a filter.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count(db: &Database, filter: &Filter) -> Result<i64, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    list(db.dialect(), &columns, filter, SortBy::Name, false).count(db.pool()).await
}

/// How many of each session's groups meet a filter, with one statement.
///
/// # Errors
/// [`Error::Unavailable`], [`Error::Timeout`].
pub async fn count_of_each(db: &Database, filter: &Filter, sessions: &[Uuid]) -> Result<HashMap<Uuid, i64>, Error> {
    let columns = Columns::recent(db, GROUPS).await?;
    let list = list(db.dialect(), &columns, filter, SortBy::Name, false);
    let counts = list.count_of_each(db.pool(), &columns.key(Column::SessionId), &texts(sessions)).await?;
    counts.into_iter().map(|(session, groups)| Ok((id(&session)?, groups))).collect()
}

fn list(dialect: Dialect, columns: &Columns, filter: &Filter, by: SortBy, descending: bool) -> List {
    let mut parameters = Parameters::default();
    let conditions = filter.conditions(dialect, columns, &mut parameters);
    let (name, key) = match by {
        SortBy::Name => ("name", Some(Key::new(shown_name(columns), Kind::Text))),
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
    let from = format!("{} c", columns.table());
    List { dialect, from, conditions, parameters, order: Order { name, by: key, id, descending } }
}

/// [`Group::name`] in SQL. An index serves the order by name only where this is the bare column, and on PostgreSQL only
/// without a word on nulls; so the names stand in for one another only where one may be missing.
fn shown_name(columns: &Columns) -> String {
    columns.filled_text(Column::GroupName).unwrap_or_else(|| {
        let [name, jid, id] = [Column::GroupName, Column::GroupJid, Column::Id].map(|column| columns.as_text(column));
        format!("coalesce({name}, {jid}, substr({id}, 1, 8))")
    })
}

/// What is selected of a row `c` for a [`Group`], in the order in which it is read.
fn selected(columns: &Columns, unasked: &[&str]) -> String {
    let stands_in =
        |column: &str| column == Column::GroupJid.as_str() && columns.filled_text(Column::GroupName).is_none();
    let unasked: Vec<&str> = unasked.iter().copied().filter(|column| !stands_in(column)).collect();
    let texts = columns.selected(
        &[Column::Id, Column::SessionId, Column::GroupJid, Column::GroupName, Column::CreatedAt, Column::UpdatedAt],
        &unasked,
    );
    let count = columns.number(Column::ParticipantCount).unwrap_or_else(|| "NULL".to_owned());
    format!("{texts}, CAST({count} AS bigint) AS {}", Column::ParticipantCount.as_str())
}

fn group(row: &QueryResult) -> Result<Group, Error> {
    let [own_id, session_id, jid, name, created_at, updated_at] = Cell::first(row)?;
    let [jid, name] = [jid, name].map(|cell| cell.map(Cell::into_text));
    let [created_at, updated_at] = [created_at, updated_at].map(|cell| cell.as_ref().and_then(Cell::moment));
    let short = || own_id.as_ref().map(Cell::to_string).unwrap_or_default().chars().take(8).collect();
    Ok(Group {
        id: own_id.as_ref().map_or_else(|| id(""), of_cell)?,
        session_id: session_id.as_ref().map(of_cell).transpose()?,
        name: name.or_else(|| jid.clone()).unwrap_or_else(short),
        jid,
        participant_count: row.try_get("", Column::ParticipantCount.as_str())?,
        created_at,
        updated_at,
    })
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

fn of_cell(cell: &Cell) -> Result<Uuid, Error> {
    cell.uuid().map_or_else(|| id(&cell.to_string()), Ok)
}

/// An id of a group or of its session.
pub(super) fn id(text: &str) -> Result<Uuid, Error> {
    text.parse().map_err(|_| Error::Unsuitable(format!("A group has or names the id {text}, which is no UUID.")))
}
