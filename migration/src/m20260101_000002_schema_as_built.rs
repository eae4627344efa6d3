//! The business tables as they were built, fault included: five references to groups without a rule of deletion.
//!
//! A deployment's database has them already, in this or a later state, and is adopted: nothing is created in it, also
//! where one of the tables or columns is missing.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};

use crate::{
    adoption::{State, TABLES, inspect},
    context::Context,
    dialect::{Dialect, qualified, quote, rows, run},
};

pub(crate) const NAME: &str = "m20260101_000002_schema_as_built";

const POSTGRES: &str = include_str!("schema_as_built/postgres.sql");
/// SQLite's statements.
pub const SQLITE: &str = include_str!("schema_as_built/sqlite.sql");

pub(crate) struct Migration(pub(crate) Arc<Context>);

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        NAME
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    /// In one transaction with its record on either database.
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        if inspect(db, &self.0.schema).await.map_err(|e| self.0.record_error(e))? == State::Adopted {
            return Ok(());
        }
        let dialect = Dialect::of(db)?;
        match dialect {
            Dialect::Postgres => create_in(db, &self.0.schema).await?,
            Dialect::Sqlite => db.execute_unprepared(SQLITE).await.map(|_| ())?,
        }
        let sql = format!("INSERT INTO {} (name) VALUES ($1)", dialect.own_table("created_tables"));
        for table in TABLES {
            run(db, &sql, [table.into()]).await?;
        }
        Ok(())
    }

    /// Drops only what `up` recorded creating: never a deployment's own tables.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let dialect = Dialect::of(db)?;
        let record = dialect.own_table("created_tables");
        let found = rows(db, &format!("SELECT name FROM {record}"), []).await?;
        let created = found.iter().map(|row| row.try_get("", "name")).collect::<Result<Vec<String>, _>>()?;
        let transaction = db.begin().await?;
        for table in TABLES.iter().rev().filter(|t| created.iter().any(|c| c == *t)) {
            let table = match dialect {
                Dialect::Postgres => qualified(&self.0.schema, table),
                Dialect::Sqlite => quote(table),
            };
            transaction.execute_unprepared(&format!("DROP TABLE IF EXISTS {table}")).await?;
        }
        run(&transaction, &format!("DELETE FROM {record}"), []).await?;
        transaction.commit().await
    }
}

/// Creates the tables in a PostgreSQL schema: the statements name no schema, so the search path leads them there.
async fn create_in(db: &impl ConnectionTrait, schema: &str) -> Result<(), DbErr> {
    let set = "SELECT pg_catalog.set_config('search_path', $1, true)";
    let sql = "SELECT pg_catalog.current_setting('search_path') AS path";
    let row = rows(db, sql, []).await?.into_iter().next();
    let before: Option<String> = row.map(|row| row.try_get("", "path")).transpose()?;
    run(db, set, [quote(schema).into()]).await?;
    db.execute_unprepared(POSTGRES).await?;
    // sea-orm is about to record the migration in the table that the former path leads to.
    run(db, set, [before.unwrap_or_default().into()]).await?;
    Ok(())
}
