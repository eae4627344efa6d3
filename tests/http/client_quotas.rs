//! Tests that one token leaves capacity for other tokens, however many connections it opens.

use std::net::SocketAddr;
use std::time::Duration;

use api::auth::Role;
use api::auth::access_token;
use api::auth::access_token::Secret;
use api::db::Dialect;
use api::demo::scenario::SESSIONS;
use api::limits::Limits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::client;
use super::connections::exchange;
use super::limits::{LONG, json as json_of, slow, started};
use super::websocket::Client;

use crate::support::wait::wait_until;
use crate::support::{Contents, TestDb, on_both};

on_both!(long Adopted: what_was_given_up_before_its_turn_is_not_begun, ten_things_at_once_are_answered);
on_both!(long Adopted:
    the_queries_of_one_token_leave_others_their_turn,
    connections_that_wait_for_their_turn_make_no_room,
);

const SMALL: &str = "{ sessions(first: 1) { totalCount } }";
const DELETE: &str = "mutation D($id: ID!) { deleteSession(input: { id: $id, allowConnected: true, \
                      allowPendingMessages: true }) { deletion { id } userErrors { code } } }";

async fn create_token(db: &TestDb, name: &str, role: Role) -> Secret {
    access_token::create(db.database().await, name, role, None).await.unwrap().1
}

/// Sends a request over a separate connection.
async fn send_query(address: SocketAddr, token: String, body: Value) -> reqwest::Response {
    let request = client().post(format!("http://{address}/graphql")).bearer_auth(token).json(&body);
    request.send().await.unwrap()
}

