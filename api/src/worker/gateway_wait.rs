//! Runs that want a gateway asked, where this process has none: they are left to a process that has one, but not for ever.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun};
use crate::db::Database;
use crate::error::Error;

/// After so many leases that this process has seen such a run wait, it ends: nobody has a gateway.
const PATIENCE: u32 = 20;

/// Such runs as they were when this process saw them first, and since when.
#[derive(Debug, Default)]
pub(super) struct Waiting(Mutex<HashMap<Uuid, (CleanupRun, Instant)>>);

impl Waiting {
    /// Whether a run is for others to work on. One that nobody takes ends FAILED, with the reason.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Timeout`].
    pub async fn leaves(&self, db: &Database, run: Uuid) -> Result<bool, Error> {
        let Some(now) = cleanup::find(db, run).await?.filter(CleanupRun::wants_gateway) else { return Ok(false) };
        let patience = db.settings().run_lease * PATIENCE;
        let mut waiting = self.0.lock().await;
        let since = waiting.get(&run).map(|(then, since)| (then.clone(), *since));
        // What others took in the meantime is not seen here again.
        waiting.retain(|_, (_, since)| since.elapsed() < patience);
        if !now.is_free(db.settings().clock.now()) {
            return Ok(true);
        }
        match since {
            Some((then, since)) if then == now => {
                if since.elapsed() >= patience {
                    give_up(db, run, patience).await?;
                }
            }
            seen => {
                // Whoever has come further with it since has left it again.
                waiting.insert(run, (now, Instant::now()));
                if seen.is_none() {
                    tracing::warn!(
                        %run,
                        ?patience,
                        "a cleanup run wants a gateway asked, and none is named here with --gateway-url \
                         (SESSION_ADMIN_GATEWAY_URL): it is left to a server that has one, and fails if none takes it"
                    );
                }
            }
        }
        Ok(true)
    }
}

async fn give_up(db: &Database, run: Uuid, patience: Duration) -> Result<(), Error> {
    let why = format!(
        "It takes only sessions that the gateway does not know, and for {} s no server took it that has a gateway. Start one \
         with --gateway-url (SESSION_ADMIN_GATEWAY_URL), then ask for the cleanup again.",
        patience.as_secs()
    );
    if cleanup::give_up(db, run, &why).await? {
        tracing::warn!(%run, why, "a cleanup run has failed");
    }
    Ok(())
}
