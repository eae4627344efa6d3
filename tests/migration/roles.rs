//! Tests that `migrate` with a role that lacks a privilege names the privilege, and leaves no migration partly applied.

use super::{fetch_catalog, fetch_rules};
use crate::cli::{Ended, document, run};
use crate::support::{Contents, TestDb};

/// Creates a role with a random name, because roles belong to the whole server. Returns the database's URL for the
/// role, and the role's name.
async fn create_role(db: &TestDb) -> (String, String) {
    let role = format!("role_{}", uuid::Uuid::new_v4().simple());
    db.exec(&format!("CREATE ROLE {role} LOGIN PASSWORD 'of-the-test'")).await;
    let (scheme, rest) = db.url().split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    (format!("{scheme}://{role}:of-the-test@{host}"), role)
}

async fn drop_role(db: &TestDb, role: &str) {
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

fn run_migrate(db: &TestDb, url: &str) -> Ended {
    run(db, &["migrate", "--yes", "--database-url", url])
}

#[tokio::test]
async fn postgres_a_role_without_any_right_gets_a_clear_message() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (url, role) = create_role(&db).await;
    let before = fetch_catalog(&db).await;
    let ended = run_migrate(&db, &url);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("permission denied"), "{}", ended.stderr);
    assert_eq!(fetch_catalog(&db).await, before);
    assert_eq!(run(&db, &["migrate", "--status", "--database-url", &url]).code, 0);
    drop_role(&db, &role).await;
}

#[tokio::test]
async fn postgres_a_role_that_may_not_create_schemas_is_told_what_to_do() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (url, role) = create_role(&db).await;
    db.exec(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let before = fetch_catalog(&db).await;
    let ended = run_migrate(&db, &url);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("the schema session_admin cannot be created"), "{}", ended.stderr);
    assert!(ended.stderr.contains("CREATE SCHEMA session_admin AUTHORIZATION"), "{}", ended.stderr);
    assert_eq!(fetch_catalog(&db).await, before);
    // Follows the instruction of the message.
    db.exec(&format!("CREATE SCHEMA session_admin AUTHORIZATION {role}")).await;
    let ended = run_migrate(&db, &url);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("must be owner of table notification_campaign_groups"), "{}", ended.stderr);
    drop_role(&db, &role).await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_the_tables_owner_needs_no_more_than_two_schemas_and_an_extension() {
    let Some(db) = TestDb::postgres(Contents::AsBuilt).await else { return };
    let (url, role) = create_role(&db).await;
    let tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
    for table in db.rows(tables).await {
        db.exec(&format!("ALTER TABLE {} OWNER TO {role}", table[0])).await;
    }
    db.exec(&format!("CREATE SCHEMA session_admin AUTHORIZATION {role}; GRANT CREATE ON SCHEMA public TO {role}"))
        .await;
    let ended = run_migrate(&db, &url);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("the queue of cleanup runs cannot be created: "), "{}", ended.stderr);
    for wanted in ["CREATE SCHEMA apalis AUTHORIZATION ...", "CREATE EXTENSION hstore SCHEMA apalis"] {
        assert!(ended.stderr.contains(wanted), "{}", ended.stderr);
    }
    // Follows the instruction of the message.
    db.exec(&format!("CREATE SCHEMA apalis AUTHORIZATION {role}; CREATE EXTENSION hstore SCHEMA apalis")).await;
    let ended = run_migrate(&db, &url);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(fetch_rules(&db, "public").await, super::FINAL_RULES);
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    db.exec("DROP EXTENSION hstore CASCADE").await;
    drop_role(&db, &role).await;
}

#[tokio::test]
async fn postgres_a_role_that_may_not_read_the_history_is_told_so() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let (url, role) = create_role(&db).await;
    let status = |url: &str| run(&db, &["migrate", "--status", "--database-url", url]);
    let refused = status(&url);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("Grant the role USAGE on the schema session_admin"), "{}", refused.stderr);
    db.exec(&format!(
        "GRANT USAGE ON SCHEMA session_admin TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA session_admin TO {role}"
    ))
    .await;
    assert_eq!(status(&url).code, 0);
    drop_role(&db, &role).await;
}

#[tokio::test]
async fn postgres_a_history_of_a_newer_version_is_left_to_it() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    db.exec("INSERT INTO session_admin.migrations VALUES ('m20990101_000001_later', 1)").await;
    for arguments in [&["migrate", "--yes"][..], &["migrate", "--status"]] {
        let ended = run(&db, arguments);
        assert_eq!(ended.code, 1);
        assert!(ended.stderr.contains("m20990101_000001_later"), "{}", ended.stderr);
    }
}
