//! Tests that `migrate` creates indexes on all foreign keys of the business tables, and on no other foreign keys.

use crate::cli::document;
use crate::support::{Contents, TestDb, on_both};

on_both!(AsBuilt:
    every_foreign_key_gets_an_index_and_the_groups_theirs,
    an_index_that_serves_is_not_doubled,
    an_index_that_does_not_serve_does_not_count,
);

/// Returns the foreign keys, as table and column, that have no index beginning with their column.
async fn unindexed_foreign_keys(db: &TestDb) -> Vec<Vec<String>> {
    db.rows(if db.url().starts_with("sqlite") {
        "SELECT t.name, k.\"from\" FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS k
         WHERE t.type = 'table' AND t.name NOT LIKE 'session_admin%' AND NOT EXISTS (
           SELECT 1 FROM pragma_index_list(t.name) AS i, pragma_index_info(i.name) AS c
           WHERE i.partial = 0 AND c.seqno = 0 AND c.name = k.\"from\")
         ORDER BY 1, 2"
    } else {
        "SELECT k.conrelid::regclass, a.attname FROM pg_constraint AS k
           JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
         WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
           SELECT 1 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
             JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
           WHERE i.indrelid = k.conrelid AND i.indkey[0] = k.conkey[1] AND i.indisvalid AND i.indpred IS NULL)
         ORDER BY 1, 2"
    })
    .await
}

/// Returns the columns of each index of a table, separated by commas.
async fn index_columns(db: &TestDb, table: &str) -> Vec<String> {
    let sql = if db.url().starts_with("sqlite") {
        format!(
            "SELECT group_concat(c.name, ',' ORDER BY c.seqno) FROM pragma_index_list('{table}') AS i,
             pragma_index_info(i.name) AS c GROUP BY i.name ORDER BY 1"
        )
    } else {
        format!(
            "SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM pg_index AS i
               CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, n)
               LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE i.indrelid = '{table}'::regclass GROUP BY i.indexrelid ORDER BY 1"
        )
    };
    db.rows(&sql).await.into_iter().map(|mut row| row.remove(0)).collect()
}

pub(super) async fn assert_every_foreign_key_is_indexed(db: &TestDb) {
    assert_eq!(unindexed_foreign_keys(db).await, Vec::<Vec<String>>::new());
    let groups = index_columns(db, "whatsapp_groups").await;
    for wanted in ["session_id,id", "session_id,group_name,id"] {
        assert!(groups.iter().any(|columns| columns == wanted), "{wanted}: {groups:?}");
    }
}

async fn every_foreign_key_gets_an_index_and_the_groups_theirs(db: TestDb) {
    let id = if db.url().starts_with("sqlite") { "text" } else { "uuid" };
    // A foreign key that the deployment added to a business table, and one of another table.
    db.exec(&format!(
        "ALTER TABLE webinars ADD COLUMN workshop_id {id} REFERENCES workshops (id);
         CREATE TABLE notes (id integer PRIMARY KEY, group_id {id} REFERENCES whatsapp_groups (id) ON DELETE CASCADE)"
    ))
    .await;
    assert_eq!(unindexed_foreign_keys(&db).await.len(), 19);
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(unindexed_foreign_keys(&db).await, [["notes", "group_id"]]);
    db.exec("DROP TABLE notes").await;
    assert_every_foreign_key_is_indexed(&db).await;
}

async fn an_index_that_serves_is_not_doubled(db: TestDb) {
    db.exec(
        "CREATE INDEX ours ON webinars (whatsapp_group_id, title);
         CREATE UNIQUE INDEX \"Ours, too\" ON whatsapp_groups (session_id, id);
         CREATE INDEX \"And ours\" ON whatsapp_groups (session_id, group_name, id, group_jid);
         CREATE INDEX workshops_whatsapp_group_id_idx ON workshops (whatsapp_group_id)",
    )
    .await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(unindexed_foreign_keys(&db).await, Vec::<Vec<String>>::new());
    let starting = |columns: Vec<String>, first: &str| columns.iter().filter(|all| all.starts_with(first)).count();
    assert_eq!(starting(index_columns(&db, "webinars").await, "whatsapp_group_id"), 1);
    let groups = index_columns(&db, "whatsapp_groups").await;
    assert_eq!((starting(groups.clone(), "session_id,id"), starting(groups, "session_id,group_name")), (1, 1));
    assert_eq!(starting(index_columns(&db, "workshops").await, "whatsapp_group_id"), 1);
}

/// Covers partial indexes, indexes in which the column is not the first, and objects that only have the index's name.
async fn an_index_that_does_not_serve_does_not_count(db: TestDb) {
    db.exec(
        "CREATE INDEX partial ON webinars (whatsapp_group_id) WHERE whatsapp_group_id IS NOT NULL;
         CREATE INDEX second ON webinars (title, community_group_id);
         CREATE INDEX plain ON whatsapp_groups (session_id);
         CREATE INDEX dynamic_links_whatsapp_group_id_idx ON dynamic_links (target_url);
         CREATE TABLE workshops_whatsapp_group_id_idx (id integer PRIMARY KEY)",
    )
    .await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_every_foreign_key_is_indexed(&db).await;
    assert!(index_columns(&db, "dynamic_links").await.contains(&"target_url".to_owned()));
}

#[tokio::test]
async fn postgres_an_invalid_leftover_is_replaced() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    // The statement fails, because all twelve rows have the same value, and leaves an invalid index.
    let sql = "CREATE UNIQUE INDEX CONCURRENTLY webinars_whatsapp_group_id_idx ON webinars ((1))";
    assert!(db.attempt(sql).await.unwrap_err().is_unique_violation());
    let leftover_query = "SELECT indisvalid, pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indexrelid = 'webinars_whatsapp_group_id_idx'::regclass";
    assert_eq!(db.rows(leftover_query).await[0][0], "f");
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let index_definition =
        "CREATE INDEX webinars_whatsapp_group_id_idx ON public.webinars USING btree (whatsapp_group_id)";
    assert_eq!(db.rows(leftover_query).await, [["t", index_definition]]);
    assert_every_foreign_key_is_indexed(&db).await;
}

#[tokio::test]
async fn postgres_an_index_that_only_includes_the_id_does_not_serve_the_groups() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    db.exec("CREATE INDEX including ON whatsapp_groups (session_id) INCLUDE (id)").await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let sql = "SELECT count(*) FROM pg_index WHERE indrelid = 'whatsapp_groups'::regclass AND indnkeyatts = 2";
    assert_eq!(db.rows(sql).await, [["1"]]);
}
