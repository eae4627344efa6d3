//! `session-admin delete`: one session, as it was shown, or not at all.

use uuid::Uuid;

use crate::cli::deletion_args::DeletionArgs;
use crate::cli::output::Output;
use crate::cli::{exit::Exit, os_user::principal, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::deletion::{self, DeletionRequest};
use crate::error::Error;
use crate::impact::{self, Impact};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The session
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Do it, and take it back: shows what else the database would refuse
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    terms: DeletionArgs,
}

/// Shows the impact, asks, deletes.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::confirm_or_yes(args.yes, output, "delete")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let shown = preview(&db, args.id).await?;
    if let Some(impact) = &shown {
        output.text(render::impact(impact));
    }
    if !args.dry_run && !args.yes && !prompt::confirm("Delete all this?")? {
        output.text("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    let request = request(args, shown.as_ref()).with_gateway_states(config.gateway()?.as_ref()).await;
    let outcome = deletion::delete(&db, &request).await?;
    output.document(&outcome);
    output.text(render::outcome(&outcome));
    db.close().await?;
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}

/// The impact; none where the session does not exist, which the deletion itself then answers: it may have been deleted
/// under the same idempotency key before.
async fn preview(db: &Database, id: Uuid) -> Result<Option<Impact>, Error> {
    match impact::impact_of(db, &[id]).await {
        Ok(impact) => Ok(Some(impact)),
        Err(Error::BadInput(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn request(args: Args, shown: Option<&Impact>) -> DeletionRequest {
    let Args { id, dry_run, terms, .. } = args;
    DeletionRequest {
        session_ids: vec![id],
        terms: terms.into_terms(shown),
        dry_run,
        principal: principal(),
        ..DeletionRequest::default()
    }
}
