//! Tests that a dry run of a cleanup shows what the run would delete, and which sessions it would skip and why.

use api::cleanup::CleanupRequest;
use api::refusal::RefusalCode;
use serde_json::{Value, json};

use super::cleanup::{clean_up, create_run, find_skipped, missing_request, stale_request, start_mixed_gateway};
use super::{Server, id, unreachable_gateway, with_status};
use crate::cli::{document, migrate_without_purge, run};
use crate::http::app::TestApp;
use crate::support::{TestDb, WithTerms as _, on_both};

on_both!(Adopted:
    a_dry_run_leaves_out_those_that_are_connected,
    a_dry_run_lists_what_the_run_lists,
    graphql_lists_those_that_could_not_be_asked_about,
);
on_both!(Mended: the_command_lists_those_that_could_not_be_asked_about, the_command_shows_what_would_go);

async fn a_dry_run_leaves_out_those_that_are_connected(db: TestDb) {
    let server = start_mixed_gateway();
    let gateway = server.gateway();
    let dry = CleanupRequest { dry_run: true, ..stale_request() }.at_most(100_000);
    let outcome = create_run(&db, &gateway, &dry).await;
    assert_eq!((outcome.refusals, outcome.impact.as_ref().unwrap().session_count), (vec![], 9));
    let skipped_sessions: Vec<_> = outcome.skipped.iter().map(|skipped| (skipped.session_id, skipped.code)).collect();
    assert_eq!(skipped_sessions, [(id(4), RefusalCode::GatewayDisagrees)]);
    let would_go = outcome.would_go.unwrap();
    assert_eq!(would_go.session_count, 8);
    let outcome = create_run(&db, &gateway, &dry.allow_connected()).await;
    assert_eq!((outcome.refusals, outcome.skipped), (vec![], vec![]));
    assert_eq!(outcome.would_go, outcome.impact);
    // The run deletes what the dry run showed.
    let run = clean_up(&db, &gateway, &stale_request()).await;
    assert_eq!((run.sessions_deleted, run.rows_deleted), (8, would_go.rows_deleted));
}

async fn a_dry_run_lists_what_the_run_lists(db: TestDb) {
    let server = start_mixed_gateway();
    for gateway in [unreachable_gateway(), server.gateway()] {
        let dry = create_run(&db, &gateway, &CleanupRequest { dry_run: true, ..missing_request() }).await;
        let mut would = dry.skipped;
        would.sort_by_key(|skipped| skipped.session_id);
        let run = clean_up(&db, &gateway, &missing_request()).await;
        assert_eq!(run.sessions_deleted, dry.would_go.unwrap().session_count);
        assert_eq!(find_skipped(&db, run.id).await, would);
    }
}

async fn graphql_lists_those_that_could_not_be_asked_about(db: TestDb) {
    let app = TestApp::with_gateway(db, unreachable_gateway()).await;
    let fields = "sessionsSkipped skipped { sessionId code message }";
    let queries = [
        format!("{{ cleanupPreview(criteria: {{ missingFromGateway: true }}) {{ sessionCount {fields} }} }}"),
        format!(
            "mutation {{ cleanUpSessions(input: {{ criteria: {{ missingFromGateway: true }} }}) \
             {{ run {{ id }} userErrors {{ code }} wouldGo {{ sessionCount }} {fields} }} }}"
        ),
    ];
    for query in queries {
        let answer = app.data(&query, json!({})).await;
        let answer = answer.as_object().unwrap().values().next().unwrap();
        assert_eq!(answer["sessionsSkipped"], 9, "{answer}");
        let listed: Vec<&Value> = answer["skipped"].as_array().unwrap().iter().collect();
        let unknown = "The gateway did not say whether it knows the session. The gateway cannot be reached: ";
        assert!(listed.iter().all(|one| one["message"].as_str().unwrap().starts_with(unknown)), "{answer}");
        assert_eq!(listed.len(), 9);
    }
}

async fn the_command_lists_those_that_could_not_be_asked_about(db: TestDb) {
    migrate_without_purge(&db).await;
    let server = Server::new(async |_| with_status(401, ""));
    let flags = ["--missing-from-gateway", "--gateway-url", &server.url()];
    let message = "The gateway answered 401 Unauthorized: check its key (--gateway-header).";
    let (code, report) = document(&db, &[&["cleanup", "--dry-run"], &flags[..]].concat());
    let listed = report["skipped"].as_array().unwrap();
    assert_eq!((code, &report["sessionCount"], listed.len()), (3, &json!(0), 9), "{report}");
    assert!(listed.iter().all(|one| one["message"].as_str().unwrap().ends_with(message)), "{report}");
    for command in [["cleanup", "--dry-run"], ["cleanup", "--yes"]] {
        let ended = run(&db, &[&command, &flags[..]].concat());
        assert!(ended.code == 3 && !ended.stdout.contains("nothing to clean up"), "{}", ended.stdout);
        assert!(ended.stdout.contains("check its key") && ended.stdout.contains("stale-1"), "{}", ended.stdout);
    }
}

async fn the_command_shows_what_would_go(db: TestDb) {
    migrate_without_purge(&db).await;
    let server = Server::of_sessions(|session| (session == id(0)).then_some("WORKING"));
    let flags = ["--dry-run", "--gateway-url", &server.url()];
    let (code, report) = document(&db, &[&["cleanup"], &flags[..]].concat());
    assert_eq!((code, &report["refusals"], &report["impact"]["sessionCount"]), (3, &json!([]), &json!(9)), "{report}");
    assert_eq!(report["skipped"][0]["code"], "GATEWAY_DISAGREES");
    let would_go = &report["wouldGo"];
    assert_eq!(would_go["sessionCount"], 8);
    let text = run(&db, &[&["cleanup"], &flags[..]].concat()).stdout;
    let rows = would_go["rowsDeleted"].as_i64().unwrap();
    let verdict =
        format!("! Dry run: 8 sessions would be deleted ({rows} rows in all tables), and 1 would be skipped.");
    for shown in ["What deleting 8 sessions does:", "According to the gateway, the session is connected.", &verdict] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let (_, report) = document(&db, &["cleanup", "--yes", "--gateway-url", &server.url()]);
    assert_eq!(&report["run"]["rowsDeleted"], rows, "{report}");
}
