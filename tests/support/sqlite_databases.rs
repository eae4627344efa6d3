//! SQLite databases of tests, copied from a template that is created once per process and contents.

use std::path::PathBuf;

use api::db::Dialect;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::connection::RawConnection;
use super::database::Contents;
use super::scratch;

/// Creates a database with these contents, in write-ahead logging mode. Returns its folder and its URL.
pub async fn create(contents: Contents) -> (TempDir, String) {
    static TEMPLATES: [OnceCell<PathBuf>; Contents::ALL.len()] = [const { OnceCell::const_new() }; Contents::ALL.len()];
    let template = TEMPLATES[contents as usize].get_or_init(|| create_template(contents)).await;
    let folder = TempDir::new_in(scratch::folder()).unwrap();
    let file = folder.path().join("test.db");
    std::fs::copy(template, &file).unwrap();
    (folder, format!("sqlite://{}", file.display()))
}

async fn create_template(contents: Contents) -> PathBuf {
    let file = scratch::folder().join(format!("{contents:?}.db"));
    let mut connection = RawConnection::open(&format!("sqlite://{}", file.display())).await;
    // The mode is stored in the file, so each copy has it.
    connection.exec("PRAGMA journal_mode = WAL").await;
    connection.exec_all(&contents.statements(Dialect::Sqlite)).await;
    // Closing moves the write-ahead log into the file.
    connection.close().await;
    file
}
