//! A database of its own for each test.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::db::{Database, DatabaseSettings, Dialect};
use api::demo::scenario;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::connection::{RawConnection, Said};
use super::legacy::{Legacy, Rules};
use super::server::{server, with_database};

/// What a test's database holds at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contents {
    /// Nothing.
    Empty,
    /// The deployment in trouble, as built, with its data.
    StateA,
    /// The same after the first fix.
    StateB,
    /// The same with the mended rules.
    StateC,
    /// State C with this program's own tables, as far as deletions need them; the migrations' history is not there.
    Adopted,
}

impl Contents {
    fn statements(self, dialect: Dialect) -> Vec<String> {
        let rules = match self {
            Self::Empty => return Vec::new(),
            Self::StateA => Rules::a(),
            Self::StateB => Rules::b(),
            Self::StateC | Self::Adopted => Rules::c(),
        };
        let mut statements = Legacy::new(rules).statements(dialect);
        statements.extend(scenario::statements(dialect, None));
        if self == Self::Adopted {
            statements.push(super::internal_tables_sql(dialect));
        }
        statements
    }
}

/// A database that no other test sees; gone when the last clone is.
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
    /// A folder, gone with this.
    Folder { _folder: TempDir },
    /// A database of this name on the server with this URL.
    Server { url: String, name: String },
}

impl TestDb {
    /// A file.
    pub async fn sqlite(contents: Contents) -> Self {
        let folder = TempDir::with_prefix("session-admin-test-").unwrap();
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let db = Self::new(Dialect::Sqlite, url, Home::Folder { _folder: folder });
        db.exec("PRAGMA journal_mode = WAL").await;
        db.exec_all(&contents.statements(Dialect::Sqlite)).await;
        db
    }

    /// A database on the tests' server, copied from a template; none where there is no PostgreSQL.
    pub async fn postgres(contents: Contents) -> Option<Self> {
        let server = match server() {
            Ok(server) => server,
            Err(why) => {
                super::skip(why);
                return None;
            }
        };
        let mut admin = RawConnection::open(&server.url).await;
        let template = template(&mut admin, &server.url, contents).await;
        let name = format!("session_admin_test_{}", Uuid::new_v4().simple());
        admin.exec(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        let url = with_database(&server.url, &name);
        Some(Self::new(Dialect::Postgres, url, Home::Server { url: server.url.clone(), name }))
    }

    fn new(dialect: Dialect, url: String, home: Home) -> Self {
        let (connection, database) = (tokio::sync::Mutex::default(), OnceCell::new());
        Self(Arc::new(Inner { dialect, url, connection, database, home }))
    }

    /// What `DATABASE_URL` would be.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Settings for this database, to be changed and connected with. The pool is divided into two queries at once, and one of
    /// everything else.
    pub fn settings(&self) -> DatabaseSettings {
        let run_lease = std::time::Duration::from_secs(1);
        DatabaseSettings { max_connections: 7, run_lease, ..DatabaseSettings::new(self.url()) }
    }

    /// The database as the program connects to it; the same one every time.
    pub async fn database(&self) -> &Database {
        self.0.database.get_or_init(|| async { Database::connect(self.settings()).await.unwrap() }).await
    }

    /// A connection of its own for transactions by hand.
    pub async fn raw(&self) -> RawConnection {
        RawConnection::open(self.url()).await
    }

    /// Runs statements.
    pub async fn exec(&self, sql: &str) {
        let mut connection = self.0.connection.lock().await;
        self.opened(&mut connection).await.exec(sql).await;
    }

    /// Runs statements in one transaction.
    pub async fn exec_all(&self, statements: &[String]) {
        if !statements.is_empty() {
            self.exec(&format!("BEGIN; {}; COMMIT", statements.join(";\n"))).await;
        }
    }

    /// Runs statements; what the database refuses is the answer.
    pub async fn attempt(&self, sql: &str) -> Result<(), Said> {
        let mut connection = self.0.connection.lock().await;
        self.opened(&mut connection).await.attempt(sql).await
    }

    /// The rows of a query, every value as text, null as `NULL`.
    pub async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let mut connection = self.0.connection.lock().await;
        self.opened(&mut connection).await.rows(sql).await
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        self.rows(&format!("SELECT count(*) FROM {table}")).await[0][0].parse().unwrap()
    }

