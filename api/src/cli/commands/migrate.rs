//! The command `session-admin migrate`, which applies the pending migrations and, as one of them, purges stale
//! sessions.
//!
//! No migration can drop a business table.

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

/// The arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Do not ask for confirmation: apply what is pending and purge the stale sessions
    #[arg(long)]
    yes: bool,
    /// List what has been applied and what is pending; changes nothing
    #[arg(long, conflicts_with = "yes")]
    status: bool,
}

/// The JSON document of `migrate`.
#[derive(Serialize)]
struct Report {
    applied: Vec<String>,
    pending: Vec<String>,
    purge: Option<DeletionOutcome>,
    /// The stale sessions that are not purged, because they have pending messages or the gateway reports them as
    /// connected.
    spared: Vec<SparedSession>,
}

/// The message after the operator has declined the purge.
const PURGE_PENDING: &str = "Nothing was purged; the purge stays pending. Everything else works without it. \
                             `session-admin migrate` asks again.";

/// Prints the pending migrations, asks for confirmation, and applies them. With `--status` it only lists them.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if args.status {
        config.require_file()?;
    } else if config.require_file().is_err() {
        // A connection would create the file.
        prompt::require_yes_or_terminal(args.yes, output, "migrate")?;
    }
    let db = Database::connect(config.database.clone()).await?;
    let gateway = config.gateway()?;
    let result =
        if args.status { status(&db, output).await } else { migrate(&args, &db, gateway.as_ref(), output).await };
    let exit = match result {
        // The diagnosis names the locked table and the process that holds the lock.
        Err(error @ Error::LockTimeout(_)) => {
            return Err(migration::diagnose_lock_timeout(db.pool(), &config.database.schema)
                .await
                .map_or(error, Error::from));
        }
        result => result?,
    };
    db.close().await?;
    Ok(exit)
}

async fn status(db: &Database, output: Output) -> Result<Exit, Error> {
    let status = migration::list_with_status(db.pool()).await?;
    let names_where = |applied: bool| {
        status.iter().filter(move |(_, is_applied)| *is_applied == applied).map(|(name, _)| name.clone()).collect()
    };
    output.print_document(&Report {
        applied: names_where(true),
        pending: names_where(false),
        purge: None,
        spared: Vec::new(),
    });
    output.print_text(render::migration_status(&status));
    Ok(Exit::Done)
}

async fn migrate(args: &Args, db: &Database, gateway: Option<&Gateway>, output: Output) -> Result<Exit, Error> {
    let pending = migration::list_pending(db.pool()).await?;
    if pending.is_empty() {
        output.print_document(&Report { applied: Vec::new(), pending, purge: None, spared: Vec::new() });
        output.print_text("Nothing is pending.");
        return Ok(Exit::Done);
    }
    let includes_purge = pending.iter().any(|name| name == STALE_PURGE);
    let stale = if includes_purge { plan_purge(db, gateway).await? } else { StaleSessions::default() };
    output.print_text(render::pending_migrations(
        &pending,
        stale.plan.as_ref().map(|plan| &plan.impact),
        &stale.spared,
    ));
    prompt::require_yes_or_terminal(args.yes, output, "migrate")?;
    if !args.yes && !prompt::confirm("Go ahead?")? {
        let only_purge = pending == [STALE_PURGE];
        output.print_text(if only_purge { PURGE_PENDING } else { "Nothing was changed." });
        return Ok(Exit::Refused);
    }
    apply(args, db, gateway, &stale, output).await
}

/// Applies the pending migrations under a lock. It first waits for any other `migrate` on this database, after which
/// nothing may be left to apply.
async fn apply(
    args: &Args,
    db: &Database,
    gateway: Option<&Gateway>,
    previewed: &StaleSessions,
    output: Output,
) -> Result<Exit, Error> {
    let settings = db.settings();
    let announce_wait = || eprint_note("Another migrate is running on this database; waiting for it to end.");
    let session = MigrationSession::open(&settings.url, &settings.schema, announce_wait).await?;
    let mut applied = Vec::new();
    let mut record_applied = |name: &str| {
        output.print_text(format_args!("applied {name}"));
        applied.push(name.to_owned());
    };
    session.apply_before_purge(&mut record_applied).await?;
    let (purge_outcome, spared) = if session.list_pending().await?.iter().any(|name| name == STALE_PURGE) {
        purge::purge_stale(db, gateway, previewed, args.yes, output).await?
    } else {
        (PurgeOutcome::NothingStale, Vec::new())
    };
    if matches!(purge_outcome, PurgeOutcome::NothingStale | PurgeOutcome::Done(_)) {
        session.apply_remaining(&mut record_applied).await?;
    }
    let pending = session.list_pending().await?;
    session.close().await?;
    Ok(report_outcome(Report { applied, pending, purge: None, spared }, purge_outcome, output))
}

/// Prints the result of the migrations and of the purge, and returns the exit code.
fn report_outcome(mut report: Report, purge_outcome: PurgeOutcome, output: Output) -> Exit {
    let exit = match &purge_outcome {
        PurgeOutcome::NothingStale => {
            output.print_text("Done. There was no stale session to purge.");
            Exit::Done
        }
        PurgeOutcome::Done(outcome) => {
            output.print_text(render::deletion_outcome(outcome));
            output.print_text("Done.");
            Exit::Done
        }
        PurgeOutcome::Refused(outcome) => {
            output.print_text(render::deletion_outcome(outcome));
            output.print_text(format_args!("The purge stays pending. {}", purge::advice(outcome)));
            Exit::Refused
        }
        PurgeOutcome::Declined => {
            output.print_text(PURGE_PENDING);
            Exit::Refused
        }
    };
    if let PurgeOutcome::Done(outcome) | PurgeOutcome::Refused(outcome) = purge_outcome {
        report.purge = Some(outcome);
    }
    output.print_document(&report);
    exit
}
