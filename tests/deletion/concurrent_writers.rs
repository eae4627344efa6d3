//! Tests that concurrent writes during a deletion are neither missed nor lost (PostgreSQL).

use std::time::Duration;

use api::db::{Database, DatabaseSettings};
use api::deletion::{DeletionOutcome, DeletionRequest};
use api::refusal::RefusalCode;
use tokio::task::JoinHandle;

use super::{STALE, codes, count_orphans, count_session, delete, find_first_group, id, preview, request};
use crate::support::WithTerms as _;
use crate::support::connection::{RawConnection, Said};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    a_row_cannot_come_between_the_count_and_the_deletion,
    a_foreign_key_cannot_come_between_the_count_and_the_deletion,
    a_foreign_key_cannot_come_while_rows_are_being_locked,
    a_table_that_was_under_way_first_is_counted,
    a_session_that_connects_meanwhile_stays,
    a_leaf_that_is_changed_meanwhile_goes_as_it_is,
    a_leaf_that_moves_away_meanwhile_is_found_out,
    a_link_that_moves_away_meanwhile_keeps_its_new_group,
    a_message_that_becomes_pending_meanwhile_is_not_lost,
    a_group_that_comes_meanwhile_goes_too_or_is_found_out,
);

/// A pause that stops a deletion at a chosen statement, by an advisory lock in a trigger.
pub(super) struct DeletionPause(RawConnection);

impl DeletionPause {
    /// Pauses the deletion before it deletes from `whatsapp_sessions`, after it has locked, counted and deleted other
    /// rows.
    pub(super) async fn before_sessions(db: &TestDb) -> Self {
        Self::before(db, "DELETE ON whatsapp_sessions FOR EACH ROW").await
    }

    /// Pauses the deletion between the count and its first write. `dynamic_links` is the first table of that statement.
    pub(super) async fn before_first_write(db: &TestDb) -> Self {
        Self::before(db, "UPDATE ON dynamic_links FOR EACH STATEMENT").await
    }

    async fn before(db: &TestDb, event: &str) -> Self {
        db.exec(&format!(
            "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN OLD; END $$; \
             CREATE TRIGGER hold BEFORE {event} EXECUTE FUNCTION hold()"
        ))
        .await;
        let mut gate = db.raw().await;
        gate.exec("SELECT pg_advisory_lock(4711)").await;
        Self(gate)
    }

    /// Waits until a deletion has reached the pause.
    pub(super) async fn wait_until_reached(&self, db: &TestDb) {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        wait_for_value(db, waiting, "1").await;
    }

    pub(super) async fn release(mut self) {
        self.0.exec("SELECT pg_advisory_unlock(4711)").await;
        self.0.close().await;
    }
}

/// Waits until a query returns the expected value.
pub(super) async fn wait_for_value(db: &TestDb, query: &str, expected: &str) {
    db.wait_for(query, expected).await;
}

/// Waits until this many of the database's connections wait for a lock.
pub(super) async fn wait_for_lock_waiters(db: &TestDb, connections: usize) {
    db.wait_for_lock_waiters(connections).await;
}

/// Connects to the database separately, with a lock timeout of two minutes.
pub(super) async fn connect_with_long_lock_timeout(db: &TestDb) -> Database {
    let settings = DatabaseSettings { lock_timeout: Duration::from_mins(2), ..db.settings() };
    Database::connect(settings).await.unwrap()
}

pub(super) async fn spawn_deletion(db: &TestDb, request: DeletionRequest) -> JoinHandle<DeletionOutcome> {
    let database = connect_with_long_lock_timeout(db).await;
    tokio::spawn(async move { delete(&database, &request).await })
}

async fn spawn_statement(db: &TestDb, sql: String) -> JoinHandle<Result<(), Said>> {
    let mut connection = db.raw().await;
    tokio::spawn(async move { connection.attempt(&sql).await })
}

fn insert_admin(group: &str) -> String {
    format!(
        "INSERT INTO whatsapp_group_admins (id, group_id, phone, created_at) \
         VALUES ('aaaaaaaa-0000-4000-8000-000000000001', '{group}', '+1', now())"
    )
}

fn insert_link(group: &str) -> String {
    format!(
        "INSERT INTO dynamic_links (id, slug, target_url, whatsapp_group_id, created_at) \
         VALUES ('aaaaaaaa-0000-4000-8000-000000000002', 'mine', 'u', '{group}', now())"
    )
}

