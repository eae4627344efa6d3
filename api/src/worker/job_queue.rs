//! The queue of jobs: apalis', stored in the same database.

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
use super::stop_signal::stopped;
use crate::cleanup;
use crate::db::{Database, DatabaseSettings, Dialect};
use crate::error::Error;
use crate::schema_health::InaccessibleHstore;

/// The name of the queue.
pub(super) const NAME: &str = "session-admin";
/// The queue's own connections: one for pushing jobs, one for taking them.
const CONNECTIONS: u32 = 2;
/// The most runs that one process executes at once.
const MAX_CONCURRENCY: usize = 4;
/// The longest time between two polls.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A job: the run to execute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub run: Uuid,
}

/// A handle on the queue. Clones share one pool, which connects when it is first used.
#[derive(Debug, Clone)]
pub struct JobQueue {
    db: Database,
    pool: Arc<OnceCell<Pool>>,
}

/// The queue's pool. apalis needs one of its own, since it takes no connection of sea-orm's.
#[derive(Debug)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// Makes apalis' worker over a backend; the two backends have no type in common. Each run is a task of its own: apalis
/// polls its futures together, and asks the database whenever one of them wakes.
macro_rules! apalis_worker {
    ($backend:expr, $name:expr, $poll:expr, $runner:ident) => {{
        let concurrency = $runner.concurrency().min(MAX_CONCURRENCY);
        let worker = WorkerBuilder::new($name)
            .backend($backend.poll_with_strategy($poll))
            .concurrency(concurrency)
            .data($runner)
            .build(run_next_job);
        let working: BoxFuture<'static, Result<(), WorkerError>> = Box::pin(worker.run());
        working
    }};
}

async fn run_next_job(job: Job, runner: Data<JobRunner>) {
    let runner = JobRunner::clone(&runner);
    if let Err(defect) = tokio::spawn(async move { runner.run_job(job.run).await }).await {
        tracing::error!(target: "session_admin::worker", run = %job.run, error = &defect as &dyn std::error::Error, "a cleanup run's task ended early");
    }
}

impl JobQueue {
    /// Returns the queue in this database.
    #[must_use]
    pub fn new(db: &Database) -> Self {
        Self { db: db.clone(), pool: Arc::default() }
    }

    /// Returns the database of the queue.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
    }

    /// Queues a run that has just been committed, so that a worker takes it within about a second. A failure is only
    /// logged: a server finds the run within a few seconds.
    pub async fn push(&self, run: Uuid) {
        if let Err(error) = self.requeue(run, None).await {
            tracing::warn!(target: "session_admin::worker", %run, error = &*error, "a cleanup run was not queued; it is found again soon");
        }
    }

    /// Queues a run in place of its lost job. Does nothing where another process has just done so.
    pub(super) async fn requeue(&self, run: Uuid, lost_job: Option<String>) -> Result<(), BoxDynError> {
        let job = Uuid::new_v4().to_string();
        if cleanup::replace_job(&self.db, run, lost_job, &job).await? {
            let task = TaskBuilder::new(Job { run }).idempotency_key(job).build();
            let pushed: Result<(), BoxDynError> = match self.pool().await? {
                Pool::Postgres(pool) => self.postgres(pool).push_task(task).await.map_err(Into::into),
                Pool::Sqlite(pool) => self.sqlite(pool).push_task(task).await.map_err(Into::into),
            };
            if let Err(error) = pushed {
                return Err(self.explain(error).await);
            }
        }
        Ok(())
    }

    /// Replaces an error of apalis' by one that says what to do about it, where that is known.
    async fn explain(&self, error: BoxDynError) -> BoxDynError {
        match InaccessibleHstore::find(self.db.pool(), self.db.dialect()).await {
            Ok(Some(closed)) => format!("{} Have its owner run: {}", closed.message(), closed.grant()).into(),
            Err(Error::Unavailable(_)) => {
                self.db.unavailable_reason().await.map_or(error, |why| why.operator_message().into())
            }
            _ => error,
        }
    }

    /// Consumes jobs until the workers are told to stop, or until the database is unavailable.
    pub(super) async fn work(&self, runner: JobRunner) -> Result<(), BoxDynError> {
        // apalis takes a name as dead for a while after its worker has ended, so each worker has a new name.
        let name = WorkerContext::new(&format!("{NAME} {}", Uuid::new_v4()));
        let stopping = runner.stopping.clone();
        let mut working = match self.pool().await? {
            Pool::Postgres(pool) => apalis_worker!(self.postgres(pool), &name, self.poll(), runner),
            Pool::Sqlite(pool) => apalis_worker!(self.sqlite(pool), &name, self.poll(), runner),
        };
        tokio::select! {
            ended = &mut working => match ended {
                Ok(()) => Ok(()),
                Err(error) => Err(self.explain(error.into()).await),
            },
            () = stopped(stopping) => {
                // A worker that has not started cannot be stopped.
                if name.stop().is_ok() {
                    working.await?;
                }
                Ok(())
            }
        }
    }

    fn poll(&self) -> Strategy {
        Strategy::new().interval(MAX_POLL_INTERVAL.min(self.db.settings().run_lease / 3))
    }

    fn postgres(&self, pool: &PgPool) -> PostgresStorage<Job> {
        let heartbeat = self.heartbeat();
        let config = apalis_postgres::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        PostgresStorage::new(pool).with_config(config.missed_heartbeats(MISSED_HEARTBEATS))
    }

    fn sqlite(&self, pool: &SqlitePool) -> SqliteStorage<Job> {
        let heartbeat = self.heartbeat();
        let config = apalis_sqlite::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        SqliteStorage::new(pool).with_config(config.missed_heartbeats(MISSED_HEARTBEATS))
    }

    fn heartbeat(&self) -> Duration {
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

/// The heartbeats after which apalis gives a worker's jobs to others. A run's lease may last longer: this only detects
/// that no worker has the job.
const MISSED_HEARTBEATS: usize = 4;

/// Sets the search path to the schema of the extension hstore, whose type apalis' statements name without a schema.
const SET_HSTORE_PATH: &str = "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname), false) \
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hstore'";

/// Returns the pool on PostgreSQL.
fn postgres_pool(settings: &DatabaseSettings) -> Result<PgPool, BoxDynError> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
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

/// Returns the pool on SQLite. It waits for a batch that is under way, since the file has one writer at a time.
fn sqlite_pool(settings: &DatabaseSettings) -> Result<SqlitePool, BoxDynError> {
    let options = SqliteConnectOptions::from_str(&settings.url)?
        .foreign_keys(true)
        .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
        .busy_timeout(settings.deletion_timeout);
    Ok(SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options))
}
