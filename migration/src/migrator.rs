//! The list of migrations, in the order of history.

use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::{DbErr, DynIden, sea_query::IntoIden};
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};

use crate::{
    Error,
    dialect::{Dialect, OWN_SCHEMA},
    error::is_lock_conflict,
    m20260101_000001_own_tables, m20260101_000002_schema_as_built, m20260101_000003_first_fix,
    m20260101_000004_second_fix, m20260101_000005_foreign_key_indexes, m20260101_000006_stale_purge,
    m20260101_000007_cleanup_runs, m20260101_000008_group_list_index, m20260101_000009_archives,
    m20260101_000010_background_runs, m20260101_000011_tokens,
};

/// What migrations are told, and what they tell back.
pub(crate) struct Context {
    /// The schema of the business tables on PostgreSQL.
    pub(crate) schema: String,
    failure: Mutex<Option<Error>>,
}

impl Context {
    /// Keeps the error for [`Migrator::error`]: sea-orm hands back only its own type, which would lose what it names.
    pub(crate) fn fail(&self, error: Error) -> DbErr {
        let text = error.to_string();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        DbErr::Migration(text)
    }
}

pub(crate) struct Migrator {
    context: Arc<Context>,
    dialect: Dialect,
}

impl Migrator {
    pub(crate) fn new(dialect: Dialect, schema: &str) -> Self {
        let context = Context { schema: schema.to_owned(), failure: Mutex::new(None) };
        Self { context: Arc::new(context), dialect }
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
        let kept = self.context.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match kept.unwrap_or(Error::Database(error)) {
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
            Box::new(m20260101_000001_own_tables::Migration),
            Box::new(m20260101_000002_schema_as_built::Migration(context())),
            Box::new(m20260101_000003_first_fix::Migration(context())),
            Box::new(m20260101_000004_second_fix::Migration(context())),
            Box::new(m20260101_000005_foreign_key_indexes::Migration(context())),
            Box::new(m20260101_000007_cleanup_runs::Migration),
            Box::new(m20260101_000008_group_list_index::Migration(context())),
            Box::new(m20260101_000009_archives::Migration),
            Box::new(m20260101_000010_background_runs::Migration(context())),
            Box::new(m20260101_000011_tokens::Migration),
            // Last, whatever its number: the purge before it is a deletion, and the engine records it in the tables as
            // they are at the end of history.
            Box::new(m20260101_000006_stale_purge::Migration),
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
        history,
    };

    async fn tables(db: &DatabaseConnection) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let found = rows(db, sql, []).await.unwrap();
        found.iter().map(|row| row.try_get("", "name").unwrap()).collect()
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
