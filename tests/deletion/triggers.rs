//! Tests of triggers that delete or insert rows which the foreign keys do not predict, and of triggers that only keep a
//! log.

use api::refusal::RefusalCode;

use super::{STALE, assert_refused_unchanged, codes, delete_sessions, id, request};
use crate::support::{TestDb, only};

only!(sqlite Adopted:
    a_trigger_that_deletes_from_a_reached_table_is_found_out,
    a_trigger_that_deletes_from_another_table_is_found_out,
    a_trigger_that_puts_the_session_back_is_found_out,
    a_trigger_that_keeps_a_log_is_no_obstacle,
    a_cascade_that_goes_further_than_the_keys_say_is_found_out,
);
only!(postgres Adopted:
    a_partitioned_log_is_no_obstacle,
    a_partitioned_log_hides_no_other_row,
);

async fn assert_detected(db: &TestDb) {
    let outcome = assert_refused_unchanged(db, &request(STALE)).await;
    assert_eq!(codes(&outcome), [RefusalCode::ImpactChanged]);
    let message = &outcome.refusals[0].message;
    assert!(message.starts_with("The database also deleted or inserted "), "{message}");
}

async fn a_trigger_that_deletes_from_a_reached_table_is_found_out(db: TestDb) {
    db.exec(&format!(
        "CREATE TRIGGER more AFTER DELETE ON whatsapp_sessions BEGIN \
         DELETE FROM whatsapp_groups WHERE session_id = '{}'; END",
        id(0)
    ))
    .await;
    assert_detected(&db).await;
}

async fn a_trigger_that_deletes_from_another_table_is_found_out(db: TestDb) {
    db.exec(
        "CREATE TABLE aside (n integer); INSERT INTO aside VALUES (1), (2); \
         CREATE TRIGGER more AFTER DELETE ON whatsapp_groups BEGIN DELETE FROM aside; END",
    )
    .await;
    assert_detected(&db).await;
}

async fn a_trigger_that_puts_the_session_back_is_found_out(db: TestDb) {
    db.exec(
        "CREATE TRIGGER back AFTER DELETE ON whatsapp_sessions BEGIN \
         INSERT INTO whatsapp_sessions (id, session_name) VALUES (old.id, old.session_name); END",
    )
    .await;
    assert_detected(&db).await;
}

async fn a_trigger_that_keeps_a_log_is_no_obstacle(db: TestDb) {
    db.exec(
        "CREATE TABLE log (id text); \
         CREATE TRIGGER log AFTER DELETE ON whatsapp_groups BEGIN INSERT INTO log VALUES (old.id); END",
    )
    .await;
    delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(db.count("log").await, 20);
}

/// SQLite compares 7 with '7' in one way when it looks for a parent, and in another when it cascades.
async fn a_cascade_that_goes_further_than_the_keys_say_is_found_out(db: TestDb) {
    let group = super::find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE places (code PRIMARY KEY, group_id text REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         CREATE TABLE signs (code text REFERENCES places (code) ON DELETE CASCADE); \
         INSERT INTO places VALUES (7, '{group}'); \
         PRAGMA foreign_keys = OFF; INSERT INTO signs VALUES ('7'); PRAGMA foreign_keys = ON"
    ))
    .await;
    let outcome = super::delete(db.database().await, &request(STALE)).await;
    let refusals = codes(&outcome);
    match outcome.deletion {
        Some(deletion) => assert_eq!(Some(deletion.rows_deleted), outcome.impact.map(|impact| impact.rows_deleted)),
        None => assert_eq!(refusals, [RefusalCode::ImpactChanged]),
    }
    assert_eq!(db.count("signs").await, 1);
}

const LOG: &str = "CREATE TABLE log (at timestamptz DEFAULT now(), id uuid) PARTITION BY RANGE (at); \
    CREATE TABLE log_all PARTITION OF log DEFAULT; CREATE TABLE aside (id uuid); \
    INSERT INTO aside SELECT id FROM whatsapp_groups; \
    CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log (id) VALUES (OLD.id); ";
const ON_GROUPS: &str = " RETURN OLD; END $$; \
    CREATE TRIGGER log AFTER DELETE ON whatsapp_groups FOR EACH ROW EXECUTE FUNCTION log()";

async fn a_partitioned_log_is_no_obstacle(db: TestDb) {
    db.exec(&format!("{LOG}{ON_GROUPS}")).await;
    delete_sessions(db.database().await, &request(STALE)).await;
    assert_eq!(db.count("log").await, 20);
}

async fn a_partitioned_log_hides_no_other_row(db: TestDb) {
    db.exec(&format!("{LOG} DELETE FROM aside WHERE id = OLD.id;{ON_GROUPS}")).await;
    assert_detected(&db).await;
}