fn insert_group() -> String {
    format!(
        "INSERT INTO whatsapp_groups (id, session_id, group_jid, group_name, participant_count, created_at, updated_at) \
         VALUES ('aaaaaaaa-0000-4000-8000-000000000003', '{}', 'j', 'g', 0, now(), now())",
        id(STALE)
    )
}

async fn a_row_cannot_come_between_the_count_and_the_deletion(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let first = find_first_group(&db, STALE).await;
    let pause = DeletionPause::before_first_write(&db).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    let mut others = Vec::new();
    for insert in [insert_admin(&first), insert_link(&first), insert_group()] {
        others.push(spawn_statement(&db, insert).await);
        wait_for_lock_waiters(&db, others.len() + 1).await;
    }
    pause.release().await;
    let outcome = deletion.await.unwrap();
    assert_eq!(outcome.refusals, []);
    assert_eq!(outcome.impact, Some(previewed));
    for other in others {
        assert_eq!(other.await.unwrap().unwrap_err().code, "23503");
    }
    assert_eq!(count_session(&db, STALE).await, "0");
    assert_eq!(count_orphans(&db, "whatsapp_group_admins").await, "0");
}

async fn a_foreign_key_cannot_come_between_the_count_and_the_deletion(db: TestDb) {
    let first = find_first_group(&db, STALE).await;
    db.exec(&format!("CREATE TABLE loose (group_id uuid); INSERT INTO loose VALUES ('{first}')")).await;
    let pause = DeletionPause::before_first_write(&db).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    pause.wait_until_reached(&db).await;
    let constraint = "ALTER TABLE loose ADD FOREIGN KEY (group_id) REFERENCES whatsapp_groups (id)";
    let constraint = spawn_statement(&db, constraint.to_owned()).await;
    wait_for_lock_waiters(&db, 2).await;
    let table_creation = format!(
        "CREATE TABLE notes (group_id uuid REFERENCES whatsapp_groups (id)); INSERT INTO notes VALUES ('{first}')"
    );
    let table_creation = spawn_statement(&db, table_creation).await;
    wait_for_lock_waiters(&db, 3).await;
    pause.release().await;
    assert_eq!(deletion.await.unwrap().refusals, []);
    assert_eq!(constraint.await.unwrap().unwrap_err().code, "23503");
    assert_eq!(table_creation.await.unwrap().unwrap_err().code, "23503");
    assert_eq!(count_session(&db, STALE).await, "0");
}

async fn a_foreign_key_cannot_come_while_rows_are_being_locked(db: TestDb) {
    let first = find_first_group(&db, STALE).await;
    db.exec(&format!("CREATE TABLE loose (group_id uuid); INSERT INTO loose VALUES ('{first}')")).await;
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; SELECT 1 FROM whatsapp_groups WHERE id = '{first}' FOR SHARE")).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 1).await;
    let constraint = "ALTER TABLE loose ADD FOREIGN KEY (group_id) REFERENCES whatsapp_groups (id)";
    let constraint = spawn_statement(&db, constraint.to_owned()).await;
    wait_for_lock_waiters(&db, 2).await;
    other.exec("ROLLBACK").await;
    assert_eq!(deletion.await.unwrap().refusals, []);
    assert_eq!(constraint.await.unwrap().unwrap_err().code, "23503");
}

async fn a_table_that_was_under_way_first_is_counted(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let mut other = db.raw().await;
    other
        .exec(&format!(
            "BEGIN; CREATE TABLE notes (group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
             INSERT INTO notes VALUES ('{}')",
            find_first_group(&db, STALE).await
        ))
        .await;
    let unconditional = spawn_deletion(&db, request(STALE)).await;
    let dry = DeletionRequest { dry_run: true, ..request(STALE) }.expected_impact(previewed.token);
    let dry_run_deletion = spawn_deletion(&db, dry).await;
    wait_for_lock_waiters(&db, 2).await;
    other.exec("COMMIT").await;
    // The deletion with an expected impact reports the change; the other one deletes the new table's row too. In either
    // order the dry run finds another impact, or no session.
    let refused = codes(&dry_run_deletion.await.unwrap());
    assert!(refused == [RefusalCode::ImpactChanged] || refused == [RefusalCode::NotFound], "{refused:?}");
    let outcome = unconditional.await.unwrap();
    assert_eq!(outcome.refusals, []);
    assert_eq!(outcome.impact.unwrap().rows_deleted, previewed.rows_deleted + 1);
    assert_eq!(db.count("notes").await, 0);
}

