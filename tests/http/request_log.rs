//! Tests of what the log contains about a request, and what it never contains.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use super::websocket::Client;
use crate::cli::server::Server;
use crate::cli::{ended, executable};
use crate::support::wait::wait_until;
use crate::support::{Contents, TestDb};

fn server_address(server: &Server) -> SocketAddr {
    let page = server.announced["page"].as_str().unwrap();
    page.strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap()
}

/// Sends a handwritten request and returns the response.
fn exchange(address: SocketAddr, head: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(stream, "{head} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the lines of the log, each of which must be a JSON object.
fn read_log_lines(log: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[tokio::test]
async fn every_answer_has_its_request_s_id_and_so_has_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    // The frequent health checks of supervisors are logged at debug.
    let arguments = ["--log-format", "json", "--log", "warn,session_admin=debug"];
    let server = Server::logging(folder.path(), &arguments, log.into());
    let address = server_address(&server);
    let host = format!("Host: {address}\r\n");
    let json = format!("{host}Content-Type: application/json\r\n");
    let requests = [
        ("GET /health/live", &host, "", 200),
        ("GET /health/ready", &host, "", 200),
        ("GET /metrics", &host, "", 200),
        ("GET /", &host, "", 200),
        ("POST /graphql", &json, "{\"query\": \"{ __typename }\"}", 200),
        ("POST /graphql", &json, "{", 400),
        ("GET /", &"Host: attacker.example\r\n".to_owned(), "", 403),
        ("GET /nowhere", &host, "", 404),
        (&format!("GET /{}", "x".repeat(60_000)), &host, "", 404),
        ("PUT /graphql", &json, "", 405),
        ("POST /graphql", &host, "{}", 415),
        ("GET /graphql/ws", &host, "", 400),
    ];
    for (number, (head, headers, body, status)) in requests.into_iter().enumerate() {
        let id = format!("asked-{number}");
        let answer = exchange(address, head, &format!("{headers}X-Request-Id: {id}\r\n"), body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}: {answer}");
        assert!(answer.contains(&format!("\r\nx-request-id: {id}\r\n")), "{head}: {answer}");
        let response = exchange(address, head, headers, body);
        let (_, rest) = response.split_once("\r\nx-request-id: ").unwrap_or_else(|| panic!("{head}: {response}"));
        assert!(uuid::Uuid::try_parse(rest.split("\r\n").next().unwrap()).is_ok(), "{head}: {response}");
        let logged = read_log_lines(&file);
        let logged =
            logged.iter().find(|line| line["span"]["id"] == json!(id) && line["fields"]["message"] == "answered");
        let logged = logged.unwrap();
        assert!(logged["fields"]["status"] == status && logged["fields"]["milliseconds"].is_u64(), "{head}: {logged}");
        assert!(logged.get("spans").is_none(), "{logged}");
    }
    assert_eq!(server.stop(), 0);
}

#[tokio::test]
async fn the_log_has_the_origin_that_was_refused_and_no_more_of_it_than_an_origin_needs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let server =
        Server::logging(folder.path(), &["--log-format", "json"], std::fs::File::create(&file).unwrap().into());
    let address = server_address(&server);
    let long = format!("https://{}", "a".repeat(4_000));
    for (origin, expected) in [
        ("https://admin.example", "https://admin.example"),
        (&long, &long[..200]),
        ("https://admin.ex\u{e4}mple\u{9b}31m", "(no text)"),
    ] {
        let answer = exchange(address, "GET /", &format!("Host: {address}\r\nOrigin: {origin}\r\n"), "");
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        let logged = read_log_lines(&file);
        let logged = logged.iter().rfind(|line| line["fields"]["message"] == "refused").unwrap();
        assert_eq!(logged["fields"]["origin"], expected);
    }
    assert_eq!(server.stop(), 0);
}

#[tokio::test]
async fn a_socket_s_errors_and_lines_have_the_id_of_the_request_that_opened_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let db = TestDb::sqlite(Contents::Mended).await;
    let mut migrate = executable(&["migrate", "--yes", "--database-url", db.url()]);
    migrate.current_dir(folder.path());
    assert_eq!(ended(migrate).code, 0);
    let server = Server::logging(folder.path(), &["--log-format", "json", "--database-url", db.url()], log.into());
    db.exec("ALTER TABLE session_admin_deletions RENAME COLUMN reason TO elsewhere").await;
    let mut client = Client::begin_with_request_id(server_address(&server), "the-socket").await;
    client.subscribe("1", "{ deletion(id: \"00000000-0000-4000-8000-000000000000\") { id } }", json!({})).await;
    let message = client.hear().await;
    let expected = json!({ "code": "INTERNAL", "correlationId": "the-socket" });
    assert_eq!(message["payload"]["errors"][0]["extensions"], expected, "{message}");
    let logged = read_log_lines(&file);
    let closing = logged.iter().find(|line| line["fields"]["correlation_id"] == "the-socket").unwrap();
    assert!(closing["fields"]["error"].as_str().unwrap().contains("reason"), "{closing}");
    assert!(logged.iter().any(|line| line["span"]["name"] == "socket" && line["span"]["id"] == "the-socket"));
    // An open socket is counted.
    assert!(server.get("/metrics").contains("\nsession_admin_sockets 1\n"));
    drop(client);
    wait_until("no socket is counted", async || server.get("/metrics").contains("\nsession_admin_sockets 0\n")).await;
    assert_eq!(server.stop(), 0);
}

/// Covers everything that this program and its libraries log.
#[tokio::test]
async fn postgres_no_secret_is_logged() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let url = db.url().replace("postgres@", "postgres:hidden-password@");
    let mut migrate = executable(&["migrate", "--yes", "--database-url", &url, "--log", "trace"]);
    migrate.current_dir(folder.path());
    let migrated = ended(migrate);
    assert!(migrated.code == 0 && !migrated.stderr.contains("hidden-"), "{}", migrated.stderr);
    let create = ["token", "create", "--name", "watcher", "--role", "viewer", "--database-url", &url, "--log", "trace"];
    let created = ended(executable(&create));
    let token = created.stdout.trim().to_owned();
    assert!(created.code == 0 && !token.is_empty() && !created.stderr.contains(&token), "{}", created.stderr);
    let log = std::fs::File::create(&file).unwrap();
    let arguments = ["--database-url", &url, "--log", "trace", "--gateway-url", "http://127.0.0.1:9/{id}"];
    let arguments = [&arguments[..], &["--gateway-header", "X-Api-Key: hidden-key", "--log-format", "json"]].concat();
    let server = Server::logging(folder.path(), &arguments, log.into());
    let address = server_address(&server);
    let headers = |token: &str| {
        format!(
            "Host: {address}\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n\
             Cookie: a=hidden-cookie\r\n"
        )
    };
    let query =
        "query($search: String) { sessions(first: 2, filter: { search: $search }) { nodes { gateway { state } } } }";
    for (search, token, status) in [("", &*token, 200), ("hidden-search", &token, 200), ("", "hidden-token", 401)] {
        let body = json!({ "query": query, "variables": { "search": search } }).to_string();
        let answer = exchange(address, "POST /graphql", &headers(token), &body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    let answer = exchange(address, "GET /nowhere?token=hidden-parameter", &headers(&token), "");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert_eq!(server.stop(), 0);
    let log = std::fs::read_to_string(&file).unwrap();
    assert!(log.contains("\"status\":404"), "{log}");
    let logged: Vec<&str> = log.lines().filter(|line| line.contains("hidden-") || line.contains(&token)).collect();
    assert_eq!(logged, Vec::<&str>::new());
}
