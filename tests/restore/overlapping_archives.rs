//! Archives that overlap: a row that a later deletion took is restored with that one first.

use super::{LIVE, OTHER, STALE, TABLES, delete, group_of, id_type, in_the_way, one_in_the_way, restored};
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
            let outcome = restored(&db, deletion).await;
            assert_eq!(outcome.rows_restored, deletion.rows_deleted);
            assert_eq!(outcome.rows_relinked, deletion.rows_unlinked);
        }
        assert!(db.dump(&TABLES).await == before, "turned: {turned}");
    }
}

/// A note refers to a group of either session; with the second it goes.
async fn notes(db: &TestDb) {
    let kind = id_type(db.dialect());
    let (first, second) = (group_of(db, STALE).await, group_of(db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE notes (id integer PRIMARY KEY, \
         about {kind} REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         owner {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO notes VALUES (7, '{first}', '{second}')"
    ))
    .await;
}

async fn a_row_that_was_unlinked_and_then_taken(db: TestDb) {
    notes(&db).await;
    let before = db.dump(&TABLES).await + &db.dump(&["notes"]).await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    let conflict = one_in_the_way(&db, &first).await;
    assert_eq!(
        conflict,
        (
            "notes".to_owned(),
            "7".to_owned(),
            format!(
                "The row, in which a reference is to be set again, was taken by the later deletion {}. Restore that one \
                 first.",
                second.id
            ),
            Some(second.id)
        )
    );
    restored(&db, &second).await;
    restored(&db, &first).await;
    assert!(db.dump(&TABLES).await + &db.dump(&["notes"]).await == before);
}

/// A group of one session belongs to a group of another one.
async fn a_parent_that_a_later_deletion_took(db: TestDb) {
    let kind = id_type(db.dialect());
    let (child, parent) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
    db.exec(&format!(
        "ALTER TABLE whatsapp_groups ADD COLUMN parent_id {kind} REFERENCES whatsapp_groups (id) ON DELETE CASCADE; \
         UPDATE whatsapp_groups SET parent_id = '{parent}' WHERE id = '{child}'"
    ))
    .await;
    let before = db.dump(&TABLES).await;
    let first = delete(&db, STALE).await;
    let second = delete(&db, OTHER).await;
    let found = in_the_way(&db, &first).await;
    assert_eq!(
        found,
        [(
            "whatsapp_groups".to_owned(),
            child,
            format!(
                "parent_id refers to the row {parent} of whatsapp_groups, which the later deletion {} took. Restore that \
                 one first.",
                second.id
            ),
            Some(second.id)
        )]
    );
    restored(&db, &second).await;
    restored(&db, &first).await;
    assert!(db.dump(&TABLES).await == before);
    // The other way round nothing is in the way.
    let both = [delete(&db, STALE).await, delete(&db, OTHER).await];
    for deletion in both.iter().rev() {
        restored(&db, deletion).await;
    }
    assert!(db.dump(&TABLES).await == before);
}

async fn what_an_earlier_deletion_took_is_not_waited_for(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
    // Both know of a row 7, and neither waits for the other.
    assert_eq!(restored(&db, &second).await.rows_not_relinked, 1);
    restored(&db, &first).await;
    assert_eq!(db.rows("SELECT id, about, CAST(owner AS text) FROM notes").await, [["7", "NULL", mine.as_str()]]);
}

async fn rows_that_were_taken_among_many_that_somebody_has_deleted(db: TestDb) {
    let kind = id_type(db.dialect());
    let (mine, other) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
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
    let found = in_the_way(&db, &first).await;
    let keys: Vec<(&str, _)> = found.iter().map(|(_, key, _, taker)| (key.as_str(), *taker)).collect();
    assert_eq!(keys, ["2001", "2002", "2003", "2004", "2005"].map(|key| (key, Some(second.id))));
    restored(&db, &second).await;
    assert_eq!(restored(&db, &first).await.rows_not_relinked, 1_100);
    assert_eq!(db.rows("SELECT count(*) FROM notes WHERE about IS NOT NULL").await, [["5"]]);
}
