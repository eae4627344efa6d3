//! Tests of a database that becomes unreachable and comes back.

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use api::deletion::{self, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::error::Error;
use api::impact;
use serde_json::json;
use uuid::Uuid;

use super::proxy::Proxy;
use crate::http::app::TestApp;
use crate::support::{TestDb, only};

only!(postgres Adopted:
    a_database_that_goes_away_is_unavailable_and_comes_back,
    a_wire_that_is_cut_in_a_deletion_loses_nothing,
    a_statement_that_takes_too_long_is_given_up,
    a_database_that_takes_no_changes_says_so,
);
only!(long postgres Adopted: a_server_that_takes_no_more_connections_is_unavailable);

const UNREACHABLE: &str = "The database cannot be reached. Check that it runs, that DATABASE_URL is correct and that \
                           it has a free connection, then try again.";

fn session() -> Uuid {
    SESSIONS[8].id.parse().unwrap()
}

fn request() -> DeletionRequest {
    DeletionRequest { session_ids: vec![session()], principal: "tester".to_owned(), ..DeletionRequest::default() }
}

fn assert_unavailable(error: &Error) {
    assert_eq!((error.code(), error.to_string().as_str()), ("UNAVAILABLE", UNREACHABLE), "{error:?}");
}

async fn a_database_that_goes_away_is_unavailable_and_comes_back(db: TestDb) {
    let proxy = Proxy::before(db.url()).await;
    let database = Database::connect(DatabaseSettings { url: proxy.url(db.url()), ..db.settings() }).await.unwrap();
    let app = TestApp::with(db.clone(), database.clone());
    let read = "query Q($id: ID!) { session(id: $id) { id impact { rowsDeleted } } }";
    let write = "mutation D($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } userErrors { code } } }";
    let variables = json!({ "id": session() });
    let impact_before = impact::impact_of(&database, &[session()]).await.unwrap();
    let before = db.everything().await;
    for _ in 0..2 {
        proxy.cut();
        assert_unavailable(&impact::impact_of(&database, &[session()]).await.unwrap_err());
        assert_unavailable(&impact::impact_of_each(&database, &[session()]).await.unwrap_err());
        assert_unavailable(&deletion::delete(&database, &request()).await.unwrap_err());
        for query in [read, write] {
            assert_eq!(app.error(query, variables.clone()).await, ("UNAVAILABLE".to_owned(), UNREACHABLE.to_owned()));
        }
        // The health check also reads the migration history, whose errors come from another crate.
        let health = app.error("{ schemaHealth { healthy } }", json!({})).await;
        assert_eq!(health, ("UNAVAILABLE".to_owned(), UNREACHABLE.to_owned()));
        proxy.mend();
        assert_eq!(impact::impact_of(&database, &[session()]).await.unwrap(), impact_before);
        let data = app.data(read, variables.clone()).await;
        assert_eq!(data["session"]["impact"]["rowsDeleted"], impact_before.rows_deleted);
    }
    assert!(db.everything().await == before);
    let data = app.data(write, variables).await;
    assert_eq!(data["deleteSession"]["userErrors"], json!([]));
}

async fn a_wire_that_is_cut_in_a_deletion_loses_nothing(db: TestDb) {
    let proxy = Proxy::before(db.url()).await;
    let settings = DatabaseSettings { url: proxy.url(db.url()), lock_timeout: Duration::from_mins(2), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let before = db.everything().await;
    let mut other = db.raw().await;
    // The lock blocks the deletion after its rows are deleted and before it is recorded.
    other.exec("BEGIN; LOCK TABLE session_admin.deletions IN ACCESS EXCLUSIVE MODE").await;
    let clone = database.clone();
    let running = tokio::spawn(async move { deletion::delete(&clone, &request()).await });
    db.wait_for_lock_waiters(1).await;
    proxy.cut();
    assert_unavailable(&running.await.unwrap().unwrap_err());
    other.exec("ROLLBACK").await;
    let connected = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND application_name = 'session-admin'";
    db.wait_for(connected, "0").await;
    assert!(db.everything().await == before);
    proxy.mend();
    assert!(deletion::delete(&database, &request()).await.unwrap().deletion.is_some());
}

async fn a_server_that_takes_no_more_connections_is_unavailable(db: TestDb) {
    let role = format!("role_{}", Uuid::new_v4().simple());
    db.exec(&format!("CREATE ROLE {role} LOGIN PASSWORD 'test' CONNECTION LIMIT 1")).await;
    let url = db.url().replacen("postgres@", &format!("{role}:test@"), 1);
    let only = crate::support::connection::RawConnection::open(&url).await;
    let settings = DatabaseSettings { url, ..db.settings() };
    assert_unavailable(&Database::connect(settings.clone()).await.unwrap_err());
    only.close().await;
    Database::connect(settings).await.unwrap().close().await.unwrap();
    db.exec(&format!("DROP ROLE {role}")).await;
}

async fn a_statement_that_takes_too_long_is_given_up(db: TestDb) {
    let settings = DatabaseSettings { deletion_timeout: Duration::from_millis(300), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    db.exec(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN OLD; END $$; \
         CREATE TRIGGER slow BEFORE DELETE ON whatsapp_sessions FOR EACH ROW EXECUTE FUNCTION slow()",
    )
    .await;
    let before = db.everything().await;
    let error = deletion::delete(&database, &request()).await.unwrap_err();
    assert_eq!(error.code(), "TIMEOUT");
    assert_eq!(
        error.to_string(),
        "The database took too long to respond, so the request was cancelled. Nothing was changed."
    );
    assert!(db.everything().await == before);
}

async fn a_database_that_takes_no_changes_says_so(db: TestDb) {
    let name = db.rows("SELECT current_database()").await.remove(0).remove(0);
    db.exec(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    let database = Database::connect(db.settings()).await.unwrap();
    let before = db.everything().await;
    let error = deletion::delete(&database, &request()).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly(_)), "{error:?}");
    let app = TestApp::with(db.clone(), database.clone());
    let write = "mutation D($id: ID!) { deleteSession(input: { id: $id }) { deletion { id } } }";
    let (code, message) = app.error(write, json!({ "id": session() })).await;
    assert_eq!((code.as_str(), message), ("UNAVAILABLE", error.to_string()));
    assert!(impact::impact_of(&database, &[session()]).await.unwrap().deletable, "reading goes on");
    assert!(db.everything().await == before);
}
