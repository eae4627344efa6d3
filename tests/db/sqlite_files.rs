//! Tests of damaged and read-only SQLite files, and of files that are no database.

use api::db::{Database, DatabaseSettings};
use api::deletion::{self, DeletionRequest};
use api::demo::scenario::SESSIONS;
use api::error::Error;
use api::impact;
use tempfile::TempDir;

use crate::support::{TestDb, only};

only!(sqlite Adopted: a_file_that_may_only_be_read_says_so, a_damaged_file_says_so);

const DAMAGED: &str = "The database file is not an SQLite database, or it is damaged. Check DATABASE_URL. If it is \
                       correct, restore the file from a backup.";

fn request() -> DeletionRequest {
    let session_ids = vec![SESSIONS[8].id.parse().unwrap()];
    DeletionRequest { session_ids, principal: "tester".to_owned(), ..DeletionRequest::default() }
}

#[tokio::test]
async fn sqlite_a_file_that_is_no_database_says_so_and_is_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("letter.txt");
    let text = "Dear Sir or Madam, ".repeat(200);
    std::fs::write(&file, &text).unwrap();
    let error = Database::connect(DatabaseSettings::new(format!("sqlite://{}", file.display()))).await.unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
    assert_eq!((error.code(), error.to_string().as_str()), ("INTERNAL", DAMAGED));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn sqlite_a_file_in_a_folder_that_is_not_there_is_unavailable() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/nowhere/test.db", folder.path().display());
    let error = Database::connect(DatabaseSettings::new(url)).await.unwrap_err();
    assert_eq!(error.code(), "UNAVAILABLE", "{error:?}");
    assert!(error.to_string().contains("DATABASE_URL"), "{error}");
}

async fn a_file_that_may_only_be_read_says_so(db: TestDb) {
    let before = db.everything().await;
    let settings = DatabaseSettings { url: format!("{}?mode=ro", db.url()), ..db.settings() };
    let database = Database::connect(settings).await.unwrap();
    let error = deletion::delete(&database, &request()).await.unwrap_err();
    assert!(matches!(error, Error::ReadOnly(_)), "{error:?}");
    assert!(error.to_string().starts_with("The database accepts no changes: "), "{error}");
    assert!(impact::impact_of(&database, &request().session_ids).await.unwrap().deletable, "reading goes on");
    assert!(db.everything().await == before);
}

/// Every page but the first is overwritten, as by a failing disk.
async fn a_damaged_file_says_so(db: TestDb) {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy.db");
    let path = db.url().strip_prefix("sqlite://").unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    for byte in &mut bytes[4096..] {
        *byte = 0xa5;
    }
    std::fs::write(&copy, bytes).unwrap();
    let settings = DatabaseSettings { url: format!("sqlite://{}", copy.display()), ..db.settings() };
    let error = match Database::connect(settings).await {
        Ok(database) => impact::impact_of(&database, &request().session_ids).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, Error::Damaged(_)), "{error:?}");
    assert_eq!(error.to_string(), DAMAGED);
}
