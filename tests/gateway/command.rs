//! Tests that the commands query the gateway too.

use serde_json::{Value, json};

use super::{Server, id, nobodys_port};
use crate::cli::{Ended, document, ended, executable, migrate_without_purge, run};
use crate::support::{TestDb, on_both};

on_both!(Mended:
    delete_asks_and_the_record_tells,
    cleanup_takes_what_the_gateway_does_not_know,
    a_run_is_gone_on_with_by_asking,
    migrate_spares_what_the_gateway_says_is_connected,
    the_key_is_in_no_log,
);

async fn delete_asks_and_the_record_tells(db: TestDb) {
    migrate_without_purge(&db).await;
    let server = Server::of_sessions(|session| (session == id(7)).then_some("WORKING"));
    let (url, at) = (server.url(), "--gateway-url");
    let (connected, unknown, other) = (id(7).to_string(), id(8).to_string(), id(6).to_string());
    let (code, outcome) = document(&db, &["delete", &connected, "--yes", at, &url]);
    assert_eq!((code, &outcome["refusals"][0]["code"]), (3, &json!("GATEWAY_DISAGREES")), "{outcome}");
    let (code, outcome) = document(&db, &["delete", &unknown, "--yes", at, &url]);
    assert_eq!((code, &outcome["deletion"]["sessions"][0]["gateway"]), (0, &json!("NOT_FOUND")), "{outcome}");
    let nowhere = format!("http://{}/{{id}}", nobodys_port());
    let ended = run(&db, &["delete", &other, "--yes", at, &nowhere]);
    let warning = "! The gateway could not tell whether 1 session was connected.";
    assert!(ended.code == 0 && ended.stdout.contains(warning), "{}{}", ended.stdout, ended.stderr);
    let (_, list) = document(&db, &["deletions"]);
    let states: Vec<&Value> =
        list["deletions"].as_array().unwrap().iter().map(|one| &one["sessions"][0]["gateway"]).collect();
    assert_eq!(states, [&json!("UNREACHABLE"), &json!("NOT_FOUND")]);
    let newest = list["deletions"][0]["id"].as_str().unwrap();
    let stdout = run(&db, &["deletions", "show", newest]).stdout;
    assert!(stdout.contains(&format!("{other} stale-7 (gateway: UNREACHABLE)")), "{stdout}");
}

async fn cleanup_takes_what_the_gateway_does_not_know(db: TestDb) {
    migrate_without_purge(&db).await;
    let server = Server::of_sessions(|session| (session != id(0) && session != id(1)).then_some("STOPPED"));
    let flags = ["--missing-from-gateway", "--gateway-url", &server.url()];
    let (code, report) = document(&db, &[&["cleanup", "--dry-run"], &flags[..]].concat());
    assert_eq!((code, &report["sessionCount"]), (3, &json!(2)), "{report}");
    let (code, report) = document(&db, &[&["cleanup", "--yes"], &flags[..]].concat());
    let run_of = &report["run"];
    assert_eq!((code, &run_of["sessionsDeleted"], &run_of["sessionsSkipped"]), (3, &json!(2), &json!(7)), "{report}");
    assert_eq!(report["skipped"][0]["message"], "The gateway knows the session: DISCONNECTED.");
    // When no session is missing, the sessions that the gateway knows are still listed.
    let (code, report) = document(&db, &[&["cleanup", "--yes"], &flags[..]].concat());
    assert_eq!((code, &report["run"]["sessionsSkipped"]), (3, &json!(7)), "{report}");
    let (code, error) = document(&db, &["cleanup", "--yes", "--missing-from-gateway"]);
    assert_eq!((code, &error["error"]["code"]), (2, &json!("BAD_USER_INPUT")));
    assert_eq!(db.count("whatsapp_sessions").await, 12);
}

async fn a_run_is_gone_on_with_by_asking(db: TestDb) {
    migrate_without_purge(&db).await;
    let request = api::cleanup::CleanupRequest { principal: "tester".to_owned(), ..Default::default() };
    let outcome = api::cleanup::create_run(db.database().await, None, &request).await.unwrap();
    let id_of_run = outcome.run.unwrap().id.to_string();
    let server = Server::of_sessions(|session| (session == id(3)).then_some("WORKING"));
    let (code, report) = document(&db, &["runs", "resume", &id_of_run, "--yes", "--gateway-url", &server.url()]);
    assert_eq!((code, &report["run"]["sessionsDeleted"]), (3, &json!(8)), "{report}");
    assert_eq!(report["skipped"][0]["code"], "GATEWAY_DISAGREES");
}

async fn migrate_spares_what_the_gateway_says_is_connected(db: TestDb) {
    let server = Server::of_sessions(|session| (session == id(0)).then_some("WORKING"));
    let (code, report) = document(&db, &["migrate", "--yes", "--gateway-url", &server.url()]);
    assert_eq!((code, report["purge"]["deletion"]["sessions"].as_array().unwrap().len()), (0, 8), "{report}");
    assert_eq!(report["spared"][0]["name"], "stale-1");
    assert_eq!(report["spared"][0]["gateway"], "CONNECTED");
    let gateway = report["purge"]["deletion"]["sessions"].as_array().unwrap().iter().map(|session| &session["gateway"]);
    assert!(gateway.clone().all(|state| state == "NOT_FOUND"), "{report}");
    assert_eq!(db.count("whatsapp_sessions").await, 6);
}

async fn the_key_is_in_no_log(db: TestDb) {
    migrate_without_purge(&db).await;
    let server = Server::of_sessions(|_| Some("STRANGE"));
    let closed = format!("http://user:hunter2@{}/{{id}}", nobodys_port());
    for (url, session) in [(server.url().replace("http://", "http://user:hunter2@"), id(8)), (closed, id(7))] {
        let mut command = executable(&["delete", &session.to_string(), "--yes", "--log", "trace"]);
        command.env("DATABASE_URL", db.url()).env("SESSION_ADMIN_GATEWAY_URL", url);
        command.env("SESSION_ADMIN_GATEWAY_HEADER", "X-Api-Key: hunter3");
        let Ended { code, stdout, stderr } = ended(command);
        assert_eq!(code, 0, "{stdout}{stderr}");
        assert!(stderr.contains("queried the gateway"), "{stderr}");
        for secret in ["hunter2", "hunter3", "dXNlcjpodW50ZXIy"] {
            assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stdout}{stderr}");
        }
    }
    assert_eq!(server.requests()[0].headers["x-api-key"], "hunter3");
}
