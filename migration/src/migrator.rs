//! The list of migrations in the order in which they are applied.

use std::sync::Arc;

use sea_orm::{DbErr, DynIden, sea_query::IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

use crate::{
    context::Context,
    dialect::{Dialect, INTERNAL_SCHEMA},
    error::{Error, is_lock_conflict},
    m20260101_000001_internal_tables, m20260101_000002_schema_as_built, m20260101_000003_first_fix,
    m20260101_000004_second_fix, m20260101_000005_foreign_key_indexes, m20260101_000006_queue,
    m20260101_000007_stale_purge,
};

/// The migrator, which applies the migrations to one database.
pub(crate) struct Migrator {
    context: Arc<Context>,
    dialect: Dialect,
}

impl Migrator {
    pub(crate) fn new(dialect: Dialect, schema: &str) -> Self {
        Self { context: Arc::new(Context::new(schema)), dialect }
    }

    pub(crate) fn migration_names(&self) -> Vec<String> {
        self.migrations().iter().map(|migration| migration.name().to_owned()).collect()
    }

    pub(crate) fn schema(&self) -> &str {
        &self.context.schema
    }

    /// Converts the error of a failed migration. Returns the error that the migration stored in the context, if there
    /// is one.
    pub(crate) fn convert_error(&self, error: DbErr) -> Error {
        match self.context.take_error().unwrap_or(Error::Database(error)) {
            Error::Database(error) if is_lock_conflict(&error) => {
                Error::LockTimeout { table: "the database".to_owned(), pids: Vec::new() }
            }
            error => error,
        }
    }
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let context = || Arc::clone(&self.context);
        vec![
            Box::new(m20260101_000001_internal_tables::Migration),
            Box::new(m20260101_000002_schema_as_built::Migration(context())),
            Box::new(m20260101_000003_first_fix::Migration(context())),
            Box::new(m20260101_000004_second_fix::Migration(context())),
            Box::new(m20260101_000005_foreign_key_indexes::Migration(context())),
            Box::new(m20260101_000006_queue::Migration(context())),
            Box::new(m20260101_000007_stale_purge::Migration),
        ]
    }

    /// Returns a name other than sea-orm's default, because the host application may also use sea-orm.
    ///
    /// On PostgreSQL the search path of a migration session starts with the internal schema.
    fn migration_table_name(&self) -> DynIden {
        match self.dialect {
            Dialect::Postgres => "migrations".into_iden(),
            Dialect::Sqlite => format!("{INTERNAL_SCHEMA}_migrations").into_iden(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
    use sea_orm_migration::MigratorTraitSelf;

    use super::Migrator;
    use crate::{dialect::Dialect, m20260101_000007_stale_purge, query::fetch_rows};

    async fn list_tables(db: &DatabaseConnection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let rows = fetch_rows(db, sql, []).await.unwrap();
        rows.iter().map(|row| row.try_get("", "name").unwrap()).collect()
    }

    /// The deletion engine executes the purge and requires the final form of the internal tables.
    #[test]
    fn migrations_are_in_the_order_of_their_numbers_and_the_purge_is_the_last() {
        let names = Migrator::new(Dialect::Sqlite, "").migration_names();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names.last().map(String::as_str), Some(m20260101_000007_stale_purge::NAME));
    }

    #[tokio::test]
    async fn down_drops_what_up_created() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        let migrator = Migrator::new(Dialect::Sqlite, "");
        migrator.up(&db, None).await.unwrap();
        assert!(migrator.get_pending_migrations(&db).await.unwrap().is_empty());
        migrator.down(&db, None).await.unwrap();
        assert_eq!(list_tables(&db).await, ["session_admin_migrations"]);
    }

    #[tokio::test]
    async fn down_leaves_an_adopted_deployments_tables() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        db.execute_unprepared(
            "CREATE TABLE whatsapp_sessions (id text PRIMARY KEY, status text, phone_number text); \
             CREATE TABLE whatsapp_groups (id text PRIMARY KEY, session_id text REFERENCES whatsapp_sessions (id))",
        )
        .await
        .unwrap();
        let migrator = Migrator::new(Dialect::Sqlite, "");
        migrator.up(&db, None).await.unwrap();
        migrator.down(&db, None).await.unwrap();
        let expected = ["session_admin_migrations", "whatsapp_groups", "whatsapp_sessions"];
        assert_eq!(list_tables(&db).await, expected);
    }
}
