//! `session-admin deletions`: the audit trail, and erasing what a deletion kept.

use chrono::{DateTime, Utc};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use serde::Serialize;
use uuid::Uuid;

use crate::cleanup::RunErasure;
use crate::cli::output::Output;
use crate::cli::{exit::Exit, migration_check::require_migrated, os_user::principal, prompt, render, value_parsers};
use crate::config::Config;
use crate::db::Database;
use crate::db::pagination::PageRequest;
use crate::deletion;
use crate::deletion::audit::query;
use crate::deletion::{Deletion, DeletionFilter, DeletionStatus};
use crate::error::Error;

/// The arguments.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    one: Option<DeletionCommand>,
    #[command(flatten)]
    listed: DeletionListRow,
}

#[derive(Debug, clap::Subcommand)]
enum DeletionCommand {
    /// Show one deletion, table by table
    Show {
        /// The deletion
        #[arg(value_name = "ID")]
        id: Uuid,
    },
    /// Erase for good what a deletion kept, its sessions' names and its reason; asks first
    Erase {
        /// The deletion
        #[arg(value_name = "ID")]
        id: Uuid,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Which deletions are listed; all of it has to be met.
#[derive(Debug, clap::Args)]
struct DeletionListRow {
    /// Only those of which this has become; repeat it for several
    #[arg(long = "status", value_name = "STATUS", ignore_case = true, value_parser = status())]
    statuses: Vec<DeletionStatus>,
    /// Only those that took this session
    #[arg(long, value_name = "ID")]
    session: Option<Uuid>,
    /// Only the batches of this cleanup run
    #[arg(long, value_name = "ID")]
    run: Option<Uuid>,
    /// Only those made by this principal, such as `cli:ada`
    #[arg(long, value_name = "PRINCIPAL")]
    deleted_by: Option<String>,
    /// Only those made after this moment, such as 2026-01-31T08:30:00Z
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    deleted_after: Option<DateTime<Utc>>,
    /// Only those made before this moment
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    deleted_before: Option<DateTime<Utc>>,
    /// List at most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// The answer as a document.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeletionList {
    deletions: Vec<Deletion>,
    /// Whether there are older ones.
    has_more: bool,
}

/// Lists, shows one, or erases what it kept.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if let Some(DeletionCommand::Erase { yes, .. }) = args.one {
        prompt::confirm_or_yes(yes, output, "deletions erase")?;
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

async fn list(db: &Database, listed: DeletionListRow, output: Output) -> Result<Exit, Error> {
    let slice = PageRequest::first(listed.limit);
    let page = query::page(db, &listed.into(), &slice).await?;
    let deletions = page.rows.into_iter().map(|(_, deletion)| deletion).collect();
    let list = DeletionList { deletions, has_more: page.has_next };
    output.document(&list);
    output.text(render::deletions(&list.deletions, list.has_more));
    Ok(Exit::Done)
}

async fn show(db: &Database, id: Uuid, output: Output) -> Result<Exit, Error> {
    let unknown = || Error::BadInput(format!("No deletion has the id {id}."));
    let deletion = query::find(db, id).await?.ok_or_else(unknown)?;
    output.document(&deletion);
    output.text(render::deletion(&deletion));
    Ok(Exit::Done)
}

async fn erase(db: &Database, id: Uuid, yes: bool, output: Output) -> Result<Exit, Error> {
    if let Some(deletion) = query::find(db, id).await? {
        output.text(render::deletion(&deletion));
        if !yes && deletion.erased_at.is_none() && !prompt::confirm(render::ERASURE_QUESTION)? {
            output.text("Nothing was erased.");
            return Ok(Exit::Refused);
        }
    }
    let outcome = deletion::erase(db, id, &principal(), &RunErasure).await?;
    output.document(&outcome);
    output.text(render::erasure(&outcome));
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}

impl From<DeletionListRow> for DeletionFilter {
    fn from(listed: DeletionListRow) -> Self {
        Self {
            statuses: Some(listed.statuses).filter(|statuses| !statuses.is_empty()),
            session_id: listed.session,
            run_id: listed.run,
            deleted_by: listed.deleted_by,
            deleted_after: listed.deleted_after,
            deleted_before: listed.deleted_before,
        }
    }
}

/// A status by its word.
fn status() -> impl clap::builder::TypedValueParser<Value = DeletionStatus> {
    PossibleValuesParser::new(DeletionStatus::ALL.map(DeletionStatus::as_str))
        .try_map(|word| DeletionStatus::from_name(&word.to_ascii_uppercase()).ok_or("an unknown status"))
}
