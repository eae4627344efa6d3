//! Snapshot tests of the documents of commands that use the gateway.

use super::small_session::{self, SMALL};
use super::{OTHER_STALE, STALE, Transcript};
use crate::cli::migrate_without_purge;
use crate::gateway::{Server, nobodys_port};
use crate::support::{TestDb, on_both};

on_both!(Mended: a_migration_with_a_gateway);
on_both!(long Mended: deletions_and_runs_with_a_gateway);

async fn deletions_and_runs_with_a_gateway(db: TestDb) {
    migrate_without_purge(&db).await;
    small_session::add(&db).await;
    let gateway = Server::of_sessions(|session| match session.to_string().as_str() {
        STALE => Some("WORKING"),
        OTHER_STALE => Some("STOPPED"),
        _ => None,
    });
    let mut transcript = Transcript::new(&db);
    let asking = gateway.url();
    transcript.hide(&asking, "<gateway>");
    let asking = ["--gateway-url", &asking];
    transcript.run(&[&["delete", STALE, "--yes"], &asking[..]].concat());
    transcript.run(&[&["cleanup", "--yes", "--id", STALE], &asking[..]].concat());
    transcript.run(&[&["cleanup", "--dry-run", "--missing-from-gateway", "--search", "l"], &asking[..]].concat());
    transcript.run(&[&["cleanup", "--yes", "--missing-from-gateway", "--search", "small"], &asking[..]].concat());
    transcript.comment("The gateway's record of a session, and one that does not answer.");
    transcript.run(&["deletions", "--session", SMALL]);
    let nowhere = format!("http://{}/{{id}}", nobodys_port());
    transcript.hide(&nowhere, "<no gateway>");
    transcript.run(&["delete", OTHER_STALE, "--yes", "--no-archive", "--gateway-url", &nowhere]);
    transcript.assert_matches("gateway");
}

async fn a_migration_with_a_gateway(db: TestDb) {
    db.exec("UPDATE whatsapp_sessions SET phone_number = '+1' WHERE session_name NOT IN ('stale-1', 'stale-9')").await;
    let gateway = Server::of_sessions(|session| (session.to_string() == STALE).then_some("WORKING"));
    let mut transcript = Transcript::new(&db);
    let url = gateway.url();
    transcript.hide(&url, "<gateway>");
    transcript.run(&["migrate", "--yes", "--gateway-url", &url]);
    transcript.assert_matches("gateway_migrate");
}
