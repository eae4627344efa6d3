//! The command `session-admin deletions`, which lists the audit trail and erases what a deletion archived.

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde::Serialize;
use uuid::Uuid;

use crate::cleanup::RunErasure;
use crate::cli::output::Output;
use crate::cli::{
    exit::Exit, migration_check::require_migrated, os_user::current_principal, prompt, render, value_parsers,
};
use crate::config::Config;
use crate::db::Database;
use crate::db::pagination::PageRequest;
use crate::deletion;
use crate::deletion::audit::query;
use crate::deletion::{Deletion, DeletionFilter, DeletionStatus};
use crate::error::Error;

/// The arguments of `deletions`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    one: Option<DeletionCommand>,
    #[command(flatten)]
    listed: DeletionFilterArgs,
}

#[derive(Debug, clap::Subcommand)]
enum DeletionCommand {
    /// Show one deletion, table by table
    Show {
        /// The deletion
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Erase the archive of a deletion, the names of its sessions and its reason; asks first
    Erase {
        /// The deletion
        #[arg(value_name = "ID")]
        id: Uuid,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// The filter of the listed deletions. A deletion has to meet all of it.
#[derive(Debug, clap::Args)]
struct DeletionFilterArgs {
    /// Only deletions with this status; repeatable
    #[arg(long = "status", value_name = "STATUS", ignore_case = true, value_parser = status_parser())]
    statuses: Vec<DeletionStatus>,
    /// Only deletions of this session
    #[arg(long, value_name = "ID")]
    session: Option<Uuid>,
    /// Only deletions of this cleanup run
    #[arg(long, value_name = "ID")]
    run: Option<Uuid>,
    /// Only deletions by this principal, such as `cli:ada`
    #[arg(long, value_name = "PRINCIPAL")]
    deleted_by: Option<String>,
    /// Only deletions after this time, such as 2026-01-31T08:30:00Z
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    deleted_after: Option<DateTime<Utc>>,
    /// Only deletions before this time
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    deleted_before: Option<DateTime<Utc>>,
    /// List at most this many deletions
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// The JSON document of a list of deletions.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletionList {
    deletions: Vec<Deletion>,
    /// Whether older deletions exist beyond this list.
    has_more: bool,
}

/// Lists deletions, shows one, or erases one deletion's archive.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if let Some(DeletionCommand::Erase { yes, .. }) = args.one {
        prompt::require_yes_or_terminal(yes, output, "deletions erase")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    let exit = match args.one {
        None => list(&db, args.listed, output).await?,
        Some(DeletionCommand::Show { id }) => show(&db, id, output).await?,
        Some(DeletionCommand::Erase { id, yes }) => erase(&db, id, yes, output).await?,
    };
    db.close().await?;
    Ok(exit)
}

async fn list(db: &Database, filter: DeletionFilterArgs, output: Output) -> Result<Exit, Error> {
    let page_request = PageRequest::first(filter.limit);
    let page = query::page(db, &filter.into(), &page_request).await?;
    let deletions = page.rows.into_iter().map(|(_, deletion)| deletion).collect();
    let list = DeletionList { deletions, has_more: page.has_next };
    output.print_document(&list);
    output.print_text(render::deletion_list(&list.deletions, list.has_more));
    Ok(Exit::Done)
}

async fn show(db: &Database, id: Uuid, output: Output) -> Result<Exit, Error> {
    let unknown = || Error::BadInput(format!("No deletion has the id {id}."));
    let deletion = query::find(db, id).await?.ok_or_else(unknown)?;
    output.print_document(&deletion);
    output.print_text(render::deletion(&deletion));
    Ok(Exit::Done)
}

async fn erase(db: &Database, id: Uuid, yes: bool, output: Output) -> Result<Exit, Error> {
    if let Some(deletion) = query::find(db, id).await? {
        output.print_text(render::deletion(&deletion));
        if !yes && deletion.erased_at.is_none() && !prompt::confirm(render::ERASURE_QUESTION)? {
            output.print_text("Nothing was erased.");
            return Ok(Exit::Refused);
        }
    }
    let outcome = deletion::erase(db, id, &current_principal(), &RunErasure).await?;
    output.print_document(&outcome);
    output.print_text(render::erasure_outcome(&outcome));
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}

impl From<DeletionFilterArgs> for DeletionFilter {
    fn from(args: DeletionFilterArgs) -> Self {
        Self {
            statuses: Some(args.statuses).filter(|statuses| !statuses.is_empty()),
            session_id: args.session,
            run_id: args.run,
            deleted_by: args.deleted_by,
            deleted_after: args.deleted_after,
            deleted_before: args.deleted_before,
        }
    }
}

/// Returns a parser that maps the name of a deletion status to the status.
fn status_parser() -> impl clap::builder::TypedValueParser<Value = DeletionStatus> {
    PossibleValuesParser::new(DeletionStatus::ALL.map(DeletionStatus::as_str))
        .try_map(|word| DeletionStatus::from_name(&word.to_ascii_uppercase()).ok_or("an unknown status"))
}
