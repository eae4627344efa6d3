//! Executing a run, step by step.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;
use uuid::Uuid;

use super::batch_size::BatchSize;
use super::delete_batch::{BatchOutcome, delete};
use super::eligibility::{Candidate, blocked, check_eligibility};
use super::gateway_filter::{required_gateway, skipped_by_gateway};
use super::model::{CleanupRun, RunKind, RunStatus, SkippedSession};
use super::run_claim::RunLease;
use super::run_progress;
use super::run_progress::SessionState;
use super::run_record::find;
use super::{restore_run, run_lease};
use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, query_all};
use crate::impact::{largest_deletable_set, smallest_deletable_set};
use crate::refusal::{Refusal, RefusalCode};

/// The sessions that are checked together; one check serves several batches.
const WINDOW_SIZE: u32 = 100;
/// How often in a row SQLite's write lock may be missing. Each time a statement has waited for it as long as it may.
const MAX_LOCK_TIMEOUTS: u32 = 5;
/// How often a run is tried before it fails, unless it makes progress in between.
const MAX_ATTEMPTS: i32 = 10;

/// Executes the run of which it has the lease.
///
/// Everything that it knows besides the run's rows only saves work: it may be dropped after any step, and another
/// worker continues, at once where the lease was given back, else when the lease has ended.
#[derive(Debug)]
pub struct RunExecutor {
    db: Database,
    gateway: Option<Gateway>,
    run: CleanupRun,
    lease: RunLease,
    batch_size: BatchSize,
    /// The state of the window's sessions.
    state: SessionState,
    /// The next sessions that may be deleted, as they were when they were checked.
    window: VecDeque<Candidate>,
    /// The batch that was refused last.
    refused_batch: Vec<Uuid>,
    /// How often in a row SQLite's write lock was missing.
    lock_timeouts: u32,
}

impl RunExecutor {
    /// Takes the lease of a run, to begin or to continue it. Returns None where the run has finished, another worker
    /// has the lease, or the run is paused after an error.
    ///
    /// # Errors
    /// [`Error::BadInput`] where no run has the id, or its criteria require a gateway and there is none;
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn take(
        db: Database,
        gateway: Option<Gateway>,
        run: Uuid,
        pace: BatchSize,
    ) -> Result<Option<Self>, Error> {
        let unknown = || Error::BadInput(format!("No cleanup run has the id {run}."));
        let found = find(&db, run).await?.ok_or_else(unknown)?;
        if found.requires_gateway() {
            required_gateway(gateway.as_ref(), &found.criteria)?;
        }
        let Some(lease) = run_lease::take(&db, run).await? else { return Ok(None) };
        // The run is not read again: if that failed, no worker could execute the run until the lease expires.
        let (status, leased_by, attempts) = (RunStatus::Running, Some(lease.name.clone()), found.attempts + 1);
        let run = CleanupRun { status, leased_by, attempts, ..found };
        let worker = Self {
            db,
            gateway,
            run,
            lease,
            batch_size: pace,
            state: SessionState::Queued,
            window: VecDeque::new(),
            refused_batch: Vec::new(),
            lock_timeouts: 0,
        };
        if worker.run.attempts > MAX_ATTEMPTS {
            // Every worker that leased the run ended before it completed a batch.
            worker.fail("No worker completed a batch.").await?;
            return Ok(None);
        }
        Ok(Some(worker))
    }

    /// Returns the run as it was after the last step.
    #[must_use]
    pub const fn run(&self) -> &CleanupRun {
        &self.run
    }

    /// Executes steps until the run has finished or another worker holds it, and returns the final state of the run.
    ///
    /// When `told_to_stop` is ready, the current batch is the last one, and the lease is released. Calls `seen` with
    /// the run after each step. Waits while the database is unavailable or has no free connection.
    ///
    /// # Errors
    /// Returns the errors of [`RunExecutor::run_next_batch`]. The run is then paused, for longer after each attempt,
    /// and fails after ten attempts without progress. [`Error::Unavailable`] is returned only after `told_to_stop` is
    /// ready, and does not count as an attempt.
    pub async fn run_to_end(
        mut self,
        told_to_stop: impl Future<Output = ()>,
        mut seen: impl FnMut(&CleanupRun),
    ) -> Result<CleanupRun, Error> {
        let mut told_to_stop = std::pin::pin!(told_to_stop);
        let (mut stopping, mut unavailable) = (false, false);
        loop {
            let stepped = {
                let mut step = std::pin::pin!(self.run_next_batch());
                tokio::select! {
                    biased;
                    stepped = &mut step => stepped,
                    () = &mut told_to_stop, if !stopping => {
                        stopping = true;
                        step.await
                    }
                }
            };
            match stepped {
                Ok(run) => {
                    unavailable = false;
                    seen(&run);
                }
                // Nothing is wrong with the run: the next worker would find the same database.
                Err(error @ Error::Unavailable(_)) => {
                    if !std::mem::replace(&mut unavailable, true) {
                        tracing::warn!(target: "session_admin::cleanup", run = %self.run.id, %error, "a cleanup run waits for the database");
                    }
                    if stopping || timeout(self.first_pause(), told_to_stop.as_mut()).await.is_ok() {
                        log_kept_lease(self.release().await);
                        return Err(error);
                    }
                    continue;
                }
                Err(error) => {
                    self.back_off(&error).await;
                    return Err(error);
                }
            }
            if !self.is_held() {
                return Ok(self.run);
            }
            if stopping {
                self.release().await?;
                return Ok(self.run);
            }
        }
    }

