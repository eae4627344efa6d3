//! Tests that this program's migrations create the same queue tables as apalis' own migrations.

use std::time::Duration;

use apalis_postgres::{PgPool, PostgresStorage};
use apalis_sqlite::{SqlitePool, SqliteStorage};
use api::cleanup::{self, CleanupRequest, RunStatus};
use api::db::Dialect;
use api::worker::{JobQueue, Workers};

use crate::cli::{migrate_without_purge, run};
use crate::support::wait::wait_until_finished;
use crate::support::{Contents, TestDb, on_both, only};

on_both!(Mended: the_queue_is_the_one_that_apalis_makes, a_queue_of_the_hosts_is_worked_with_and_left);
only!(sqlite Mended: a_table_of_another_kind_is_named_and_nothing_is_changed);
only!(postgres Mended: the_extension_may_be_anywhere);

/// Creates the tables with apalis' own migrations.
async fn create_apalis_tables(db: &TestDb) {
    match db.dialect() {
        Dialect::Postgres => {
            let pool = PgPool::connect(db.url()).await.unwrap();
            PostgresStorage::setup(&pool).await.unwrap();
            pool.close().await;
        }
        Dialect::Sqlite => {
            let pool = SqlitePool::connect(db.url()).await.unwrap();
            SqliteStorage::setup(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

/// Returns the properties of the queue that apalis' statements depend on: columns in order, types, functions,
/// uniqueness.
async fn describe_queue(db: &TestDb) -> Vec<Vec<String>> {
    match db.dialect() {
        Dialect::Postgres => {
            let columns = "SELECT table_name, column_name, udt_name, is_nullable, coalesce(column_default, '') \
                           FROM information_schema.columns WHERE table_schema = 'apalis' AND table_name IN ('jobs', 'workers') \
                           ORDER BY table_name, ordinal_position";
            // Whitespace is removed, so that the layout does not matter.
            let function = "SELECT regexp_replace(rtrim(prosrc, E' ;\\n'), '\\s', '', 'g'), pg_get_function_arguments(oid) \
                            FROM pg_proc WHERE pronamespace = 'apalis'::regnamespace AND proname = 'get_jobs'";
            let unique = "SELECT pg_get_indexdef('apalis.idx_jobs_idempotency_key'::regclass)";
            [db.rows(columns).await, db.rows(function).await, db.rows(unique).await].concat()
        }
        Dialect::Sqlite => {
            let columns = |table: &str| {
                format!(
                    "SELECT name, lower(type), \"notnull\", dflt_value FROM pragma_table_info('{table}') ORDER BY cid"
                )
            };
            let unique = "SELECT c.name FROM pragma_index_list('Jobs') i, pragma_index_info(i.name) c \
                          WHERE i.\"unique\" AND i.origin = 'c' ORDER BY c.seqno";
            [db.rows(&columns("Jobs")).await, db.rows(&columns("Workers")).await, db.rows(unique).await].concat()
        }
    }
}

async fn the_queue_is_the_one_that_apalis_makes(db: TestDb) {
    let theirs = match db.dialect() {
        Dialect::Postgres => TestDb::postgres(Contents::Empty).await.unwrap(),
        Dialect::Sqlite => TestDb::sqlite(Contents::Empty).await,
    };
    create_apalis_tables(&theirs).await;
    migrate_without_purge(&db).await;
    assert_eq!(describe_queue(&db).await, describe_queue(&theirs).await);
}

/// Asserts that a queued cleanup run is executed.
async fn assert_run_is_executed(db: &TestDb) {
    let database = db.database().await;
    let request = CleanupRequest { principal: "tester".to_owned(), ..CleanupRequest::default() };
    let run = cleanup::create_run(database, None, &request).await.unwrap().run.unwrap().id;
    let queue = JobQueue::new(database);
    queue.push(run).await;
    let workers = Workers::start(queue, None);
    assert_eq!(wait_until_finished(database, run).await.status, RunStatus::Succeeded);
    assert!(workers.stop(Duration::from_mins(1)).await);
}

async fn a_queue_of_the_hosts_is_worked_with_and_left(db: TestDb) {
    create_apalis_tables(&db).await;
    let before = describe_queue(&db).await;
    migrate_without_purge(&db).await;
    assert_eq!(describe_queue(&db).await, before);
    let marker_query =
        format!("SELECT name FROM {} WHERE name = 'apalis'", db.dialect().internal_table("created_tables"));
    assert_eq!(db.rows(&marker_query).await, Vec::<Vec<String>>::new(), "it is not this program's to drop");
    assert_run_is_executed(&db).await;
}

async fn the_extension_may_be_anywhere(db: TestDb) {
    db.exec("CREATE SCHEMA \"The Host's\"; CREATE EXTENSION hstore SCHEMA \"The Host's\"").await;
    migrate_without_purge(&db).await;
    assert_run_is_executed(&db).await;
}

async fn a_table_of_another_kind_is_named_and_nothing_is_changed(db: TestDb) {
    db.exec("CREATE TABLE jobs (id integer PRIMARY KEY, title text); INSERT INTO jobs VALUES (1, 'painter')").await;
    let ended = run(&db, &["migrate", "--yes"]);
    assert_eq!(ended.code, 1, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("a table \"jobs\"") && ended.stderr.contains("Rename that table"),
        "{}",
        ended.stderr
    );
    assert_eq!(db.rows("SELECT * FROM jobs").await, [["1", "painter"]]);
    db.exec("ALTER TABLE jobs RENAME TO vacancies").await;
    assert_eq!(run(&db, &["migrate", "--yes"]).code, 0);
}
