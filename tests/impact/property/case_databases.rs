//! The databases in which cases are built: files on SQLite, schemas of one database on PostgreSQL.

use api::db::{Database, DatabaseSettings, Dialect};
use tempfile::TempDir;

use super::case::Case;
use super::oracle::{Content, content, plain_delete};
use crate::support::connection::{RawConnection, Said};
use crate::support::{Contents, TestDb, internal_tables_sql, scratch};

pub enum Place {
    Files(TempDir),
    Schemas(TestDb),
}

/// A case that is built in its database.
pub struct Built {
    /// The rows before any deletion.
    pub before: Content,
    /// The rows after a plain DELETE, which was rolled back or executed on a copy, or the error of the DELETE.
    pub plain: Result<Content, Said>,
    pub connection: RawConnection,
    settings: DatabaseSettings,
}

impl Place {
    pub async fn new(dialect: Dialect) -> Option<Self> {
        if dialect == Dialect::Sqlite {
            return Some(Self::Files(TempDir::new_in(scratch::folder()).unwrap()));
        }
        let db = TestDb::postgres(Contents::Empty).await?;
        db.exec(&internal_tables_sql(dialect)).await;
        Some(Self::Schemas(db))
    }

    /// Builds the case anew and tries the plain DELETE. `reversed` creates tables, foreign keys and rows in reverse
    /// order, so that the database processes them in another order.
    pub async fn build(&self, case: &Case, reversed: bool) -> Built {
        let delete = if reversed { case.delete_in_table_order() } else { case.plain_delete() };
        match self {
            Self::Files(folder) => build_file(folder, case, reversed, &delete).await,
            Self::Schemas(db) => {
                let mut connection = db.raw().await;
                connection.exec(&format!("{} {}", case.tear_down(), case.build(reversed))).await;
                let before = content(&mut connection, case).await;
                let plain = plain_delete(&mut connection, case, &delete).await;
                let settings = DatabaseSettings { schema: case.schema.clone(), ..DatabaseSettings::new(db.url()) };
                Built { before, plain, connection, settings }
            }
        }
    }

    /// Removes a built case from its database.
    pub async fn remove(&self, case: &Case, mut built: Built) {
        if matches!(self, Self::Schemas(_)) {
            built.connection.exec(&case.tear_down()).await;
        }
        built.connection.close().await;
    }
}

async fn build_file(folder: &TempDir, case: &Case, reversed: bool, delete: &str) -> Built {
    let [original, copy] = ["case.db", "copy.db"].map(|name| folder.path().join(name));
    for path in [&original, &copy] {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
    }
    let url = format!("sqlite://{}", original.display());
    let mut connection = RawConnection::open(&url).await;
    connection.exec("PRAGMA synchronous = OFF").await;
    connection.exec(&case.build(reversed)).await;
    assert!(connection.rows("PRAGMA foreign_key_check").await.is_empty(), "the generator breaks a key");
    connection.exec(&internal_tables_sql(Dialect::Sqlite)).await;
    let before = content(&mut connection, case).await;
    std::fs::copy(&original, &copy).unwrap();
    let mut plain_connection = RawConnection::open(&format!("sqlite://{}", copy.display())).await;
    plain_connection.exec("PRAGMA synchronous = OFF").await;
    let plain = plain_delete(&mut plain_connection, case, delete).await;
    plain_connection.close().await;
    Built { before, plain, connection, settings: DatabaseSettings::new(url) }
}

impl Built {
    /// Connects to the case's database as the program does.
    pub async fn database(&self) -> Database {
        let settings = DatabaseSettings { max_connections: 2, ..self.settings.clone() };
        Database::connect(settings).await.unwrap()
    }
}
