//! The command `session-admin doctor`, which reports schema health; its exit code can gate a pipeline.

use crate::cli::output::{Output, eprint_note};
use crate::cli::{exit::Exit, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::schema_health;

/// Prints the findings of schema health. Returns [`Exit::Refused`] while there are errors that are not accepted.
pub(in crate::cli) async fn run(config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let health = schema_health::diagnose(&db, &config.accepted).await?;
    output.print_document(&health);
    output.print_text(render::health(&health));
    for key in config.accepted.0.keys().filter(|key| !health.findings.iter().any(|finding| finding.key == **key)) {
        eprint_note(format_args!("note: the configuration accepts {key}, but there is no such finding."));
    }
    db.close().await?;
    Ok(if health.healthy { Exit::Done } else { Exit::Refused })
}
