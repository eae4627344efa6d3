//! `session-admin restore`: a deletion taken back, all of it or nothing.

use uuid::Uuid;

use crate::cli::output::Output;
use crate::cli::{exit::Exit, migration_check::require_migrated, os_user::principal, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::restore::{self, RestoreRequest};

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The deletion; `session-admin deletions` lists them
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Restore even if messages come back that were pending and are overdue: they would be sent at once
    #[arg(long)]
    allow_pending_messages: bool,
    /// Do it, and take it back: shows what is in the way
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Shows what would come back, asks, restores.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::confirm_or_yes(args.yes, output, "restore")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    let mut request = RestoreRequest {
        deletion_id: args.id,
        allow_pending_messages: args.allow_pending_messages,
        dry_run: args.dry_run,
        principal: principal(),
    };
    if !args.dry_run && !args.yes {
        let tried = restore::restore(&db, &RestoreRequest { dry_run: true, ..request.clone() }).await?;
        output.text(render::restore(&tried, true));
        if !tried.refusals.is_empty() {
            return Ok(Exit::Refused);
        }
        if !prompt::confirm("Put all this back?")? {
            output.text("Nothing was restored.");
            return Ok(Exit::Refused);
        }
        request.dry_run = false;
    }
    let outcome = restore::restore(&db, &request).await?;
    output.document(&outcome);
    output.text(render::restore(&outcome, request.dry_run));
    db.close().await?;
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}
