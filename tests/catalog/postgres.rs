//! Tests of foreign keys that only PostgreSQL supports.

use api::db::pagination::PageRequest;
use api::impact::BlockerKind;
use api::session::queries::SessionSortKey;
use api::session::{SessionFilter, queries};

use super::{affected_rows, delete_session, group_ids, load_impact, table_impact, unaffected_group};
use crate::support::{TestDb, only};

only!(postgres Adopted:
    a_table_of_another_schema_is_named_with_it,
    partitions_count_as_one_table,
    a_partition_may_have_a_key_of_its_own,
    rows_of_tables_that_inherit_are_no_business_of_the_key,
    a_key_that_was_never_validated_acts_all_the_same,
    a_domain_over_a_domain_forbids_null,
    set_null_clears_the_columns_that_it_names,
    a_key_that_was_renamed_is_told_by_its_new_name,
    a_host_may_keep_its_ids_as_text,
);

async fn a_table_of_another_schema_is_named_with_it(db: TestDb) {
    let groups = group_ids(&db, 2).await;
    db.exec(&format!(
        "CREATE SCHEMA \"Other One\"; \
         CREATE TABLE \"Other One\".notes (id int PRIMARY KEY, group_id uuid REFERENCES public.whatsapp_groups ON DELETE CASCADE); \
         CREATE TABLE notes (id int REFERENCES \"Other One\".notes ON DELETE CASCADE); \
         INSERT INTO \"Other One\".notes VALUES (1, '{}'), (2, '{}'); INSERT INTO notes VALUES (1), (1), (2)",
        groups[0], groups[1]
    ))
    .await;
    assert_eq!(
        (affected_rows(&db, "Other One.notes").await, affected_rows(&db, "notes").await),
        (Some((2, 0)), Some((3, 0)))
    );
    assert_eq!(table_impact(&db, "notes").await.unwrap().references[0].referenced_table, "Other One.notes");
    delete_session(&db).await;
    assert_eq!((db.count("\"Other One\".notes").await, db.count("public.notes").await), (0, 0));
}

async fn partitions_count_as_one_table(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE notes (n int, group_id uuid REFERENCES whatsapp_groups ON DELETE CASCADE) PARTITION BY RANGE (n); \
         CREATE TABLE notes_low PARTITION OF notes FOR VALUES FROM (0) TO (10); \
         CREATE TABLE notes_high PARTITION OF notes FOR VALUES FROM (10) TO (20) PARTITION BY LIST (n); \
         CREATE TABLE notes_12 PARTITION OF notes_high DEFAULT; \
         INSERT INTO notes SELECT n, '{group}' FROM generate_series(5, 14) n; \
         INSERT INTO notes VALUES (1, '{}')",
        unaffected_group(&db).await
    ))
    .await;
    let found = table_impact(&db, "notes").await.unwrap();
    assert_eq!((found.rows_deleted, found.references.len()), (10, 1));
    let names: Vec<_> = load_impact(&db).await.tables.into_iter().map(|table| table.table).collect();
    assert!(!names.iter().any(|name| name.starts_with("notes_")), "{names:?}");
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT n FROM notes").await, [["1"]]);
}

async fn a_partition_may_have_a_key_of_its_own(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE notes (n int, group_id uuid) PARTITION BY RANGE (n); \
         CREATE TABLE notes_low PARTITION OF notes FOR VALUES FROM (0) TO (10); \
         CREATE TABLE notes_high PARTITION OF notes FOR VALUES FROM (10) TO (20); \
         ALTER TABLE notes_low ADD FOREIGN KEY (group_id) REFERENCES whatsapp_groups ON DELETE CASCADE; \
         INSERT INTO notes SELECT n, '{group}' FROM generate_series(7, 16) n"
    ))
    .await;
    // Only 7, 8 and 9 are in the partition with the foreign key.
    assert_eq!(affected_rows(&db, "notes").await, Some((3, 0)));
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT min(n), count(*) FROM notes").await, [["10", "7"]]);
}

async fn rows_of_tables_that_inherit_are_no_business_of_the_key(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    let session = super::session();
    db.exec(&format!(
        "CREATE TABLE notes (n int, group_id uuid REFERENCES whatsapp_groups ON DELETE CASCADE); \
         CREATE TABLE old_notes () INHERITS (notes); \
         CREATE TABLE old_groups () INHERITS (whatsapp_groups); \
         CREATE TABLE old_sessions () INHERITS (whatsapp_sessions); \
         INSERT INTO notes VALUES (1, '{group}'); INSERT INTO old_notes VALUES (2, '{group}'), (3, '{group}'); \
         INSERT INTO old_groups SELECT * FROM ONLY whatsapp_groups WHERE session_id = '{session}'; \
         INSERT INTO old_sessions SELECT * FROM ONLY whatsapp_sessions WHERE id = '{session}'"
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((1, 0)));
    assert_eq!(affected_rows(&db, "whatsapp_groups").await, Some((20, 0)));
    assert_eq!(affected_rows(&db, "whatsapp_sessions").await, Some((1, 0)));
    delete_session(&db).await;
    assert_eq!((db.count("ONLY notes").await, db.count("old_notes").await), (0, 2));
    assert_eq!((db.count("old_groups").await, db.count("old_sessions").await), (20, 1));
}

async fn a_key_that_was_never_validated_acts_all_the_same(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE TABLE notes (group_id uuid); \
         INSERT INTO notes VALUES ('{group}'), ('00000000-0000-4000-8000-00000000dead'); \
         ALTER TABLE notes ADD FOREIGN KEY (group_id) REFERENCES whatsapp_groups ON DELETE CASCADE NOT VALID"
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((1, 0)));
    delete_session(&db).await;
    // The orphan that was never validated still exists.
    assert_eq!(db.rows("SELECT group_id FROM notes").await, [["00000000-0000-4000-8000-00000000dead"]]);
}

