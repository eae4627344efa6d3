//! One deletion, from its locks to its commit.

use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::archive::writer::ArchiveWriter;
use super::audit::{query, record};
use super::commit_hook::{CommitHook, RowBudget};
use super::model::{DeletionOutcome, DeletionRequest, DeletionStatus};
use super::postgres::delete_rows as postgres;
use super::refusals;
use super::row_counts::DeletedRows;
use super::sqlite::delete_rows as sqlite;
use crate::db::{Database, Dialect, WriteTransaction, distinct, ids_parameter};
use crate::error::Error;
use crate::idempotency;
use crate::idempotency::{Created, Replay};
use crate::impact::plan::DeletionPlan;
use crate::impact::sql::PlanSql;
use crate::impact::sql::shape::QueryShape;
use crate::impact::token::ExpectedImpact;
use crate::impact::{Impact, SchemaSnapshot};
use crate::refusal::Refusal;
use crate::session::{self, SessionFilter};

/// How often a deletion is tried where the foreign keys change while it begins.
const MAX_ATTEMPTS: usize = 3;

/// Deletes the requested sessions and everything that is deleted with them, or does nothing and returns the refusals.
///
/// # Errors
/// Everything that is not a refusal: [`Error::Unavailable`], [`Error::Timeout`], [`Error::BadInput`] for a malformed
/// request.
pub async fn delete(db: &Database, request: &DeletionRequest) -> Result<DeletionOutcome, Error> {
    let expected = request.terms.expected_impact.as_deref().map(ExpectedImpact::parse).transpose()?;
    request.check()?;
    match delete_with_retries(db, request, expected.as_ref(), None).await {
        Err(Error::LockTimeout(source)) => {
            tracing::info!(target: "session_admin::deletion", %source, "a deletion gave up waiting for a lock");
            Ok(DeletionOutcome::refused(vec![refusals::lock_timeout("deletion")]))
        }
        // Only a batch of a run can belong to another worker.
        other => Ok(other?.unwrap_or_default()),
    }
}

/// Deletes sessions as one batch of a run, which decides how many rows may be deleted and whose progress is committed
/// with the deletion. Returns `None` if the batch belongs to another worker.
///
/// # Errors
/// Returns the errors of [`delete`], and [`Error::LockTimeout`].
pub(crate) async fn delete_batch(
    db: &Database,
    request: &DeletionRequest,
    run: &dyn CommitHook,
) -> Result<Option<DeletionOutcome>, Error> {
    delete_with_retries(db, request, None, Some(run)).await
}

async fn delete_with_retries(
    db: &Database,
    request: &DeletionRequest,
    expected: Option<&ExpectedImpact>,
    run: Option<&dyn CommitHook>,
) -> Result<Option<DeletionOutcome>, Error> {
    for _ in 0..MAX_ATTEMPTS {
        let enforce = enforce_foreign_keys(db).await?;
        let WriteTransaction { transaction, writer_guard: _writer_guard } = db.begin_write(enforce).await?;
        let deletion = DeletionTx { db, request, expected, run, transaction: &transaction, enforce };
        match deletion.execute().await {
            Ok(TxOutcome::Commit(outcome)) => {
                return match transaction.commit().await.map_err(Error::from) {
                    Ok(()) => Ok(Some(*outcome)),
                    // SQLite checks the references that a trigger has made only now.
                    Err(Error::Refused(said)) => Ok(Some(refusals::at_commit(*outcome, &said))),
                    Err(error) => Err(error),
                };
            }
            Ok(TxOutcome::RollBack(outcome)) => {
                transaction.rollback().await?;
                return Ok(Some(*outcome));
            }
            Ok(TxOutcome::OtherWorkersBatch) => {
                transaction.rollback().await?;
                return Ok(None);
            }
            Ok(TxOutcome::SchemaChanged) => transaction.rollback().await?,
            Err(error) => {
                // The first error is the one to report; a rollback that fails too is the connection's end.
                let _ = transaction.rollback().await;
                return Err(error);
            }
        }
    }
    Err(Error::IncompatibleDatabase(
        "The foreign keys keep changing. Try again when the schema no longer changes.".to_owned(),
    ))
}

