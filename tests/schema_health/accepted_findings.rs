//! Tests of findings that are accepted by name, and of the cost of a diagnosis.

use std::collections::BTreeMap;

use api::schema_health::{AcceptedFindings, diagnose};

use crate::support::{TestDb, on_both};

on_both!(FirstFix: accepted_errors_leave_the_database_healthy);
on_both!(Mended: more_findings_take_no_more_statements);

async fn accepted_errors_leave_the_database_healthy(db: TestDb) {
    let keys =
        ["SET_NULL_ON_NOT_NULL", "RULE_DRIFT"].map(|code| format!("{code}:notification_campaign_groups.group_id"));
    let one = AcceptedFindings(BTreeMap::from([(keys[0].clone(), "known".to_owned())]));
    assert!(!diagnose(db.database().await, &one).await.unwrap().healthy);
    let both = AcceptedFindings(keys.iter().map(|key| (key.clone(), "known".to_owned())).collect());
    let health = diagnose(db.database().await, &both).await.unwrap();
    assert!(health.healthy);
    assert_eq!(health.findings.iter().filter(|finding| finding.accepted).count(), 2);
}

async fn more_findings_take_no_more_statements(db: TestDb) {
    let (database, counter) = db.counted().await;
    let before = diagnose(&database, &AcceptedFindings::default()).await.unwrap();
    let few = counter.take().len();
    for number in 0..40 {
        db.exec(&format!(
            "CREATE TABLE extra_{number} (id integer PRIMARY KEY, a {0} REFERENCES whatsapp_groups (id), b {0} NOT NULL
             REFERENCES whatsapp_groups (id) ON DELETE SET NULL)",
            if db.dialect() == api::db::Dialect::Postgres { "uuid" } else { "text" }
        ))
        .await;
    }
    let after = diagnose(&database, &AcceptedFindings::default()).await.unwrap();
    assert_eq!(after.findings.len(), before.findings.len() + 160);
    assert_eq!(counter.take().len(), few);
    assert!(few <= 10, "{few}");
}
