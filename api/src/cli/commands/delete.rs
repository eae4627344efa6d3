//! The command `session-admin delete`, which deletes one session exactly as previewed, or deletes nothing.

use uuid::Uuid;

use crate::cli::deletion_args::DeletionArgs;
use crate::cli::output::Output;
use crate::cli::{exit::Exit, os_user::current_principal, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::deletion::{self, DeletionRequest};
use crate::error::Error;
use crate::impact::{self, Impact};

/// The arguments of `delete`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The session
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Perform the deletion and roll it back, to see what the database would refuse
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    terms: DeletionArgs,
}

/// Prints the impact, asks for confirmation, and deletes the session.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::require_yes_or_terminal(args.yes, output, "delete")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let previewed = preview_impact(&db, args.id).await?;
    if let Some(impact) = &previewed {
        output.print_text(render::impact(impact));
    }
    if !args.dry_run && !args.yes && !prompt::confirm("Delete all this?")? {
        output.print_text("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    let request = build_request(args, previewed.as_ref()).with_gateway_states(config.gateway()?.as_ref()).await;
    let outcome = deletion::delete(&db, &request).await?;
    output.print_document(&outcome);
    output.print_text(render::deletion_outcome(&outcome));
    db.close().await?;
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}

/// Returns the impact of deleting the session, or `None` if the session does not exist. In that case the deletion
/// produces the response, because an earlier deletion with the same idempotency key may have deleted the session.
async fn preview_impact(db: &Database, id: Uuid) -> Result<Option<Impact>, Error> {
    match impact::impact_of(db, &[id]).await {
        Ok(impact) => Ok(Some(impact)),
        Err(Error::BadInput(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn build_request(args: Args, previewed: Option<&Impact>) -> DeletionRequest {
    let Args { id, dry_run, terms, .. } = args;
    DeletionRequest {
        session_ids: vec![id],
        terms: terms.into_terms(previewed),
        dry_run,
        principal: current_principal(),
        ..DeletionRequest::default()
    }
}
