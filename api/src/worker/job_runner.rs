//! The execution of the run that a job names.

use std::sync::Arc;

use tokio::sync::{RwLock, watch};
use uuid::Uuid;

use super::gateway_wait::GatewayWait;
use super::stop_signal::wait_until_stopped;
use crate::admission::connection_budget::ConnectionBudget;
use crate::cleanup::{BatchSize, RunExecutor, RunKind};
use crate::db::Database;
use crate::gateway::Gateway;

/// The state that is needed to execute runs, shared by all jobs of a process.
#[derive(Debug, Clone)]
pub(super) struct JobRunner {
    pub db: Database,
    pub gateway: Option<Gateway>,
    /// True once the workers must stop.
    pub stopping: watch::Receiver<bool>,
    /// Locked for reading by each run in progress.
    pub running: Arc<RwLock<()>>,
    /// The runs that wait for a process with a gateway.
    pub gateway_wait: Arc<GatewayWait>,
}

impl JobRunner {
    /// Returns the number of runs that may be executed at the same time, so that connections remain for reads.
    pub fn concurrency(&self) -> usize {
        ConnectionBudget::new(self.db.settings().max_connections).runs
    }

    /// Executes a run, unless another worker has its lease. An error is only logged, since the run is retried later.
    pub async fn run_job(&self, run: Uuid) {
        let _running = self.running.read().await;
        if *self.stopping.borrow() {
            return;
        }
        if self.gateway.is_none() {
            match self.gateway_wait.should_defer(&self.db, run).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    tracing::warn!(target: "session_admin::worker", %run, error = &error as &dyn std::error::Error, "a cleanup run could not be read");
                    return;
                }
            }
        }
        let result = match RunExecutor::take(self.db.clone(), self.gateway.clone(), run, BatchSize::default()).await {
            Ok(Some(executor)) => {
                if executor.run().started_at.is_some() {
                    tracing::info!(target: "session_admin::worker", %run, "resuming a cleanup run");
                }
                executor.run_to_end(wait_until_stopped(self.stopping.clone()), |_| ()).await
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match result {
            Ok(run) if run.status.has_finished() => {
                let (rows_deleted, rows_restored) = match run.kind {
                    RunKind::Delete => (Some(run.rows_deleted), None),
                    RunKind::Restore => (None, Some(run.rows_restored)),
                };
                tracing::info!(
                    target: "session_admin::worker",
                    run = %run.id,
                    status = ?run.status,
                    rows_deleted,
                    rows_restored,
                    "a cleanup run has ended"
                );
            }
            Ok(run) => {
                tracing::info!(target: "session_admin::worker", run = %run.id, "a cleanup run is left to other workers");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(target: "session_admin::worker", %run, error, "a cleanup run was interrupted; it is tried again later");
            }
        }
    }
}
