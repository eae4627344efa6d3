//! `session-admin migrate`: the schema's history, and between its last two steps the purge of stale sessions.
//! Nothing here can drop a business table.

use migration::{MigrationSession, STALE_PURGE};
use serde::Serialize;

use super::purge::{self, PurgeOutcome};
use crate::cli::output::{Output, eprint_note};
use crate::cli::purge_plan::{SparedSession, StaleSessions, plan_purge};
use crate::cli::{exit::Exit, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::deletion::DeletionOutcome;
use crate::error::Error;
use crate::gateway::Gateway;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Do not ask: apply what is pending and purge the stale sessions
    #[arg(long)]
    yes: bool,
    /// List what has been applied and what is pending; changes nothing
    #[arg(long, conflicts_with = "yes")]
    status: bool,
}

/// The answer as a document.
#[derive(Serialize)]
struct Report {
    applied: Vec<String>,
    pending: Vec<String>,
    purge: Option<DeletionOutcome>,
    /// Stale sessions that stay, since messages are still to be sent or the gateway says that they are connected.
    spared: Vec<SparedSession>,
}

/// What somebody is told who has said no to the purge.
const PURGE_PENDING: &str =
    "Nothing was purged; the purge stays pending. All else works without it, and `session-admin migrate` asks again.";

/// Shows, asks, applies.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if args.status {
        config.require_file()?;
    } else if config.require_file().is_err() {
        // Connecting would make the file.
        prompt::confirm_or_yes(args.yes, output, "migrate")?;
    }
    let db = Database::connect(config.database.clone()).await?;
    let gateway = config.gateway()?;
    let ended =
        if args.status { status(&db, output).await } else { migrate(&args, &db, gateway.as_ref(), output).await };
    let exit = match ended {
        // Better with the table's name, and who holds it.
        Err(error @ Error::LockTimeout(_)) => {
            return Err(migration::diagnose_lock_timeout(db.pool(), &config.database.schema)
                .await
                .map_or(error, Error::from));
        }
        ended => ended?,
    };
    db.close().await?;
    Ok(exit)
}

async fn status(db: &Database, output: Output) -> Result<Exit, Error> {
    let status = migration::list_with_status(db.pool()).await?;
    let of =
        |applied: bool| status.iter().filter(move |(_, is)| *is == applied).map(|(name, _)| name.clone()).collect();
    output.document(&Report { applied: of(true), pending: of(false), purge: None, spared: Vec::new() });
    output.text(render::migrations(&status));
    Ok(Exit::Done)
}

async fn migrate(args: &Args, db: &Database, gateway: Option<&Gateway>, output: Output) -> Result<Exit, Error> {
    let pending = migration::list_pending(db.pool()).await?;
    if pending.is_empty() {
        output.document(&Report { applied: Vec::new(), pending, purge: None, spared: Vec::new() });
        output.text("Nothing is pending.");
        return Ok(Exit::Done);
    }
    let purges = pending.iter().any(|name| name == STALE_PURGE);
    let stale = if purges { plan_purge(db, gateway).await? } else { StaleSessions::default() };
    output.text(render::pending(&pending, stale.plan.as_ref().map(|plan| &plan.impact), &stale.spared));
    prompt::confirm_or_yes(args.yes, output, "migrate")?;
    if !args.yes && !prompt::confirm("Go ahead?")? {
        let only_purge = pending == [STALE_PURGE];
        output.text(if only_purge { PURGE_PENDING } else { "Nothing was changed." });
        return Ok(Exit::Refused);
    }
    apply(args, db, gateway, &stale, output).await
}

/// The run itself, alone on this database: another one is waited for, and may have left nothing to do.
async fn apply(
    args: &Args,
    db: &Database,
    gateway: Option<&Gateway>,
    shown: &StaleSessions,
    output: Output,
) -> Result<Exit, Error> {
    let settings = db.settings();
    let waiting = || eprint_note("Another migrate is running on this database; waiting for it to end.");
    let session = MigrationSession::open(&settings.url, &settings.schema, waiting).await?;
    let mut applied = Vec::new();
    let mut told = |name: &str| {
        output.text(format_args!("applied {name}"));
        applied.push(name.to_owned());
    };
    session.apply_before_purge(&mut told).await?;
    let (purged, spared) = if session.list_pending().await?.iter().any(|name| name == STALE_PURGE) {
        purge::purge_stale(db, gateway, shown, args.yes, output).await?
    } else {
        (PurgeOutcome::NothingStale, Vec::new())
    };
    if matches!(purged, PurgeOutcome::NothingStale | PurgeOutcome::Done(_)) {
        session.apply_remaining(&mut told).await?;
    }
    let pending = session.list_pending().await?;
    session.close().await?;
    Ok(conclude(Report { applied, pending, purge: None, spared }, purged, output))
}

/// Says what was done.
fn conclude(mut report: Report, purged: PurgeOutcome, output: Output) -> Exit {
    let exit = match &purged {
        PurgeOutcome::NothingStale => {
            output.text("Done. No stale session was to be purged.");
            Exit::Done
        }
        PurgeOutcome::Done(outcome) => {
            output.text(render::outcome(outcome));
            output.text("Done.");
            Exit::Done
        }
        PurgeOutcome::Refused(outcome) => {
            output.text(render::outcome(outcome));
            output.text(format_args!("The purge stays pending. {}", purge::advice(outcome)));
            Exit::Refused
        }
        PurgeOutcome::Declined => {
            output.text(PURGE_PENDING);
            Exit::Refused
        }
    };
    if let PurgeOutcome::Done(outcome) | PurgeOutcome::Refused(outcome) = purged {
        report.purge = Some(outcome);
    }
    output.document(&report);
    exit
}
