//! Tests that every error code of the databases has the right class, and that messages do not reveal the database's
//! text.

use api::error::Error;
use sea_orm::{ConnectionTrait as _, DbErr};

use crate::support::{TestDb, only};

only!(postgres Empty: every_state_has_its_class);
only!(sqlite Empty: every_result_code_has_its_class);

const STATES: [(&str, &str, &str); 31] = [
    ("23503", "INTERNAL", "The database refused: the driver's words"),
    ("23001", "INTERNAL", "The database refused: the driver's words"),
    ("23502", "INTERNAL", "The database refused: the driver's words"),
    ("23505", "INTERNAL", "The database refused: the driver's words"),
    ("23514", "INTERNAL", "The database refused: the driver's words"),
    ("23P01", "INTERNAL", "The database refused: the driver's words"),
    ("P0001", "INTERNAL", "The database refused: the driver's words"),
    ("55P03", "TIMEOUT", "Another transaction holds rows"),
    ("40P01", "TIMEOUT", "Another transaction holds rows"),
    ("57014", "TIMEOUT", "The database took too long"),
    ("25P04", "TIMEOUT", "The database took too long"),
    ("57P01", "UNAVAILABLE", "The database cannot be reached."),
    ("57P02", "UNAVAILABLE", "The database cannot be reached."),
    ("57P03", "UNAVAILABLE", "The database cannot be reached."),
    ("57P05", "UNAVAILABLE", "The database cannot be reached."),
    ("25P03", "UNAVAILABLE", "The database cannot be reached."),
    ("53300", "UNAVAILABLE", "The database cannot be reached."),
    ("08000", "UNAVAILABLE", "The database cannot be reached."),
    ("08006", "UNAVAILABLE", "The database cannot be reached."),
    ("08P01", "UNAVAILABLE", "The database cannot be reached."),
    ("28P01", "UNAVAILABLE", "The database cannot be reached."),
    ("3D000", "UNAVAILABLE", "The database cannot be reached."),
    ("25006", "UNAVAILABLE", "The database accepts no changes"),
    ("53100", "UNAVAILABLE", "The database cannot store more data"),
    ("58030", "UNAVAILABLE", "The database cannot store more data"),
    ("42501", "INTERNAL", "The database role lacks a privilege"),
    ("42601", "INTERNAL", "The database reported an unexpected error."),
    ("42P01", "MIGRATIONS_PENDING", "The database lacks a required table."),
    ("3F000", "MIGRATIONS_PENDING", "The database lacks a required table."),
    ("XX000", "INTERNAL", "The database reported an unexpected error."),
    ("53200", "INTERNAL", "The database reported an unexpected error."),
];

/// The PostgreSQL server itself raises each SQLSTATE.
async fn every_state_has_its_class(db: TestDb) {
    let database = db.database().await;
    for (state, code, message) in STATES {
        let raise = format!("DO $$ BEGIN RAISE 'the driver''s words' USING ERRCODE = '{state}'; END $$");
        let error = Error::from(database.pool().execute_unprepared(&raise).await.unwrap_err());
        assert_eq!(error.code(), code, "{state}: {error:?}");
        assert!(error.to_string().starts_with(message), "{state}: {error}");
        // Only refusals repeat the database's message, and no error contains the statement.
        let repeats = error.to_string().contains("driver's words");
        assert_eq!(repeats, matches!(error, Error::Refused(_) | Error::MissingGrant(_)), "{state}: {error}");
        assert!(!error.to_string().contains("RAISE"), "{state}: {error}");
    }
}

/// Each result code is provoked by a statement.
async fn every_result_code_has_its_class(db: TestDb) {
    db.exec(
        "CREATE TABLE parents (id integer PRIMARY KEY); \
         CREATE TABLE children (id integer PRIMARY KEY, parent integer REFERENCES parents (id)); \
         CREATE TABLE strict_children (parent integer REFERENCES parents (id) ON DELETE RESTRICT); \
         CREATE TABLE facts (one integer NOT NULL, two integer UNIQUE, three integer CHECK (three > 0)); \
         CREATE TRIGGER kept BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'kept'); END; \
         INSERT INTO parents VALUES (1), (2); INSERT INTO children VALUES (1, 1); INSERT INTO strict_children VALUES (2); \
         INSERT INTO facts VALUES (1, 1, 1)",
    )
    .await;
    let database = db.database().await;
    for (result, statement) in [
        ("787", "DELETE FROM parents WHERE id = 1"),
        ("1811", "DELETE FROM parents WHERE id = 2"),
        ("1811", "DELETE FROM facts"),
        ("1299", "INSERT INTO facts (two) VALUES (2)"),
        ("2067", "INSERT INTO facts VALUES (1, 1, 1)"),
        ("275", "INSERT INTO facts VALUES (1, 3, 0)"),
        ("1555", "INSERT INTO parents VALUES (1)"),
    ] {
        let error = database.pool().execute_unprepared(statement).await.unwrap_err();
        assert_eq!(number(&error), result, "{statement}");
        let Error::Refused(refusal) = Error::from(error) else { panic!("{result} is no refusal") };
        assert!(!refusal.message.is_empty() && !refusal.message.contains(statement), "{}", refusal.message);
    }
    let error = Error::from(database.pool().execute_unprepared("SELECT nothing").await.unwrap_err());
    assert_eq!(error.to_string(), "The database reported an unexpected error.");
}

fn number(error: &DbErr) -> String {
    let (DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error)) | DbErr::Query(sea_orm::RuntimeErr::SqlxError(error))) =
        error
    else {
        panic!("{error:?}")
    };
    error.as_database_error().unwrap().code().unwrap().into_owned()
}
