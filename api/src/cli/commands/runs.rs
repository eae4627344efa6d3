//! The command `session-admin runs`, which lists, shows, cancels, restores and resumes cleanup runs.

use serde::Serialize;
use uuid::Uuid;

use crate::cleanup::{self, CleanupRun, RestoreRunRequest};
use crate::cli::cleanup_report::RunReport;
use crate::cli::follow_run;
use crate::cli::output::Output;
use crate::cli::{exit::Exit, migration_check::require_migrated, os_user::current_principal, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::db::pagination::PageRequest;
use crate::error::Error;
use crate::gateway::Gateway;

/// The arguments of `runs`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    one: Option<RunCommand>,
    /// List at most this many runs
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

#[derive(Debug, clap::Subcommand)]
enum RunCommand {
    /// Show one run, and the sessions that it skipped
    Show {
        /// The run
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Stop a run between two batches; what it has deleted stays deleted, and the rest is skipped
    Cancel {
        /// The run
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Restore what a run deleted, deletion by deletion, the newest first, in a run of its own; asks first
    Restore {
        /// The run
        #[arg(value_name = "ID")]
        id: Uuid,
        /// Allow restoring overdue messages, which would be sent at once
        #[arg(long)]
        allow_pending_messages: bool,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
    /// Resume an interrupted run, or follow it if a server executes it; asks first
    Resume {
        /// The run
        #[arg(value_name = "ID")]
        id: Uuid,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// The JSON document of a list of cleanup runs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunList {
    runs: Vec<CleanupRun>,
    /// Whether older runs exist beyond this list.
    has_more: bool,
}

/// Lists cleanup runs, or shows, cancels, restores or resumes one.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    match args.one {
        Some(RunCommand::Resume { yes, .. }) => prompt::require_yes_or_terminal(yes, output, "runs resume")?,
        Some(RunCommand::Restore { yes, .. }) => prompt::require_yes_or_terminal(yes, output, "runs restore")?,
        _ => {}
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    let exit = match args.one {
        None => list(&db, args.limit, output).await?,
        Some(RunCommand::Show { id }) => show(&db, id, output).await?,
        Some(RunCommand::Cancel { id }) => cancel(&db, id, output).await?,
        Some(RunCommand::Restore { id, allow_pending_messages, yes }) => {
            let request = RestoreRunRequest { run_id: id, allow_pending_messages, principal: current_principal() };
            restore(&db, &request, yes, output).await?
        }
        Some(RunCommand::Resume { id, yes }) => resume(&db, config.gateway()?, id, yes, output).await?,
    };
    db.close().await?;
    Ok(exit)
}

async fn list(db: &Database, limit: u32, output: Output) -> Result<Exit, Error> {
    let page = cleanup::page(db, &PageRequest::first(limit)).await?;
    let runs = page.rows.into_iter().map(|(_, run)| run).collect();
    let list = RunList { runs, has_more: page.has_next };
    output.print_document(&list);
    output.print_text(render::cleanup_runs(&list.runs, list.has_more));
    Ok(Exit::Done)
}

async fn show(db: &Database, id: Uuid, output: Output) -> Result<Exit, Error> {
    let run = follow_run::find_run(db, id).await?;
    let skipped = follow_run::load_skipped(db, &run).await?;
    output.print_document(&RunReport { run: &run, skipped: &skipped });
    let (request, skipped) = (render::run_request(&run), render::skipped_sessions(&skipped));
    output.print_text(format_args!("{request}\n{skipped}{}", render::cleanup_run(&run, &[])));
    Ok(Exit::Done)
}

async fn resume(db: &Database, gateway: Option<Gateway>, id: Uuid, yes: bool, output: Output) -> Result<Exit, Error> {
    let run = follow_run::find_run(db, id).await?;
    if !run.status.has_finished() {
        output.print_text(render::run_request(&run));
        if !yes && !prompt::confirm(&render::resume_question(&run))? {
            output.print_text("Nothing more was deleted.");
            return Ok(Exit::Refused);
        }
    }
    follow_run::resume_run(db, gateway, run, output).await
}

async fn restore(db: &Database, request: &RestoreRunRequest, yes: bool, output: Output) -> Result<Exit, Error> {
    let run = follow_run::find_run(db, request.run_id).await?;
    output.print_text(render::cleanup_run(&run, &[]));
    if !yes && !prompt::confirm("Restore what the run deleted?")? {
        output.print_text("Nothing was restored.");
        return Ok(Exit::Refused);
    }
    let outcome = cleanup::restore(db, request).await?;
    let Some(run) = outcome.run else {
        output.print_document(&outcome);
        output.print_text(render::run_outcome(&outcome));
        return Ok(Exit::Refused);
    };
    follow_run::resume_run(db, None, run, output).await
}

async fn cancel(db: &Database, id: Uuid, output: Output) -> Result<Exit, Error> {
    let outcome = cleanup::cancel(db, id, &current_principal()).await?;
    output.print_document(&outcome);
    output.print_text(render::run_outcome(&outcome));
    Ok(if outcome.run.is_some() { Exit::Done } else { Exit::Refused })
}
