//! Tests that the sample data has the numbers of rows that the incident report counted.

use super::legacy_tables::TABLES;
use super::{TestDb, on_both};

on_both!(Mended: purging_the_stale_sessions_takes_what_the_deployment_counted);

/// Asserts the numbers of the incident report for a plain DELETE under the final rules.
async fn purging_the_stale_sessions_takes_what_the_deployment_counted(db: TestDb) {
    let mut before = Vec::new();
    for table in TABLES {
        before.push(db.count(table.name).await);
    }
    let unlinked = "SELECT (SELECT count(*) FROM webinars WHERE whatsapp_group_id IS NOT NULL),
        (SELECT count(*) FROM webinars WHERE community_group_id IS NOT NULL),
        (SELECT count(*) FROM workshops WHERE whatsapp_group_id IS NOT NULL),
        (SELECT count(*) FROM workshop_group_members WHERE group_id IS NOT NULL),
        (SELECT count(*) FROM dynamic_links WHERE whatsapp_group_id IS NOT NULL)";
    assert_eq!(db.rows(unlinked).await, [["8", "5", "6", "400", "20"]]);
    db.exec(
        "DELETE FROM whatsapp_sessions WHERE phone_number IS NULL
         AND status IN ('qr_pending', 'connecting', 'disconnected')",
    )
    .await;
    assert_eq!(db.rows(unlinked).await, [["3", "1", "2", "250", "9"]]);
    let mut deleted = Vec::new();
    for (table, before) in TABLES.iter().zip(before) {
        deleted.push((table.name, before - db.count(table.name).await));
    }
    deleted.retain(|(_, rows)| *rows > 0);
    let expected = [
        ("whatsapp_sessions", 9),
        ("whatsapp_groups", 580),
        ("whatsapp_group_admins", 800),
        ("notification_campaign_groups", 37),
        ("webinar_whatsapp_groups", 12),
        ("scheduled_webinar_messages", 21),
        ("scheduled_whatsapp_messages", 44),
        ("workshop_whatsapp_groups", 9),
    ];
    assert_eq!(deleted, expected);
}
