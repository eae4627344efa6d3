//! Tests of SQLite's limits: one writer at a time, and a full disk.

use api::db::{Database, DatabaseSettings, WriteTransaction};
use api::deletion;
use api::error::Error;
use api::refusal::RefusalCode;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;

use super::{OTHER, STALE, codes, delete, delete_sessions, preview, request};
use crate::support::{TestDb, only};

only!(sqlite Adopted:
    deletions_in_one_process_take_turns,
    readers_go_on_while_a_deletion_is_under_way,
    a_full_disk_is_told_and_loses_nothing,
);

async fn deletions_in_one_process_take_turns(db: TestDb) {
    // A deletion that waits for another one of its process does not wait for SQLite's lock. A lock timeout of zero
    // therefore never expires.
    let settings = DatabaseSettings { lock_timeout: Duration::ZERO, ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let (stale, other) = (request(STALE), request(OTHER));
    let (one, two, three) =
        tokio::join!(delete(&database, &stale), delete(&database, &other), delete(&database, &stale));
    assert_eq!(two.refusals, []);
    let mut of_one_session = [codes(&one), codes(&three)];
    of_one_session.sort_by_key(Vec::len);
    assert_eq!(of_one_session, [vec![], vec![RefusalCode::NotFound]]);
    assert_eq!(db.count("session_admin_deletions").await, 2);
}

async fn readers_go_on_while_a_deletion_is_under_way(db: TestDb) {
    let previewed = preview(&db, &[STALE]).await;
    let database = db.database().await;
    let WriteTransaction { transaction, writer_guard: turn } = database.begin_write(true).await.unwrap();
    transaction.execute_unprepared("DELETE FROM whatsapp_group_admins").await.unwrap();
    assert_eq!(preview(&db, &[STALE]).await, previewed);
    transaction.rollback().await.unwrap();
    drop(turn);
    delete_sessions(database, &request(STALE)).await;
}

/// Sets the maximum size of the file, in pages, on the connection that writes.
async fn set_page_limit(database: &Database, pages: u32) {
    let WriteTransaction { transaction, writer_guard: turn } = database.begin_write(true).await.unwrap();
    transaction.rollback().await.unwrap();
    turn.unwrap().execute_unprepared(&format!("PRAGMA max_page_count = {pages}")).await.unwrap();
}

async fn a_full_disk_is_told_and_loses_nothing(db: TestDb) {
    db.exec(
        "CREATE TABLE log (entry blob); \
         CREATE TRIGGER log AFTER DELETE ON whatsapp_sessions BEGIN INSERT INTO log VALUES (zeroblob(5000000)); END",
    )
    .await;
    let before = db.everything().await;
    let database = Database::connect(db.settings()).await.unwrap();
    set_page_limit(&database, 1).await;
    for _ in 0..2 {
        let error = deletion::delete(&database, &request(STALE)).await.unwrap_err();
        assert!(matches!(error, Error::Storage(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "The database cannot store more data: its disk is full or failing. Nothing was changed. Free some space, \
             then try again."
        );
        assert!(db.everything().await == before);
    }
    set_page_limit(&database, 1_000_000).await;
    delete_sessions(&database, &request(STALE)).await;
}
