//! `session-admin doctor`: schema health, as a report and as a gate for a pipeline.

use crate::cli::output::{Output, eprint_note};
use crate::cli::{exit::Exit, render};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::schema_health;

/// Reports.
pub(in crate::cli) async fn run(config: &Config, output: Output) -> Result<Exit, Error> {
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    let health = schema_health::diagnose(&db, &config.accepted).await?;
    output.document(&health);
    output.text(render::health(&health));
    for unknown in config.accepted.0.keys().filter(|key| !health.findings.iter().any(|finding| finding.key == **key)) {
        eprint_note(format_args!("note: {unknown} is accepted in the configuration, and is no finding (any more)."));
    }
    db.close().await?;
    Ok(if health.healthy { Exit::Done } else { Exit::Refused })
}
