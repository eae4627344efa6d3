//! The thread that creates the tests' PostgreSQL databases from templates and drops them.
//!
//! The thread has its own runtime, because each test's runtime ends with the test and a destructor cannot wait.
//!
//! A database is named `session_admin_test_PROCESS_NUMBER`. While the process lives, the thread holds an advisory lock
//! on the number PROCESS. A later process on the same server drops the databases whose number is not locked.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use api::db::Dialect;
use tokio::sync::{mpsc, oneshot};

use super::connection::RawConnection;
use super::database::Contents;
use super::server::{Server, with_database};

/// The first key of the advisory locks, an arbitrary number that nothing else uses.
const LOCK_CLASS: i32 = 7309;
/// The second key of the lock under which a template is created. No process uses this number.
const TEMPLATE_LOCK: i32 = 0;

/// The thread that creates and drops databases.
pub struct PostgresDatabases {
    create: mpsc::UnboundedSender<(Contents, oneshot::Sender<String>)>,
    drop: mpsc::UnboundedSender<String>,
}

impl PostgresDatabases {
    /// Returns the thread for the tests' server. The first call starts it.
    pub fn on(server: &'static Server) -> &'static Self {
        static DATABASES: OnceLock<PostgresDatabases> = OnceLock::new();
        DATABASES.get_or_init(|| {
            let (create, to_create) = mpsc::unbounded_channel();
            let (drop, to_drop) = mpsc::unbounded_channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    tokio::join!(create_databases(&server.url, to_create), drop_databases(&server.url, to_drop));
                });
            });
            Self { create, drop }
        })
    }

    /// Creates a database with these contents and returns its name.
    pub async fn create(&self, contents: Contents) -> String {
        let (reply, name) = oneshot::channel();
        self.create.send((contents, reply)).unwrap();
        name.await.expect("the thread that creates databases has panicked")
    }

    /// Queues a database to be dropped, without waiting for it.
    pub fn drop_later(&self, name: String) {
        // Sending fails only if the thread has panicked, and the panic has been printed.
        let _ = self.drop.send(name);
    }
}

async fn create_databases(url: &str, mut requests: mpsc::UnboundedReceiver<(Contents, oneshot::Sender<String>)>) {
    let mut connection = RawConnection::open(url).await;
    let process = rand::random_range(1..i32::MAX);
    connection.exec(&format!("SELECT pg_advisory_lock({LOCK_CLASS}, {process})")).await;
    drop_abandoned_databases(&mut connection).await;
    let (mut templates, mut count) = (HashMap::new(), 0);
    while let Some((contents, reply)) = requests.recv().await {
        let template = match templates.entry(contents) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(find_or_create_template(&mut connection, url, contents).await),
        };
        count += 1;
        let name = format!("session_admin_test_{process}_{count}");
        connection.exec(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        // If the test no longer waits, the next process drops its database.
        let _ = reply.send(name);
    }
}

async fn drop_databases(url: &str, mut names: mpsc::UnboundedReceiver<String>) {
    let mut connection = RawConnection::open(url).await;
    while let Some(name) = names.recv().await {
        drop_database(&mut connection, &name).await;
    }
}

/// Drops a database and the connections that a failed test has left open, which `FORCE` ends.
async fn drop_database(connection: &mut RawConnection, name: &str) {
    let dropped = connection.attempt(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    if let Err(error) = dropped {
        eprintln!("the test database {name} could not be dropped: {}", error.message);
    }
}

/// Drops the databases of test processes that have ended.
async fn drop_abandoned_databases(connection: &mut RawConnection) {
    let names = format!(
        "SELECT datname FROM pg_database WHERE datname ~ '^session_admin_test_\\d+_\\d+$' AND NOT EXISTS \
         (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = {LOCK_CLASS} \
          AND objid::text = split_part(datname, '_', 4))"
    );
    for name in connection.rows(&names).await {
        drop_database(connection, &name[0]).await;
    }
}

/// Returns the name of the template with these contents. Creates it if it is missing.
///
/// Several processes may share a server. The first one creates the template under a lock, and gives it its final name
/// once it is complete.
async fn find_or_create_template(connection: &mut RawConnection, url: &str, contents: Contents) -> String {
    if contents == Contents::Empty {
        return "template0".to_owned();
    }
    let statements = contents.statements(Dialect::Postgres);
    let mut hasher = DefaultHasher::new();
    statements.hash(&mut hasher);
    let name = format!("session_admin_template_{:016x}", hasher.finish());
    let exists = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    if !connection.rows(&exists).await.is_empty() {
        return name;
    }
    connection.exec(&format!("SELECT pg_advisory_lock({LOCK_CLASS}, {TEMPLATE_LOCK})")).await;
    if connection.rows(&exists).await.is_empty() {
        connection.exec(&format!("DROP DATABASE IF EXISTS {name}_new")).await;
        connection.exec(&format!("CREATE DATABASE {name}_new TEMPLATE template0")).await;
        let mut template = RawConnection::open(&with_database(url, &format!("{name}_new"))).await;
        template.exec(&statements.join(";\n")).await;
        template.close().await;
        connection.exec(&format!("ALTER DATABASE {name}_new RENAME TO {name}")).await;
    }
    connection.exec(&format!("SELECT pg_advisory_unlock({LOCK_CLASS}, {TEMPLATE_LOCK})")).await;
    name
}
