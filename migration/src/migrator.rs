//! The list of migrations, in the order of history.

use std::sync::Arc;

use sea_orm::{DbErr, DynIden, sea_query::IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

use crate::{
    context::Context,
    dialect::{Dialect, OWN_SCHEMA},
    error::{Error, is_lock_conflict},
    m20260101_000001_internal_tables, m20260101_000002_schema_as_built, m20260101_000003_first_fix,
    m20260101_000004_second_fix, m20260101_000005_foreign_key_indexes, m20260101_000006_queue,
    m20260101_000007_stale_purge,
};

pub(crate) struct Migrator {
    context: Arc<Context>,
    dialect: Dialect,
}

impl Migrator {
    pub(crate) fn new(dialect: Dialect, schema: &str) -> Self {
        Self { context: Arc::new(Context::new(schema)), dialect }
    }

    /// The names of all migrations, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.migrations().iter().map(|m| m.name().to_owned()).collect()
    }

    pub(crate) fn schema(&self) -> &str {
        &self.context.schema
    }

    /// What a failed migration meant to say.
    pub(crate) fn error(&self, error: DbErr) -> Error {
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

    /// A name of its own, since the host may use sea-orm too. On PostgreSQL the run's search path leads to its schema.
    fn migration_table_name(&self) -> DynIden {
        match self.dialect {
            Dialect::Postgres => "migrations".into_iden(),
            Dialect::Sqlite => format!("{OWN_SCHEMA}_migrations").into_iden(),
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
    use sea_orm_migration::MigratorTraitSelf;

    use super::Migrator;
    use crate::{
        dialect::{Dialect, rows},
        history, m20260101_000007_stale_purge,
    };

    async fn tables(db: &DatabaseConnection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let found = rows(db, sql, []).await.unwrap();
        found.iter().map(|row| row.try_get("", "name").unwrap()).collect()
    }

    /// The purge is last: the deletion engine records it in the internal tables as the whole history leaves them.
    #[test]
    fn migrations_are_in_the_order_of_their_numbers_and_the_purge_is_the_last() {
        let names = Migrator::new(Dialect::Sqlite, "").names();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names.last().map(String::as_str), Some(m20260101_000007_stale_purge::NAME));
    }

    #[tokio::test]
    async fn down_drops_what_up_created() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        let migrator = Migrator::new(Dialect::Sqlite, "");
        migrator.up(&db, None).await.unwrap();
        assert_eq!(history::pending(&db).await.unwrap(), Vec::<String>::new());
        migrator.down(&db, None).await.unwrap();
        assert_eq!(tables(&db).await, ["session_admin_migrations"]);
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
        assert_eq!(tables(&db).await, expected);
    }

    #[tokio::test]
    async fn reading_the_history_creates_nothing() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        assert_eq!(history::pending(&db).await.unwrap(), Migrator::new(Dialect::Sqlite, "").names());
        assert_eq!(tables(&db).await, Vec::<String>::new());
    }
}
