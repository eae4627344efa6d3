//! Tests of the messages that distinguish SQLite errors with the same result code.

use api::error::Error;
use sea_orm::{ConnectionTrait as _, Database};

async fn error_of(statements: &[&str]) -> Error {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    let (last, first) = statements.split_last().unwrap();
    for statement in first {
        db.execute_unprepared(statement).await.unwrap();
    }
    db.execute_unprepared(last).await.unwrap_err().into()
}

#[tokio::test]
async fn sqlite_of_libsqlite3_sys_0_37_says_no_such_table_first() {
    let error = error_of(&["SELECT * FROM missing_table"]).await;
    assert!(matches!(error, Error::MissingTable(_)), "api/src/error.rs knows the error by its message: {error:?}");
}

#[tokio::test]
async fn sqlite_of_libsqlite3_sys_0_37_says_unique_constraint_failed() {
    let error = error_of(&["CREATE TABLE t (a UNIQUE)", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)"]).await;
    let Error::Refused(said) = error else { panic!("{error:?}") };
    let is_known = said.message.contains("UNIQUE constraint failed");
    assert!(is_known, "api/src/restore/checks/unique_keys.rs knows the error by its message: {said:?}");
}