async fn the_queries_of_one_token_leave_others_their_turn(db: TestDb) {
    let (many, other) = (create_token(&db, "many", Role::Viewer).await, create_token(&db, "other", Role::Viewer).await);
    slow(&db).await;
    let address = started(&db, Limits { requests: 3, ..Limits::DEFAULT }).await;
    let long = json!({ "query": LONG });
    let flood: Vec<_> =
        (0..12).map(|_| tokio::spawn(send_query(address, many.expose().to_owned(), long.clone()))).collect();
    // Of the other four, one is executed and three wait.
    let refused = async || flood.iter().filter(|query| query.is_finished()).count() == 8;
    wait_until("eight are refused", refused).await;
    for _ in 0..3 {
        let start = Instant::now();
        let answer = json_of(send_query(address, other.expose().to_owned(), json!({ "query": SMALL })).await).await;
        assert_eq!(answer["data"]["sessions"]["totalCount"], 14, "{answer}");
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
    // One is executed at once, and three wait.
    let (mut answered, mut refused) = (0, 0);
    for answer in flood {
        let answer = answer.await.unwrap();
        if answer.status() == 503 {
            assert_eq!(answer.headers()["retry-after"], "1");
            refused += 1;
        } else {
            let answer = json_of(answer).await;
            assert_eq!(answer["data"]["deletions"]["nodes"].as_array().map(Vec::len), Some(1), "{answer}");
            answered += 1;
        }
    }
    assert_eq!((answered, refused), (4, 8));
}

async fn ten_things_at_once_are_answered(db: TestDb) {
    let one = create_token(&db, "one", Role::Viewer).await;
    let address = started(&db, Limits::DEFAULT).await;
    for _ in 0..5 {
        let asked: Vec<_> = (0..10)
            .map(|_| tokio::spawn(send_query(address, one.expose().to_owned(), json!({ "query": SMALL }))))
            .collect();
        for answer in asked {
            assert_eq!(answer.await.unwrap().status(), 200);
        }
    }
}

async fn connections_that_wait_for_their_turn_make_no_room(db: TestDb) {
    let one = create_token(&db, "one", Role::Viewer).await;
    slow(&db).await;
    let address = started(&db, Limits { connections: 3, ..Limits::DEFAULT }).await;
    let waiting: Vec<_> =
        (0..3).map(|_| tokio::spawn(send_query(address, one.expose().to_owned(), json!({ "query": LONG })))).collect();
    sleep(Duration::from_millis(500)).await;
    let answer = exchange(address, b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    for answer in waiting {
        let answer = json_of(answer.await.unwrap()).await;
        assert_eq!(answer["data"]["deletions"]["nodes"].as_array().map(Vec::len), Some(1), "{answer}");
    }
}

/// A socket requests deletions and completes them while they wait. Only the one that had begun is executed, and another
/// token's deletion is next.
async fn what_was_given_up_before_its_turn_is_not_begun(db: TestDb) {
    let (many, other) =
        (create_token(&db, "many", Role::Operator).await, create_token(&db, "other", Role::Operator).await);
    let address = started(&db, Limits::DEFAULT).await;
    let mut held = db.raw().await;
    held.exec(match db.dialect() {
        Dialect::Postgres => "BEGIN; LOCK TABLE whatsapp_sessions IN ACCESS EXCLUSIVE MODE",
        Dialect::Sqlite => "BEGIN IMMEDIATE",
    })
    .await;
    let mut socket = Client::open(address).await;
    socket.init(Some(json!({ "Authorization": format!("Bearer {}", many.expose()) }))).await;
    assert_eq!(socket.hear().await["type"], "connection_ack");
    for (number, session) in SESSIONS[..6].iter().enumerate() {
        socket.subscribe(&number.to_string(), DELETE, json!({ "id": session.id })).await;
    }
    sleep(Duration::from_millis(700)).await;
    for number in 0..6 {
        socket.say(json!({ "type": "complete", "id": number.to_string() })).await;
    }
    sleep(Duration::from_millis(300)).await;
    let delete = json!({ "query": DELETE, "variables": { "id": SESSIONS[6].id } });
    let pending = tokio::spawn(send_query(address, other.expose().to_owned(), delete));
    sleep(Duration::from_millis(300)).await;
    held.exec("ROLLBACK").await;
    let answer = json_of(pending.await.unwrap()).await;
    assert_eq!(answer["data"]["deleteSession"]["userErrors"], json!([]), "{answer}");
    // Any other deletion that had begun would end in this time.
    sleep(Duration::from_secs(1)).await;
    let principals_query =
        format!("SELECT deleted_by FROM {} ORDER BY deleted_by", db.dialect().internal_table("deletions"));
    assert_eq!(db.rows(&principals_query).await, [["many"], ["other"]]);
}

/// Sends the head of a request with this content length over a separate connection, followed by `rest`.
async fn send_head(address: SocketAddr, token: &Secret, length: usize, rest: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Authorization: Bearer {}\r\nConnection: close\r\n\r\n{rest}",
        token.expose()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn read_response(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset connection has sent its complete response.
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn bodies_that_do_not_say_their_length_count_as_what_they_are() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let secret = create_token(&db, "many", Role::Viewer).await;
    let address = started(&db, Limits::DEFAULT).await;
    let body = json!({ "query": SMALL }).to_string();
    let ask = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
            secret.expose(),
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(200)).await;
        stream.write_all(b"0\r\n\r\n").await.unwrap();
        read_response(stream).await
    };
    for answer in futures_util::future::join_all((0..40).map(|_| ask())).await {
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn the_bodies_that_one_token_sends_at_once_take_so_many_bytes() {
    let db = TestDb::sqlite(Contents::Adopted).await;
    let (many, other) = (create_token(&db, "many", Role::Viewer).await, create_token(&db, "other", Role::Viewer).await);
    let address = started(&db, Limits::DEFAULT).await;
    let mut half = Vec::new();
    for _ in 0..16 {
        half.push(send_head(address, &many, 1024 * 1024, &" ".repeat(1024 * 1024 - 1)).await);
    }
    sleep(Duration::from_millis(500)).await;
    let whole = json!({ "query": SMALL }).to_string();
    let refused = read_response(send_head(address, &many, whole.len(), &whole).await).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    assert!(refused.contains("UNAVAILABLE"), "{refused}");
    let answer = read_response(send_head(address, &other, whole.len(), &whole).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // An abandoned request frees its slot.
    drop(half.pop());
    sleep(Duration::from_millis(300)).await;
    let answer = read_response(send_head(address, &many, whole.len(), &whole).await).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
