//! Working off a run, step by step.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::timeout;
use uuid::Uuid;

use super::batch_size::Pace;
use super::delete_batch::{Ended, delete};
use super::eligibility::{Candidate, blocked, look};
use super::gateway_filter::{kept, wanted};
use super::model::{CleanupRun, RunKind, RunStatus, SkippedSession};
use super::run_claim::RunLease;
use super::run_progress;
use super::run_progress::State;
use super::run_record::find;
use super::{restore_run, run_lease};
use crate::db::Database;
use crate::error::Error;
use crate::gateway::{Gateway, ask_about_each};
use crate::impact::{deletable_together, fewest_together};
use crate::refusal::{Refusal, RefusalCode};

/// How many sessions are looked at together; one look serves several batches.
const WINDOW: u32 = 100;
/// How often SQLite's write lock may not be had, each time for as long as a statement waits for a lock.
const PATIENCE: u32 = 5;
/// How often a run is begun with before it is given up, unless it has come further in between.
const ATTEMPTS: i32 = 10;

/// Goes through the sessions of a run. What it knows besides the rows of the run is only to save work: it may be
/// dropped after any step, and a new one goes on: at once where it gave the run back, else when its lease has run out.
#[derive(Debug)]
pub struct Worker {
    db: Database,
    gateway: Option<Gateway>,
    run: CleanupRun,
    lease: RunLease,
    pace: Pace,
    /// Whose turn the window's sessions are.
    state: State,
    /// Sessions that may go, as they were a moment ago.
    window: VecDeque<Candidate>,
    /// The last batch that was refused.
    refused: Vec<Uuid>,
    /// How often in a row SQLite's write lock could not be had.
    waited: u32,
}

impl Worker {
    /// Takes a run, to begin or to go on with it. None where it has finished, is another worker's, or is to rest.
    ///
    /// # Errors
    /// [`Error::BadInput`] where there is no such run, or no gateway that its criteria want asked;
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn take(db: Database, gateway: Option<Gateway>, run: Uuid, pace: Pace) -> Result<Option<Self>, Error> {
        let unknown = || Error::BadInput(format!("No cleanup run has the id {run}."));
        let asked = find(&db, run).await?.ok_or_else(unknown)?;
        if asked.wants_gateway() {
            wanted(gateway.as_ref(), &asked.criteria)?;
        }
        let Some(lease) = run_lease::take(&db, run).await? else { return Ok(None) };
        // Not read again before the first step: that may fail, and the run would be nobody's until the lease has run out.
        let (status, leased_by, attempts) = (RunStatus::Running, Some(lease.name.clone()), asked.attempts + 1);
        let run = CleanupRun { status, leased_by, attempts, ..asked };
        let (window, refused) = (VecDeque::new(), Vec::new());
        let worker = Self { db, gateway, run, lease, pace, state: State::Queued, window, refused, waited: 0 };
        if worker.run.attempts > ATTEMPTS {
            // Whoever had it was ended each time before anything was done.
            worker.give_up("No worker that took it came to the end of a batch.").await?;
            return Ok(None);
        }
        Ok(Some(worker))
    }

    /// The run as it was after the last step.
    #[must_use]
    pub const fn run(&self) -> &CleanupRun {
        &self.run
    }

