//! Runs that require a gateway, in a process that has none: they wait for a process that has one, but not for ever.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun};
use crate::db::Database;
use crate::error::Error;

/// The time after which a waiting run fails, in leases: no process has a gateway.
const TIMEOUT_IN_LEASES: u32 = 20;

/// The waiting runs, each as this process saw it first, and since when.
#[derive(Debug, Default)]
pub(super) struct GatewayWait(Mutex<HashMap<Uuid, (CleanupRun, Instant)>>);

impl GatewayWait {
    /// Whether a run is to be left to another process. A run that no process takes ends as FAILED, with the reason.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn should_defer(&self, db: &Database, run: Uuid) -> Result<bool, Error> {
        let Some(now) = cleanup::find(db, run).await?.filter(CleanupRun::requires_gateway) else { return Ok(false) };
        let timeout = db.settings().run_lease * TIMEOUT_IN_LEASES;
        let mut waiting = self.0.lock().await;
        let since = waiting.get(&run).map(|(then, since)| (then.clone(), *since));
        // Runs that other processes took in the meantime are not seen here again.
        waiting.retain(|_, (_, since)| since.elapsed() < timeout);
        if !now.is_free(db.settings().clock.now()) {
            return Ok(true);
        }
        match since {
            Some((then, since)) if then == now => {
                if since.elapsed() >= timeout {
                    cancel_run(db, run, timeout).await?;
                }
            }
            seen => {
                // A process that made progress with it since has given it back.
                waiting.insert(run, (now, Instant::now()));
                if seen.is_none() {
                    tracing::warn!(
                        target: "session_admin::worker",
                        %run,
                        patience = ?timeout,
                        "a cleanup run wants a gateway asked, and none is named here with --gateway-url \
                         (SESSION_ADMIN_GATEWAY_URL): it is left to a server that has one, and fails if none takes it"
                    );
                }
            }
        }
        Ok(true)
    }
}

async fn cancel_run(db: &Database, run: Uuid, timeout: Duration) -> Result<(), Error> {
    let why = format!(
        "It takes only sessions that the gateway does not know, and for {} s no server took it that has a gateway. Start one \
         with --gateway-url (SESSION_ADMIN_GATEWAY_URL), then ask for the cleanup again.",
        timeout.as_secs()
    );
    if cleanup::give_up(db, run, &why).await? {
        tracing::warn!(target: "session_admin::worker", %run, why, "a cleanup run has failed");
    }
    Ok(())
}
