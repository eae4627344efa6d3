//! What tests share: databases of their own, the legacy schema, and one body for both databases.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Mutex;

pub mod connection;
pub mod database;
mod database_test;
pub mod legacy;
pub mod legacy_tables;
mod legacy_test;
mod scenario_test;
pub mod server;
mod terms;

pub use database::{Contents, TestDb};
pub use terms::WithTerms;

/// How many steps the schema's history has: each is a file.
pub fn steps() -> usize {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migration/src")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with('m') && name[1..].starts_with(|first: char| first.is_ascii_digit())).count()
}

/// The two tests `sqlite_<name>` and `postgres_<name>` of each `async fn <name>(db: TestDb)`, with what the database
/// holds at first:
///
/// ```ignore
/// use crate::support::{TestDb, both};
///
/// both!(StateC: a_stale_session_goes, a_connected_session_stays);
///
/// async fn a_stale_session_goes(db: TestDb) { … }
/// ```
///
/// Without PostgreSQL on the machine its half says so and passes, unless `SESSION_ADMIN_TEST_REQUIRE_ALL=1`.
macro_rules! both {
    ($contents:ident: $($name:ident),+ $(,)?) => { pastey::paste! { $(
        #[tokio::test]
        async fn [<sqlite_ $name>]() {
            $name($crate::support::TestDb::sqlite($crate::support::Contents::$contents).await).await;
        }

        #[tokio::test]
        async fn [<postgres_ $name>]() {
            if let Some(db) = $crate::support::TestDb::postgres($crate::support::Contents::$contents).await {
                $name(db).await;
            }
        }
    )+ } };
}
pub(crate) use both;

/// The same for one database only: `only!(postgres StateC: …)` or `only!(sqlite StateC: …)`.
macro_rules! only {
    (postgres $contents:ident: $($name:ident),+ $(,)?) => { pastey::paste! { $(
        #[tokio::test]
        async fn [<postgres_ $name>]() {
            if let Some(db) = $crate::support::TestDb::postgres($crate::support::Contents::$contents).await {
                $name(db).await;
            }
        }
    )+ } };
    (sqlite $contents:ident: $($name:ident),+ $(,)?) => { pastey::paste! { $(
        #[tokio::test]
        async fn [<sqlite_ $name>]() {
            $name($crate::support::TestDb::sqlite($crate::support::Contents::$contents).await).await;
        }
    )+ } };
}
pub(crate) use only;

/// A test that cannot run here says why and passes; with `SESSION_ADMIN_TEST_REQUIRE_ALL=1` it fails.
pub fn skip(why: &str) {
    let required = std::env::var("SESSION_ADMIN_TEST_REQUIRE_ALL").is_ok_and(|value| value == "1");
    assert!(!required, "SESSION_ADMIN_TEST_REQUIRE_ALL=1, but: {why}");
    skip_comparison(why);
}

/// A comparison with files that lie outside this repository: a clean checkout does without them, and says so.
pub fn skip_comparison(why: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap().insert(why.to_owned()) {
        say(&format!("skipped: {why}"));
    }
}

/// A line that is seen although the test passes: the harness keeps back only what the print macros write.
pub fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}

/// The files of the deployment in trouble, where they lie beside the repository (or in `SESSION_ADMIN_LEGACY`).
pub fn legacy_file(name: &str) -> Option<String> {
    let folder = std::env::var("SESSION_ADMIN_LEGACY")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/legacy").to_owned());
    std::fs::read_to_string(format!("{folder}/{name}")).ok()
}

/// The SQL that creates the internal tables and the queue, as the migrations do. It creates no migration history.
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