    /// Goes on until the run has finished or is another worker's, or until `told_to_stop` is ready: then the batch that is
    /// under way is the last one, and the run is given back. Shows `seen` the run after each step, and gives it as it is
    /// then. While the database is away, or has no connection to spare, it waits.
    ///
    /// # Errors
    /// Those of [`Worker::step`]: the run rests for a while, each time longer, and has failed after ten attempts that
    /// brought it no further. [`Error::Unavailable`] only once it was told to stop, and that was no attempt.
    pub async fn work_off(
        mut self,
        told_to_stop: impl Future<Output = ()>,
        mut seen: impl FnMut(&CleanupRun),
    ) -> Result<CleanupRun, Error> {
        let mut told_to_stop = std::pin::pin!(told_to_stop);
        let (mut stopping, mut away) = (false, false);
        loop {
            let stepped = {
                let mut step = std::pin::pin!(self.step());
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
                    away = false;
                    seen(&run);
                }
                // Nothing is wrong with the run; whoever takes it when the lease has run out finds the same database.
                Err(error @ Error::Unavailable(_)) => {
                    if !std::mem::replace(&mut away, true) {
                        tracing::warn!(run = %self.run.id, %error, "a cleanup run waits for the database");
                    }
                    if stopping || timeout(self.pause(), told_to_stop.as_mut()).await.is_ok() {
                        left_to_lapse(self.give_back().await);
                        return Err(error);
                    }
                    continue;
                }
                Err(error) => {
                    self.rest(&error).await;
                    return Err(error);
                }
            }
            if !self.is_held() {
                return Ok(self.run);
            }
            if stopping {
                self.give_back().await?;
                return Ok(self.run);
            }
        }
    }

    /// Leaves the run to others, at once.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`]: then it is theirs when the lease has run out.
    pub async fn give_back(&self) -> Result<(), Error> {
        run_lease::give_back(&self.db, &self.lease).await
    }

    /// Before the same is tried again for the first time.
    fn pause(&self) -> Duration {
        self.db.settings().run_lease / 15
    }

    /// Whether the run was still this worker's, and not finished, after the last step.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.run.leased_by.as_deref() == Some(self.lease.name.as_str())
    }

    /// After an error that concerns the whole database: the run is tried again later, or given up.
    async fn rest(&self, error: &Error) {
        let ended = match find(&self.db, self.run.id).await {
            Ok(Some(run)) if run.attempts >= ATTEMPTS => self.give_up(&error.to_string()).await,
            Ok(Some(run)) => {
                let doublings = u32::try_from(run.attempts - 1).unwrap_or_default();
                let pause = self.pause().saturating_mul(1 << doublings).min(self.db.settings().run_lease * 2);
                run_lease::rest(&self.db, &self.lease, self.db.settings().clock.now() + pause).await
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        left_to_lapse(ended);
    }

    async fn give_up(&self, error: &str) -> Result<(), Error> {
        let error = format!("Given up after {ATTEMPTS} attempts that brought the run no further. {error}");
        run_progress::stop(&self.db, &self.lease, RefusalCode::RunFinished, &error).await.map(|_| ())
    }

    /// Deletes one batch, or sets sessions aside, or ends the run; a finished one is left as it is. Gives the run as it
    /// is then.
    ///
    /// # Errors
    /// What concerns the whole database: [`Error::Unavailable`], [`Error::Timeout`], [`Error::LockTimeout`] and their
    /// like. The run stays as it was committed last, and another step may go on with it.
    pub async fn step(&mut self) -> Result<CleanupRun, Error> {
        if self.run.status.has_finished() {
            return Ok(self.run.clone());
        }
        let (db, lease) = (self.db.clone(), self.lease.clone());
        match run_lease::keeping(&db, &lease, self.advance()).await {
            Ok(true) => self.waited = 0,
            Ok(false) => self.window.clear(),
            Err(Error::LockTimeout(_)) if self.waited < PATIENCE => self.waited += 1,
            Err(error) => return Err(error),
        }
        let id = self.run.id;
        let gone = || Error::Unsuitable(format!("The cleanup run {id} is no longer in the database."));
        self.run = find(&self.db, id).await?.ok_or_else(gone)?;
        Ok(self.run.clone())
    }

    /// False where the run is another worker's by now.
    async fn advance(&mut self) -> Result<bool, Error> {
        match self.run.kind {
            RunKind::Delete => self.delete().await,
            RunKind::Restore => restore_run::step(&self.db, &self.run, &self.lease).await,
        }
    }

    async fn delete(&mut self) -> Result<bool, Error> {
        if self.window.is_empty() {
            return self.refill().await;
        }
        let (batch, blocked) = self.next_batch().await?;
        if !blocked.is_empty() {
            return self.set_aside(&blocked, State::Deferred).await;
        }
        if batch.is_empty() {
            self.window.clear();
            return Ok(true);
        }
        let answers = ask_about_each(self.gateway.as_ref(), &batch).await;
        let kept = kept(&batch, &answers, &self.run.criteria, self.run.terms.allow_connected);
        if !kept.is_empty() {
            return self.set_aside(&kept, State::Skipped).await;
        }
        match delete(&self.db, &self.run, &self.lease, &batch, answers).await? {
            Ended::Elsewhere => Ok(false),
            Ended::Deleted { rows, took } => {
                self.pace.went(rows, took);
                self.window.retain(|candidate| !batch.contains(&candidate.id));
                Ok(true)
            }
            Ended::TooMany(error) => run_progress::stop(&self.db, &self.lease, RefusalCode::TooManyRows, &error).await,
            Ended::Refused(refusal) => self.refused(batch, &refusal).await,
        }
    }

    /// Looks at the next sessions, or at those that were set aside when there are no others; without any the run is at
    /// its end.
    async fn refill(&mut self) -> Result<bool, Error> {
        let (db, run) = (&self.db, self.run.id);
        self.state = State::Queued;
        let mut ids = run_progress::next(db, run, State::Queued, Some(WINDOW)).await?;
        if ids.is_empty() {
            self.state = State::Deferred;
            ids = run_progress::next(db, run, State::Deferred, None).await?;
        }
        if ids.is_empty() {
            return run_progress::complete(db, &self.lease, "deleted").await;
        }
        let (mut fit, mut unfit) = look(db, &self.run.rules(), &ids).await?;
        if self.state == State::Deferred {
            let fit_ids: Vec<Uuid> = fit.iter().map(|candidate| candidate.id).collect();
            let together = deletable_together(db, &fit_ids).await?;
            unfit.extend(together.blocked.iter().map(|(id, blockers)| blocked(*id, blockers)));
            fit.retain(|candidate| together.deletable.contains(&candidate.id));
        }
        self.window = fit.into();
        if unfit.is_empty() { Ok(true) } else { self.set_aside(&unfit, State::Skipped).await }
    }

    /// The first sessions of the window that make a batch; beside them those among them that cannot go yet. At the end,
    /// where sessions wait for one another, a batch grows until it can go.
    async fn next_batch(&self) -> Result<(Vec<Uuid>, Vec<SkippedSession>), Error> {
        let window: Vec<Uuid> = self.window.iter().map(|candidate| candidate.id).collect();
        let mut takes = self.pace.takes(self.window.iter().map(Candidate::touches)).min(window.len());
        loop {
            let ids = &window[..takes];
            if self.window.iter().take(takes).all(|candidate| candidate.impact.deletable) {
                return Ok((ids.to_vec(), Vec::new()));
            }
            let together = deletable_together(&self.db, ids).await?;
            if self.state == State::Queued {
                let blocked = together.blocked.iter().map(|(id, blockers)| blocked(*id, blockers));
                return Ok((together.deletable, blocked.collect()));
            }
            if !together.deletable.is_empty() || takes == window.len() {
                return Ok((together.deletable, Vec::new()));
            }
            if !self.refused.is_empty() {
                // Whichever session was refused, few others are to stay for it.
                let fewest = fewest_together(&self.db, &window).await?;
                return Ok((window.into_iter().filter(|id| fewest.contains(id)).collect(), Vec::new()));
            }
            takes = (takes * 2).min(window.len());
        }
    }

    /// The same batch is not tried for ever: a smaller one is, in which the session that was refused is soon alone;
    /// that one is tried again at the end if that may help, and left then.
    async fn refused(&mut self, batch: Vec<Uuid>, refusal: &Refusal) -> Result<bool, Error> {
        self.window.clear();
        let by_database = matches!(
            refusal.code,
            RefusalCode::BlockedByForeignKey | RefusalCode::LockTimeout | RefusalCode::ImpactChanged
        );
        // A session that has changed is named for it when it is looked at again.
        let again = batch.len() > 1 || !by_database;
        if again && self.refused != batch {
            self.pace.shrink(batch.len());
            self.refused = batch;
            return Ok(true);
        }
        let state = if by_database && self.state == State::Queued { State::Deferred } else { State::Skipped };
        let skipped = |id: &Uuid| SkippedSession::new(*id, refusal.code, refusal.message.clone());
        self.set_aside(&batch.iter().map(skipped).collect::<Vec<_>>(), state).await
    }

    async fn set_aside(&mut self, sessions: &[SkippedSession], state: State) -> Result<bool, Error> {
        self.window.retain(|candidate| !sessions.iter().any(|session| session.session_id == candidate.id));
        run_progress::set_aside(&self.db, &self.lease, sessions, state).await
    }
}

/// Notes that a lease could not be given up: it runs out.
fn left_to_lapse(given_up: Result<(), Error>) {
    if let Err(error) = given_up {
        tracing::debug!(error = &error as &dyn std::error::Error, "the lease of a cleanup run is left to run out");
    }
}
