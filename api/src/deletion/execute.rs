//! One deletion, from lock to commit.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::archive::writer::Archive;
use super::audit::{query, record};
use super::commit_hook::{CommitHook, RowBudget};
use super::model::{DeletionOutcome, DeletionRequest, DeletionStatus};
use super::postgres::delete_rows as postgres;
use super::refusals;
use super::row_counts::Removed;
use super::sqlite::delete_rows as sqlite;
use crate::db::{Database, Dialect, Writing, distinct, ids_parameter};
use crate::error::Error;
use crate::idempotency;
use crate::idempotency::{Created, Replay};
use crate::impact::plan::Plan;
use crate::impact::sql::Sql;
use crate::impact::sql::shape::Shape;
use crate::impact::token::Looked;
use crate::impact::{Impact, Reading};
use crate::refusal::Refusal;
use crate::session::{self, Filter};

/// How often a deletion starts again because the foreign keys changed while it began.
const ATTEMPTS: usize = 3;

/// Deletes the sessions asked for and all that goes with them, or does nothing and says why.
///
/// # Errors
/// What is not a refusal: [`Error::Unavailable`], [`Error::Timeout`], [`Error::BadInput`] for a malformed token.
pub async fn delete(db: &Database, request: &DeletionRequest) -> Result<DeletionOutcome, Error> {
    let looked = request.terms.expected_impact.as_deref().map(Looked::read).transpose()?;
    request.check()?;
    match attempt(db, request, looked.as_ref(), None).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(%source, "a deletion gave up waiting for a lock");
            Ok(DeletionOutcome::refused(vec![refusals::lock_timeout("deletion")]))
        }
        // Only a batch of a run is ever left to somebody else.
        other => Ok(other?.unwrap_or_default()),
    }
}

/// Deletes sessions as one batch of a run, which decides how many rows may be deleted and whose progress is committed with
/// the deletion. Returns None where the batch belongs to another worker.
///
/// # Errors
/// Those of [`delete`], and [`Error::LockTimeout`].
pub(crate) async fn delete_batch(
    db: &Database,
    request: &DeletionRequest,
    run: &dyn CommitHook,
) -> Result<Option<DeletionOutcome>, Error> {
    attempt(db, request, None, Some(run)).await
}

async fn attempt(
    db: &Database,
    request: &DeletionRequest,
    looked: Option<&Looked>,
    run: Option<&dyn CommitHook>,
) -> Result<Option<DeletionOutcome>, Error> {
    for _ in 0..ATTEMPTS {
        let enforce = enforce_foreign_keys(db).await?;
        let Writing { transaction, turn: _turn } = db.writing(enforce).await?;
        let step = Step { db, request, looked, run, transaction: &transaction, enforce };
        match step.run().await {
            Ok(Ended::Committing(outcome)) => {
                return match transaction.commit().await.map_err(Error::from) {
                    Ok(()) => Ok(Some(*outcome)),
                    // SQLite looks at the references that a trigger has made only now.
                    Err(Error::Refused(said)) => Ok(Some(refusals::at_commit(*outcome, &said))),
                    Err(error) => Err(error),
                };
            }
            Ok(Ended::RollingBack(outcome)) => {
                transaction.rollback().await?;
                return Ok(Some(*outcome));
            }
            Ok(Ended::Taken) => {
                transaction.rollback().await?;
                return Ok(None);
            }
            Ok(Ended::KeysChanged) => transaction.rollback().await?,
            Err(error) => {
                // The first error is the one to report; a rollback that fails too is the connection's end.
                let _ = transaction.rollback().await;
                return Err(error);
            }
        }
    }
    Err(Error::Unsuitable("The foreign keys keep changing. Try again when the schema is at rest.".to_owned()))
}

/// On SQLite this must be settled before the transaction begins, and is looked at again within.
pub(crate) async fn enforce_foreign_keys(db: &Database) -> Result<bool, Error> {
    match db.dialect() {
        Dialect::Postgres => Ok(true),
        Dialect::Sqlite => {
            let reading = Reading::now(db.pool(), db).await?;
            Ok(sqlite::may_enforce(&Plan::new(&reading.graph)))
        }
    }
}

enum Ended {
    Committing(Box<DeletionOutcome>),
    RollingBack(Box<DeletionOutcome>),
    KeysChanged,
    /// The batch belongs to another worker.
    Taken,
}

impl Ended {
    fn refused(refusals: Vec<Refusal>) -> Self {
        Self::RollingBack(Box::new(DeletionOutcome::refused(refusals)))
    }
}

/// One attempt, inside its transaction.
struct Step<'a> {
    db: &'a Database,
    request: &'a DeletionRequest,
    looked: Option<&'a Looked>,
    run: Option<&'a dyn CommitHook>,
    transaction: &'a DatabaseTransaction,
    enforce: bool,
}