async fn a_session_that_connects_meanwhile_stays(db: TestDb) {
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; UPDATE whatsapp_sessions SET status = 'connected' WHERE id = '{}'", id(STALE))).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    let before = db.everything().await;
    assert_eq!(codes(&deletion.await.unwrap()), [RefusalCode::SessionConnected]);
    assert!(db.everything().await == before);
}

async fn a_leaf_that_is_changed_meanwhile_goes_as_it_is(db: TestDb) {
    db.exec(&insert_admin(&find_first_group(&db, STALE).await)).await;
    let previewed = preview(&db, &[STALE]).await;
    let mut other = db.raw().await;
    other.exec("BEGIN; UPDATE whatsapp_group_admins SET phone = '+2' WHERE id::text LIKE 'aaaaaaaa-%'").await;
    let expected_impact = Some(previewed.token.clone());
    let deletion = spawn_deletion(&db, request(STALE).expected_impact(expected_impact)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    let outcome = deletion.await.unwrap();
    assert_eq!((outcome.refusals, outcome.impact), (Vec::new(), Some(previewed)));
    assert_eq!(count_orphans(&db, "whatsapp_group_admins").await, "0");
}

async fn a_leaf_that_moves_away_meanwhile_is_found_out(db: TestDb) {
    db.exec(&insert_admin(&find_first_group(&db, STALE).await)).await;
    let away = find_first_group(&db, 0).await;
    let mut other = db.raw().await;
    other
        .exec(&format!("BEGIN; UPDATE whatsapp_group_admins SET group_id = '{away}' WHERE id::text LIKE 'aaaaaaaa-%'"))
        .await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    let before = db.everything().await;
    let outcome = deletion.await.unwrap();
    assert_eq!(codes(&outcome), [RefusalCode::ImpactChanged]);
    assert_eq!(outcome.changes.len(), 1);
    assert_eq!(outcome.changes[0].rows_deleted_now, outcome.changes[0].rows_deleted_before - 1);
    assert!(db.everything().await == before);
}

async fn a_link_that_moves_away_meanwhile_keeps_its_new_group(db: TestDb) {
    db.exec(&insert_link(&find_first_group(&db, STALE).await)).await;
    let away = find_first_group(&db, 0).await;
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; UPDATE dynamic_links SET whatsapp_group_id = '{away}' WHERE slug = 'mine'")).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    assert_eq!(deletion.await.unwrap().refusals, []);
    let group_query = "SELECT whatsapp_group_id FROM dynamic_links WHERE slug = 'mine'";
    assert_eq!(db.rows(group_query).await, [[away]]);
}

async fn a_message_that_becomes_pending_meanwhile_is_not_lost(db: TestDb) {
    let of_session = format!("group_id IN (SELECT id FROM whatsapp_groups WHERE session_id = '{}')", id(STALE));
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; UPDATE scheduled_whatsapp_messages SET status = 'pending' WHERE {of_session}")).await;
    let deletion = spawn_deletion(&db, request(STALE)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    let before = db.everything().await;
    let outcome = deletion.await.unwrap();
    assert_eq!(codes(&outcome), [RefusalCode::PendingMessages]);
    assert!(db.everything().await == before);
    let allowed = request(STALE).allow_pending_messages();
    assert_eq!(delete(db.database().await, &allowed).await.refusals, []);
}

async fn a_group_that_comes_meanwhile_goes_too_or_is_found_out(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let mut other = db.raw().await;
    other.exec(&format!("BEGIN; {}; {}", insert_group(), insert_admin("aaaaaaaa-0000-4000-8000-000000000003"))).await;
    // The new group's own foreign key locks the session's row, so the deletion waits for it.
    let deletion = spawn_deletion(&db, request(STALE).expected_impact(previewed.token)).await;
    wait_for_lock_waiters(&db, 1).await;
    other.exec("COMMIT").await;
    let outcome = deletion.await.unwrap();
    assert_eq!(codes(&outcome), [RefusalCode::ImpactChanged]);
    let tables: Vec<_> = outcome.changes.iter().map(|change| change.table.as_str()).collect();
    assert_eq!(tables, ["whatsapp_group_admins", "whatsapp_groups"]);
    let outcome = delete(db.database().await, &request(STALE)).await;
    assert_eq!(outcome.impact.unwrap().rows_deleted, previewed.rows_deleted + 2);
}
