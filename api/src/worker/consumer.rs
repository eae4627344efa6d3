//! Taking runs from the queue and working them off.

use std::sync::Arc;

use tokio::sync::{RwLock, watch};
use uuid::Uuid;

use super::gateway_wait::Waiting;
use super::job_queue::Queue;
use super::{migrated, pause, stopped};
use crate::admission::connection_budget::ConnectionBudget;
use crate::cleanup::{Pace, RunKind, Worker};
use crate::db::Database;
use crate::gateway::Gateway;

/// What works a run off.
#[derive(Debug, Clone)]
pub(super) struct Hand {
    pub db: Database,
    pub gateway: Option<Gateway>,
    pub stopping: watch::Receiver<bool>,
    pub running: Arc<RwLock<()>>,
    /// What this process leaves to others.
    pub waiting: Arc<Waiting>,
}

impl Hand {
    /// How many runs leave connections for those who only read.
    pub fn at_once(&self) -> usize {
        ConnectionBudget::new(self.db.settings().max_connections).runs
    }
}

/// Takes jobs until the workers are to stop. A database that goes away ends apalis' worker; another one begins.
pub(super) async fn always(queue: Queue, hand: Hand) {
    if !migrated(&hand.db, &hand.stopping).await {
        return;
    }
    let again = hand.db.settings().run_lease / 3;
    let mut said = String::new();
    loop {
        if let Err(error) = queue.work(hand.clone()).await {
            let message = error.to_string();
            if message != said {
                tracing::warn!(error = message, "no cleanup runs are taken from the queue for now");
                said = message;
            }
        }
        if pause(&hand.stopping, again).await {
            return;
        }
    }
}

/// Works a run off, if it is anybody's turn. An error is the run's own matter: it is tried again later.
pub(super) async fn work(run: Uuid, hand: &Hand) {
    let _running = hand.running.read().await;
    if *hand.stopping.borrow() {
        return;
    }
    if hand.gateway.is_none() {
        match hand.waiting.leaves(&hand.db, run).await {
            Ok(false) => {}
            Ok(true) => return,
            Err(error) => {
                tracing::warn!(%run, error = &error as &dyn std::error::Error, "a cleanup run was not looked at");
                return;
            }
        }
    }
    let ended = match Worker::take(hand.db.clone(), hand.gateway.clone(), run, Pace::default()).await {
        Ok(Some(worker)) => {
            if worker.run().started_at.is_some() {
                tracing::info!(%run, "goes on with a cleanup run that was begun before");
            }
            worker.work_off(stopped(hand.stopping.clone()), |_| ()).await
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
            tracing::info!(run = %run.id, status = ?run.status, rows_deleted, rows_restored, "a cleanup run has ended");
        }
        Ok(run) => tracing::info!(run = %run.id, "a cleanup run is left to others"),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%run, error, "a cleanup run was interrupted; it is tried again later");
        }
    }
}
