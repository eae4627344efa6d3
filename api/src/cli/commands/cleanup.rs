//! `session-admin cleanup`: the sessions that meet criteria, in short transactions.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use uuid::Uuid;

use crate::cleanup::{self, Age, CleanupRequest, Criteria, Preview};
use crate::cli::cleanup_report::CleanupReport;
use crate::cli::deletion_args::DeletionArgs;
use crate::cli::follow_run;
use crate::cli::output::Output;
use crate::cli::{exit::Exit, migration_check::require_migrated, os_user::principal, prompt, render, value_parsers};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::Impact;
use crate::session::SessionStatus;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Only show what would be done, and what would refuse it
    #[arg(long)]
    dry_run: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only queue the run, for a running server to work off
    #[arg(long, conflicts_with = "dry_run")]
    detach: bool,
    #[command(flatten)]
    wanted: CriteriaArgs,
    #[command(flatten)]
    terms: DeletionArgs,
}

/// Which sessions: those that meet all of it. Without any of these flags, the stale ones.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which sessions (the stale ones unless said)")]
struct CriteriaArgs {
    /// Only this session; repeat it for several. One that misses the other criteria is listed as skipped
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<Uuid>,
    /// Only with this status; repeat it for several [default: `qr_pending`,
    /// `connecting`, `disconnected`]
    #[arg(long = "status", value_name = "STATUS", ignore_case = true, value_parser = value_parsers::session_status())]
    statuses: Vec<SessionStatus>,
    /// Only with a phone number, only without one, or either
    #[arg(long, value_name = "WHETHER", default_value = "absent")]
    phone_number: PhoneNumber,
    /// Only those whose last update is longer ago, as an ISO 8601 duration such as PT24H or P7D
    #[arg(long, value_name = "DURATION")]
    older_than: Option<Age>,
    /// Only those made before this moment, such as 2026-01-31T08:30:00Z
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    created_before: Option<DateTime<Utc>>,
    /// Only those with this in the name, the phone number or the id, in any case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only those that the gateway answers 404 for; it needs --gateway-url
    #[arg(long)]
    missing_from_gateway: bool,
    /// At most this many, the least recently updated first
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
}

/// Whether a session has been paired with a phone.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PhoneNumber {
    Present,
    Absent,
    Either,
}

/// Shows the preview, asks, works off the run.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::confirm_or_yes(args.yes, output, "cleanup")?;
    }
    config.require_file()?;
    let db = Database::connect(config.database.clone()).await?;
    if !args.dry_run {
        require_migrated(&db).await?;
    }
    let criteria = args.wanted.into();
    let gateway = config.gateway()?;
    let preview = cleanup::preview(&db, gateway.as_ref(), &criteria).await?;
    if !args.dry_run {
        output.text(render::cleanup_preview(&preview));
    }
    let request = request(args.terms, args.dry_run, criteria, &preview);
    let exit = if request.dry_run {
        dry_run(&db, gateway.as_ref(), &request, preview, output).await?
    } else {
        delete(&db, gateway, &request, preview, (args.yes, args.detach), output).await?
    };
    db.close().await?;
    Ok(exit)
}

async fn dry_run(
    db: &Database,
    gateway: Option<&Gateway>,
    request: &CleanupRequest,
    preview: Preview,
    output: Output,
) -> Result<Exit, Error> {
    let mut report = CleanupReport::from_preview(preview);
    let mut outcome = cleanup::create_run(db, gateway, request).await?;
    report.skipped = follow_run::add_names(db, std::mem::take(&mut outcome.skipped)).await?;
    report.add_outcome(outcome);
    output.document(&report);
    output.text(render::cleanup_dry_run(&report));
    Ok(report.exit())
}

async fn delete(
    db: &Database,
    gateway: Option<Gateway>,
    request: &CleanupRequest,
    preview: Preview,
    (yes, detach): (bool, bool),
    output: Output,
) -> Result<Exit, Error> {
    let mut report = CleanupReport::from_preview(preview);
    let nothing = report.session_count == 0;
    let Criteria { ids, missing_from_gateway, .. } = &request.criteria;
    // Sessions that were named, or that the gateway knows, are to be listed; a run of before is to be answered again.
    if nothing && ids.is_none() && !missing_from_gateway && request.terms.idempotency_key.is_none() {
        output.document(&report);
        return Ok(Exit::Done);
    }
    if !nothing && !yes && !prompt::confirm(question(&report.impact, request))? {
        output.text("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    report.add_outcome(cleanup::create_run(db, gateway.as_ref(), request).await?);
    if detach {
        Ok(follow_run::queue_run(db, &report, output).await)
    } else {
        follow_run::execute_run(db, gateway, report, output).await
    }
}

/// What is asked. Sessions that may not go do not stop the others.
fn question(impact: &Impact, request: &CleanupRequest) -> &'static str {
    let connected = impact.connected_sessions > 0 && !request.terms.allow_connected;
    let pending = impact.pending_messages > 0 && !request.terms.allow_pending_messages;
    if connected || pending || !impact.deletable {
        "Some of these may not go, and are skipped. Delete the others?"
    } else {
        "Delete all this?"
    }
}

/// What is asked for. A dry run shows what differs from a token only where one was given.
fn request(terms: DeletionArgs, dry_run: bool, criteria: Criteria, shown: &Preview) -> CleanupRequest {
    CleanupRequest {
        criteria,
        dry_run,
        terms: terms.into_terms((!dry_run).then_some(&shown.impact)),
        principal: principal(),
    }
}

impl From<CriteriaArgs> for Criteria {
    fn from(wanted: CriteriaArgs) -> Self {
        let default = Self::default();
        Self {
            ids: Some(wanted.ids).filter(|ids| !ids.is_empty()),
            statuses: if wanted.statuses.is_empty() { default.statuses } else { wanted.statuses },
            has_phone_number: match wanted.phone_number {
                PhoneNumber::Present => Some(true),
                PhoneNumber::Absent => Some(false),
                PhoneNumber::Either => None,
            },
            older_than: wanted.older_than,
            created_before: wanted.created_before,
            search: wanted.search,
            missing_from_gateway: wanted.missing_from_gateway,
            limit: wanted.limit,
        }
    }
}
