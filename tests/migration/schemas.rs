//! Tests of `migrate` with several schemas: that of the business tables, those of this program, and those of the host
//! application.

use api::demo::scenario;

use super::{FINAL_RULES, fetch_rules};
use crate::cli::{Ended, document, ended, executable, run};
use crate::support::legacy::{Legacy, Rules};
use crate::support::{Contents, TestDb, on_both, steps};

on_both!(AsBuilt:
    a_host_that_uses_the_same_migration_tool_keeps_its_own_history,
    a_quoted_table_elsewhere_is_counted_and_left_as_it_is,
);

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_the_tables_may_be_in_a_schema_with_any_name() {
    let Some(db) = TestDb::postgres(Contents::Empty).await else { return };
    let schema = "My \"Host\"'s";
    let statements = [
        Legacy::new(Rules::as_built()).in_schema(schema).statements(db.dialect()),
        scenario::statements(db.dialect(), Some(schema)),
    ];
    db.exec_all(&statements.concat()).await;
    let in_schema = |arguments: &[&str]| -> Ended { run(&db, &[arguments, &["--schema", schema]].concat()) };
    let ended = in_schema(&["migrate", "--yes"]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("✓ Deleted 9 sessions: 1512 rows deleted, 173 unlinked."), "{}", ended.stdout);
    assert_eq!(fetch_rules(&db, &schema.replace('\'', "''")).await, FINAL_RULES);
    assert_eq!(in_schema(&["doctor"]).code, 0);
    assert_eq!(in_schema(&["migrate"]).stdout, "Nothing is pending.\n");
    let elsewhere = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(db.rows(elsewhere).await, Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn postgres_a_schema_that_is_not_there_is_named() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let before = super::fetch_catalog(&db).await;
    let ended = run(&db, &["migrate", "--yes", "--schema", "Nowhere"]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("there is no schema \"Nowhere\""), "{}", ended.stderr);
    assert_eq!(super::fetch_catalog(&db).await, before);
}

/// This also applies if the connection's search path begins with another schema.
#[tokio::test]
async fn postgres_all_of_its_own_lies_in_schemas_of_its_own() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let in_public = "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
          AND relkind <> 'i' ORDER BY 1";
    let functions = "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1";
    let before = (db.rows(in_public).await, db.rows(functions).await);
    let mut command = executable(&["migrate", "--yes"]);
    command.env("DATABASE_URL", db.url()).env("PGOPTIONS", "-c search_path=public,pg_catalog");
    assert_eq!(ended(command).code, 0);
    assert_eq!((db.rows(in_public).await, db.rows(functions).await), before);
    let own = "SELECT DISTINCT relnamespace::regnamespace FROM pg_class WHERE oid > 16383
        AND relnamespace::regnamespace::text NOT IN ('public', 'pg_toast') ORDER BY 1";
    assert_eq!(db.rows(own).await, [["session_admin"], ["apalis"]], "the queue's is apalis'");
    let history = "SELECT count(*) FROM session_admin.migrations";
    assert_eq!(db.rows(history).await, [[steps().to_string()]]);
}

async fn a_host_that_uses_the_same_migration_tool_keeps_its_own_history(db: TestDb) {
    db.exec(
        "CREATE TABLE seaql_migrations (version text PRIMARY KEY, applied_at bigint NOT NULL);
         INSERT INTO seaql_migrations VALUES ('m20200101_000001_of_the_host', 1577836800);
         CREATE TABLE migrations (id integer PRIMARY KEY, name text);
         INSERT INTO migrations VALUES (1, 'of another tool')",
    )
    .await;
    let of_host = ["seaql_migrations", "migrations"];
    let before = db.dump(&of_host).await;
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    assert_eq!(db.dump(&of_host).await, before);
    assert_eq!(fetch_rules(&db, "public").await, FINAL_RULES);
    assert_eq!(run(&db, &["migrate"]).stdout, "Nothing is pending.\n");
}

async fn a_quoted_table_elsewhere_is_counted_and_left_as_it_is(db: TestDb) {
    let postgres = db.url().starts_with("postgres");
    let (table, id) =
        if postgres { (r#""Other ""Schema"""."Odd ""Table""""#, "uuid") } else { (r#""Odd ""Table""""#, "text") };
    if postgres {
        db.exec(r#"CREATE SCHEMA "Other ""Schema""""#).await;
    }
    db.exec(&format!(
        r#"CREATE TABLE {table} ("Key" integer PRIMARY KEY, "Group Id" {id} CONSTRAINT "Their ""Key"""
             REFERENCES whatsapp_groups (id) ON DELETE CASCADE);
           INSERT INTO {table} SELECT row_number() OVER (ORDER BY id), id FROM whatsapp_groups"#
    ))
    .await;
    let odd = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        rows.into_iter().filter(|row| row.iter().any(|cell| cell.contains("Odd"))).collect()
    };
    let before = odd(super::fetch_catalog(&db).await);
    assert!(!before.is_empty());
    let (code, report) = document(&db, &["migrate", "--yes"]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(report["purge"]["deletion"]["rowsDeleted"], 1512 + 580);
    assert_eq!(db.count(table).await, 200);
    assert_eq!(odd(super::fetch_catalog(&db).await), before);
    let keys = fetch_rules(&db, "public").await;
    assert_eq!(
        keys.iter().filter(|key| !key[0].starts_with("Odd")).collect::<Vec<_>>(),
        FINAL_RULES.iter().collect::<Vec<_>>()
    );
}