impl Step<'_> {
    async fn run(&self) -> Result<Ended, Error> {
        if let Some(ended) = self.answered().await? {
            return Ok(ended);
        }
        let distinct = distinct(&self.request.session_ids);
        let mut at_most = self.request.terms.at_most;
        if let Some(run) = self.run {
            let Some(RowBudget(rows)) = run.begin(self.transaction).await? else { return Ok(Ended::Taken) };
            at_most = rows;
        }
        let reading = match self.db.dialect() {
            Dialect::Postgres => postgres::settle(self.transaction, self.db).await?,
            Dialect::Sqlite => Reading::now(self.transaction, self.db).await?,
        };
        let plan = Plan::new(&reading.graph);
        let ids = ids_parameter(&distinct);
        let dialect = self.db.dialect();
        let sql = Sql { plan: &plan, dialect, shape: Shape::of_changes(dialect, distinct.len()) };
        match dialect {
            Dialect::Postgres => postgres::lock_rows(self.transaction, &sql, &ids).await?,
            Dialect::Sqlite if sqlite::may_enforce(&plan) != self.enforce => return Ok(Ended::KeysChanged),
            Dialect::Sqlite => {}
        }
        let (impact, unknown) = reading.of_sessions(self.transaction, &self.request.session_ids).await?;
        if !unknown.is_empty() {
            return Ok(Ended::refused(vec![refusals::not_found(&unknown)]));
        }
        let unmet = self.no_longer_met(&distinct).await?;
        if !unmet.is_empty() {
            return Ok(Ended::refused(vec![refusals::no_longer_matching(&unmet)]));
        }
        let (refusals, changes) = refusals::before(self.request, self.looked, &impact, at_most);
        if !refusals.is_empty() {
            let outcome = DeletionOutcome { impact: Some(impact), changes, refusals, ..DeletionOutcome::default() };
            return Ok(Ended::RollingBack(Box::new(outcome)));
        }
        self.remove(impact, &sql, &ids).await
    }

    /// What the same request did before, or the refusal of a key that another one used.
    async fn answered(&self) -> Result<Option<Ended>, Error> {
        Ok(match idempotency::find(self.transaction, self.db, self.request.idempotent_request().as_ref()).await? {
            Replay::None => None,
            Replay::Mismatch(refusal) => Some(Ended::refused(vec![refusal])),
            Replay::Found(created, impact) => {
                let deletion = match created {
                    Created::Deletion(id) => query::find_in(self.transaction, self.db, id).await?,
                    Created::Run(_) => None,
                };
                let outcome = DeletionOutcome { deletion, impact, repeated: true, ..DeletionOutcome::default() };
                Some(Ended::RollingBack(Box::new(outcome)))
            }
        })
    }

    /// The sessions that were picked for what they no longer are, now that they are locked.
    async fn no_longer_met(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
        let Some(filter) = &self.request.must_meet else { return Ok(Vec::new()) };
        let filter = Filter { ids: Some(ids.to_vec()), ..filter.clone() };
        let met = session::queries::matching(self.transaction, self.db, &filter, None).await?;
        Ok(ids.iter().copied().filter(|id| !met.contains(id)).collect())
    }

    async fn remove(&self, impact: Impact, sql: &Sql<'_>, ids: &str) -> Result<Ended, Error> {
        let names = session::queries::names(self.transaction, self.db, &self.request.session_ids).await?;
        // Ahead of the deletion, whose archive refers to it; where something refuses, it is rolled back too.
        let deletion =
            record::record(self.transaction, self.db, self.request, &impact, names, self.run.map(CommitHook::run_id))
                .await?;
        let archive = match deletion.status {
            DeletionStatus::Restorable => Archive::open(self.transaction, self.db, deletion.id, sql, &impact).await?,
            _ => Archive::default(),
        };
        let removed = match self.removed(sql, ids, &archive).await {
            Ok(removed) => removed,
            Err(Error::Refused(said)) => {
                tracing::info!(error = %said.source, "the database refused a deletion");
                let outcome = refusals::by_database(impact, &said);
                return Ok(Ended::RollingBack(Box::new(outcome)));
            }
            Err(error) => return Err(error),
        };
        let pending = removed.pending(sql.plan);
        if pending > 0 && !self.request.terms.allow_pending_messages {
            let impact = Impact { pending_messages: pending, ..impact };
            let outcome =
                DeletionOutcome { impact: Some(impact), ..DeletionOutcome::refused(vec![refusals::pending(pending)]) };
            return Ok(Ended::RollingBack(Box::new(outcome)));
        }
        let changes = removed.differs_from(&impact, sql.plan);
        if !changes.is_empty() || removed.unexplained != 0 {
            return Ok(Ended::RollingBack(Box::new(refusals::done_otherwise(impact, changes, removed.unexplained))));
        }
        if removed.unkept != 0 {
            let message = "The archive has not taken in what goes; look for triggers and rules on its tables. Nothing was deleted.";
            return Err(Error::Unsuitable(message.to_owned()));
        }
        if self.request.dry_run {
            let outcome = DeletionOutcome { impact: Some(impact), ..DeletionOutcome::default() };
            return Ok(Ended::RollingBack(Box::new(outcome)));
        }
        if let Some(run) = self.run {
            run.commit(self.transaction, &deletion, 0).await?;
        }
        let idempotent = self.request.idempotent_request();
        let created = Created::Deletion(deletion.id);
        idempotency::store(self.transaction, self.db, idempotent.as_ref(), created, &impact).await?;
        let outcome = DeletionOutcome { deletion: Some(deletion), impact: Some(impact), ..DeletionOutcome::default() };
        Ok(Ended::Committing(Box::new(outcome)))
    }

    async fn removed(&self, sql: &Sql<'_>, ids: &str, archive: &Archive) -> Result<Removed, Error> {
        match self.db.dialect() {
            Dialect::Postgres => postgres::remove(self.transaction, sql, ids, archive).await,
            Dialect::Sqlite => {
                // What SQLite would find out at COMMIT, a dry run has to look for.
                let check = self.request.dry_run || !self.enforce;
                sqlite::remove(self.transaction, sql, ids, archive, check).await
            }
        }
    }
}
