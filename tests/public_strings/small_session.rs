//! A session with few rows, so that the snapshot of its deletion is short. The scenario's sessions have dozens of
//! groups.

use crate::support::TestDb;

/// The id of the session, which is stale and the least recently updated one.
pub(super) const SMALL: &str = "5ea50000-0000-4000-8000-000000000001";
/// The id of the session's only group.
const GROUP: &str = "5ea50000-0000-4000-8000-000000000002";

/// Inserts the session with a group, an administrator of the group, and a link to the group.
pub(super) async fn add(db: &TestDb) {
    let at = "'2026-01-01T00:00:00+00:00'";
    db.exec(&format!(
        "INSERT INTO whatsapp_sessions (id, session_name, status, created_at, updated_at) \
         VALUES ('{SMALL}', 'small', 'disconnected', {at}, {at}); \
         INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, updated_at) \
         VALUES ('{GROUP}', '{SMALL}', 'small@g.us', 'Small', 7, {at}, {at}); \
         INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) \
         VALUES ('5ea50000-0000-4000-8000-000000000003', '{GROUP}', '+15550000', {at}); \
         INSERT INTO dynamic_links (id, slug, target_url, whatsapp_group_id, created_at) \
         VALUES ('5ea50000-0000-4000-8000-000000000004', 'small', 'https://chat.example/small', '{GROUP}', {at})"
    ))
    .await;
}

/// Inserts a pending, overdue message of the session's group.
pub(super) async fn add_overdue_message(db: &TestDb) {
    db.exec(&format!(
        "INSERT INTO scheduled_whatsapp_messages (id, group_id, body, status, scheduled_for) VALUES \
         ('5ea50000-0000-4000-8000-000000000005', '{GROUP}', 'Late', 'pending', '2001-01-01T00:00:00+00:00')"
    ))
    .await;
}
