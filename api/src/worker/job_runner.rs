//! Executing the run that a job names.

use std::sync::Arc;

use tokio::sync::{RwLock, watch};
use uuid::Uuid;

use super::gateway_wait::GatewayWait;
use super::stop_signal::stopped;
use crate::admission::connection_budget::ConnectionBudget;
use crate::cleanup::{BatchSize, RunExecutor, RunKind};
use crate::db::Database;
use crate::gateway::Gateway;

/// Everything that executing a run needs.
#[derive(Debug, Clone)]
pub(super) struct JobRunner {
    pub db: Database,
    pub gateway: Option<Gateway>,
    pub stopping: watch::Receiver<bool>,
    /// Locked for reading by each run under way.
    pub running: Arc<RwLock<()>>,
    /// The runs that wait for a process with a gateway.
    pub gateway_wait: Arc<GatewayWait>,
}

impl JobRunner {
    /// Returns how many runs may be under way at once, so that connections are left for reads.
    pub fn concurrency(&self) -> usize {
        ConnectionBudget::new(self.db.settings().max_connections).runs
    }

    /// Executes a run, unless another worker has it. Errors are logged: the run is tried again later.
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
                    tracing::warn!(target: "session_admin::worker", %run, error = &error as &dyn std::error::Error, "a cleanup run was not looked at");
                    return;
                }
            }
        }
        let ended = match RunExecutor::take(self.db.clone(), self.gateway.clone(), run, BatchSize::default()).await {
            Ok(Some(worker)) => {
                if worker.run().started_at.is_some() {
                    tracing::info!(target: "session_admin::worker", %run, "goes on with a cleanup run that was begun before");
                }
                worker.run_to_end(stopped(self.stopping.clone()), |_| ()).await
            }
            Ok(None) => return,
            Err(error) => Err(error),
        };
        match ended {
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
                tracing::info!(target: "session_admin::worker", run = %run.id, "a cleanup run is left to others")
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(target: "session_admin::worker", %run, error, "a cleanup run was interrupted; it is tried again later");
            }
        }
    }
}
