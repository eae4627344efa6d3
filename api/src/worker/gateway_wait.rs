//! The wait of runs that require a gateway for a process that has one, and its timeout.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun};
use crate::db::Database;
use crate::error::Error;

/// The time after which a waiting run fails because no process has a gateway, as a multiple of the lease.
const TIMEOUT_IN_LEASES: u32 = 20;

/// The waiting runs, each as this process first saw it and the time since when it has waited unchanged.
#[derive(Debug, Default)]
pub(super) struct GatewayWait(Mutex<HashMap<Uuid, (CleanupRun, Instant)>>);

impl GatewayWait {
    /// Returns whether a run has to be left to another process because it requires a gateway. A run that no process
    /// takes before the timeout ends as FAILED, with the reason.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn should_defer(&self, db: &Database, run: Uuid) -> Result<bool, Error> {
        let Some(current) = cleanup::find(db, run).await?.filter(CleanupRun::requires_gateway) else {
            return Ok(false);
        };
        let timeout = db.settings().run_lease * TIMEOUT_IN_LEASES;
        let mut waiting = self.0.lock().await;
        let first_seen = waiting.get(&run).map(|(first, since)| (first.clone(), *since));
        // Removes runs that other processes have leased in the meantime: this process does not see them again.
        waiting.retain(|_, (_, since)| since.elapsed() < timeout);
        if !current.is_free(db.settings().clock.now()) {
            return Ok(true);
        }
        match first_seen {
            Some((first, since)) if first == current => {
                if since.elapsed() >= timeout {
                    fail_run(db, run, timeout).await?;
                }
            }
            first_seen => {
                // Another process has leased and released a run that has changed, so its wait starts again.
                waiting.insert(run, (current, Instant::now()));
                if first_seen.is_none() {
                    tracing::warn!(
                        target: "session_admin::worker",
                        %run,
                        ?timeout,
                        "a cleanup run needs a gateway, and this server has none (--gateway-url, \
                         SESSION_ADMIN_GATEWAY_URL): it is left to a server that has one, and fails if there is none"
                    );
                }
            }
        }
        Ok(true)
    }
}

/// Ends a waiting run as FAILED, unless a worker has leased it in the meantime.
async fn fail_run(db: &Database, run: Uuid, timeout: Duration) -> Result<(), Error> {
    let reason = format!(
        "The run deletes only sessions that the gateway does not know, and for {} s no server with a gateway has \
         executed it. Start a server with --gateway-url (SESSION_ADMIN_GATEWAY_URL), then request the cleanup again.",
        timeout.as_secs()
    );
    if cleanup::give_up(db, run, &reason).await? {
        tracing::warn!(target: "session_admin::worker", %run, reason, "a cleanup run has failed");
    }
    Ok(())
}
