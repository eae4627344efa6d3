//! The job queue of apalis, stored in the same database.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::{
    BackendExt as _, BoxDynError, Data, Strategy, TaskBuilder, TaskSink as _, WorkerBuilder, WorkerBuilderExt as _,
    WorkerContext, WorkerError,
};
use apalis_postgres::{PgConnectOptions, PgPool, PostgresStorage};
use apalis_sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions, SqliteStorage};
use futures_util::future::BoxFuture;
use sea_orm::sqlx::postgres::PgPoolOptions;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::job_runner::JobRunner;
use super::stop_signal::wait_until_stopped;
use crate::cleanup;
use crate::db::{Database, DatabaseSettings, Dialect};
use crate::error::Error;
use crate::schema_health::InaccessibleHstore;

/// The name of the queue.
pub(super) const NAME: &str = "session-admin";
/// The number of connections in the queue's pool: one to push jobs, one to take them.
const CONNECTIONS: u32 = 2;
/// The maximum number of runs that one process executes at the same time.
const MAX_CONCURRENCY: usize = 4;
/// The maximum time between two polls of the queue.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A job, which contains the id of the run to execute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub run: Uuid,
}

/// A handle to the queue. Clones share one pool, which connects on first use.
#[derive(Debug, Clone)]
pub struct JobQueue {
    db: Database,
    pool: Arc<OnceCell<Pool>>,
}

/// The connection pool of the queue. apalis needs a separate pool, since it cannot use a connection of sea-orm.
#[derive(Debug)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// Creates the future of an apalis worker for a backend. A macro is needed because the two backends have no common
/// type.
macro_rules! apalis_worker {
    ($backend:expr, $name:expr, $poll:expr, $runner:ident) => {{
        let concurrency = $runner.concurrency().min(MAX_CONCURRENCY);
        let worker = WorkerBuilder::new($name)
            .backend($backend.poll_with_strategy($poll))
            .concurrency(concurrency)
            .data($runner)
            .build(run_next_job);
        let worker_future: BoxFuture<'static, Result<(), WorkerError>> = Box::pin(worker.run());
        worker_future
    }};
}

/// Executes the run of a job in a separate task: apalis polls all job futures together, and queries the database
/// whenever one of them wakes.
async fn run_next_job(job: Job, runner: Data<JobRunner>) {
    let runner = JobRunner::clone(&runner);
    if let Err(defect) = tokio::spawn(async move { runner.run_job(job.run).await }).await {
        tracing::error!(target: "session_admin::worker", run = %job.run, error = &defect as &dyn std::error::Error, "a cleanup run's task ended early");
    }
}

impl JobQueue {
    /// Returns a handle to the queue in this database. It does not connect yet.
    #[must_use]
    pub fn new(db: &Database) -> Self {
        Self { db: db.clone(), pool: Arc::default() }
    }

