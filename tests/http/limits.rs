//! Tests of the limits on concurrency and duration: each attack ends, and the next query is answered.

use std::net::SocketAddr;
use std::time::Duration;

use api::app_state::AppState;
use api::db::{Database, DatabaseSettings, Dialect};
use api::http::Sockets;
use api::http::serve;
use api::limits::Limits;
use api::schema_health::AcceptedFindings;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::client;
use super::websocket::Client;
use crate::support::{Contents, TestDb, on_both, only};

on_both!(Adopted: a_query_that_takes_too_long_is_given_up);
on_both!(long Adopted:
    one_query_with_many_fields_leaves_connections_for_others,
    more_queries_than_are_executed_at_once_are_refused,
);
only!(postgres Adopted: what_a_query_was_given_up_for_ends_in_the_database);

/// A query that takes some seconds on a `slow` database.
pub(crate) const LONG: &str = "{ deletions(first: 1) { nodes { id } } }";

/// The size of a pool that allows two queries and one of each other kind of request, with one connection to spare.
const POOL: u32 = 7;

/// Starts a server that serves until the test ends.
pub(crate) async fn started(db: &TestDb, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = DatabaseSettings { max_connections: POOL, ..db.settings() };
    let settings = DatabaseSettings { query_timeout: settings.query_timeout.min(limits.query_timeout), ..settings };
    let database = Database::connect(settings).await.unwrap();
    let state = AppState::new(database, AcceptedFindings::default(), "tester").with_limits(limits);
    tokio::spawn(serve(listener, state, Sockets::default(), &[], std::future::pending()));
    address
}

/// Starts a server with these limits over an empty database.
pub(crate) async fn limited(limits: Limits) -> (TestDb, SocketAddr) {
    let db = TestDb::sqlite(Contents::Empty).await;
    let address = started(&db, limits).await;
    (db, address)
}

/// Makes every read of deletions take some seconds.
pub(crate) async fn slow(db: &TestDb) {
    // The condition is evaluated only if the table has a row.
    db.exec(&format!(
        "INSERT INTO {} (id, deleted_by, deleted_at, rows_deleted, rows_unlinked, tables, allowed) VALUES \
         ('c0ffee00-0000-4000-8000-00000000dead', 'tester', '2026-01-01T00:00:00Z', 0, 0, '[]', '[]')",
        db.dialect().internal_table("deletions")
    ))
    .await;
    slow_down(db, "deletions").await;
}

/// Makes every read of this internal table, which must have rows, take some seconds.
pub(crate) async fn slow_down(db: &TestDb, name: &str) {
    let table = db.dialect().internal_table(name);
    let slowly = match db.dialect() {
        Dialect::Postgres => "SELECT * FROM session_admin.made WHERE (SELECT pg_sleep(3)) IS NOT NULL",
        // The first table of a CROSS JOIN is read first, whether or not the other one has rows.
        Dialect::Sqlite => {
            "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 6000000) \
             SELECT made.* FROM (SELECT count(*) AS v FROM n) AS slow CROSS JOIN made WHERE slow.v > 0"
        }
    };
    db.exec(&format!("ALTER TABLE {table} RENAME TO made; CREATE VIEW {table} AS {slowly}")).await;
}

pub(crate) async fn post(address: SocketAddr, query: &str) -> reqwest::Response {
    let body = json!({ "query": query });
    client().post(format!("http://{address}/graphql")).json(&body).send().await.unwrap()
}

