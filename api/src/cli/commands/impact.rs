//! `session-admin impact`: what a deletion would do.

use uuid::Uuid;

use crate::cli::output::Output;
use crate::cli::{exit::Exit, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::impact;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The sessions that would go together
    #[arg(required = true, value_name = "ID")]
    ids: Vec<Uuid>,
}

/// Shows it. What blocks the deletion, whatever it allows, is a refusal here too, so that a script can ask before it acts.
pub(in crate::cli) async fn run(args: &Args, config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let impact = impact::impact_of(&db, &args.ids).await?;
    output.document(&impact);
    output.text(format!("{}\nToken: {}", render::impact(&impact), impact.token));
    db.close().await?;
    Ok(if impact.deletable { Exit::Done } else { Exit::Refused })
}
