//! Tests that each grant of docs/setup/roles-and-grants.md is needed, and that `doctor` names a missing one.

use api::db::{Database, DatabaseSettings};
use api::schema_health;
use api::schema_health::AcceptedFindings;
use serde_json::json;

use super::document;
use super::readme::{documented_role, role_statements};
use crate::support::connection::RawConnection;
use crate::support::{Contents, TestDb};

/// Returns each privilege of each `GRANT` statement, as `PRIVILEGE ON OBJECT`.
fn documented_privileges() -> Vec<String> {
    let text: String =
        role_statements()[1].lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
    let grants = text.split(';').filter_map(|statement| statement.trim().strip_prefix("GRANT "));
    grants
        .flat_map(|grant| {
            let (grant, _) = grant.split_once(" TO ").unwrap();
            let (privileges, objects) = grant.split_once(" ON ").unwrap();
            let (kind, names) = objects.strip_prefix("SCHEMA ").map_or(("", objects), |names| ("SCHEMA ", names));
            let names: Vec<&str> = names.split(',').map(str::trim).collect();
            let one = |privilege: &str| {
                names.iter().map(|name| format!("{} ON {kind}{name}", privilege.trim())).collect::<Vec<_>>()
            };
            privileges.split(',').flat_map(one).collect::<Vec<_>>()
        })
        .collect()
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_each_documented_grant_is_missed_by_name_and_mended() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    // By default, every role has this privilege through PUBLIC.
    db.exec("REVOKE USAGE ON SCHEMA public FROM PUBLIC").await;
    let (role, url) = documented_role(&db).await;
    let database =
        Database::connect(DatabaseSettings { max_connections: 2, ..DatabaseSettings::new(&url) }).await.unwrap();
    let accepted = AcceptedFindings::default();
    assert_eq!(schema_health::diagnose(&database, &accepted).await.unwrap().findings, []);
    let granted = documented_privileges();
    assert!(granted.len() > 50, "{granted:?}");
    for grant in granted {
        db.exec(&format!("REVOKE {grant} FROM {role}")).await;
        let named = match schema_health::diagnose(&database, &accepted).await {
            Ok(health) => {
                assert!(!health.healthy, "{grant}: {:?}", health.findings);
                let mut named = String::new();
                for finding in health.findings {
                    let fix = &finding.fixes[0].statement;
                    db.exec(fix).await;
                    named += &format!("{} {fix} ", finding.message);
                }
                let after = schema_health::diagnose(&database, &accepted).await.unwrap();
                assert_eq!(after.findings, [], "{grant}");
                named
            }
            // Without these privileges the check itself fails, and the error names the missing one.
            Err(error) => error.to_string(),
        };
        let (privilege, object) = grant.split_once(" ON ").unwrap();
        let (object, privilege) = (object.trim_start_matches("SCHEMA "), privilege.split(' ').next().unwrap());
        let object = object.rsplit('.').next().unwrap();
        assert!(named.contains(object), "{grant}: {named}");
        let schema = grant.contains(" SCHEMA ");
        assert!(schema || named.contains(privilege) || named.contains("permission denied"), "{grant}: {named}");
        db.exec(&format!("GRANT {grant} TO {role}")).await;
    }
    database.close().await.unwrap();
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

/// The owner of the tables migrates, and may create schemas but no roles.
#[tokio::test]
async fn postgres_the_documented_grants_are_the_owner_s_to_give() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    let owner = format!("role_{}", uuid::Uuid::new_v4().simple());
    let tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'";
    let name = db.rows("SELECT current_database()").await.remove(0).remove(0);
    db.exec(&format!("CREATE ROLE {owner} LOGIN; GRANT CREATE ON DATABASE {name} TO {owner}; GRANT CREATE ON SCHEMA public TO {owner}")).await;
    for table in db.rows(tables).await {
        db.exec(&format!("ALTER TABLE {} OWNER TO {owner}", table[0])).await;
    }
    let url = db.url().replacen("postgres@", &format!("{owner}@"), 1);
    let (code, migrated) = document(&db, &["migrate", "--yes", "--database-url", &url]);
    assert_eq!(code, 0, "{migrated}");
    let role = format!("role_{}", uuid::Uuid::new_v4().simple());
    let [role_statement, grants, revokes] = role_statements()[..] else { panic!("{:?}", role_statements()) };
    db.exec(&role_statement.replace("session_admin_api", &role)).await;
    let mut owner_connection = RawConnection::open(&url).await;
    owner_connection.exec(&grants.replace("session_admin_api", &role)).await;
    let as_role = url.replacen(&format!("{owner}@"), &format!("{role}:change%20me@"), 1);
    let (code, health) = document(&db, &["doctor", "--database-url", &as_role]);
    assert_eq!((code, &health["findings"]), (0, &json!([])), "{health}");
    // The owner may also revoke privileges to delete directly.
    let stranger = format!("role_{}", uuid::Uuid::new_v4().simple());
    db.exec(&format!("CREATE ROLE {stranger}")).await;
    owner_connection.exec(&format!("GRANT SELECT, DELETE ON whatsapp_sessions, whatsapp_groups TO {stranger}")).await;
    let open = document(&db, &["doctor", "--database-url", &as_role]).1;
    assert_eq!(open["findings"][0]["code"], "DIRECT_DELETE_GRANTED", "{open}");
    owner_connection.exec(&revokes.replace("authenticated, anon", &stranger)).await;
    assert_eq!(document(&db, &["doctor", "--database-url", &as_role]).1["findings"], json!([]));
    owner_connection.close().await;
    db.exec(&format!("DROP OWNED BY {role}, {stranger}; DROP ROLE {role}, {stranger}; DROP EXTENSION hstore CASCADE"))
        .await;
    db.exec(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}")).await;
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_the_documented_role_restores_and_reads_what_there_is() {
    let Some(db) = TestDb::postgres(Contents::Mended).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let (role, url) = documented_role(&db).await;
    let as_role = |arguments: &[&str]| document(&db, &[arguments, &["--database-url", &url]].concat());
    let session = "c0ffee00-0000-4000-8000-000000000010";
    let business =
        async || db.dump(&["whatsapp_sessions", "whatsapp_groups", "webinars", "workshops", "dynamic_links"]).await;
    let before = business().await;
    let (code, impact) = as_role(&["impact", session]);
    assert_eq!((code, &impact["rowsDeleted"]), (0, &json!(136)), "{impact}");
    let terms = ["--allow-connected", "--allow-pending-messages", "--yes"];
    let (code, created) = as_role(&[&["delete", session], &terms[..]].concat());
    assert_eq!(code, 0, "{created}");
    let id = created["deletion"]["id"].as_str().unwrap();
    assert_eq!(as_role(&["restore", id, "--allow-pending-messages", "--yes"]).0, 0);
    assert!(business().await == before);
    let cleanup = ["cleanup", "--status", "connected", "--phone-number", "present"];
    let (code, cleaned) = as_role(&[&cleanup[..], &terms[..]].concat());
    assert_eq!((code, &cleaned["run"]["sessionsDeleted"]), (0, &json!(5)), "{cleaned}");
    let run = cleaned["run"]["id"].as_str().unwrap();
    let (code, restored) = as_role(&["runs", "restore", run, "--allow-pending-messages", "--yes"]);
    assert_eq!(code, 0, "{restored}");
    assert!(business().await == before);
    for reading in [&["runs"][..], &["deletions"], &["migrate", "--status"]] {
        assert_eq!(as_role(reading).0, 0, "{reading:?}");
    }
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
