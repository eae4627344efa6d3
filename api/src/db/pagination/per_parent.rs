//! The same part of the lists of many parents, with one statement.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, QueryResult};

use super::paged_query::{all, misplaced};
use super::{Key, List, Page, Slice};
use crate::db::{Dialect, Parameters};
use crate::error::Error;

/// SQLite takes 500 SELECTs in one statement.
const SQLITE_PARENTS: usize = 400;

impl List {
    /// Reads the same part for each parent: the rows whose `of` is the parent. One page for each, in their order.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a place in another list, [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn page_of_each(
        &self,
        conn: &impl ConnectionTrait,
        columns: &str,
        slice: &Slice,
        of: &Key,
        parents: &[String],
    ) -> Result<Vec<Page<QueryResult>>, Error> {
        let most = match self.dialect {
            Dialect::Postgres => parents.len().max(1),
            Dialect::Sqlite => SQLITE_PARENTS,
        };
        let mut pages = Vec::with_capacity(parents.len());
        for parents in parents.chunks(most) {
            let (sql, parameters) = self.parts(columns, slice, of, parents)?;
            let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await;
            let mut by_parent: Vec<Vec<QueryResult>> = parents.iter().map(|_| Vec::new()).collect();
            for row in rows.map_err(|error| misplaced(error.into(), slice))? {
                let parent = usize::try_from(row.try_get::<i64>("", "page_parent")?).unwrap_or_default();
                if let Some(rows) = by_parent.get_mut(parent.wrapping_sub(1)) {
                    rows.push(row);
                }
            }
            for rows in by_parent {
                pages.push(self.read(rows, slice)?);
            }
        }
        Ok(pages)
    }

    /// How many rows each parent has: counted parent by parent, through the index that leads with the parent. PostgreSQL
    /// takes every list of parents for a hundred, and would read the whole table to join it to them.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn count_of_each(
        &self,
        conn: &impl ConnectionTrait,
        of: &Key,
        parents: &[String],
    ) -> Result<HashMap<String, i64>, Error> {
        let mut parameters = self.parameters.clone();
        let listed = parameters.bind(serde_json::to_string(parents).unwrap_or_default());
        let mut conditions = self.conditions.clone();
        conditions.push(format!("{} = {}", of.sql, of.of_text(self.dialect, "parents.value")));
        let sql = format!(
            "SELECT parents.value AS parent, (SELECT count(*) FROM {}{}) AS n FROM {} parents",
            self.from,
            all(&conditions),
            self.dialect.elements(&listed)
        );
        let rows = conn.query_all_raw(self.dialect.statement(sql, parameters.into_values())).await?;
        rows.iter().map(|row| Ok((row.try_get("", "parent")?, row.try_get("", "n")?))).collect()
    }

    /// PostgreSQL reads each parent's part through the index that leads with the parent; SQLite has no LATERAL.
    fn parts(&self, columns: &str, slice: &Slice, of: &Key, parents: &[String]) -> Result<(String, Parameters), Error> {
        let mut parameters = self.parameters.clone();
        let bound = self.bind(slice, &mut parameters)?;
        let order = self.sort_again(&bound);
        let sql = match self.dialect {
            Dialect::Postgres => {
                let listed = parameters.bind(serde_json::to_string(parents).unwrap_or_default());
                let parent = of.of_text(self.dialect, "parents.value");
                format!(
                    "SELECT page.*, parents.number AS page_parent FROM {} WITH ORDINALITY parents (value, number) \
                     CROSS JOIN LATERAL ({}) page ORDER BY parents.number, {order}",
                    self.dialect.elements(&listed),
                    self.part(columns, &bound, Some(&format!("{} = {parent}", of.sql)))
                )
            }
            Dialect::Sqlite => {
                let parts: Vec<String> = parents
                    .iter()
                    .zip(1..)
                    .map(|(parent, number): (_, usize)| {
                        let name = parameters.bind(parent.clone());
                        let part = self.part(columns, &bound, Some(&format!("{} = {name}", of.sql)));
                        format!("SELECT part.*, {number} AS page_parent FROM ({part}) part")
                    })
                    .collect();
                format!("SELECT page.* FROM ({}) page ORDER BY {order}", parts.join(" UNION ALL "))
            }
        };
        Ok((sql, parameters))
    }
}
