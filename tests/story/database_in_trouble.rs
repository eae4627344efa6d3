//! Tests of the deployment before the migration: no stale session can be deleted, and the reason is reported.

use api::deletion::{DeletionRequest, delete};
use api::demo::scenario::{SESSIONS, STALE_SESSIONS};
use api::impact::BlockerKind;
use api::refusal::RefusalCode;
use serde_json::{Value, json};

use super::table_names;
use crate::cli::{document, run};
use crate::support::{TestDb, on_both};

on_both!(AsBuilt:
    as_built_the_impact_names_what_blocks,
    as_built_every_deletion_is_refused_and_no_row_changes,
    as_built_the_gate_is_closed,
);
on_both!(FirstFix:
    after_the_first_fix_the_impact_names_the_contradiction,
    after_the_first_fix_every_deletion_is_refused_and_no_row_changes,
    after_the_first_fix_the_gate_is_closed,
);

const FIRST: &str = SESSIONS[0].id;

/// The five references without an ON DELETE rule.
const WITHOUT_RULE: [(&str, &str); 5] = [
    ("notification_campaign_groups", "group_id"),
    ("scheduled_webinar_messages", "group_id"),
    ("webinar_whatsapp_groups", "group_id"),
    ("webinars", "community_group_id"),
    ("webinars", "whatsapp_group_id"),
];

/// Returns the table, column and kind of each blocker.
fn read_blockers(impact: &Value) -> Vec<(&str, &str, &str)> {
    let blockers = impact["blockers"].as_array().unwrap().iter();
    let mut found: Vec<_> = blockers
        .inspect(|blocker| assert_ne!(blocker["message"].as_str().unwrap(), ""))
        .map(|blocker| [&blocker["table"], &blocker["columns"][0], &blocker["kind"]].map(|part| part.as_str().unwrap()))
        .map(|[table, column, kind]| (table, column, kind))
        .collect();
    found.sort_unstable();
    found
}

async fn as_built_the_impact_names_what_blocks(db: TestDb) {
    let (code, impact) = document(&db, &["impact", FIRST]);
    let expected = WITHOUT_RULE.map(|(table, column)| (table, column, "RESTRICTED"));
    assert_eq!((code, read_blockers(&impact)), (3, expected.to_vec()), "{impact}");
    let text = run(&db, &["impact", FIRST]).stdout;
    for (table, column) in WITHOUT_RULE {
        let named = text.lines().filter(|line| line.contains('✗') && line.contains(table) && line.contains(column));
        assert_eq!(named.count(), 1, "{table}.{column}: {text}");
        let name = format!("{table}_{column}_fkey");
        assert!(db.url().starts_with("sqlite") || text.contains(&name), "{name}: {text}");
    }
    assert!(text.contains("✗ Cannot be deleted: 5 blockers."), "{text}");
}

async fn after_the_first_fix_the_impact_names_the_contradiction(db: TestDb) {
    let (code, impact) = document(&db, &["impact", FIRST]);
    let contradiction = ("notification_campaign_groups", "group_id", "SET_NULL_ON_NOT_NULL");
    assert_eq!((code, read_blockers(&impact)), (3, vec![contradiction]), "{impact}");
}

async fn as_built_every_deletion_is_refused_and_no_row_changes(db: TestDb) {
    // foreign_key_violation; SQLITE_CONSTRAINT_FOREIGNKEY
    assert_every_deletion_refused(&db, BlockerKind::Restricted, ["23503", "787"]).await;
}

async fn after_the_first_fix_every_deletion_is_refused_and_no_row_changes(db: TestDb) {
    // not_null_violation; SQLITE_CONSTRAINT_NOTNULL
    assert_every_deletion_refused(&db, BlockerKind::SetNullOnNotNull, ["23502", "1299"]).await;
}

/// Asserts that a deletion is refused by the executable, by the library for all nine sessions together, and by the
/// database itself.
async fn assert_every_deletion_refused(db: &TestDb, kind: BlockerKind, codes: [&str; 2]) {
    let before = db.dump(&table_names()).await;
    let (code, outcome) = document(db, &["delete", FIRST, "--yes"]);
    assert_eq!((code, &outcome["deletion"]), (3, &Value::Null), "{outcome}");
    assert_eq!(outcome["refusals"][0]["code"], "BLOCKED_BY_FOREIGN_KEY");
    let text = run(db, &["delete", FIRST, "--yes"]);
    assert!(text.code == 3 && text.stdout.contains("notification_campaign_groups"), "{}", text.stdout);
    let request = DeletionRequest {
        session_ids: SESSIONS[..STALE_SESSIONS].iter().map(|session| session.id.parse().unwrap()).collect(),
        principal: "test".to_owned(),
        ..DeletionRequest::default()
    };
    let outcome = delete(db.database().await, &request).await.unwrap();
    assert!(outcome.deletion.is_none());
    assert_eq!(outcome.refusals.len(), 1, "{outcome:?}");
    assert_eq!(outcome.refusals[0].code, RefusalCode::BlockedByForeignKey);
    let impact = outcome.impact.unwrap();
    assert!(!impact.deletable && impact.blockers.iter().all(|blocker| blocker.kind == kind), "{impact:?}");
    let error = db.attempt(&format!("DELETE FROM whatsapp_sessions WHERE id = '{FIRST}'")).await.unwrap_err();
    assert!(codes.contains(&error.code.as_str()), "{error:?}");
    assert_eq!(db.dump(&table_names()).await, before);
}

async fn as_built_the_gate_is_closed(db: TestDb) {
    let (code, health) = document(&db, &["doctor"]);
    assert_eq!((code, &health["healthy"]), (3, &json!(false)));
    for (table, column) in WITHOUT_RULE {
        assert!(finding_keys(&health).contains(&format!("BLOCKS_DELETION:{table}.{column}")), "{health}");
    }
}

async fn after_the_first_fix_the_gate_is_closed(db: TestDb) {
    let (code, health) = document(&db, &["doctor"]);
    assert_eq!((code, &health["healthy"]), (3, &json!(false)));
    let contradiction = "SET_NULL_ON_NOT_NULL:notification_campaign_groups.group_id".to_owned();
    assert!(finding_keys(&health).contains(&contradiction), "{health}");
}

fn finding_keys(health: &Value) -> Vec<String> {
    let findings = health["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["key"].as_str().unwrap().to_owned()).collect()
}
