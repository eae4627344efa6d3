//! Tests that the SQL generated for three plans is as in the snapshots, so that every change to it is reviewed.

use api::db::Dialect;
use api::deletion::{self, DeletionRequest};
use api::impact;
use uuid::Uuid;

use crate::support::{TestDb, internal_tables_sql, on_both};

on_both!(Empty: a_simple_cascade, a_diamond_with_set_null, a_cycle);

const ROOT: Uuid = Uuid::from_u128(1);

async fn a_simple_cascade(db: TestDb) {
    check(
        &db,
        "cascade",
        "CREATE TABLE whatsapp_groups (id integer PRIMARY KEY, session_id ID REFERENCES whatsapp_sessions (id) ON DELETE CASCADE);
         CREATE TABLE links (id integer PRIMARY KEY, group_id integer REFERENCES whatsapp_groups (id) ON DELETE CASCADE);
         INSERT INTO whatsapp_groups VALUES (1, 'ROOT');
         INSERT INTO links VALUES (1, 1)",
    )
    .await;
}

/// One link is deleted with its group or unlinked from its campaign. Another one has two columns that one deletion
/// clears.
async fn a_diamond_with_set_null(db: TestDb) {
    check(
        &db,
        "diamond",
        "CREATE TABLE whatsapp_groups (id integer PRIMARY KEY, session_id ID REFERENCES whatsapp_sessions (id) ON DELETE CASCADE);
         CREATE TABLE campaigns (id integer PRIMARY KEY, session_id ID REFERENCES whatsapp_sessions (id) ON DELETE CASCADE);
         CREATE TABLE links (id integer PRIMARY KEY, group_id integer REFERENCES whatsapp_groups (id) ON DELETE CASCADE,
           campaign_id integer REFERENCES campaigns (id) ON DELETE SET NULL,
           other_group_id integer DEFAULT 7 REFERENCES whatsapp_groups (id) ON DELETE SET DEFAULT);
         CREATE TABLE webinars (id integer PRIMARY KEY, group_id integer REFERENCES whatsapp_groups (id) ON DELETE SET NULL,
           campaign_id integer REFERENCES campaigns (id) ON DELETE SET NULL);
         INSERT INTO whatsapp_groups VALUES (1, 'ROOT'), (2, NULL), (7, NULL);
         INSERT INTO campaigns VALUES (1, 'ROOT');
         INSERT INTO links VALUES (1, 1, 1, NULL), (2, 2, 1, 1);
         INSERT INTO webinars VALUES (1, 1, 1)",
    )
    .await;
}

async fn a_cycle(db: TestDb) {
    check(
        &db,
        "cycle",
        "CREATE TABLE nodes (id integer PRIMARY KEY, parent_id integer REFERENCES nodes (id) ON DELETE CASCADE,
           session_id ID REFERENCES whatsapp_sessions (id) ON DELETE CASCADE);
         CREATE TABLE leaves (id integer PRIMARY KEY, node_id integer REFERENCES nodes (id) ON DELETE SET NULL);
         INSERT INTO nodes VALUES (1, NULL, 'ROOT'), (2, 1, NULL);
         INSERT INTO leaves VALUES (1, 2)",
    )
    .await;
}

/// Creates the tables, deletes the session, and compares every statement of the plan with the snapshot: for the impact
/// of one session, for the impacts of two sessions, and for the deletion.
async fn check(db: &TestDb, name: &str, tables: &str) {
    let dialect = db.dialect();
    let (id, suffix) = match dialect {
        Dialect::Postgres => ("uuid", "postgres"),
        Dialect::Sqlite => ("text", "sqlite"),
    };
    db.exec(&internal_tables_sql(dialect)).await;
    let sessions =
        "CREATE TABLE whatsapp_sessions (id ID PRIMARY KEY, session_name text NOT NULL, status text NOT NULL, \
                    phone_number text);
                    INSERT INTO whatsapp_sessions VALUES ('ROOT', 'first', 'disconnected', NULL)";
    let statements =
        format!("{sessions};\n{tables}").replace(" ID ", &format!(" {id} ")).replace("ROOT", &ROOT.to_string());
    db.exec(&statements).await;
    let (database, counter) = db.counted().await;
    let impact = impact::impact_of(&database, &[ROOT]).await.unwrap();
    assert_eq!(impact.blockers, []);
    impact::impact_of_each(&database, &[ROOT, Uuid::from_u128(2)]).await.unwrap();
    let request =
        DeletionRequest { session_ids: vec![ROOT], principal: "tester".to_owned(), ..DeletionRequest::default() };
    let outcome = deletion::delete(&database, &request).await.unwrap();
    assert_eq!(outcome.refusals, []);
    assert_eq!(outcome.deletion.unwrap().rows_deleted, impact.rows_deleted);
    let over_the_plan = |sql: &String| sql.contains("roots") || sql.contains("temp.") || sql.starts_with("LOCK TABLE");
    let statements: Vec<String> = counter.take().into_iter().filter(over_the_plan).collect();
    insta::assert_snapshot!(format!("{name}_{suffix}"), statements.join(";\n\n"));
}