    /// Returns the database that contains the queue.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
    }

    /// Queues a run that has just been committed, so that a worker takes it within about one second. An error is only
    /// logged, since a server finds runs without a job within a few seconds.
    pub async fn push(&self, run: Uuid) {
        if let Err(error) = self.requeue(run, None).await {
            tracing::warn!(target: "session_admin::worker", %run, error = &*error, "a cleanup run was not queued; it is found again soon");
        }
    }

    /// Queues a run with a new job, which replaces its lost job if it had one. Does nothing if another process has
    /// already replaced the job.
    pub(super) async fn requeue(&self, run: Uuid, lost_job: Option<String>) -> Result<(), BoxDynError> {
        let job = Uuid::new_v4().to_string();
        if cleanup::replace_job(&self.db, run, lost_job, &job).await? {
            let task = TaskBuilder::new(Job { run }).idempotency_key(job).build();
            let push_result: Result<(), BoxDynError> = match self.pool().await? {
                Pool::Postgres(pool) => self.postgres_storage(pool).push_task(task).await.map_err(Into::into),
                Pool::Sqlite(pool) => self.sqlite_storage(pool).push_task(task).await.map_err(Into::into),
            };
            if let Err(error) = push_result {
                return Err(self.explain_error(error).await);
            }
        }
        Ok(())
    }

    /// Replaces an error of apalis by one that tells the operator how to fix it, if the cause is known.
    async fn explain_error(&self, error: BoxDynError) -> BoxDynError {
        match InaccessibleHstore::find(self.db.pool(), self.db.dialect()).await {
            Ok(Some(hstore)) => format!("{} Have its owner run: {}", hstore.message(), hstore.grant()).into(),
            Err(Error::Unavailable(_)) => {
                self.db.unavailable_reason().await.map_or(error, |why| why.operator_message().into())
            }
            _ => error,
        }
    }

    /// Consumes jobs until the stop signal of the workers, or until the database is unavailable.
    ///
    /// # Errors
    /// The error that ended the apalis worker or the connection to the queue.
    pub(super) async fn consume(&self, runner: JobRunner) -> Result<(), BoxDynError> {
        // For a while after a worker has ended, apalis treats its name as dead, so each worker gets a new name.
        let context = WorkerContext::new(&format!("{NAME} {}", Uuid::new_v4()));
        let stopping = runner.stopping.clone();
        let mut worker_future = match self.pool().await? {
            Pool::Postgres(pool) => apalis_worker!(self.postgres_storage(pool), &context, self.poll_strategy(), runner),
            Pool::Sqlite(pool) => apalis_worker!(self.sqlite_storage(pool), &context, self.poll_strategy(), runner),
        };
        tokio::select! {
            result = &mut worker_future => match result {
                Ok(()) => Ok(()),
                Err(error) => Err(self.explain_error(error.into()).await),
            },
            () = wait_until_stopped(stopping) => {
                // A worker that has not started cannot be stopped.
                if context.stop().is_ok() {
                    worker_future.await?;
                }
                Ok(())
            }
        }
    }

    fn poll_strategy(&self) -> Strategy {
        Strategy::new().interval(MAX_POLL_INTERVAL.min(self.db.settings().run_lease / 3))
    }

    fn postgres_storage(&self, pool: &PgPool) -> PostgresStorage<Job> {
        let heartbeat = self.heartbeat_interval();
        let config = apalis_postgres::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        PostgresStorage::new(pool).with_config(config.missed_heartbeats(MISSED_HEARTBEATS))
    }

    fn sqlite_storage(&self, pool: &SqlitePool) -> SqliteStorage<Job> {
        let heartbeat = self.heartbeat_interval();
        let config = apalis_sqlite::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        SqliteStorage::new(pool).with_config(config.missed_heartbeats(MISSED_HEARTBEATS))
    }

    fn heartbeat_interval(&self) -> Duration {
        self.db.settings().run_lease / 3
    }

    async fn pool(&self) -> Result<&Pool, BoxDynError> {
        let settings = self.db.settings();
        self.pool
            .get_or_try_init(|| async {
                Ok(match self.db.dialect() {
                    Dialect::Postgres => Pool::Postgres(postgres_pool(settings)?),
                    Dialect::Sqlite => Pool::Sqlite(sqlite_pool(settings)?),
                })
            })
            .await
    }
}

/// The number of missed heartbeats after which apalis gives a worker's jobs to other workers. This only detects
/// abandoned jobs; a run's lease may last longer.
const MISSED_HEARTBEATS: usize = 4;

/// The statement that sets the search path to the schema of the extension hstore, since the statements of apalis name
/// its type without a schema.
const SET_HSTORE_PATH: &str = "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname), false) \
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hstore'";

/// Returns the pool of the queue on PostgreSQL.
fn postgres_pool(settings: &DatabaseSettings) -> Result<PgPool, BoxDynError> {
    let milliseconds = |duration: Duration| duration.as_millis().to_string();
    let options = PgConnectOptions::from_str(&settings.url)?.application_name("session-admin queue").options([
        ("statement_timeout", milliseconds(settings.query_timeout)),
        ("lock_timeout", milliseconds(settings.lock_timeout)),
        ("jit", "off".to_owned()),
    ]);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(Duration::from_secs(5)).after_connect(
        |connection, _| {
            Box::pin(async move { sea_orm::sqlx::query(SET_HSTORE_PATH).execute(connection).await.map(|_| ()) })
        },
    );
    Ok(pool.connect_lazy_with(options))
}

/// Returns the pool of the queue on SQLite. It waits for a batch in progress, since the file has one writer at a time.
fn sqlite_pool(settings: &DatabaseSettings) -> Result<SqlitePool, BoxDynError> {
    let options = SqliteConnectOptions::from_str(&settings.url)?
        .foreign_keys(true)
        .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
        .busy_timeout(settings.deletion_timeout);
    Ok(SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options))
}
