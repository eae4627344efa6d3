//! Operations that schemathesis makes up from the schema: whatever is asked, the server answers, and none of its answers
//! hides a fault.

use std::process::Command;

use serde_json::json;

use super::{folder, said};
use crate::cli::server::Server;
use crate::cli::{document, migrate_without_purge};
use crate::support::{TestDb, only, say, skip};

only!(long postgres Mended: no_operation_that_is_made_up_ends_in_a_fault);

/// For each field of the root; there are some twenty.
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
    // The same operations each time, and no memory of earlier ones.
    fuzz.args(["--max-examples", EACH, "--seed", "1", "--request-timeout", "60"]).current_dir(scratch.path());
    fuzz.env("SCHEMATHESIS_HOOKS", folder().join("fuzz/hooks.py")).env("SESSION_ADMIN_FUZZ_IDS", there.join(","));
    fuzz.env("NO_COLOR", "1").env("PYTHONDONTWRITEBYTECODE", "1").env("NO_PROXY", "*");
    let output = fuzz.output().unwrap();
    let text = said(&output);
    // A connection that is cut is an error, and so is an answer with 5xx.
    assert!(output.status.success(), "{text}");
    let cases = text.lines().find(|line| line.contains(" generated, ")).unwrap_or_else(|| panic!("{text}"));
    let generated: u32 = cases.trim().split(' ').next().unwrap().parse().unwrap();
    assert!(generated >= 500, "{text}");
    // GraphQL answers a fault with 200, so the server is asked for the codes.
    let metrics = server.get("/metrics");
    let counted = metrics.lines().filter(|line| line.starts_with("session_admin_operations_total{"));
    let faults: Vec<&str> = counted.clone().filter(|line| line.contains("\"INTERNAL\"")).collect();
    let log = std::fs::read_to_string(&file).unwrap();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("\"ERROR\"") || line.contains("panicked")).collect();
    assert!(faults.is_empty() && told.is_empty(), "{faults:?}\n{told:#?}");
    // Not only refusals.
    let well = counted.filter(|line| line.contains("code=\"OK\"")).count();
    assert!(well >= 15, "{metrics}");
    assert!(
        !metrics
            .lines()
            .any(|line| line.starts_with("session_admin_http_requests_total") && line.contains("status=\"5"))
    );
    say(&format!("schemathesis: {}", cases.trim()));
    assert_eq!(server.stop(), 0);
}