pub(crate) async fn json(answer: reqwest::Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

/// Asserts that an ordinary query is answered.
pub(crate) async fn assert_answers_query(address: SocketAddr) {
    assert_eq!(json(post(address, "{ __typename }").await).await, json!({ "data": { "__typename": "Query" } }));
}

/// Asserts that the readiness check reaches the database and responds within two seconds.
async fn assert_ready(address: SocketAddr) {
    let start = Instant::now();
    let answer = client().get(format!("http://{address}/health/ready")).send().await.unwrap();
    // This message comes from the database, which has no migration history.
    let message = answer.text().await.unwrap();
    assert!(message.contains("Migrations are pending"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

fn head(length: usize) -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_of_20_megabytes_is_refused() {
    let (_db, address) = limited(Limits::DEFAULT).await;
    let padding = "x".repeat(20_000_000);
    for body in [" ".repeat(20_000_000), format!("{{\"query\":\"{{ __typename }}\",\"x\":\"{padding}\"}}")] {
        let answer = client().post(format!("http://{address}/graphql"));
        let answer = answer.header("content-type", "application/json").body(body).send().await;
        // The server may close the connection before the whole body is sent.
        if let Ok(answer) = answer {
            assert_eq!(answer.status(), 413);
            assert_eq!(json(answer).await["errors"][0]["message"], "The body is larger than 1048576 bytes.");
        }
        assert_answers_query(address).await;
    }
}

#[tokio::test]
async fn a_body_may_be_as_large_as_it_is_told() {
    let (_db, address) = limited(Limits { max_body: 30, ..Limits::DEFAULT }).await;
    assert_answers_query(address).await;
    let answer = post(address, "{ __typename __typename }").await;
    assert_eq!(answer.status(), 413);
    assert_eq!(json(answer).await["errors"][0]["message"], "The body is larger than 30 bytes.");
    let mut socket = Client::begin(address).await;
    socket.subscribe("1", "{ __typename }", json!({})).await;
    assert_eq!(socket.closed().await, (1009, "A message has at most 30 bytes.".to_owned()));
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_refused() {
    let (_db, address) = limited(Limits::DEFAULT).await;
    let body = b"{\"query\":\"{ __typename } # \xff\xfe\"}".to_vec();
    let answer = client().post(format!("http://{address}/graphql"));
    let answer = answer.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), json(answer).await["errors"][0]["message"].as_str()),
        (400, Some("The body is not JSON."))
    );
    assert_answers_query(address).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_the_request() {
    let (_db, address) = limited(Limits { body_timeout: Duration::from_secs(1), ..Limits::DEFAULT }).await;
    let start = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{}{{", head(100)).as_bytes()).await.unwrap();
    // Sending a byte from time to time does not extend the timeout.
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    });
    let mut answer = vec![0; 1_000];
    let length = timeout(Duration::from_secs(10), read.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("The body did not arrive within 1 seconds."), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    dripping.abort();
    assert_answers_query(address).await;
}

#[tokio::test]
async fn one_address_makes_so_many_requests_a_minute() {
    let (_db, address) = limited(Limits { requests_per_minute: Some(3), ..Limits::DEFAULT }).await;
    let mut socket = Client::begin(address).await;
    assert_answers_query(address).await;
    socket.subscribe("1", "{ __typename }", json!({})).await;
    socket.data("1").await;
    socket.completed("1").await;
    let answer = client().get(format!("http://{address}/graphql?query={{__typename}}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);

    let answer = post(address, "{ __typename }").await;
    assert_eq!(answer.status(), 429);
    let seconds: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    let error = json(answer).await["errors"][0].take();
    assert_eq!(error["extensions"]["code"], "RATE_LIMITED");
    assert!(error["message"].as_str().unwrap().starts_with("At most 3 requests a minute are answered."), "{error}");
    socket.subscribe("2", "{ __typename }", json!({})).await;
    let message = socket.hear().await;
    assert_eq!(
        (&message["type"], &message["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("RATE_LIMITED"))
    );
    // Health checks are not rate-limited.
    assert_eq!(client().get(format!("http://{address}/health/live")).send().await.unwrap().status(), 200);
}

async fn a_query_that_takes_too_long_is_given_up(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { query_timeout: Duration::from_secs(1), ..Limits::DEFAULT }).await;
    let answer = json(post(address, LONG).await).await;
    let message = answer["errors"][0]["message"].as_str().unwrap();
    // PostgreSQL cancels the statement at the same time.
    let code = &answer["errors"][0]["extensions"]["code"];
    assert_eq!(*code, "TIMEOUT", "{answer}");
    assert!(message.contains("1 second") || db.dialect() == Dialect::Postgres, "{message}");
    assert_ready(address).await;
    assert_eq!(json(post(address, "{ sessions { totalCount } }").await).await["data"]["sessions"]["totalCount"], 14);
}

async fn what_a_query_was_given_up_for_ends_in_the_database(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { query_timeout: Duration::from_secs(1), ..Limits::DEFAULT }).await;
    post(address, LONG).await;
    sleep(Duration::from_millis(500)).await;
    let running = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
                   AND pid <> pg_backend_pid() AND application_name = 'session-admin'";
    assert_eq!(db.rows(running).await, [["0"]]);
}

async fn one_query_with_many_fields_leaves_connections_for_others(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { query_timeout: Duration::from_secs(5), ..Limits::DEFAULT }).await;
    let fields: String =
        (0..20).map(|n| format!("a{n}: deletions(first: 1) {{ totalCount nodes {{ id }} }} ")).collect();
    let flood = tokio::spawn(async move { json(post(address, &format!("{{ {fields} }}")).await).await });
    for _ in 0..3 {
        // Waits until the cached result of the health check has expired.
        sleep(Duration::from_millis(1_100)).await;
        assert_ready(address).await;
        assert_live_soon(address).await;
    }
    flood.await.unwrap();
}

/// Asserts that the liveness check responds soon. It uses no database connection, because the concurrent query may hold
/// all permits.
async fn assert_live_soon(address: SocketAddr) {
    let start = Instant::now();
    let answer = client().get(format!("http://{address}/health/live")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

async fn more_queries_than_are_executed_at_once_are_refused(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { requests: 3, ..Limits::DEFAULT }).await;
    let start = Instant::now();
    let queries: Vec<_> = (0..30).map(|_| tokio::spawn(post(address, LONG))).collect();
    sleep(Duration::from_millis(500)).await;
    assert_ready(address).await;
    let (mut answered, mut refused) = (0, 0);
    for query in queries {
        let answer = query.await.unwrap();
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
            let error = json(answer).await["errors"][0].take();
            assert_eq!(error["extensions"]["code"], "UNAVAILABLE");
            assert_eq!(error["message"], "The server is at capacity. Try again in a second.");
            refused += 1;
        } else {
            answered += 1;
        }
    }
    assert!((3..=6).contains(&answered) && refused >= 24, "{answered} {refused} {:?}", start.elapsed());
    assert_answers_query(address).await;
}
