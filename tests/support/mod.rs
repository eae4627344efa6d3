//! Helpers for all tests: private databases, the legacy schema, and macros that run a test on both databases.

pub mod connection;
pub mod database;
mod database_test;
pub mod legacy;
pub mod legacy_tables;
mod legacy_test;
mod postgres_databases;
mod request_builder;
mod scenario_test;
pub mod scratch;
pub mod server;
mod skip;
mod skipped_file;
mod sqlite_databases;
pub mod wait;

pub use database::{Contents, TestDb};
pub use request_builder::WithTerms;
pub use skip::{say, skip, skip_comparison};

/// Returns the number of migrations. Each is a file.
pub fn steps() -> usize {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migration/src")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('m') && name[1..].starts_with(|first: char| first.is_ascii_digit())).count()
}

/// Defines the tests `sqlite_NAME` and `postgres_NAME` for each `async fn NAME(db: TestDb)`. The database begins with
/// the given contents:
///
/// ```ignore
/// use crate::support::{TestDb, on_both};
///
/// on_both!(Mended: a_stale_session_is_deleted, a_connected_session_stays);
///
/// async fn a_stale_session_is_deleted(db: TestDb) { … }
/// ```
///
/// `on_both!(long Mended: …)` defines tests that `cargo test` ignores and `make test` runs.
///
/// Without PostgreSQL on the machine, `postgres_NAME` is skipped.
macro_rules! on_both {
    (long $contents:ident: $($name:ident),+ $(,)?) => { $(
        $crate::support::test_on!(sqlite $contents $name #[ignore = "long: `make test` runs it"]);
        $crate::support::test_on!(postgres $contents $name #[ignore = "long: `make test` runs it"]);
    )+ };
    ($contents:ident: $($name:ident),+ $(,)?) => { $(
        $crate::support::test_on!(sqlite $contents $name);
        $crate::support::test_on!(postgres $contents $name);
    )+ };
}
pub(crate) use on_both;

/// Defines tests on one database only: `only!(postgres Mended: …)`, `only!(sqlite Mended: …)` or
/// `only!(long postgres Mended: …)`.
macro_rules! only {
    (long $dialect:ident $contents:ident: $($name:ident),+ $(,)?) => { $(
        $crate::support::test_on!($dialect $contents $name #[ignore = "long: `make test` runs it"]);
    )+ };
    ($dialect:ident $contents:ident: $($name:ident),+ $(,)?) => { $(
        $crate::support::test_on!($dialect $contents $name);
    )+ };
}
pub(crate) use only;

/// Defines one test on one database.
macro_rules! test_on {
    (sqlite $contents:ident $name:ident $(#[$attribute:meta])?) => { pastey::paste! {
        #[tokio::test]
        $(#[$attribute])?
        async fn [<sqlite_ $name>]() {
            $name($crate::support::TestDb::sqlite($crate::support::Contents::$contents).await).await;
        }
    } };
    (postgres $contents:ident $name:ident $(#[$attribute:meta])?) => { pastey::paste! {
        #[tokio::test]
        $(#[$attribute])?
        async fn [<postgres_ $name>]() {
            if let Some(db) = $crate::support::TestDb::postgres($crate::support::Contents::$contents).await {
                $name(db).await;
            }
        }
    } };
}
pub(crate) use test_on;

/// Returns the SQL that creates the internal tables and the queue, as the migrations do, without a migration history.
pub fn internal_tables_sql(dialect: api::db::Dialect) -> String {
    match dialect {
        api::db::Dialect::Postgres => concat!(
            "CREATE SCHEMA session_admin; SET search_path = session_admin;",
            include_str!("../../migration/src/internal_tables/postgres.sql"),
            "CREATE SCHEMA apalis; CREATE EXTENSION IF NOT EXISTS hstore SCHEMA apalis;",
            include_str!("../../migration/src/queue/postgres.sql"),
            "; RESET search_path"
        )
        .to_owned(),
        api::db::Dialect::Sqlite => concat!(
            include_str!("../../migration/src/internal_tables/sqlite.sql"),
            include_str!("../../migration/src/queue/sqlite.sql"),
        )
        .to_owned(),
    }
}
