//! The same page of the lists of many parents, read with one statement.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};

use super::page::{Page, PageRequest};
use super::paged_query::{PagedQuery, as_cursor_error, where_clause};
use super::sort_order::SortKey;
use crate::db::{BindParams, Dialect};
use crate::error::Error;

/// The most parents of one statement on SQLite, which allows 500 SELECTs.
const PARENTS_PER_STATEMENT: usize = 400;

impl PagedQuery {
    /// Reads the same page for each parent: the rows whose `of` is the parent. Returns one page for each, in their
    /// order.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a cursor of another list, [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn page_of_each(
        &self,
        conn: &impl ConnectionTrait,
        columns: &str,
        slice: &PageRequest,
        of: &SortKey,
        parents: &[String],
    ) -> Result<Vec<Page<QueryResult>>, Error> {
        let chunk_size = match self.dialect {
            Dialect::Postgres => parents.len().max(1),
            Dialect::Sqlite => PARENTS_PER_STATEMENT,
        };
        let mut pages = Vec::with_capacity(parents.len());
        for parents in parents.chunks(chunk_size) {
            let (sql, parameters) = self.pages_sql(columns, slice, of, parents)?;
            let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await;
            let mut by_parent: Vec<Vec<QueryResult>> = parents.iter().map(|_| Vec::new()).collect();
            for row in rows.map_err(|error| as_cursor_error(error.into(), slice))? {
                let parent = usize::try_from(row.try_get::<i64>("", "page_parent")?).unwrap_or_default();
                if let Some(rows) = by_parent.get_mut(parent.wrapping_sub(1)) {
                    rows.push(row);
                }
            }
            for rows in by_parent {
                pages.push(self.read_page(rows, slice)?);
            }
        }
        Ok(pages)
    }

    /// Counts the rows of each parent.
    ///
    /// Each parent is counted by itself, through the index that leads with the parent. PostgreSQL estimates every list
    /// of parents at a hundred rows, and would read the whole table to join it.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn count_of_each(
        &self,
        conn: &impl ConnectionTrait,
        of: &SortKey,
        parents: &[String],
    ) -> Result<HashMap<String, i64>, Error> {
        let mut parameters = self.parameters.clone();
        let parents = parameters.bind(serde_json::to_string(parents).unwrap_or_default());
        let mut conditions = self.conditions.clone();
        conditions.push(format!("{} = {}", of.sql, of.cast(self.dialect, "parents.value")));
        let sql = format!(
            "SELECT parents.value AS parent, (SELECT count(*) FROM {}{}) AS row_count FROM {} parents",
            self.from,
            where_clause(&conditions),
            self.dialect.json_elements(&parents)
        );
        let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await?;
        rows.iter().map(|row| Ok((row.try_get("", "parent")?, row.try_get("", "row_count")?))).collect()
    }

    /// Returns the statement that reads a page for each parent, with the parent's number, from 1, in `page_parent`.
    /// PostgreSQL reads each page through the index that leads with the parent; SQLite has no LATERAL.
    fn pages_sql(
        &self,
        columns: &str,
        slice: &PageRequest,
        of: &SortKey,
        parents: &[String],
    ) -> Result<(String, BindParams), Error> {
        let mut parameters = self.parameters.clone();
        let bound = self.bind(slice, &mut parameters)?;
        let order = self.outer_order(&bound);
        let sql = match self.dialect {
            Dialect::Postgres => {
                let parents = parameters.bind(serde_json::to_string(parents).unwrap_or_default());
                let parent = of.cast(self.dialect, "parents.value");
                format!(
                    "SELECT page.*, parents.number AS page_parent FROM {} WITH ORDINALITY parents (value, number) \
                     CROSS JOIN LATERAL ({}) page ORDER BY parents.number, {order}",
                    self.dialect.json_elements(&parents),
                    self.page_sql(columns, &bound, Some(&format!("{} = {parent}", of.sql)))
                )
            }
            Dialect::Sqlite => {
                let pages: Vec<String> = parents
                    .iter()
                    .zip(1..)
                    .map(|(parent, number): (_, usize)| {
                        let parent = parameters.bind(parent.clone());
                        let page = self.page_sql(columns, &bound, Some(&format!("{} = {parent}", of.sql)));
                        format!("SELECT parent_page.*, {number} AS page_parent FROM ({page}) parent_page")
                    })
                    .collect();
                format!("SELECT page.* FROM ({}) page ORDER BY {order}", pages.join(" UNION ALL "))
            }
        };
        Ok((sql, parameters))
    }
}
