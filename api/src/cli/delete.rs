//! `session-admin delete`: one session, as it was shown, or not at all.

use uuid::Uuid;

use super::output::Output;
use super::{Exit, ask, principal, render};
use crate::config::Config;
use crate::db::Database;
use crate::deletion::{self, DeletionRequest};
use crate::error::Error;
use crate::impact::{self, Impact};

/// The arguments.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "the command's switches")]
pub(super) struct Args {
    /// The session
    #[arg(value_name = "ID")]
    id: Uuid,
    /// The token of the impact that was looked at; without it, the impact that this command shows
    #[arg(long, value_name = "TOKEN")]
    expected_impact: Option<String>,
    /// Refuse if more rows than this would be deleted, over all tables
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(i64).range(0..))]
    at_most: Option<i64>,
    /// Delete the session even if it is connected
    #[arg(long)]
    allow_connected: bool,
    /// Delete the session even if messages still to be sent go with it
    #[arg(long)]
    allow_pending_messages: bool,
    /// Keep nothing of what is deleted: it cannot be restored
    #[arg(long)]
    no_archive: bool,
    /// Do it, and take it back: shows what else the database would refuse
    #[arg(long)]
    dry_run: bool,
    /// Why, for the audit record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Answer a deletion that was made under this key again instead of making another; with it the impact is only
    /// compared if --expected-impact is given
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Shows the impact, asks, deletes.
pub(super) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        ask::or_yes(args.yes, output, "delete")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let shown = shown(&db, args.id).await?;
    if let Some(impact) = &shown {
        output.text(render::impact(impact));
    }
    if !args.dry_run && !args.yes && !ask::confirm("Delete all this?")? {
        output.text("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    let request = request(args, shown).asked(config.gateway()?.as_ref()).await;
    let outcome = deletion::delete(&db, &request).await?;
    output.document(&outcome);
    output.text(render::outcome(&outcome));
    db.close().await?;
    Ok(if outcome.refusals.is_empty() { Exit::Done } else { Exit::Refused })
}

/// The impact; none where the session does not exist, which the deletion itself then answers: it may have been deleted
/// under the same idempotency key before.
async fn shown(db: &Database, id: Uuid) -> Result<Option<Impact>, Error> {
    match impact::of_sessions(db, &[id]).await {
        Ok(impact) => Ok(Some(impact)),
        Err(Error::BadInput(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is asked for. Under an idempotency key the token that was shown is left out unless it was given: the request is
/// to be the same when it is repeated.
fn request(args: Args, shown: Option<Impact>) -> DeletionRequest {
    let shown = shown.filter(|_| args.idempotency_key.is_none()).map(|impact| impact.token);
    DeletionRequest {
        session_ids: vec![args.id],
        expected_impact: args.expected_impact.or(shown),
        at_most: args.at_most,
        allow_connected: args.allow_connected,
        allow_pending_messages: args.allow_pending_messages,
        archive: !args.no_archive,
        dry_run: args.dry_run,
        reason: args.reason,
        idempotency_key: args.idempotency_key,
        principal: principal(),
        ..DeletionRequest::default()
    }
}
