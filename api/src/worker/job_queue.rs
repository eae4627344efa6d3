//! The queue: jobs of apalis, stored in the same database.

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

use super::job_runner;
use super::job_runner::Hand;
use super::stop_signal::stopped;
use crate::cleanup;
use crate::db::{Database, DatabaseSettings, Dialect};
use crate::error::Error;
use crate::schema_health::ClosedHstore;

/// The name under which the jobs are kept.
pub(super) const NAME: &str = "session-admin";
/// One for what is pushed, and one for what is taken.
const CONNECTIONS: u32 = 2;
/// The most runs that one process works on at once.
const MOST_AT_ONCE: usize = 4;
/// How long a waiting job may go unseen.
const LONGEST_POLL: Duration = Duration::from_secs(1);

/// What is queued: which run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Job {
    pub run: Uuid,
}

/// A handle on the queue. Cloning it is cheap, and it connects when it is first used.
#[derive(Debug, Clone)]
pub struct Queue {
    db: Database,
    pool: Arc<OnceCell<Pool>>,
}

/// apalis keeps its connections to itself: sea-orm's do not tell it of their transactions.
#[derive(Debug)]
enum Pool {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

/// apalis' worker over a backend; the two backends have no type in common. Each run is a task of its own: apalis polls its
/// own ones whenever one of them moves, and asks the database each time.
macro_rules! taking {
    ($backend:expr, $name:expr, $poll:expr, $hand:ident) => {{
        let at_once = $hand.at_once().min(MOST_AT_ONCE);
        let worker = WorkerBuilder::new($name)
            .backend($backend.poll_with_strategy($poll))
            .concurrency(at_once)
            .data($hand)
            .build(handle);
        let working: BoxFuture<'static, Result<(), WorkerError>> = Box::pin(worker.run());
        working
    }};
}

async fn handle(job: Job, hand: Data<Hand>) {
    let hand = Hand::clone(&hand);
    if let Err(defect) = tokio::spawn(async move { job_runner::work(job.run, &hand).await }).await {
        tracing::error!(run = %job.run, error = &defect as &dyn std::error::Error, "a cleanup run's task ended early");
    }
}

impl Queue {
    /// The queue in this database.
    #[must_use]
    pub fn new(db: &Database) -> Self {
        Self { db: db.clone(), pool: Arc::default() }
    }

    /// The database that it is in.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.db
    }

    /// Queues a run that has just been committed, so that a worker takes it within a second or so. Where that fails, it is
    /// logged and no more: whoever serves finds the run within a few seconds.
    pub async fn push(&self, run: Uuid) {
        if let Err(error) = self.replace(run, None).await {
            tracing::warn!(%run, error = &*error, "a cleanup run was not queued; it is found again soon");
        }
    }

    /// Queues a run whose job is gone. Nothing happens where somebody else has just done so.
    pub(super) async fn replace(&self, run: Uuid, gone: Option<String>) -> Result<(), BoxDynError> {
        let job = Uuid::new_v4().to_string();
        if cleanup::replace_job(&self.db, run, gone, &job).await? {
            let task = TaskBuilder::new(Job { run }).idempotency_key(job).build();
            let pushed: Result<(), BoxDynError> = match self.pool().await? {
                Pool::Postgres(pool) => self.on_postgres(pool).push_task(task).await.map_err(Into::into),
                Pool::Sqlite(pool) => self.on_sqlite(pool).push_task(task).await.map_err(Into::into),
            };
            if let Err(error) = pushed {
                return Err(self.named(error).await);
            }
        }
        Ok(())
    }

    /// The error of apalis' by what somebody can do about it, where that is known.
    async fn named(&self, error: BoxDynError) -> BoxDynError {
        match ClosedHstore::find(self.db.pool(), self.db.dialect()).await {
            Ok(Some(closed)) => format!("{} Have its owner run: {}", closed.message(), closed.grant()).into(),
            Err(Error::Unavailable(_)) => self.db.why_away().await.map_or(error, |why| why.in_full().into()),
            _ => error,
        }
    }

    /// Takes jobs until the workers are to stop, or until the database does not answer.
    pub(super) async fn work(&self, hand: Hand) -> Result<(), BoxDynError> {
        // apalis takes a name for dead for a while after it has ended, so each worker has one of its own.
        let name = WorkerContext::new(&format!("{NAME} {}", Uuid::new_v4()));
        let stopping = hand.stopping.clone();
        let mut working = match self.pool().await? {
            Pool::Postgres(pool) => taking!(self.on_postgres(pool), &name, self.poll(), hand),
            Pool::Sqlite(pool) => taking!(self.on_sqlite(pool), &name, self.poll(), hand),
        };
        tokio::select! {
            ended = &mut working => match ended {
                Ok(()) => Ok(()),
                Err(error) => Err(self.named(error.into()).await),
            },
            () = stopped(stopping) => {
                // One that has not begun cannot be told.
                if name.stop().is_ok() {
                    working.await?;
                }
                Ok(())
            }
        }
    }

    fn poll(&self) -> Strategy {
        Strategy::new().interval(LONGEST_POLL.min(self.db.settings().run_lease / 3))
    }

    fn on_postgres(&self, pool: &PgPool) -> PostgresStorage<Job> {
        let heartbeat = self.heartbeat();
        let config = apalis_postgres::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        PostgresStorage::new(pool).with_config(config.missed_heartbeats(MISSED))
    }

    fn on_sqlite(&self, pool: &SqlitePool) -> SqliteStorage<Job> {
        let heartbeat = self.heartbeat();
        let config = apalis_sqlite::Config::default().queue(NAME).batch_size(1).heartbeat_interval(heartbeat);
        SqliteStorage::new(pool).with_config(config.missed_heartbeats(MISSED))
    }

    fn heartbeat(&self) -> Duration {
        self.db.settings().run_lease / 3
    }

    async fn pool(&self) -> Result<&Pool, BoxDynError> {
        let settings = self.db.settings();
        self.pool
            .get_or_try_init(|| async {
                Ok(match self.db.dialect() {
                    Dialect::Postgres => Pool::Postgres(postgres(settings)?),
                    Dialect::Sqlite => Pool::Sqlite(sqlite(settings)?),
                })
            })
            .await
    }
}

/// After so many intervals without a sign apalis gives a worker's jobs to others. A run's lease may last longer, so this
/// only finds out that nobody has the job.
const MISSED: usize = 4;

/// The type hstore is named by apalis' statements as it is, wherever the extension may be.
const FIND_HSTORE: &str = "SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(n.nspname), false) \
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'hstore'";

fn postgres(settings: &DatabaseSettings) -> Result<PgPool, BoxDynError> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    let options = PgConnectOptions::from_str(&settings.url)?.application_name("session-admin queue").options([
        ("statement_timeout", milliseconds(settings.query_timeout)),
        ("lock_timeout", milliseconds(settings.lock_timeout)),
        ("jit", "off".to_owned()),
    ]);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(Duration::from_secs(5)).after_connect(
        |connection, _| {
            Box::pin(async move { sea_orm::sqlx::query(FIND_HSTORE).execute(connection).await.map(|_| ()) })
        },
    );
    Ok(pool.connect_lazy_with(options))
}

/// A batch that is under way is waited for: the file has one writer at a time.
fn sqlite(settings: &DatabaseSettings) -> Result<SqlitePool, BoxDynError> {
    let options = SqliteConnectOptions::from_str(&settings.url)?
        .foreign_keys(true)
        .journal_mode(sea_orm::sqlx::sqlite::SqliteJournalMode::Wal)
        .busy_timeout(settings.deletion_timeout);
    Ok(SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options))
}
