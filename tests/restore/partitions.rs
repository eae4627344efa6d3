//! Tests of restores into partitioned tables: constraints of a single partition, and references to partitioned tables.

use super::{STALE, delete, find_conflicts, find_first_group, find_only_conflict, restore_deletion};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    a_partition_s_own_reference,
    a_partition_s_own_unique_key,
    a_parent_in_a_partition_is_no_orphan,
    a_reference_to_a_partition_of_rows_that_come_back,
);

/// Creates pins in two partitions by their number.
async fn create_pins(db: &TestDb) -> String {
    db.exec(
        "CREATE TABLE codes (id integer PRIMARY KEY); \
         CREATE TABLE pins (id integer PRIMARY KEY, code integer, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE) PARTITION BY RANGE (id); \
         CREATE TABLE low PARTITION OF pins FOR VALUES FROM (1) TO (10); \
         CREATE TABLE high PARTITION OF pins DEFAULT",
    )
    .await;
    find_first_group(db, STALE).await
}

async fn a_partition_s_own_reference(db: TestDb) {
    let group = create_pins(&db).await;
    db.exec(&format!(
        "ALTER TABLE low ADD FOREIGN KEY (code) REFERENCES codes; INSERT INTO codes VALUES (5); \
         INSERT INTO pins VALUES (1, 5, '{group}'), (2, NULL, '{group}'), (11, 6, '{group}')"
    ))
    .await;
    let before = db.dump(&["pins"]).await;
    let deletion = delete(&db, STALE).await;
    db.exec("DELETE FROM codes").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert!(message.starts_with("code refers to the row 5 of codes, which no longer exists."), "{message}");
    db.exec("INSERT INTO codes VALUES (5)").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["pins"]).await, before);
}

async fn a_partition_s_own_unique_key(db: TestDb) {
    let group = create_pins(&db).await;
    db.exec(&format!(
        "CREATE UNIQUE INDEX one_code ON low (code) WHERE code > 0; \
         INSERT INTO pins VALUES (1, 5, '{group}'), (2, -1, '{group}'), (11, 5, '{group}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO pins VALUES (3, 5, NULL), (4, -1, NULL), (12, 5, NULL)").await;
    let (table, key, message, _) = find_only_conflict(&db, &deletion).await;
    assert_eq!((table.as_str(), key.as_str()), ("pins", "1"));
    assert!(
        message.starts_with("Another row now has the same code (5), which one_code allows only once."),
        "{message}"
    );
    db.exec("DELETE FROM pins").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.count("pins").await, 3);
}

async fn a_parent_in_a_partition_is_no_orphan(db: TestDb) {
    let group = create_pins(&db).await;
    db.exec(&format!(
        "CREATE TABLE holes (id integer PRIMARY KEY, label text UNIQUE, pin integer REFERENCES pins (id) ON DELETE CASCADE); \
         INSERT INTO pins VALUES (1, NULL, '{group}'), (11, NULL, '{group}'); \
         INSERT INTO holes VALUES (1, 'a', 1), (2, 'b', 11)"
    ))
    .await;
    let before = db.dump(&["pins", "holes"]).await;
    let deletion = delete(&db, STALE).await;
    db.exec("INSERT INTO holes VALUES (3, 'b', NULL)").await;
    let found = find_conflicts(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("holes", "2"));
    db.exec("DELETE FROM holes").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["pins", "holes"]).await, before);
}

async fn a_reference_to_a_partition_of_rows_that_come_back(db: TestDb) {
    let group = create_pins(&db).await;
    db.exec(&format!(
        "CREATE TABLE holes (id integer PRIMARY KEY, label text UNIQUE, pin integer REFERENCES low (id) ON DELETE CASCADE); \
         INSERT INTO pins VALUES (1, NULL, '{group}'), (11, NULL, '{group}'); INSERT INTO holes VALUES (1, 'a', 1)"
    ))
    .await;
    let before = db.dump(&["pins", "holes"]).await;
    let deletion = delete(&db, STALE).await;
    assert_eq!(db.count("holes").await, 0);
    db.exec("INSERT INTO holes VALUES (3, 'a', NULL)").await;
    let found = find_conflicts(&db, &deletion).await;
    assert_eq!(found.len(), 1, "{found:?}");
    db.exec("DELETE FROM holes").await;
    restore_deletion(&db, &deletion).await;
    assert_eq!(db.dump(&["pins", "holes"]).await, before);
}
