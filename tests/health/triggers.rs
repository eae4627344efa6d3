//! Triggers of somebody else's.

use api::db::Dialect;
use api::health::{FindingCode, Severity};

use super::{Facts, facts, mend};
use crate::support::{TestDb, both};

both!(StateC: a_trigger_where_rows_are_deleted_is_a_warning, a_trigger_where_rows_are_unlinked_is_good_to_know);

async fn add(db: &TestDb, table: &str, event: &str) {
    let sql = match db.dialect() {
        Dialect::Postgres => format!(
            "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER watch AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION watch()"
        ),
        Dialect::Sqlite => format!("CREATE TRIGGER watch AFTER {event} ON {table} BEGIN SELECT 1; END"),
    };
    db.exec(&sql).await;
}

async fn a_trigger_where_rows_are_deleted_is_a_warning(db: TestDb) {
    add(&db, "whatsapp_groups", "DELETE").await;
    let key = "USER_TRIGGER:whatsapp_groups.watch";
    let expected = Facts { code: FindingCode::UserTrigger, severity: Severity::Warning, rows: 780, fixes: 1 };
    assert_eq!(facts(&db, key).await, expected);
    mend(&db, key, 0).await;
}

async fn a_trigger_where_rows_are_unlinked_is_good_to_know(db: TestDb) {
    add(&db, "webinars", "UPDATE").await;
    let key = "USER_TRIGGER:webinars.watch";
    let expected = Facts { code: FindingCode::UserTrigger, severity: Severity::Info, rows: 12, fixes: 1 };
    assert_eq!(facts(&db, key).await, expected);
    mend(&db, key, 0).await;
}
