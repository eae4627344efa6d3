//! The command `session-admin impact`, which previews a deletion.

use uuid::Uuid;

use crate::cli::output::Output;
use crate::cli::{exit::Exit, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::impact;

/// The arguments of `impact`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The sessions to delete together
    #[arg(required = true, value_name = "ID")]
    ids: Vec<Uuid>,
}

/// Prints the impact of deleting the sessions. Blockers that no deletion can override make it return
/// [`Exit::Refused`], so that a script can check before it deletes.
pub(in crate::cli) async fn run(args: &Args, config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let impact = impact::impact_of(&db, &args.ids).await?;
    output.print_document(&impact);
    output.print_text(format!("{}\nToken: {}", render::impact(&impact), impact.token));
    db.close().await?;
    Ok(if impact.deletable { Exit::Done } else { Exit::Refused })
}
