//! Tests of restores: what is restored, what conflicts with a restore, and that nothing is written in case of a
//! conflict.

mod archive_failures;
mod binary_keys;
mod cleared_references;
mod collations;
mod concurrent_writers;
mod conflict_clauses;
mod conflicts;
mod large_restores;
mod names_by_case;
mod overlapping_archives;
mod partitions;
mod postgres_keys;
mod postgres_types;
mod references;
mod refusals;
mod roles;
mod round_trip;
mod schema_changed;
mod sqlite_types;
mod triggers;
mod unusual_tables;

use api::db::Dialect;
use api::deletion::{self, Deletion, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::refusal::RefusalCode;
use api::restore::{RestoreOutcome, RestoreRequest, restore};
use uuid::Uuid;

use crate::support::{TestDb, WithTerms as _};

/// The index of a stale session with 20 groups, which other rows refer to.
const STALE: usize = 8;
/// The index of a second stale session, with 30 groups.
const OTHER: usize = 7;
/// The index of a connected session with messages still to be sent.
const LIVE: usize = 9;

/// The business tables, which are compared byte for byte.
const TABLES: [&str; 13] = [
    "whatsapp_sessions",
    "whatsapp_groups",
    "whatsapp_group_admins",
    "notification_campaigns",
    "notification_campaign_groups",
    "webinars",
    "webinar_whatsapp_groups",
    "scheduled_webinar_messages",
    "scheduled_whatsapp_messages",
    "workshops",
    "workshop_whatsapp_groups",
    "workshop_group_members",
    "dynamic_links",
];

fn id(session: usize) -> Uuid {
    SESSIONS[session].id.parse().unwrap()
}

/// Deletes a session of the scenario, with all `allow` options.
async fn delete(db: &TestDb, session: usize) -> Deletion {
    let request = DeletionRequest {
        session_ids: vec![id(session)],
        principal: "tester".to_owned(),
        ..DeletionRequest::default()
    }
    .allow_connected()
    .allow_pending_messages();
    let outcome = deletion::delete(db.database().await, &request).await.unwrap();
    assert_eq!(outcome.refusals, []);
    outcome.deletion.unwrap()
}

fn request(deletion: &Deletion) -> RestoreRequest {
    RestoreRequest { deletion_id: deletion.id, principal: "restorer".to_owned(), ..RestoreRequest::default() }
}

async fn attempt(db: &TestDb, request: &RestoreRequest) -> RestoreOutcome {
    restore(db.database().await, request).await.unwrap()
}

/// Restores a deletion, and asserts that nothing is refused and nothing conflicts.
async fn restore_deletion(db: &TestDb, deletion: &Deletion) -> RestoreOutcome {
    let outcome = attempt(db, &RestoreRequest { allow_pending_messages: true, ..request(deletion) }).await;
    assert_eq!((&outcome.refusals, &outcome.conflicts), (&vec![], &vec![]));
    outcome
}

/// A conflict as the tests compare it: table, key, message, and the deletion to restore first.
type InTheWay = (String, String, String, Option<Uuid>);

/// Asserts that a restore and its dry run are refused because of conflicts, and that no row changes. Returns the
/// conflicts.
async fn find_conflicts(db: &TestDb, deletion: &Deletion) -> Vec<InTheWay> {
    let before = db.everything().await;
    let mut found = Vec::new();
    for dry_run in [true, false] {
        let request = RestoreRequest { dry_run, allow_pending_messages: true, ..request(deletion) };
        let outcome = attempt(db, &request).await;
        let codes: Vec<RefusalCode> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
        assert_eq!(codes, [RefusalCode::RestoreConflict], "{outcome:?}");
        assert_eq!((outcome.rows_restored, outcome.rows_relinked, outcome.rows_not_relinked), (0, 0, 0));
        assert!(db.everything().await == before, "a refused restore changed something: {:?}", outcome.conflicts);
        let conflicts = outcome.conflicts.into_iter();
        found.push(
            conflicts
                .map(|conflict| (conflict.table, conflict.key, conflict.message, conflict.deletion_id))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(found[0], found[1], "a dry run tells the same");
    found.remove(0)
}

/// Returns the only conflict of a refused restore.
async fn find_only_conflict(db: &TestDb, deletion: &Deletion) -> InTheWay {
    let mut found = find_conflicts(db, deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// Returns the id of the first group of a session.
async fn find_first_group(db: &TestDb, session: usize) -> String {
    query_value(db, &format!("SELECT min(CAST(id AS text)) FROM whatsapp_groups WHERE session_id = '{}'", id(session)))
        .await
}

async fn query_value(db: &TestDb, query: &str) -> String {
    db.rows(query).await.remove(0).remove(0)
}

const fn id_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => "uuid",
        Dialect::Sqlite => "text",
    }
}
