//! Tests that a restore is refused if a trigger changes its result, and that the message names the table.

use api::db::Dialect;
use api::deletion::Deletion;

use super::{
    STALE, delete, find_conflicts, find_first_group, find_only_conflict, id_type, query_value, restore_deletion,
};
use crate::support::{TestDb, on_both, only};

on_both!(Adopted:
    rows_of_another_table_that_a_trigger_deletes,
    rows_that_a_trigger_adds,
    values_that_a_trigger_changes,
    values_that_a_trigger_changes_in_a_table_without_a_key,
    a_log_that_a_trigger_keeps,
    a_trigger_that_marks_what_is_linked_again,
);
only!(postgres Adopted: rows_of_another_table_that_a_trigger_changes);

/// Creates two pins of a group, and labels without references, and deletes the group's session.
async fn create_pins_and_delete(db: &TestDb, key: &str) -> Deletion {
    let kind = id_type(db.dialect());
    let group = find_first_group(db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE labels (id integer PRIMARY KEY, label text); INSERT INTO labels VALUES (1, 'one'), (2, 'two'); \
         CREATE TABLE pins (id integer {key}, label text, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO pins VALUES (1, 'Mine', '{group}'), (2, NULL, '{group}')"
    ))
    .await;
    delete(db, STALE).await
}

/// Creates a trigger on inserts into `pins`.
async fn create_trigger(db: &TestDb, does: &str) {
    db.exec(&match db.dialect() {
        Dialect::Postgres => format!(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {does}; RETURN NEW; END $$; \
             CREATE TRIGGER meddle AFTER INSERT ON pins FOR EACH ROW EXECUTE FUNCTION meddle()"
        ),
        Dialect::Sqlite => format!("CREATE TRIGGER meddle AFTER INSERT ON pins BEGIN {does}; END"),
    })
    .await;
}

async fn restore_without_trigger(db: &TestDb, deletion: &Deletion) {
    db.exec(match db.dialect() {
        Dialect::Postgres => "DROP TRIGGER meddle ON pins",
        Dialect::Sqlite => "DROP TRIGGER meddle",
    })
    .await;
    restore_deletion(db, deletion).await;
    assert_eq!(db.rows("SELECT id, label FROM pins ORDER BY id").await, [["1", "Mine"], ["2", "NULL"]]);
}

const DOING: &str = "probably by a trigger. Disable the trigger, then restore again.";

async fn rows_of_another_table_that_a_trigger_deletes(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "PRIMARY KEY").await;
    create_trigger(&db, "DELETE FROM labels WHERE id = NEW.id").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("labels", ""));
    assert_eq!(message, format!("The restore would also change rows that are not in the archive (2 deleted), {DOING}"));
    restore_without_trigger(&db, &deletion).await;
    assert_eq!(db.count("labels").await, 2);
}

async fn rows_that_a_trigger_adds(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "PRIMARY KEY").await;
    create_trigger(&db, "INSERT INTO pins SELECT NEW.id + 10, 'more', NULL WHERE NEW.id < 10").await;
    let (table, _, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(table, "pins");
    assert_eq!(message, format!("The restore would also change rows that are not in the archive (2 added), {DOING}"));
    restore_without_trigger(&db, &deletion).await;
}

async fn assert_changed_values_refused(db: TestDb, key: &str) {
    let deletion = create_pins_and_delete(&db, key).await;
    match db.dialect() {
        Dialect::Postgres => {
            db.exec(
                "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ \
                 BEGIN NEW.label := coalesce(NEW.label, ''); RETURN NEW; END $$; \
                 CREATE TRIGGER meddle BEFORE INSERT ON pins FOR EACH ROW EXECUTE FUNCTION meddle()",
            )
            .await;
        }
        Dialect::Sqlite => create_trigger(&db, "UPDATE pins SET label = '' WHERE id = NEW.id AND label IS NULL").await,
    }
    let (table, _, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!(table, "pins");
    assert_eq!(message, format!("1 row would be restored with other values than archived, {DOING}"));
    restore_without_trigger(&db, &deletion).await;
}

async fn values_that_a_trigger_changes(db: TestDb) {
    assert_changed_values_refused(db, "PRIMARY KEY").await;
}

async fn values_that_a_trigger_changes_in_a_table_without_a_key(db: TestDb) {
    assert_changed_values_refused(db, "").await;
}

async fn rows_of_another_table_that_a_trigger_changes(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "PRIMARY KEY").await;
    create_trigger(&db, "UPDATE labels SET label = 'used' WHERE id = NEW.id").await;
    let found = find_conflicts(&db, &deletion).await;
    let found: Vec<_> = found.iter().map(|(table, _, message, _)| (table.as_str(), message.as_str())).collect();
    let message = format!("The restore would also change rows that are not in the archive (2 changed), {DOING}");
    assert_eq!(found, [("labels", message.as_str())]);
    restore_without_trigger(&db, &deletion).await;
}

/// The trigger's changes are allowed, because no session refers to the log.
async fn a_log_that_a_trigger_keeps(db: TestDb) {
    let deletion = create_pins_and_delete(&db, "PRIMARY KEY").await;
    create_trigger(&db, "INSERT INTO labels VALUES (NEW.id + 10, 'came')").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.count("labels WHERE label = 'came'").await, 2);
}

async fn a_trigger_that_marks_what_is_linked_again(db: TestDb) {
    let kind = id_type(db.dialect());
    let group = find_first_group(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, touched integer NOT NULL DEFAULT 0, \
         group_id {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO links (id, group_id) VALUES (1, '{group}')"
    ))
    .await;
    db.exec(match db.dialect() {
        Dialect::Postgres => {
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ \
             BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END $$; \
             CREATE TRIGGER touch BEFORE UPDATE ON links FOR EACH ROW EXECUTE FUNCTION touch()"
        }
        Dialect::Sqlite => {
            "CREATE TRIGGER touch AFTER UPDATE OF group_id ON links \
             BEGIN UPDATE links SET touched = OLD.touched + 1 WHERE id = NEW.id; END"
        }
    })
    .await;
    let deletion = delete(&db, STALE).await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(query_value(&db, "SELECT CAST(group_id AS text) FROM links").await, group);
    assert_eq!(query_value(&db, "SELECT touched FROM links").await, "2");
}