async fn a_domain_over_a_domain_forbids_null(db: TestDb) {
    let group = group_ids(&db, 1).await.remove(0);
    db.exec(&format!(
        "CREATE DOMAIN some_id AS uuid NOT NULL; CREATE DOMAIN group_ref AS some_id; CREATE DOMAIN free_ref AS uuid; \
         CREATE TABLE notes (group_id group_ref REFERENCES whatsapp_groups ON DELETE SET NULL); \
         CREATE TABLE pins (group_id free_ref REFERENCES whatsapp_groups ON DELETE SET NULL); \
         INSERT INTO notes VALUES ('{group}'); INSERT INTO pins VALUES ('{group}')"
    ))
    .await;
    let blockers = load_impact(&db).await.blockers;
    assert_eq!(blockers.len(), 1, "{blockers:?}");
    assert_eq!((blockers[0].kind, blockers[0].table.as_str()), (BlockerKind::SetNullOnNotNull, "notes"));
    db.exec("DELETE FROM notes").await;
    delete_session(&db).await;
    assert_eq!(db.rows("SELECT count(*) FROM pins WHERE group_id IS NULL").await, [["1"]]);
}

async fn set_null_clears_the_columns_that_it_names(db: TestDb) {
    if db.rows("SELECT current_setting('server_version_num')::int >= 150000").await != [["t"]] {
        crate::support::skip("SET NULL (columns) came with PostgreSQL 15");
        return;
    }
    let (group, session) = (group_ids(&db, 1).await.remove(0), super::session());
    db.exec(&format!(
        "CREATE UNIQUE INDEX pair ON whatsapp_groups (session_id, id); \
         CREATE TABLE notes (tenant uuid NOT NULL, group_id uuid, \
           FOREIGN KEY (tenant, group_id) REFERENCES whatsapp_groups (session_id, id) ON DELETE SET NULL (group_id)); \
         INSERT INTO notes VALUES ('{session}', '{group}'), ('{session}', NULL)"
    ))
    .await;
    assert_eq!(affected_rows(&db, "notes").await, Some((0, 1)));
    delete_session(&db).await;
    let query = format!("SELECT count(*) FROM notes WHERE tenant = '{session}' AND group_id IS NULL");
    assert_eq!(db.rows(&query).await, [["2"]]);
}

async fn a_key_that_was_renamed_is_told_by_its_new_name(db: TestDb) {
    let before = load_impact(&db).await;
    db.exec(
        "ALTER TABLE whatsapp_group_admins RENAME CONSTRAINT whatsapp_group_admins_group_id_fkey TO \"It's ours\"; \
         ALTER TABLE whatsapp_group_admins RENAME COLUMN group_id TO \"Group\"",
    )
    .await;
    let reference = table_impact(&db, "whatsapp_group_admins").await.unwrap().references.remove(0);
    assert_eq!((reference.constraint.as_str(), reference.columns), ("It's ours", vec!["Group".to_owned()]));
    let after = load_impact(&db).await;
    assert_eq!(after.rows_deleted, before.rows_deleted);
    assert_ne!(after.token, before.token);
    delete_session(&db).await;
}

async fn a_host_may_keep_its_ids_as_text(db: TestDb) {
    db.exec(
        "ALTER TABLE whatsapp_groups DROP CONSTRAINT whatsapp_groups_session_id_fkey; \
         ALTER TABLE whatsapp_sessions ALTER id DROP DEFAULT, ALTER id TYPE text; \
         ALTER TABLE whatsapp_groups ALTER session_id TYPE text, \
           ADD FOREIGN KEY (session_id) REFERENCES whatsapp_sessions ON DELETE CASCADE",
    )
    .await;
    let page = async |slice: PageRequest| {
        queries::page(db.database().await, &SessionFilter::default(), SessionSortKey::CreatedAt, true, &slice)
            .await
            .unwrap()
    };
    let after = page(PageRequest::first(5)).await.rows.pop().and_then(|(position, _)| position);
    let next = page(PageRequest { after, ..PageRequest::first(20) }).await;
    assert_eq!((next.rows.len(), next.has_previous), (9, true));
    delete_session(&db).await;
    assert!(api::session::queries::find(db.database().await, &[super::session()]).await.unwrap().is_empty());
}
