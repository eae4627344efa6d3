//! [`TestDb`], the private database of one test.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::db::{Database, DatabaseSettings, Dialect};
use api::demo::scenario;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::connection::{RawConnection, Said};
use super::legacy::{Legacy, Rules};
use super::postgres_databases::PostgresDatabases;
use super::server::{server, with_database};
use super::sqlite_databases;
use super::wait::eventually;

/// The contents of a new test database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contents {
    /// No tables.
    Empty,
    /// The demonstration's business tables as first built, with data. Five foreign keys block deletions.
    AsBuilt,
    /// The business tables and data after the first fix. One rule is `SET NULL` on a `NOT NULL` column.
    FirstFix,
    /// The business tables and data with the final rules.
    Mended,
    /// [`Contents::Mended`] with the internal tables and the queue, but without the migration history.
    Adopted,
}

impl Contents {
    /// All variants, in the order of their discriminants.
    pub const ALL: [Self; 5] = [Self::Empty, Self::AsBuilt, Self::FirstFix, Self::Mended, Self::Adopted];

    /// Returns the SQL that creates these contents.
    pub fn statements(self, dialect: Dialect) -> Vec<String> {
        let rules = match self {
            Self::Empty => return Vec::new(),
            Self::AsBuilt => Rules::as_built(),
            Self::FirstFix => Rules::first_fix(),
            Self::Mended | Self::Adopted => Rules::mended(),
        };
        let mut statements = Legacy::new(rules).statements(dialect);
        statements.extend(scenario::statements(dialect, None));
        if self == Self::Adopted {
            statements.push(super::internal_tables_sql(dialect));
        }
        statements
    }
}

/// A database that only one test uses. Dropping the last clone deletes it.
#[derive(Clone)]
pub struct TestDb(Arc<Inner>);

struct Inner {
    dialect: Dialect,
    url: String,
    connection: tokio::sync::Mutex<Option<RawConnection>>,
    database: OnceCell<Database>,
    home: Home,
}

enum Home {
    /// The folder of the database file, which is deleted with this value.
    Folder { _folder: TempDir },
    /// A named database on the tests' server.
    Server { databases: &'static PostgresDatabases, name: String },
}

impl TestDb {
    /// Creates a SQLite database with these contents.
    pub async fn sqlite(contents: Contents) -> Self {
        let (folder, url) = sqlite_databases::create(contents).await;
        Self::new(Dialect::Sqlite, url, Home::Folder { _folder: folder })
    }

    /// Creates a database with these contents on the tests' server. Skips the test and returns `None` without
    /// PostgreSQL.
    pub async fn postgres(contents: Contents) -> Option<Self> {
        let server = match server() {
            Ok(server) => server,
            Err(reason) => {
                super::skip(reason);
                return None;
            }
        };
        let databases = PostgresDatabases::on(server);
        let name = databases.create(contents).await;
        let url = with_database(&server.url, &name);
        Some(Self::new(Dialect::Postgres, url, Home::Server { databases, name }))
    }

    fn new(dialect: Dialect, url: String, home: Home) -> Self {
        let (connection, database) = (tokio::sync::Mutex::default(), OnceCell::new());
        Self(Arc::new(Inner { dialect, url, connection, database, home }))
    }

    /// Returns the URL of the database, as in `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Returns settings for connecting to this database.
    ///
    /// Of the seven connections, two serve queries and each other class of operations has one.
    pub fn settings(&self) -> DatabaseSettings {
        let run_lease = std::time::Duration::from_secs(1);
        DatabaseSettings { max_connections: 7, run_lease, ..DatabaseSettings::new(self.url()) }
    }

    /// Returns the program's connection pool. The first call connects.
    pub async fn database(&self) -> &Database {
        self.0.database.get_or_init(|| async { Database::connect(self.settings()).await.unwrap() }).await
    }

    /// Opens a separate connection, for transactions by hand.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::open(self.url()).await
    }

    /// Executes statements.
    ///
    /// # Panics
    /// Panics if the database refuses one.
    pub async fn exec(&self, sql: &str) {
        let mut connection = self.0.connection.lock().await;
        self.open_if_closed(&mut connection).await.exec(sql).await;
    }

