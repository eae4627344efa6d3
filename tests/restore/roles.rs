//! Tests of roles that may delete but not restore (PostgreSQL).

use api::db::{Database, DatabaseSettings};
use api::deletion::{self, DeletionRequest};
use api::impact;
use api::refusal::RefusalCode;
use api::restore::{RestoreRequest, restore};
use uuid::Uuid;

use super::{STALE, id, request};
use crate::support::{Contents, TestDb};

#[tokio::test]
async fn postgres_a_role_that_may_not_insert() {
    let Some(db) = TestDb::postgres(Contents::Adopted).await else { return };
    let role = format!("role_{}", Uuid::new_v4().simple());
    db.exec(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'test'; GRANT USAGE ON SCHEMA session_admin TO {role}; \
         GRANT ALL ON ALL TABLES IN SCHEMA public, session_admin TO {role}; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA session_admin TO {role}; \
         REVOKE INSERT ON whatsapp_groups FROM {role}"
    ))
    .await;
    let url = db.url().replacen("postgres@", &format!("{role}:test@"), 1);
    let database = Database::connect(DatabaseSettings { url, ..db.settings() }).await.unwrap();
    let previewed = impact::impact_of(&database, &[id(STALE)]).await.unwrap();
    let not: Vec<&str> =
        previewed.tables.iter().filter(|table| !table.restorable).map(|table| table.table.as_str()).collect();
    assert_eq!(not, ["whatsapp_groups"]);
    let wanted =
        DeletionRequest { session_ids: vec![id(STALE)], principal: "tester".to_owned(), ..DeletionRequest::default() };
    let deletion = deletion::delete(&database, &wanted).await.unwrap().deletion.unwrap();
    for dry_run in [true, false] {
        let outcome = restore(&database, &RestoreRequest { dry_run, ..request(&deletion) }).await.unwrap();
        let codes: Vec<RefusalCode> = outcome.refusals.iter().map(|refusal| refusal.code).collect();
        assert_eq!(codes, [RefusalCode::RestoreConflict]);
        let reported: Vec<(&str, &str)> =
            outcome.conflicts.iter().map(|conflict| (conflict.table.as_str(), conflict.message.as_str())).collect();
        let message = "This role may not insert rows into whatsapp_groups. Grant it INSERT.";
        assert_eq!(reported, [("whatsapp_groups", message)]);
    }
    db.exec(&format!("GRANT INSERT ON whatsapp_groups TO {role}")).await;
    let outcome = restore(&database, &request(&deletion)).await.unwrap();
    assert_eq!((&outcome.refusals, &outcome.conflicts), (&vec![], &vec![]));
    assert_eq!((outcome.rows_relinked, outcome.rows_not_relinked), (deletion.rows_unlinked, 0));
    database.close().await.unwrap();
    db.exec(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
