//! One list, read in parts.

use sea_orm::{ConnectionTrait, QueryResult};

use super::sort_order::{Place, Side, no_place};
use super::{Key, Order, Page, Position, Slice};
use crate::db::{Cell, Dialect, Parameters};
use crate::error::Error;

/// A list: which rows, and in what order.
#[derive(Debug, Clone)]
pub struct List {
    /// The database's.
    pub dialect: Dialect,
    /// What stands behind FROM; the listed rows are called `c`.
    pub from: String,
    /// What a row meets, all of it.
    pub conditions: Vec<String>,
    /// What the conditions bind.
    pub parameters: Parameters,
    /// The order.
    pub order: Order,
}

/// A slice whose places are bound.
pub(super) struct Bound {
    size: u32,
    last: bool,
    with_places: bool,
    after: Option<Place>,
    before: Option<Place>,
}

impl List {
    /// Reads one part with one statement. `columns` is what is selected of a row `c`.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn page(
        &self,
        conn: &impl ConnectionTrait,
        columns: &str,
        slice: &Slice,
    ) -> Result<Page<QueryResult>, Error> {
        let mut parameters = self.parameters.clone();
        let bound = self.bind(slice, &mut parameters)?;
        let sql = self.part(columns, &bound, None);
        let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await;
        self.read(rows.map_err(|error| misplaced(error.into(), slice))?, slice)
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn count(&self, conn: &impl ConnectionTrait) -> Result<i64, Error> {
        let sql = format!("SELECT count(*) AS n FROM {}{}", self.from, all(&self.conditions));
        let row = conn.query_one_raw(self.dialect.statement(sql, self.parameters.clone().into_values())).await?;
        Ok(row.map(|row| row.try_get("", "n")).transpose()?.unwrap_or_default())
    }

    /// Binds the places of a slice.
    pub(super) fn bind(&self, slice: &Slice, parameters: &mut Parameters) -> Result<Bound, Error> {
        let mut place = |position: Option<&Position>| {
            position.map(|position| self.order.place(self.dialect, position, parameters)).transpose()
        };
        let (after, before) = (place(slice.after.as_ref())?, place(slice.before.as_ref())?);
        Ok(Bound { size: slice.size, last: slice.last, with_places: !slice.unasked.places, after, before })
    }

    /// The statement of one part: one row more than asked for, which tells whether the list goes on, and, where a cursor
    /// cuts the list, whether it has rows on the other side, also on a page without rows.
    pub(super) fn part(&self, columns: &str, slice: &Bound, parent: Option<&str>) -> String {
        let mut whole = self.conditions.clone();
        whole.extend(parent.map(str::to_owned));
        let mut inside = whole.clone();
        let mut cut = |place: &Option<Place>, side: Side, other: Side| {
            place.as_ref().map_or_else(
                || "0".to_owned(),
                |place| {
                    inside.push(self.order.beside(place, side));
                    let outside = [whole.as_slice(), &[self.order.beside(place, other)]].concat();
                    format!("CASE WHEN EXISTS (SELECT 1 FROM {}{}) THEN 1 ELSE 0 END", self.from, all(&outside))
                },
            )
        };
        let before = cut(&slice.after, Side::Behind, Side::BeforeOrAt);
        let behind = cut(&slice.before, Side::Before, Side::AtOrBehind);
        let value = self.order.by.as_ref().map_or("NULL", |by| &by.sql);
        let id = &self.order.id.sql;
        let sent = |key: Option<&Key>| {
            let key = key.filter(|_| slice.with_places);
            key.map_or_else(|| "NULL".to_owned(), |key| key.sent(self.dialect))
        };
        let (sent_value, sent_id) = (sent(self.order.by.as_ref()), sent(Some(&self.order.id)));
        let is_cut = slice.after.is_some() || slice.before.is_some();
        let again = if is_cut || parent.is_some() {
            format!(", 1 AS page_row, {value} AS page_sort, {id} AS page_tie")
        } else {
            String::new()
        };
        let rows = format!(
            "SELECT {columns}, {sent_value} AS page_value, {sent_id} AS page_id{again} \
             FROM {}{} ORDER BY {} LIMIT {}",
            self.from,
            all(&inside),
            self.order.sort(self.dialect, value, id, slice.last),
            u64::from(slice.size) + 1,
        );
        if !is_cut {
            return rows;
        }
        let order = self.sort_again(slice);
        format!(
            "SELECT page.*, {before} AS page_before, {behind} AS page_behind FROM (SELECT 1 AS one) one \
             LEFT JOIN ({rows}) page ON 1 = 1 ORDER BY {order}"
        )
    }

    /// The order of rows that a join may have lost.
    pub(super) fn sort_again(&self, slice: &Bound) -> String {
        self.order.sort(self.dialect, "page.page_sort", "page.page_tie", slice.last)
    }

    fn position(&self, row: &QueryResult, slice: &Slice) -> Result<Option<Position>, Error> {
        if slice.unasked.places {
            return Ok(None);
        }
        let id = Cell::of(row, "page_id")?;
        let value = Cell::of(row, "page_value")?;
        Ok(id.map(|id| self.order.position(value, id)))
    }

    /// The part that a statement of [`List::part`] gave.
    pub(super) fn read(&self, rows: Vec<QueryResult>, slice: &Slice) -> Result<Page<QueryResult>, Error> {
        let is_cut = slice.after.is_some() || slice.before.is_some();
        let flag = |name: &str| -> Result<bool, Error> {
            Ok(is_cut && rows.first().map(|row| row.try_get::<i32>("", name)).transpose()? == Some(1))
        };
        let (before, behind) = (flag("page_before")?, flag("page_behind")?);
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            if !is_cut || row.try_get::<Option<i32>>("", "page_row")?.is_some() {
                found.push((self.position(&row, slice)?, row));
            }
        }
        let size = usize::try_from(slice.size).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        if slice.last {
            found.reverse();
        }
        Ok(Page {
            rows: found,
            has_next: behind || (more && !slice.last),
            has_previous: before || (more && slice.last),
        })
    }
}

/// What stands behind FROM, from its WHERE.
pub(super) fn all(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// A forged cursor may hold a value that PostgreSQL cannot read; nothing else in these statements is a value's fault.
pub(super) fn misplaced(error: Error, slice: &Slice) -> Error {
    if (slice.after.is_some() || slice.before.is_some()) && error.is_of_value() { no_place() } else { error }
}
