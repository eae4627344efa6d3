//! The migration that creates the business tables in their original form.
//!
//! The original form has a fault: five foreign keys to groups have no ON DELETE action, so that deletions are rejected.
//! The database of a deployment already has the tables, in this state or a later one. Such a database is adopted:
//! nothing is created in it, even if a table or column is missing.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{
    adoption::{BUSINESS_TABLES, DatabaseKind, detect_kind},
    context::Context,
    dialect::Dialect,
    identifier::{qualified_name, quote_identifier},
    query::{execute, fetch_rows},
};

pub(crate) const NAME: &str = "m20260101_000002_schema_as_built";

const POSTGRES: &str = include_str!("schema_as_built/postgres.sql");
/// The statements that create the business tables on SQLite.
pub const SQLITE: &str = include_str!("schema_as_built/sqlite.sql");

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// Applies the migration and records it in one transaction, on both databases.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let kind = detect_kind(db, &self.0.schema).await.map_err(|error| self.0.record_error(error))?;
        if kind == DatabaseKind::Adopted {
            return Ok(());
        }
        let dialect = Dialect::from_connection(db)?;
        match dialect {
            Dialect::Postgres => create_tables_in_schema(db, &self.0.schema).await?,
            Dialect::Sqlite => db.execute_unprepared(SQLITE).await.map(|_| ())?,
        }
        let sql = format!("INSERT INTO {} (name) VALUES ($1)", dialect.internal_table("created_tables"));
        for table in BUSINESS_TABLES {
            execute(db, &sql, [table.into()]).await?;
        }
        Ok(())
    }

    /// Drops the tables that `up` recorded as created. The tables of an adopted database remain.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::from_connection(db)?;
        let created_tables = dialect.internal_table("created_tables");
        let rows = fetch_rows(db, &format!("SELECT name FROM {created_tables}"), []).await?;
        let created = rows.iter().map(|row| row.try_get("", "name")).collect::<Result<Vec<String>, _>>()?;
        let transaction = db.begin().await?;
        for table in BUSINESS_TABLES.iter().rev().filter(|table| created.iter().any(|name| name == *table)) {
            let table = match dialect {
                Dialect::Postgres => qualified_name(&self.0.schema, table),
                Dialect::Sqlite => quote_identifier(table),
            };
            transaction.execute_unprepared(&format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        execute(&transaction, &format!("DELETE FROM {created_tables}"), []).await?;
        transaction.commit().await
    }
}

/// Creates the tables in a PostgreSQL schema through the search path, because the statements name no schema.
async fn create_tables_in_schema(db: &impl ConnectionTrait, schema: &str) -> Result<(), DbErr> {
    let set_search_path = "SELECT pg_catalog.set_config('search_path', $1, true)";
    let sql = "SELECT pg_catalog.current_setting('search_path') AS path";
    let row = fetch_rows(db, sql, []).await?.into_iter().next();
    let search_path: Option<String> = row.map(|row| row.try_get("", "path")).transpose()?;
    execute(db, set_search_path, [quote_identifier(schema).into()]).await?;
    db.execute_unprepared(POSTGRES).await?;
    // sea-orm records the migration next, in a table that it finds through the search path.
    execute(db, set_search_path, [search_path.unwrap_or_default().into()]).await?;
    Ok(())
}
