//! Tests of [`TestDb`], on which the other tests rely.

use sea_orm::ConnectionTrait;

use super::{Contents, TestDb, on_both};

on_both!(Adopted: each_test_has_rows_of_its_own, a_counter_sees_every_statement, one_changed_byte_changes_the_dump);

async fn each_test_has_rows_of_its_own(db: TestDb) {
    let other = match db.dialect() {
        api::db::Dialect::Sqlite => TestDb::sqlite(Contents::Adopted).await,
        api::db::Dialect::Postgres => TestDb::postgres(Contents::Adopted).await.unwrap(),
    };
    db.exec("DELETE FROM whatsapp_sessions").await;
    assert_eq!((db.count("whatsapp_groups").await, other.count("whatsapp_groups").await), (0, 780));
    let prefix = if db.dialect() == api::db::Dialect::Sqlite { "session_admin_" } else { "session_admin." };
    assert_eq!(other.count(&format!("{prefix}deletions")).await, 0);
}

async fn a_counter_sees_every_statement(db: TestDb) {
    let (database, counter) = db.counted().await;
    let snapshot = database.snapshot().await.unwrap();
    for sql in ["SELECT 1", "SELECT 2"] {
        snapshot.query_one_raw(db.dialect().statement(sql, [])).await.unwrap();
    }
    assert_eq!(counter.take(), ["SELECT 1", "SELECT 2"]);
    database.pool().query_all_raw(db.dialect().statement("SELECT 3", [])).await.unwrap();
    assert_eq!(counter.take(), ["SELECT 3"]);
}

async fn one_changed_byte_changes_the_dump(db: TestDb) {
    let tables = ["webinars", "whatsapp_sessions"];
    let before = db.dump(&tables).await;
    assert_eq!(db.dump(&tables).await, before);
    db.exec("UPDATE webinars SET title = 'Webinar  1' WHERE title = 'Webinar 1'").await;
    assert_ne!(db.dump(&tables).await, before);
}
