//! Tests of GraphiQL in Chromium.
//!
//! `dashboard/tests/graphiql.js` has the steps of the test. It also checks that there are no requests to other hosts,
//! no violations of the content security policy and no errors in the console.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{STARTERS, folder, is_built};
use crate::cli::{migrate_without_purge, server::Server};
use crate::clients::{has_node, output_text};
use crate::support::{TestDb, on_both, skip};

on_both!(long Mended: a_query_a_mutation_and_a_subscription_are_typed_and_run);

/// Returns the path of Chromium, under one of its names. Skips the test and returns `None` if it is missing.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = |name| std::env::split_paths(&path).map(move |folder| folder.join(name)).find(|file| file.is_file());
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(named);
    if found.is_none() {
        skip("Chromium is not on PATH; `make browser` installs it");
    }
    found
}

async fn a_query_a_mutation_and_a_subscription_are_typed_and_run(db: TestDb) {
    let Some(chromium) = chromium() else { return };
    if !has_node() {
        return;
    }
    migrate_without_purge(&db).await;
    let folder_of_server = tempfile::tempdir().unwrap();
    let server = Server::start(folder_of_server.path(), &["--database-url", db.url()]);
    if !is_built(&server.get("/")) {
        return;
    }
    let page = server.announced["page"].as_str().unwrap();
    let mut node = Command::new("node");
    node.arg("tests/graphiql.js")
        .arg(chromium)
        .args([page, &STARTERS.join(",")])
        .arg(env!("CARGO_BIN_EXE_session-admin"));
    node.env("DATABASE_URL", db.url()).current_dir(folder());
    let output = node.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    assert_eq!(server.stop(), 0);
}
