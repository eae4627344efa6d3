//! Tests of findings about the privileges of roles (PostgreSQL).

use api::db::{Database, DatabaseSettings};
use api::schema_health::{Finding, FindingCode, Severity};
use uuid::Uuid;

use super::diagnose_all;
use crate::support::{Contents, TestDb};

/// A role with a name of this test's own, because roles belong to the whole server.
struct Role {
    db: TestDb,
    name: String,
}

impl Role {
    async fn new(attributes: &str) -> Option<Self> {
        let db = TestDb::postgres(Contents::Mended).await?;
        let name = format!("role_{}", Uuid::new_v4().simple());
        db.exec(&format!("CREATE ROLE {name} LOGIN PASSWORD 'test' {attributes}")).await;
        Some(Self { db, name })
    }

    /// Returns the findings of a diagnosis that this role executes.
    async fn findings(&self) -> Vec<Finding> {
        let (scheme, rest) = self.db.url().split_once("://").unwrap();
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        let settings = DatabaseSettings::new(format!("{scheme}://{}:test@{host}", self.name));
        let database = Database::connect(settings).await.unwrap();
        let findings = diagnose_all(&database).await.findings;
        database.close().await.unwrap();
        findings
    }

    async fn with_code(&self, code: FindingCode) -> Vec<Finding> {
        self.findings().await.into_iter().filter(|finding| finding.code == code).collect()
    }

    async fn drop(self) {
        self.db
            .exec(&format!("REASSIGN OWNED BY {0} TO CURRENT_USER; DROP OWNED BY {0}; DROP ROLE {0}", self.name))
            .await;
    }
}

#[tokio::test]
async fn postgres_what_a_role_lacks_is_named_and_granted() {
    let Some(role) = Role::new("").await else { return };
    let missing = role.with_code(FindingCode::MissingGrant).await;
    let tables: Vec<_> = missing.iter().map(|finding| (finding.key.as_str(), finding.severity)).collect();
    assert_eq!(tables.len(), 12, "{tables:?}");
    assert!(tables.contains(&("MISSING_GRANT:whatsapp_sessions", Severity::Error)), "{tables:?}");
    let finding_of = |table: &str| missing.iter().find(|finding| finding.table == table).unwrap();
    let name = &role.name;
    assert_eq!(
        finding_of("webinars").fixes[0].statement,
        format!(r#"GRANT SELECT, UPDATE ON "public"."webinars" TO "{name}""#)
    );
    assert_eq!(
        finding_of("whatsapp_groups").fixes[0].statement,
        format!(r#"GRANT SELECT, UPDATE, DELETE, INSERT ON "public"."whatsapp_groups" TO "{name}""#)
    );
    for finding in &missing {
        role.db.exec(&finding.fixes[0].statement).await;
    }
    assert_eq!(role.with_code(FindingCode::MissingGrant).await, []);
    role.drop().await;
}

#[tokio::test]
async fn postgres_a_schema_that_a_role_may_not_use_is_named_and_granted() {
    let Some(role) = Role::new("").await else { return };
    role.db
        .exec(&format!(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO {}; REVOKE ALL ON SCHEMA public FROM PUBLIC",
            role.name
        ))
        .await;
    let missing = role.with_code(FindingCode::MissingGrant).await;
    assert!(missing.iter().all(|finding| finding.message.contains("the use of its schema")), "{missing:?}");
    role.db.exec(&missing[0].fixes[0].statement).await;
    assert_eq!(role.with_code(FindingCode::MissingGrant).await, []);
    role.drop().await;
}

#[tokio::test]
async fn postgres_row_security_that_hides_rows_is_an_error() {
    let Some(role) = Role::new("").await else { return };
    role.db
        .exec(&format!(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO {};
             ALTER TABLE whatsapp_groups ENABLE ROW LEVEL SECURITY;
             CREATE POLICY large ON whatsapp_groups USING (participant_count > 100)",
            role.name
        ))
        .await;
    let hidden = role.with_code(FindingCode::RowSecurityHidesRows).await;
    assert_eq!(hidden.len(), 1);
    assert_eq!(
        (hidden[0].key.as_str(), hidden[0].severity),
        ("ROW_SECURITY_HIDES_ROWS:whatsapp_groups", Severity::Error)
    );
    assert_eq!(hidden[0].rows_at_risk, 0);
    role.db.exec(&hidden[0].fixes[0].statement).await;
    assert_eq!(role.with_code(FindingCode::RowSecurityHidesRows).await, []);
    role.drop().await;
}

#[tokio::test]
async fn postgres_an_owner_under_forced_row_security_can_lift_it() {
    let Some(role) = Role::new("").await else { return };
    role.db
        .exec(&format!(
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO {0}; ALTER TABLE webinars OWNER TO {0};
             ALTER TABLE webinars ENABLE ROW LEVEL SECURITY; ALTER TABLE webinars FORCE ROW LEVEL SECURITY",
            role.name
        ))
        .await;
    let hidden = role.with_code(FindingCode::RowSecurityHidesRows).await;
    assert_eq!(hidden.len(), 1);
    assert_eq!(hidden[0].fixes[0].statement, r#"ALTER TABLE "public"."webinars" NO FORCE ROW LEVEL SECURITY"#);
    role.db.exec(&hidden[0].fixes[0].statement).await;
    assert_eq!(role.with_code(FindingCode::RowSecurityHidesRows).await, []);
    role.drop().await;
}

#[tokio::test]
async fn postgres_roles_that_may_delete_directly_are_one_finding_each() {
    let Some(role) = Role::new("").await else { return };
    role.db
        .exec(&format!(
            "GRANT SELECT, DELETE ON whatsapp_sessions, whatsapp_groups TO {}; GRANT DELETE ON whatsapp_groups TO PUBLIC",
            role.name
        ))
        .await;
    let direct = || async {
        let findings = diagnose_all(role.db.database().await).await.findings;
        findings.into_iter().filter(|finding| finding.code == FindingCode::DirectDeleteGranted).collect::<Vec<_>>()
    };
    let findings = direct().await;
    let seen: Vec<_> =
        findings.iter().map(|finding| (finding.key.clone(), finding.severity, finding.rows_at_risk)).collect();
    let expected = [
        ("DIRECT_DELETE_GRANTED:PUBLIC".to_owned(), Severity::Warning, 780),
        (format!("DIRECT_DELETE_GRANTED:{}", role.name), Severity::Warning, 14),
    ];
    assert_eq!(seen, expected);
    for finding in findings {
        role.db.exec(&finding.fixes[0].statement).await;
    }
    assert_eq!(direct().await, []);
    role.drop().await;
}
