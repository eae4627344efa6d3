//! Tests of the query for the impact of a deletion.

use api::demo::scenario::{SESSIONS, STALE_SESSIONS};
use serde_json::{Value, json};

use crate::http::app::TestApp;
use crate::support::{TestDb, on_both};

on_both!(Mended: the_impact_of_the_stale_sessions_is_the_one_that_is_known, unknown_ids_are_named);
on_both!(Mended: a_session_and_the_list_of_one_have_the_same_impact);
on_both!(AsBuilt: what_blocks_is_told_by_its_foreign_key);
on_both!(FirstFix: a_contradictory_rule_blocks_and_is_told_as_such);

const IMPACT: &str = "query Q($ids: [ID!]!) { deletionImpact(sessionIds: $ids) {
    sessionCount rowsDeleted rowsUnlinked deletable pendingMessages connectedSessions token
    tables { table rowsDeleted rowsUnlinked references { constraint columns referencedTable onDelete rows } }
    blockers { kind table constraint columns rows message } } }";

fn stale_impact() -> Value {
    json!({ "ids": SESSIONS[..STALE_SESSIONS].iter().map(|session| session.id).collect::<Vec<_>>() })
}

async fn the_impact_of_the_stale_sessions_is_the_one_that_is_known(db: TestDb) {
    let app = TestApp::over(db).await;
    let impact = app.data(IMPACT, stale_impact()).await["deletionImpact"].take();
    let table = |name: &str| {
        let found = impact["tables"].as_array().unwrap().iter().find(|table| table["table"] == name).unwrap();
        (found["rowsDeleted"].as_i64().unwrap(), found["rowsUnlinked"].as_i64().unwrap())
    };
    assert_eq!(impact["tables"][0]["table"], "whatsapp_sessions");
    for (name, expected) in [
        ("whatsapp_sessions", (9, 0)),
        ("whatsapp_groups", (580, 0)),
        ("whatsapp_group_admins", (800, 0)),
        ("notification_campaign_groups", (37, 0)),
        ("webinar_whatsapp_groups", (12, 0)),
        ("scheduled_webinar_messages", (21, 0)),
        ("scheduled_whatsapp_messages", (44, 0)),
        ("workshop_whatsapp_groups", (9, 0)),
        ("webinars", (0, 8)),
        ("workshops", (0, 4)),
        ("workshop_group_members", (0, 150)),
        ("dynamic_links", (0, 11)),
    ] {
        assert_eq!(table(name), expected, "{name}");
    }
    assert_eq!((&impact["rowsDeleted"], &impact["rowsUnlinked"]), (&json!(1512), &json!(173)));
    assert_eq!((&impact["deletable"], &impact["blockers"]), (&json!(true), &json!([])));
    assert_eq!((&impact["sessionCount"], &impact["connectedSessions"]), (&json!(9), &json!(0)));
    let again = app.data(IMPACT, stale_impact()).await["deletionImpact"].take();
    assert_eq!(again["token"], impact["token"]);
}

async fn a_session_and_the_list_of_one_have_the_same_impact(db: TestDb) {
    let query = "query Q($id: ID!) {
        session(id: $id) { impact { rowsDeleted rowsUnlinked token tables { table rowsDeleted rowsUnlinked } } }
        deletionImpact(sessionIds: [$id]) { rowsDeleted rowsUnlinked token tables { table rowsDeleted rowsUnlinked } } }";
    let app = TestApp::over(db).await;
    for session in SESSIONS {
        let data = app.data(query, json!({ "id": session.id })).await;
        assert_eq!(data["session"]["impact"], data["deletionImpact"], "{}", session.name);
    }
}

async fn unknown_ids_are_named(db: TestDb) {
    let unknown = "00000000-0000-4000-8000-000000000000";
    let (code, message) = TestApp::over(db).await.error(IMPACT, json!({ "ids": [SESSIONS[0].id, unknown] })).await;
    assert_eq!(code, "BAD_USER_INPUT");
    assert!(message.contains(unknown) && !message.contains(SESSIONS[0].id), "{message}");
}

async fn fetch_blockers(db: TestDb) -> Vec<(String, String)> {
    let impact = TestApp::over(db).await.data(IMPACT, stale_impact()).await["deletionImpact"].take();
    assert_eq!(impact["deletable"], false);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let blockers = impact["blockers"].as_array().unwrap();
    let mut blockers: Vec<_> =
        blockers.iter().map(|blocker| (text(&blocker["kind"]), text(&blocker["table"]))).collect();
    blockers.sort();
    blockers
}

fn expected(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(kind, table)| ((*kind).to_owned(), (*table).to_owned())).collect()
}

async fn what_blocks_is_told_by_its_foreign_key(db: TestDb) {
    let restricted = [
        ("RESTRICTED", "notification_campaign_groups"),
        ("RESTRICTED", "scheduled_webinar_messages"),
        ("RESTRICTED", "webinar_whatsapp_groups"),
        ("RESTRICTED", "webinars"),
        ("RESTRICTED", "webinars"),
    ];
    assert_eq!(fetch_blockers(db).await, expected(&restricted));
}

async fn a_contradictory_rule_blocks_and_is_told_as_such(db: TestDb) {
    assert_eq!(fetch_blockers(db).await, expected(&[("SET_NULL_ON_NOT_NULL", "notification_campaign_groups")]));
}
