//! Names that differ in case only, which are two on PostgreSQL.

use super::{OTHER, STALE, delete, group_of, one_in_the_way, restored};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    columns_whose_names_differ_in_case_are_two,
    a_row_of_such_a_table_that_a_later_deletion_took,
    a_key_that_is_no_longer_unique,
);

async fn columns_whose_names_differ_in_case_are_two(db: TestDb) {
    let (ours, others) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \"GROUP_ID\" uuid, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         CREATE TABLE pins (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \"GROUP_ID\" uuid, \
         group_id uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO links VALUES (2, 1, '{others}', '{ours}'), (1, 2, '{others}', NULL), (2, 3, NULL, '{others}'); \
         INSERT INTO pins VALUES (2, 1, '{others}', '{ours}'), (2, 2, '{ours}', '{ours}'), (1, 3, '{ours}', '{others}')"
    ))
    .await;
    let before = db.dump(&["links", "pins"]).await;
    let deletion = delete(&db, STALE).await;
    restored(&db, &deletion).await;
    assert_eq!(db.dump(&["links", "pins"]).await, before);
}

async fn a_row_of_such_a_table_that_a_later_deletion_took(db: TestDb) {
    let (ours, others) = (group_of(&db, STALE).await, group_of(&db, OTHER).await);
    db.exec(&format!(
        "CREATE TABLE links (\"ID\" integer NOT NULL, id integer PRIMARY KEY, \
         a uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL, \
         b uuid REFERENCES whatsapp_groups (id) ON DELETE CASCADE); \
         INSERT INTO links VALUES (7, 1, '{ours}', '{others}')"
    ))
    .await;
    let first = delete(&db, STALE).await;
    let later = delete(&db, OTHER).await;
    let (table, key, _, taker) = one_in_the_way(&db, &first).await;
    assert_eq!((table.as_str(), key.as_str(), taker), ("links", "1", Some(later.id)));
}

async fn a_key_that_is_no_longer_unique(db: TestDb) {
    let ours = group_of(&db, STALE).await;
    db.exec(&format!(
        "CREATE TABLE links (id integer PRIMARY KEY, group_id uuid REFERENCES whatsapp_groups (id) ON DELETE SET NULL); \
         INSERT INTO links VALUES (1, '{ours}')"
    ))
    .await;
    let deletion = delete(&db, STALE).await;
    db.exec("ALTER TABLE links DROP CONSTRAINT links_pkey; INSERT INTO links VALUES (1, NULL)").await;
    let (_, _, message, _) = one_in_the_way(&db, &deletion).await;
    assert!(message.contains("more references were set than were kept"), "{message}");
}
