//! The command `session-admin restore`, which restores all rows of a deletion, or none.

use uuid::Uuid;

use crate::cli::output::Output;
use crate::cli::{exit::Exit, migration_check::require_migrated, os_user::current_principal, prompt, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::restore::{self, RestoreRequest};

/// The arguments of `restore`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The deletion; `session-admin deletions` lists them
    #[arg(value_name = "ID")]
    id: Uuid,
    /// Allow restoring overdue messages, which would be sent at once
    #[arg(long)]
    allow_pending_messages: bool,
    /// Perform the restore and roll it back, to see what prevents it
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Prints what would be restored, asks for confirmation, and restores the deletion.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::require_yes_or_terminal(args.yes, output, "restore")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    require_migrated(&db).await?;
    let mut request = RestoreRequest {
        deletion_id: args.id,
        allow_pending_messages: args.allow_pending_messages,
        dry_run: args.dry_run,
        principal: current_principal(),
    };
    if !args.dry_run && !args.yes {
        let preview = restore::restore(&db, &RestoreRequest { dry_run: true, ..request.clone() }).await?;
        output.print_text(render::restore_outcome(&preview, true));
        if !preview.refusals.is_empty() {
            return Ok(Exit::Refused);
        }
        if !prompt::confirm("Restore all this?")? {
            output.print_text("Nothing was restored.");
            return Ok(Exit::Refused);
        }
        request.dry_run = false;
    }
    let outcome = restore::restore(&db, &request).await?;
    output.print_document(&outcome);
    output.print_text(render::restore_outcome(&outcome, request.dry_run));
    db.close().await?;
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}