/// Whether the database enforces foreign keys during the next deletion or restore. On SQLite this is decided before the
/// transaction begins, and checked again within it.
///
/// # Errors
/// [`Error::IncompatibleDatabase`] where the sessions' table is missing or hidden; [`Error::Unavailable`], [`Error::Timeout`].
pub(crate) async fn enforce_foreign_keys(db: &Database) -> Result<bool, Error> {
    match db.dialect() {
        Dialect::Postgres => Ok(true),
        Dialect::Sqlite => {
            let schema = SchemaSnapshot::load(db.pool(), db).await?;
            Ok(sqlite::may_enforce(&DeletionPlan::new(&schema.graph)))
        }
    }
}

/// How a transaction is to end.
enum TxOutcome {
    Commit(Box<DeletionOutcome>),
    RollBack(Box<DeletionOutcome>),
    /// The foreign keys are no longer those that the transaction was begun for.
    SchemaChanged,
    /// The batch belongs to another worker.
    OtherWorkersBatch,
}

impl TxOutcome {
    fn refused(refusals: Vec<Refusal>) -> Self {
        Self::RollBack(Box::new(DeletionOutcome::refused(refusals)))
    }
}

/// One attempt at a deletion, inside its transaction.
struct DeletionTx<'a> {
    db: &'a Database,
    request: &'a DeletionRequest,
    expected: Option<&'a ExpectedImpact>,
    run: Option<&'a dyn CommitHook>,
    transaction: &'a DatabaseTransaction,
    /// Whether SQLite enforces its foreign keys in this transaction.
    enforce: bool,
}

