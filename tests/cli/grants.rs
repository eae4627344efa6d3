//! The grants of the README, one by one: each is needed, and `doctor` names the one that is missing.

use api::db::{Database, DatabaseSettings};
use api::health::{self, Accepted};
use serde_json::json;

use super::document;
use super::readme::{blocks, role_of_the_readme};
use crate::support::{Contents, TestDb};

/// Each privilege of each GRANT, as what stands between GRANT and TO.
fn granted() -> Vec<String> {
    let text: String =
        blocks("sql")[0].lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
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
async fn postgres_each_grant_of_the_readme_is_missed_by_name_and_mended() {
    let Some(db) = TestDb::postgres(Contents::StateC).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    // Otherwise everybody has it.
    db.exec("REVOKE USAGE ON SCHEMA public FROM PUBLIC").await;
    let (role, url) = role_of_the_readme(&db).await;
    let database =
        Database::connect(DatabaseSettings { max_connections: 2, ..DatabaseSettings::new(&url) }).await.unwrap();
    let accepted = Accepted::default();
    assert_eq!(health::check(&database, &accepted).await.unwrap().findings, []);
    let granted = granted();
    assert!(granted.len() > 50, "{granted:?}");
    for grant in granted {
        db.exec(&format!("REVOKE {grant} FROM {role}")).await;
        let named = match health::check(&database, &accepted).await {
            Ok(health) => {
                assert!(!health.healthy, "{grant}: {:?}", health.findings);
                let mut named = String::new();
                for finding in health.findings {
                    let fix = &finding.fixes[0].statement;
                    db.exec(fix).await;
                    named += &format!("{} {fix} ", finding.message);
                }
                let after = health::check(&database, &accepted).await.unwrap();
                assert_eq!(after.findings, [], "{grant}");
                named
            }
            // Without these nothing can be looked at, and the error says so.
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

#[tokio::test]
async fn postgres_the_role_of_the_readme_restores_and_reads_what_there_is() {
    let Some(db) = TestDb::postgres(Contents::StateC).await else { return };
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let (role, url) = role_of_the_readme(&db).await;
    let as_role = |arguments: &[&str]| document(&db, &[arguments, &["--database-url", &url]].concat());
    let session = "c0ffee00-0000-4000-8000-000000000010";
    let business =
        async || db.dump(&["whatsapp_sessions", "whatsapp_groups", "webinars", "workshops", "dynamic_links"]).await;
    let before = business().await;
    let (code, impact) = as_role(&["impact", session]);
    assert_eq!((code, &impact["rowsDeleted"]), (0, &json!(136)), "{impact}");
    let terms = ["--allow-connected", "--allow-pending-messages", "--yes"];
    let (code, made) = as_role(&[&["delete", session], &terms[..]].concat());
    assert_eq!(code, 0, "{made}");
    let id = made["deletion"]["id"].as_str().unwrap();
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
