//! Tests that the server answers every operation that schemathesis generates from the schema, without an internal
//! error.

use std::process::Command;

use serde_json::json;

use super::{folder, output_text};
use crate::cli::server::Server;
use crate::cli::{document, migrate_without_purge};
use crate::support::{TestDb, only, say, skip};

only!(long postgres Mended: no_operation_that_is_made_up_ends_in_a_fault);

/// The number of examples for each of the about twenty root fields.
const EACH: &str = "30";

async fn no_operation_that_is_made_up_ends_in_a_fault(db: TestDb) {
    let program = folder().join("fuzz/.venv/bin/schemathesis");
    if !program.is_file() {
        return skip("tests/clients/fuzz/.venv is missing; `make clients` installs it (with Python 3.11 or newer)");
    }
    migrate_without_purge(&db).await;
    let ids = ["c0ffee00-0000-4000-8000-000000000010", "c0ffee00-0000-4000-8000-000000000011"];
    let (code, made) = document(&db, &["delete", ids[0], "--yes", "--allow-connected", "--allow-pending-messages"]);
    assert_eq!(code, 0, "{made}");
    let (code, run) = document(&db, &["cleanup", "--yes", "--limit", "2"]);
    assert_eq!(code, 0, "{run}");
    let there = [&json!(ids[1]), &made["deletion"]["id"], &run["run"]["id"]].map(|id| id.as_str().unwrap().to_owned());

    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let server = Server::logging(scratch.path(), &["--database-url", db.url(), "--log-format", "json"], log.into());
    let mut fuzz = Command::new(program);
    fuzz.args(["run", server.announced["endpoint"].as_str().unwrap()]);
    fuzz.args(["--phases", "fuzzing", "--checks", "not_a_server_error", "--continue-on-failure", "--no-shrink"]);
    // The seed and the fresh folder make every execution generate the same operations.
    fuzz.args(["--max-examples", EACH, "--seed", "1", "--request-timeout", "60"]).current_dir(scratch.path());
    fuzz.env("SCHEMATHESIS_HOOKS", folder().join("fuzz/hooks.py")).env("SESSION_ADMIN_FUZZ_IDS", there.join(","));
    fuzz.env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    let output = fuzz.output().unwrap();
    let text = output_text(&output);
    // schemathesis fails on a cut connection and on a response with a 5xx status.
    assert!(output.status.success(), "{text}");
    let cases = text.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("{text}"));
    let generated: u32 = cases.trim().split(' ').next().unwrap().parse().unwrap();
    assert!(generated >= 500, "{text}");
    // An internal error of GraphQL has the status 200, so the codes are read from the metrics.
    let metrics = server.get("/metrics");
    let counted = metrics.lines().filter(|line| line.starts_with("session_admin_operations_total{"));
    let faults: Vec<&str> = counted.clone().filter(|line| line.contains("\"INTERNAL\"")).collect();
    let log = std::fs::read_to_string(&file).unwrap();
    let error_lines: Vec<&str> =
        log.lines().filter(|line| line.contains("\"ERROR\"") || line.contains("panicked")).collect();
    assert!(faults.is_empty() && error_lines.is_empty(), "{faults:?}\n{error_lines:#?}");
    // Enough operations succeed.
    let succeeded = counted.filter(|line| line.contains("code=\"OK\"")).count();
    assert!(succeeded >= 15, "{metrics}");
    assert!(
        !metrics
            .lines()
            .any(|line| line.starts_with("session_admin_http_requests_total") && line.contains("status=\"5"))
    );
    say(&format!("schemathesis: {}", cases.trim()));
    assert_eq!(server.stop(), 0);
}
