//! Reading the columns of a table from the database's catalog.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sea_orm::ConnectionTrait;

use super::database::Database;
use super::dialect::Dialect;
use super::table_columns::TableColumns;
use crate::error::Error;

impl TableColumns {
    /// Reads the columns of `table` in the business schema.
    ///
    /// # Errors
    /// [`Error::IncompatibleDatabase`] if there is no such table; [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn load(conn: &impl ConnectionTrait, db: &Database, table: &str) -> Result<Self, Error> {
        let dialect = db.dialect();
        let sql = match dialect {
            Dialect::Postgres => {
                // The type is formatted without its length: without the -1, character(36) would become what SQL calls
                // character(1). A domain counts as its base type.
                "SELECT attribute.attname::text AS name, attribute.attnotnull::int AS is_not_null, \
                 format_type(coalesce(nullif(type.typbasetype, 0), type.oid), -1) AS type_name \
                 FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid \
                 JOIN pg_namespace namespace ON namespace.oid = class.relnamespace \
                 JOIN pg_type type ON type.oid = attribute.atttypid \
                 WHERE namespace.nspname = $1 AND class.relname = $2 \
                 AND attribute.attnum > 0 AND NOT attribute.attisdropped"
            }
            Dialect::Sqlite => {
                "SELECT name, type AS type_name, \"notnull\" AS is_not_null FROM pragma_table_xinfo($2) WHERE $1 = 'main'"
            }
        };
        let statement = dialect.statement(sql, [db.schema().into(), table.into()]);
        let rows = conn.query_all_raw(statement).await?;
        let (mut types, mut not_null) = (HashMap::new(), HashSet::new());
        for row in rows {
            let name: String = row.try_get("", "name")?;
            if row.try_get::<i32>("", "is_not_null")? == 1 {
                not_null.insert(name.clone());
            }
            types.insert(name, row.try_get::<String>("", "type_name")?);
        }
        if types.is_empty() {
            return Err(dialect.missing_table(db.schema(), table));
        }
        Ok(Self::new(dialect, db.schema(), table, types, not_null))
    }

    /// Returns the columns of `table` as they were at most two seconds ago.
    ///
    /// It is meant for lists, which read many pages. Code that decides whether a row may change uses
    /// [`TableColumns::load`].
    ///
    /// # Errors
    /// Returns the errors of [`TableColumns::load`].
    pub async fn load_cached(db: &Database, table: &str) -> Result<Arc<Self>, Error> {
        if let Some(columns) = db.column_cache().get(table) {
            return Ok(columns);
        }
        let columns = Arc::new(Self::load(db.pool(), db, table).await?);
        db.column_cache().insert(table, Arc::clone(&columns));
        Ok(columns)
    }
}
