//! A list that is read page by page.

use sea_orm::{ConnectionTrait, QueryResult};

use super::cursor::Cursor;
use super::page::{Page, PageRequest};
use super::sort_order::{CursorParams, Side, SortKey, SortOrder, invalid_cursor};
use crate::db::{BindParams, Dialect, SqlValue};
use crate::error::Error;

/// A list: its rows and their order.
#[derive(Debug, Clone)]
pub struct PagedQuery {
    /// The dialect of the database.
    pub dialect: Dialect,
    /// The FROM clause's table with its alias.
    pub from: String,
    /// The conditions of the WHERE clause, all of which a row meets.
    pub conditions: Vec<String>,
    /// The parameters of the conditions.
    pub parameters: BindParams,
    /// The order.
    pub order: SortOrder,
}

/// A page request whose cursors are bound.
pub(super) struct BoundPage {
    size: u32,
    last: bool,
    with_cursors: bool,
    after: Option<CursorParams>,
    before: Option<CursorParams>,
}

impl PagedQuery {
    /// Reads one page with one statement. `columns` is the SELECT list.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn page(
        &self,
        conn: &impl ConnectionTrait,
        columns: &str,
        slice: &PageRequest,
    ) -> Result<Page<QueryResult>, Error> {
        let mut parameters = self.parameters.clone();
        let bound = self.bind(slice, &mut parameters)?;
        let sql = self.page_sql(columns, &bound, None);
        let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await;
        self.read_page(rows.map_err(|error| as_cursor_error(error.into(), slice))?, slice)
    }

    /// Counts the rows.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn count(&self, conn: &impl ConnectionTrait) -> Result<i64, Error> {
        let sql = format!("SELECT count(*) AS row_count FROM {}{}", self.from, where_clause(&self.conditions));
        let row = conn.query_one_raw(self.dialect.statement(sql, self.parameters.clone().into_values())).await?;
        Ok(row.map(|row| row.try_get("", "row_count")).transpose()?.unwrap_or_default())
    }

    /// Binds the cursors of a page request.
    pub(super) fn bind(&self, slice: &PageRequest, parameters: &mut BindParams) -> Result<BoundPage, Error> {
        let mut bind = |cursor: Option<&Cursor>| {
            cursor.map(|cursor| self.order.bind_cursor(self.dialect, cursor, parameters)).transpose()
        };
        let (after, before) = (bind(slice.after.as_ref())?, bind(slice.before.as_ref())?);
        Ok(BoundPage { size: slice.size, last: slice.last, with_cursors: !slice.unasked.cursors, after, before })
    }

    /// Returns the statement of one page, restricted to `parent` if given.
    ///
    /// It reads one row more than requested, which shows whether the list continues. If the request has a cursor, it
    /// also returns whether there are rows on the other side of the cursor, even if the page itself is empty.
    pub(super) fn page_sql(&self, columns: &str, page: &BoundPage, parent: Option<&str>) -> String {
        let mut list_conditions = self.conditions.clone();
        list_conditions.extend(parent.map(str::to_owned));
        let mut page_conditions = list_conditions.clone();
        let mut cut = |cursor: &Option<CursorParams>, inside: Side, outside: Side| {
            cursor.as_ref().map_or_else(
                || "0".to_owned(),
                |cursor| {
                    page_conditions.push(self.order.keyset_predicate(cursor, inside));
                    let outside = self.order.keyset_predicate(cursor, outside);
                    let conditions = where_clause(&[list_conditions.as_slice(), &[outside]].concat());
                    format!("CASE WHEN EXISTS (SELECT 1 FROM {}{conditions}) THEN 1 ELSE 0 END", self.from)
                },
            )
        };
        let has_previous = cut(&page.after, Side::After, Side::AtOrBefore);
        let has_next = cut(&page.before, Side::Before, Side::AtOrAfter);
        let value = self.order.by.as_ref().map_or("NULL", |by| &by.sql);
        let id = &self.order.id.sql;
        let selected = |key: Option<&SortKey>| {
            let key = key.filter(|_| page.with_cursors);
            key.map_or_else(|| "NULL".to_owned(), |key| key.selected(self.dialect))
        };
        let (cursor_value, cursor_id) = (selected(self.order.by.as_ref()), selected(Some(&self.order.id)));
        let is_cut = page.after.is_some() || page.before.is_some();
        let sort_columns = if is_cut || parent.is_some() {
            format!(", 1 AS page_row, {value} AS page_sort, {id} AS page_tie")
        } else {
            String::new()
        };
        let rows = format!(
            "SELECT {columns}, {cursor_value} AS page_value, {cursor_id} AS page_id{sort_columns} \
             FROM {}{} ORDER BY {} LIMIT {}",
            self.from,
            where_clause(&page_conditions),
            self.order.order_by(self.dialect, value, id, page.last),
            u64::from(page.size) + 1,
        );
        if !is_cut {
            return rows;
        }
        let order = self.outer_order(page);
        format!(
            "SELECT page.*, {has_previous} AS page_before, {has_next} AS page_after FROM (SELECT 1 AS one) one \
             LEFT JOIN ({rows}) page ON 1 = 1 ORDER BY {order}"
        )
    }

    /// Returns the ORDER BY list for a page within a join, which does not keep the order of its rows.
    pub(super) fn outer_order(&self, page: &BoundPage) -> String {
        self.order.order_by(self.dialect, "page.page_sort", "page.page_tie", page.last)
    }

    fn cursor(&self, row: &QueryResult, slice: &PageRequest) -> Result<Option<Cursor>, Error> {
        if slice.unasked.cursors {
            return Ok(None);
        }
        let id = SqlValue::from_row(row, "page_id")?;
        let value = SqlValue::from_row(row, "page_value")?;
        Ok(id.map(|id| self.order.cursor(value, id)))
    }

    /// Reads the page from the rows of a [`PagedQuery::page_sql`] statement.
    pub(super) fn read_page(&self, rows: Vec<QueryResult>, slice: &PageRequest) -> Result<Page<QueryResult>, Error> {
        let is_cut = slice.after.is_some() || slice.before.is_some();
        let flag = |name: &str| -> Result<bool, Error> {
            Ok(is_cut && rows.first().map(|row| row.try_get::<i32>("", name)).transpose()? == Some(1))
        };
        let (rows_before, rows_after) = (flag("page_before")?, flag("page_after")?);
        let mut page_rows = Vec::with_capacity(rows.len());
        for row in rows {
            if !is_cut || row.try_get::<Option<i32>>("", "page_row")?.is_some() {
                page_rows.push((self.cursor(&row, slice)?, row));
            }
        }
        let size = usize::try_from(slice.size).unwrap_or(usize::MAX);
        let has_more = page_rows.len() > size;
        page_rows.truncate(size);
        if slice.last {
            page_rows.reverse();
        }
        Ok(Page {
            rows: page_rows,
            has_next: rows_after || (has_more && !slice.last),
            has_previous: rows_before || (has_more && slice.last),
        })
    }
}

/// Returns the WHERE clause; empty without conditions.
pub(super) fn where_clause(conditions: &[String]) -> String {
    if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
}

/// Turns an error about a value into the error for an invalid cursor: a forged cursor may hold a value that PostgreSQL
/// cannot parse, and no other value of these statements is the caller's.
pub(super) fn as_cursor_error(error: Error, slice: &PageRequest) -> Error {
    if (slice.after.is_some() || slice.before.is_some()) && error.is_data_exception() {
        invalid_cursor()
    } else {
        error
    }
}