    /// Gives the lease back, so that another worker can take it at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`]: then another worker can take it when it has ended.
    pub async fn release(&self) -> Result<(), Error> {
        run_lease::release(&self.db, &self.lease).await
    }

    /// Returns the pause before a failed step is tried again for the first time.
    fn first_pause(&self) -> Duration {
        self.db.settings().run_lease / 15
    }

    /// Returns whether this worker held the lease after the last step and the run had not finished.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.run.leased_by.as_deref() == Some(self.lease.name.as_str())
    }

    /// Pauses the run after an error that concerns the whole database, or fails it after too many attempts.
    async fn back_off(&self, error: &Error) {
        let ended = match find(&self.db, self.run.id).await {
            Ok(Some(run)) if run.attempts >= MAX_ATTEMPTS => self.fail(&error.to_string()).await,
            Ok(Some(run)) => {
                let doublings = u32::try_from(run.attempts - 1).unwrap_or_default();
                let pause = self.first_pause().saturating_mul(1 << doublings).min(self.db.settings().run_lease * 2);
                run_lease::back_off(&self.db, &self.lease, self.db.settings().clock.now() + pause).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        log_kept_lease(ended);
    }

    async fn fail(&self, error: &str) -> Result<(), Error> {
        let error = format!("The run made no progress in {MAX_ATTEMPTS} attempts. {error}");
        run_progress::stop(&self.db, &self.lease, RefusalCode::RunFinished, &error).await.map(|_| ())
    }

    /// Deletes one batch, defers sessions, or ends the run, and returns the resulting state of the run. A finished run
    /// is not changed.
    ///
    /// # Errors
    /// Errors that concern the whole database: [`Error::Unavailable`], [`Error::Timeout`], [`Error::LockTimeout`] and
    /// others. The run remains in its last committed state, and another step can continue it.
    pub async fn run_next_batch(&mut self) -> Result<CleanupRun, Error> {
        if self.run.status.has_finished() {
            return Ok(self.run.clone());
        }
        let (db, lease) = (self.db.clone(), self.lease.clone());
        match run_lease::with_lease(&db, &lease, self.advance()).await {
            Ok(true) => self.lock_timeouts = 0,
            Ok(false) => self.window.clear(),
            Err(Error::LockTimeout(_)) if self.lock_timeouts < MAX_LOCK_TIMEOUTS => self.lock_timeouts += 1,
            Err(error) => return Err(error),
        }
        let id = self.run.id;
        let missing = || Error::IncompatibleDatabase(format!("The cleanup run {id} is no longer in the database."));
        self.run = find(&self.db, id).await?.ok_or_else(missing)?;
        Ok(self.run.clone())
    }

    /// Does the next thing. Returns false where another worker has the lease by now.
    async fn advance(&mut self) -> Result<bool, Error> {
        match self.run.kind {
            RunKind::Delete => self.delete().await,
            RunKind::Restore => restore_run::restore_next(&self.db, &self.run, &self.lease).await,
        }
    }

    async fn delete(&mut self) -> Result<bool, Error> {
        if self.window.is_empty() {
            return self.refill_window().await;
        }
        let (batch, blocked) = self.next_batch().await?;
        if !blocked.is_empty() {
            return self.set_aside(&blocked, SessionState::Deferred).await;
        }
        if batch.is_empty() {
            self.window.clear();
            return Ok(true);
        }
        let answers = query_all(self.gateway.as_ref(), &batch).await;
        let skipped = skipped_by_gateway(&batch, &answers, &self.run.criteria, self.run.terms.allow_connected);
        if !skipped.is_empty() {
            return self.set_aside(&skipped, SessionState::Skipped).await;
        }
        match delete(&self.db, &self.run, &self.lease, &batch, answers).await? {
            BatchOutcome::OtherWorkersBatch => Ok(false),
            BatchOutcome::Deleted { rows, duration } => {
                self.batch_size.adapt(rows, duration);
                self.window.retain(|candidate| !batch.contains(&candidate.id));
                Ok(true)
            }
            BatchOutcome::TooManyRows(error) => {
                run_progress::stop(&self.db, &self.lease, RefusalCode::TooManyRows, &error).await
            }
            BatchOutcome::Refused(refusal) => self.handle_refusal(batch, &refusal).await,
        }
    }

    /// Checks the next sessions, or the deferred ones where there are no others. Without any, the run is complete.
    async fn refill_window(&mut self) -> Result<bool, Error> {
        let (db, run) = (&self.db, self.run.id);
        self.state = SessionState::Queued;
        let mut ids = run_progress::next_sessions(db, run, SessionState::Queued, Some(WINDOW_SIZE)).await?;
        if ids.is_empty() {
            self.state = SessionState::Deferred;
            ids = run_progress::next_sessions(db, run, SessionState::Deferred, None).await?;
        }
        if ids.is_empty() {
            return run_progress::complete(db, &self.lease, "deleted").await;
        }
        let (mut candidates, mut skipped) = check_eligibility(db, &self.run.rules(), &ids).await?;
        if self.state == SessionState::Deferred {
            let ids: Vec<Uuid> = candidates.iter().map(|candidate| candidate.id).collect();
            let set = largest_deletable_set(db, &ids).await?;
            skipped.extend(set.blocked.iter().map(|(id, blockers)| blocked(*id, blockers)));
            candidates.retain(|candidate| set.deletable.contains(&candidate.id));
        }
        self.window = candidates.into();
        if skipped.is_empty() { Ok(true) } else { self.set_aside(&skipped, SessionState::Skipped).await }
    }

    /// Returns the first sessions of the window that make a batch, and those among them that cannot be deleted yet.
    /// Deferred sessions, which block one another, make a batch that grows until it can be deleted.
    async fn next_batch(&self) -> Result<(Vec<Uuid>, Vec<SkippedSession>), Error> {
        let window: Vec<Uuid> = self.window.iter().map(|candidate| candidate.id).collect();
        let rows = self.window.iter().map(Candidate::rows_changed);
        let mut count = self.batch_size.sessions_that_fit(rows).min(window.len());
        loop {
            let ids = &window[..count];
            if self.window.iter().take(count).all(|candidate| candidate.impact.deletable) {
                return Ok((ids.to_vec(), Vec::new()));
            }
            let set = largest_deletable_set(&self.db, ids).await?;
            if self.state == SessionState::Queued {
                let blocked = set.blocked.iter().map(|(id, blockers)| blocked(*id, blockers));
                return Ok((set.deletable, blocked.collect()));
            }
            if !set.deletable.is_empty() || count == window.len() {
                return Ok((set.deletable, Vec::new()));
            }
            if !self.refused_batch.is_empty() {
                // Whichever session was refused, it is to keep few others back.
                let smallest = smallest_deletable_set(&self.db, &window).await?;
                return Ok((window.into_iter().filter(|id| smallest.contains(id)).collect(), Vec::new()));
            }
            count = (count * 2).min(window.len());
        }
    }

    /// Handles the refusal of a batch. A smaller batch is tried next, in which the refused session is soon alone; that
    /// session is deferred where trying it again may help, and skipped otherwise.
    async fn handle_refusal(&mut self, batch: Vec<Uuid>, refusal: &Refusal) -> Result<bool, Error> {
        self.window.clear();
        let by_database = matches!(
            refusal.code,
            RefusalCode::BlockedByForeignKey | RefusalCode::LockTimeout | RefusalCode::ImpactChanged
        );
        // A session that has changed is found when it is checked again.
        let is_worth_retrying = batch.len() > 1 || !by_database;
        if is_worth_retrying && self.refused_batch != batch {
            self.batch_size.shrink(batch.len());
            self.refused_batch = batch;
            return Ok(true);
        }
        let is_deferred = by_database && self.state == SessionState::Queued;
        let state = if is_deferred { SessionState::Deferred } else { SessionState::Skipped };
        let skipped = |id: &Uuid| SkippedSession::new(*id, refusal.code, refusal.message.clone());
        self.set_aside(&batch.iter().map(skipped).collect::<Vec<_>>(), state).await
    }

    async fn set_aside(&mut self, sessions: &[SkippedSession], state: SessionState) -> Result<bool, Error> {
        self.window.retain(|candidate| !sessions.iter().any(|session| session.session_id == candidate.id));
        run_progress::set_aside(&self.db, &self.lease, sessions, state).await
    }
}

/// Logs that a lease could not be given back, so that it lasts until its end.
fn log_kept_lease(given_back: Result<(), Error>) {
    if let Err(error) = given_back {
        tracing::debug!(target: "session_admin::cleanup", error = &error as &dyn std::error::Error, "the lease of a cleanup run was not released; it expires later");
    }
}
