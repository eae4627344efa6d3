//! Tests of the server with the audits of GraphQL over HTTP and with the real client of graphql-transport-ws.

use std::time::Duration;

use api::http::Sockets;

use super::{output_text, tool_here};
use crate::cli::{migrate_without_purge, server::Server};
use crate::http::websocket::server;
use crate::support::{Contents, TestDb, on_both};

on_both!(long Mended: the_real_client_of_the_sockets_is_answered);

const STALE: &str = "303d5044-0000-4000-8000-000000000001";

#[test]
#[ignore = "long: `make test` runs it"]
fn every_audit_of_graphql_over_http_is_passed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let Some(mut audit) = tool_here("audit.js", &[server.announced["endpoint"].as_str().unwrap()]) else { return };
    let output = audit.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    // The exact numbers show that no audit was skipped.
    assert_eq!(output_text(&output), "MUST: 13 of 13\nSHOULD: 23 of 23\nMAY: 25 of 25\n");
}

async fn the_real_client_of_the_sockets_is_answered(db: TestDb) {
    migrate_without_purge(&db).await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--database-url", db.url()]);
    let url = format!("{}/ws", server.announced["endpoint"].as_str().unwrap().replace("http:", "ws:"));
    let Some(mut client) = tool_here("sockets.js", &["talk", &url, STALE]) else { return };
    let output = client.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn the_real_client_of_the_sockets_stays_though_it_is_quiet() {
    let db = TestDb::sqlite(Contents::Empty).await;
    let address = server(db.database().await.clone(), Sockets::with_ping_interval(Duration::from_millis(300))).await;
    let url = format!("ws://{address}/graphql/ws");
    let Some(mut client) = tool_here("sockets.js", &["quiet", &url, "2000"]) else { return };
    let output = tokio::task::spawn_blocking(move || client.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
}