    /// A table's rows as text in a stable order.
    pub async fn snapshot(&self, table: &str) -> Vec<String> {
        let mut connection = self.0.connection.lock().await;
        self.opened(&mut connection).await.snapshot(table).await
    }

    /// The rows of these tables, to compare byte for byte.
    pub async fn dump(&self, tables: &[&str]) -> String {
        let mut text = String::new();
        for table in tables {
            text += &[table, "\n  ", &self.snapshot(table).await.join("\n  "), "\n"].concat();
        }
        text
    }

    /// Every row of every table, to compare byte for byte.
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

    /// The database as the program connects to it, with an account of the statements that it runs.
    pub async fn counted(&self) -> (Database, SqlCounter) {
        // A lease that is renewed in between would be counted too.
        let settings = DatabaseSettings { run_lease: Duration::from_hours(1), ..self.settings() };
        let mut database = Database::connect(settings).await.unwrap();
        let counter = SqlCounter::default();
        let statements = Arc::clone(&counter.statements);
        // Whether a token has been made is asked once a second, whatever else is.
        let looked = format!("SELECT 1 FROM {} LIMIT 1", self.dialect().own_table("tokens"));
        database
            .observe(move |info| {
                if info.statement.sql != looked {
                    statements.lock().unwrap().push(info.statement.sql.clone());
                }
            })
            .await;
        (database, counter)
    }

    async fn opened<'a>(&self, connection: &'a mut Option<RawConnection>) -> &'a mut RawConnection {
        if connection.is_none() {
            *connection = Some(self.raw().await);
        }
        connection.as_mut().unwrap()
    }
}

/// The statements that ran since it was last asked.
#[derive(Debug, Clone, Default)]
pub struct SqlCounter {
    statements: Arc<Mutex<Vec<String>>>,
}

impl SqlCounter {
    /// Their text, in order; the account starts anew.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }
}

/// Makes the template with these contents where it does not exist. Several processes may share a server: the first one
/// makes it under a lock, and it gets its name once it is complete.
async fn template(admin: &mut RawConnection, server_url: &str, contents: Contents) -> String {
    if contents == Contents::Empty {
        return "template0".to_owned();
    }
    let statements = contents.statements(Dialect::Postgres);
    let mut hasher = DefaultHasher::new();
    statements.hash(&mut hasher);
    let name = format!("session_admin_template_{:016x}", hasher.finish());
    let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    if !admin.rows(&exists).await.is_empty() {
        return name;
    }
    admin.exec("SELECT pg_advisory_lock(7309)").await;
    if admin.rows(&exists).await.is_empty() {
        admin.exec(&format!("DROP DATABASE IF EXISTS {name}_new")).await;
        admin.exec(&format!("CREATE DATABASE {name}_new TEMPLATE template0")).await;
        {
            let mut connection = RawConnection::open(&with_database(server_url, &format!("{name}_new"))).await;
            connection.exec(&statements.join(";\n")).await;
            connection.close().await;
        }
        admin.exec(&format!("ALTER DATABASE {name}_new RENAME TO {name}")).await;
    }
    admin.exec("SELECT pg_advisory_unlock(7309)").await;
    name
}

impl Drop for Inner {
    /// A thread with a runtime of its own, since a destructor cannot wait on the test's; FORCE ends connections that a
    /// failed test has left.
    fn drop(&mut self) {
        let Home::Server { url, name } = &self.home else { return };
        let (url, statement) = (url.clone(), format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { RawConnection::open(&url).await.exec(&statement).await });
        });
        if dropped.join().is_err() {
            eprintln!("the test's database {name} could not be dropped");
        }
    }
}