impl DeletionTx<'_> {
    async fn execute(&self) -> Result<TxOutcome, Error> {
        if let Some(outcome) = self.replay().await? {
            return Ok(outcome);
        }
        let distinct = distinct(&self.request.session_ids);
        let mut at_most = self.request.terms.at_most;
        if let Some(run) = self.run {
            let Some(RowBudget(rows)) = run.begin(self.transaction).await? else {
                return Ok(TxOutcome::OtherWorkersBatch);
            };
            at_most = rows;
        }
        let schema = match self.db.dialect() {
            Dialect::Postgres => postgres::lock_schema(self.transaction, self.db).await?,
            Dialect::Sqlite => SchemaSnapshot::load(self.transaction, self.db).await?,
        };
        let plan = DeletionPlan::new(&schema.graph);
        let ids = ids_parameter(&distinct);
        let dialect = self.db.dialect();
        let sql = PlanSql { plan: &plan, dialect, shape: QueryShape::for_changes(dialect, distinct.len()) };
        match dialect {
            Dialect::Postgres => postgres::lock_rows(self.transaction, &sql, &ids).await?,
            Dialect::Sqlite if sqlite::may_enforce(&plan) != self.enforce => return Ok(TxOutcome::SchemaChanged),
            Dialect::Sqlite => {}
        }
        let (impact, unknown) = schema.impact_of(self.transaction, &self.request.session_ids).await?;
        if !unknown.is_empty() {
            return Ok(TxOutcome::refused(vec![refusals::not_found(&unknown)]));
        }
        let unmatched = self.no_longer_matching(&distinct).await?;
        if !unmatched.is_empty() {
            return Ok(TxOutcome::refused(vec![refusals::no_longer_matching(&unmatched)]));
        }
        let (refusals, changes) = refusals::check_preconditions(self.request, self.expected, &impact, at_most);
        if !refusals.is_empty() {
            let outcome = DeletionOutcome { impact: Some(impact), changes, refusals, ..DeletionOutcome::default() };
            return Ok(TxOutcome::RollBack(Box::new(outcome)));
        }
        self.delete_rows(impact, &sql, &ids).await
    }

    /// Returns the outcome of an earlier request under the same idempotency key, or the refusal of a key that was used
    /// for another request.
    async fn replay(&self) -> Result<Option<TxOutcome>, Error> {
        let request = self.request.idempotent_request();
        Ok(match idempotency::find(self.transaction, self.db, request.as_ref()).await? {
            Replay::None => None,
            Replay::Mismatch(refusal) => Some(TxOutcome::refused(vec![refusal])),
            Replay::Found(created, impact) => {
                let deletion = match created {
                    Created::Deletion(id) => query::find_in(self.transaction, self.db, id).await?,
                    Created::Run(_) => None,
                };
                let outcome = DeletionOutcome { deletion, impact, repeated: true, ..DeletionOutcome::default() };
                Some(TxOutcome::RollBack(Box::new(outcome)))
            }
        })
    }

    /// Returns the sessions that no longer meet the request's filter, now that they are locked.
    async fn no_longer_matching(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, Error> {
        let Some(filter) = &self.request.must_meet else { return Ok(Vec::new()) };
        let filter = SessionFilter { ids: Some(ids.to_vec()), ..filter.clone() };
        let matching = session::queries::find_matching_ids(self.transaction, self.db, &filter, None).await?;
        Ok(ids.iter().copied().filter(|id| !matching.contains(id)).collect())
    }

    async fn delete_rows(&self, impact: Impact, sql: &PlanSql<'_>, ids: &str) -> Result<TxOutcome, Error> {
        let names = session::queries::names_by_id(self.transaction, self.db, &self.request.session_ids).await?;
        // Before the deletion, whose archive refers to it; a refusal rolls it back too.
        let run_id = self.run.map(CommitHook::run_id);
        let deletion = record::record(self.transaction, self.db, self.request, &impact, names, run_id).await?;
        let archive = match deletion.status {
            DeletionStatus::Restorable => {
                ArchiveWriter::open(self.transaction, self.db, deletion.id, sql, &impact).await?
            }
            _ => ArchiveWriter::default(),
        };
        let deleted = match self.execute_delete(sql, ids, &archive).await {
            Ok(deleted) => deleted,
            Err(Error::Refused(said)) => {
                tracing::info!(target: "session_admin::deletion", error = %said.source, "the database refused a deletion");
                return Ok(TxOutcome::RollBack(Box::new(refusals::database_refused(impact, &said))));
            }
            Err(error) => return Err(error),
        };
        let pending = deleted.pending_messages(sql.plan);
        if pending > 0 && !self.request.terms.allow_pending_messages {
            let impact = Impact { pending_messages: pending, ..impact };
            let refused = DeletionOutcome::refused(vec![refusals::pending(pending)]);
            return Ok(TxOutcome::RollBack(Box::new(DeletionOutcome { impact: Some(impact), ..refused })));
        }
        let changes = deleted.differs_from(&impact, sql.plan);
        if !changes.is_empty() || deleted.unexplained != 0 {
            let outcome = refusals::impact_mismatch(impact, changes, deleted.unexplained);
            return Ok(TxOutcome::RollBack(Box::new(outcome)));
        }
        if deleted.unarchived_rows != 0 {
            let message = "The archive does not contain all rows that would be deleted; look for triggers and rules \
                           on its tables. Nothing was deleted.";
            return Err(Error::IncompatibleDatabase(message.to_owned()));
        }
        if self.request.dry_run {
            let outcome = DeletionOutcome { impact: Some(impact), ..DeletionOutcome::default() };
            return Ok(TxOutcome::RollBack(Box::new(outcome)));
        }
        if let Some(run) = self.run {
            run.commit(self.transaction, &deletion, 0).await?;
        }
        let request = self.request.idempotent_request();
        let created = Created::Deletion(deletion.id);
        idempotency::store(self.transaction, self.db, request.as_ref(), created, &impact).await?;
        let outcome = DeletionOutcome { deletion: Some(deletion), impact: Some(impact), ..DeletionOutcome::default() };
        Ok(TxOutcome::Commit(Box::new(outcome)))
    }

    async fn execute_delete(
        &self,
        sql: &PlanSql<'_>,
        ids: &str,
        archive: &ArchiveWriter,
    ) -> Result<DeletedRows, Error> {
        match self.db.dialect() {
            Dialect::Postgres => postgres::delete_rows(self.transaction, sql, ids, archive).await,
            Dialect::Sqlite => {
                // A dry run has to find what SQLite would find at COMMIT.
                let check = self.request.dry_run || !self.enforce;
                sqlite::delete_rows(self.transaction, sql, ids, archive, check).await
            }
        }
    }
}
