//! Tests of findings about triggers that this program did not create.

use api::db::Dialect;
use api::schema_health::{FindingCode, Severity};

use super::{Facts, apply_fix, diagnose_all, find_facts};
use crate::support::{TestDb, on_both, only};

on_both!(Mended:
    a_trigger_where_rows_are_deleted_is_a_warning,
    a_trigger_where_rows_are_unlinked_is_good_to_know,
    a_trigger_of_insertions_is_none_of_it,
);
only!(sqlite Mended: of_oddly_written_triggers_those_of_insertions_are_told_apart);

async fn add_trigger(db: &TestDb, table: &str, event: &str) {
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
    add_trigger(&db, "whatsapp_groups", "DELETE").await;
    let key = "USER_TRIGGER:whatsapp_groups.watch";
    let expected = Facts { code: FindingCode::UserTrigger, severity: Severity::Warning, rows: 780, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn a_trigger_where_rows_are_unlinked_is_good_to_know(db: TestDb) {
    add_trigger(&db, "webinars", "UPDATE").await;
    let key = "USER_TRIGGER:webinars.watch";
    let expected = Facts { code: FindingCode::UserTrigger, severity: Severity::Info, rows: 12, fixes: 1 };
    assert_eq!(find_facts(&db, key).await, expected);
    apply_fix(&db, key, 0).await;
}

async fn a_trigger_of_insertions_is_none_of_it(db: TestDb) {
    add_trigger(&db, "whatsapp_groups", "INSERT").await;
    assert_eq!(find_reported_triggers(&db).await, Vec::<String>::new());
}

async fn of_oddly_written_triggers_those_of_insertions_are_told_apart(db: TestDb) {
    for (name, event) in [
        (r#""a "" INSERT b""#, "AFTER DELETE"),
        (r#""c "" DELETE d""#, "after\n insert"),
        ("[INSERT e]", "DELETE"),
        ("[DELETE f]", "INSERT"),
        ("g", "BEFORE /* INSERT */ DELETE"),
    ] {
        db.exec(&format!("CREATE TRIGGER {name} {event} ON whatsapp_groups BEGIN SELECT 1; END")).await;
    }
    assert_eq!(
        find_reported_triggers(&db).await,
        ["INSERT e", r#"a " INSERT b"#, "g"].map(|name| format!("whatsapp_groups.{name}"))
    );
}

/// Returns the triggers that the findings report.
async fn find_reported_triggers(db: &TestDb) -> Vec<String> {
    let health = diagnose_all(db.database().await).await;
    let mut keys: Vec<String> = health
        .findings
        .iter()
        .filter_map(|finding| finding.key.strip_prefix("USER_TRIGGER:"))
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys
}