    /// Executes statements in one transaction.
    ///
    /// # Panics
    /// Panics if the database refuses one.
    pub async fn exec_all(&self, statements: &[String]) {
        let mut connection = self.0.connection.lock().await;
        self.open_if_closed(&mut connection).await.exec_all(statements).await;
    }

    /// Executes statements that the database may refuse.
    ///
    /// # Errors
    /// Returns the database's code and message.
    pub async fn attempt(&self, sql: &str) -> Result<(), Said> {
        let mut connection = self.0.connection.lock().await;
        self.open_if_closed(&mut connection).await.attempt(sql).await
    }

    /// Returns the rows of a query, with every value as text and null as `NULL`.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let mut connection = self.0.connection.lock().await;
        self.open_if_closed(&mut connection).await.rows(sql).await
    }

    /// Returns the number of rows of a table.
    pub async fn count(&self, table: &str) -> i64 {
        self.rows(&format!("SELECT count(*) FROM {table}")).await[0][0].parse().unwrap()
    }

    /// Waits until a query returns exactly this one value.
    pub async fn wait_for(&self, sql: &str, expected: &str) {
        eventually(async || {
            let rows = self.rows(sql).await;
            if rows == [[expected]] { Ok(()) } else { Err(format!("not {expected}, but {rows:?}: {sql}")) }
        })
        .await;
    }

    /// Waits until this many connections to a PostgreSQL database wait for a lock.
    pub async fn wait_for_lock_waiters(&self, connections: usize) {
        let waiting =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.wait_for(waiting, &connections.to_string()).await;
    }

    /// Returns a table's rows as text in a stable order.
    pub async fn snapshot(&self, table: &str) -> Vec<String> {
        let mut connection = self.0.connection.lock().await;
        self.open_if_closed(&mut connection).await.snapshot(table).await
    }

    /// Returns the rows of these tables as one text, for comparison.
    pub async fn dump(&self, tables: &[&str]) -> String {
        let mut text = String::new();
        for table in tables {
            text += &[table, "\n  ", &self.snapshot(table).await.join("\n  "), "\n"].concat();
        }
        text
    }

    /// Returns every row of every table as one text, for comparison.
    pub async fn everything(&self) -> String {
        let tables = self
            .rows(match self.dialect() {
                Dialect::Postgres => {
                    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
                     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
                }
                Dialect::Sqlite => {
                    "SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM sqlite_schema \
                     WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1"
                }
            })
            .await;
        let tables: Vec<&str> = tables.iter().map(|row| row[0].as_str()).collect();
        self.dump(&tables).await
    }

    /// Connects as the program does, and returns the pool and a counter of the statements that it executes.
    pub async fn counted(&self) -> (Database, SqlCounter) {
        // With a long lease, no renewal is counted.
        let settings = DatabaseSettings { run_lease: Duration::from_hours(1), ..self.settings() };
        let mut database = Database::connect(settings).await.unwrap();
        let counter = SqlCounter::default();
        let statements = Arc::clone(&counter.statements);
        // The program checks once a second whether a token exists. That statement is not counted.
        let token_check = format!("SELECT 1 FROM {} LIMIT 1", self.dialect().internal_table("tokens"));
        database
            .on_statement(move |info| {
                if info.statement.sql != token_check {
                    statements.lock().unwrap().push(info.statement.sql.clone());
                }
            })
            .await;
        (database, counter)
    }

    async fn open_if_closed<'a>(&self, connection: &'a mut Option<RawConnection>) -> &'a mut RawConnection {
        if connection.is_none() {
            *connection = Some(self.raw().await);
        }
        connection.as_mut().unwrap()
    }
}

/// A recorder of executed SQL statements.
#[derive(Debug, Clone, Default)]
pub struct SqlCounter {
    statements: Arc<Mutex<Vec<String>>>,
}

impl SqlCounter {
    /// Returns the statements executed since the last call, in order.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Home::Server { databases, name } = &self.home {
            databases.drop_later(name.clone());
        }
    }
}
