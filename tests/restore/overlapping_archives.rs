//! Tests of overlapping archives: a row that a later deletion contains is restored from the later deletion first.

use super::{
    LIVE, OTHER, STALE, TABLES, delete, find_conflicts, find_first_group, find_only_conflict, id_type, restore_deletion,
};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    deletions_that_share_nothing_come_back_in_either_order,
    a_row_that_was_unlinked_and_then_taken,
    a_parent_that_a_later_deletion_took,
    what_an_earlier_deletion_took_is_not_waited_for,
    rows_that_were_taken_among_many_that_somebody_has_deleted,
);

async fn deletions_that_share_nothing_come_back_in_either_order(db: TestDb) {
    let before = db.dump(&TABLES).await;
    for turned in [false, true] {
        let mut deletions = Vec::new();
        for session in [STALE, OTHER, LIVE] {
            deletions.push(delete(&db, session).await);
        }
        if turned {
            deletions.reverse();
        }
        for deletion in &deletions {
            let outcome = restore_deletion(&db, deletion).await;
            assert_eq!(outcome.rows_restored, deletion.rows_deleted);
            assert_eq!(outcome.rows_relinked, deletion.rows_unlinked);
        }
        assert!(db.dump(&TABLES).await == before, "turned: {turned}");
    }
}

/// Creates a note that refers to a group of each session. The note is deleted with the second one.
async fn create_note(db: &TestDb) {
    let kind = id_type(db.dialect());
    let (first, second) = (find_first_group(db, STALE).await, find_first_group(db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, \
         about {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         owner {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (7, '{first}', '{second}')"
    ))
    .await;
}

async fn a_row_that_was_unlinked_and_then_taken(db: TestDb) {
    create_note(&db).await;
    let before = db.dump(&TABLES).await + &db.dump(&["notes"]).await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    let conflict = find_only_conflict(&db, &first).await;
    assert_eq!(
        conflict,
        (
            "notes".to_owned(),
            "7".to_owned(),
            format!(
                "The later deletion {} deleted the row whose reference is to be restored. Restore that deletion first.",
                second.id
            ),
            Some(second.id)
        )
    );
    restore_deletion(&db, &second).await;
    restore_deletion(&db, &first).await;
    assert!(db.dump(&TABLES).await + &db.dump(&["notes"]).await == before);
}

/// A group of one session belongs to a group of another session.
async fn a_parent_that_a_later_deletion_took(db: TestDb) {
    let kind = id_type(db.dialect());
    let (child, parent) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "ALTER TABLE whatsapp_groups ADD COLUMN parent_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE; \
         UPDATE whatsapp_groups SET parent_id = '{parent}' WHERE id = '{child}'"
    ))
    .await;
    let before = db.dump(&TABLES).await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    let found = find_conflicts(&db, &first).await;
    assert_eq!(
        found,
        [(
            "whatsapp_groups".to_owned(),
            child,
            format!(
                "parent_id refers to the row {parent} of whatsapp_groups, which the later deletion {} deleted. \
                 Restore that deletion first.",
                second.id
            ),
            Some(second.id)
        )]
    );
    restore_deletion(&db, &second).await;
    restore_deletion(&db, &first).await;
    assert!(db.dump(&TABLES).await == before);
    // In reverse order there is no conflict.
    let both = [delete(&db, STALE).await, delete(&db, OTHER).await];
    for deletion in both.iter().rev() {
        restore_deletion(&db, deletion).await;
    }
    assert!(db.dump(&TABLES).await == before);
}

async fn what_an_earlier_deletion_took_is_not_waited_for(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, \
         about {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         owner {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (7, NULL, '{mine}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    db.exec(&format!("INSERT INTO notes VALUES (7, '{other}', NULL)")).await;
    let second = delete(&db, OTHER).await;
    db.exec("DELETE FROM notes").await;
    // Both archives contain a row 7, and neither depends on the other.
    assert_eq!(restore_deletion(&db, &second).await.rows_not_relinked, 1);
    restore_deletion(&db, &first).await;
    assert_eq!(db.rows("SELECT id, about, CAST(owner AS text) FROM notes").await, [["7", "NULL", mine.as_str()]]);
}

async fn rows_that_were_taken_among_many_that_somebody_has_deleted(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (find_first_group(&db, STALE).await, find_first_group(&db, OTHER).await);
    let deleted = (1..=1_100).map(|id| format!("({id}, '{mine}', NULL)"));
    let taken = (2_001..=2_005).map(|id| format!("({id}, '{mine}', '{other}')"));
    let rows: Vec<String> = deleted.chain(taken).collect();
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, about {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         owner {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); INSERT INTO notes VALUES {}",
        rows.join(", ")
    ))
    .await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    db.exec("DELETE FROM notes").await;
    let found = find_conflicts(&db, &first).await;
    let keys: Vec<(&str, _)> = found.iter().map(|(_, key, _, taker)| (key.as_str(), *taker)).collect();
    assert_eq!(keys, ["2001", "2002", "2003", "2004", "2005"].map(|key| (key, Some(second.id))));
    restore_deletion(&db, &second).await;
    assert_eq!(restore_deletion(&db, &first).await.rows_not_relinked, 1_100);
    assert_eq!(db.rows("SELECT count(*) FROM notes WHERE about IS NOT NULL").await, [["5"]]);
}
