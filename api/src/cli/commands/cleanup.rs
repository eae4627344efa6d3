//! The command `session-admin cleanup`, which deletes the sessions that meet criteria, in short transactions.

use chrono::{DateTime, Utc};
use clap::ValueEnum;
use uuid::Uuid;

use crate::cleanup::{self, Age, CleanupRequest, Criteria, Preview};
use crate::cli::cleanup_report::CleanupReport;
use crate::cli::deletion_args::DeletionArgs;
use crate::cli::follow_run;
use crate::cli::output::Output;
use crate::cli::{
    exit::Exit, migration_check::require_migrated, os_user::current_principal, prompt, render, value_parsers,
};
use crate::config::Config;
use crate::db::Database;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::impact::Impact;
use crate::session::SessionStatus;

/// The arguments of `cleanup`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Show what the run would delete and skip, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Only queue the run; a running server executes it
    #[arg(long, conflicts_with = "dry_run")]
    detach: bool,
    #[command(flatten)]
    wanted: CriteriaArgs,
    #[command(flatten)]
    terms: DeletionArgs,
}

/// The criteria for sessions. A session has to meet all of them. Without any of these flags, stale sessions are
/// selected.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Criteria (default: stale sessions)")]
struct CriteriaArgs {
    /// Only this session; repeatable. A session that does not meet the other criteria is listed as skipped
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<Uuid>,
    /// Only sessions with this status; repeatable [default: `qr_pending`, `connecting`, `disconnected`]
    #[arg(
        long = "status",
        value_name = "STATUS",
        ignore_case = true,
        value_parser = value_parsers::session_status_parser()
    )]
    statuses: Vec<SessionStatus>,
    /// Only sessions with a phone number, without one, or either
    #[arg(long, value_name = "WHETHER", default_value = "absent")]
    phone_number: PhoneNumber,
    /// Only sessions whose last update is longer ago than this ISO 8601 duration, such as PT24H or P7D
    #[arg(long, value_name = "DURATION")]
    older_than: Option<Age>,
    /// Only sessions created before this time, such as 2026-01-31T08:30:00Z
    #[arg(long, value_name = "TIME", value_parser = value_parsers::parse_timestamp)]
    created_before: Option<DateTime<Utc>>,
    /// Only sessions with this text in the name, the phone number or the id, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Only sessions that the gateway does not know (404); needs --gateway-url
    #[arg(long)]
    missing_from_gateway: bool,
    /// At most this many sessions, the least recently updated first
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
}

/// The filter on whether a session has a phone number, which means that it has been paired with a phone.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PhoneNumber {
    Present,
    Absent,
    Either,
}

/// Previews the cleanup, asks for confirmation, then creates and executes the run. A dry run only reports what the run
/// would do.
pub(in crate::cli) async fn run(args: Args, config: &Config, output: Output) -> Result<Exit, Error> {
    if !args.dry_run {
        prompt::require_yes_or_terminal(args.yes, output, "cleanup")?;
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
        output.print_text(render::cleanup_preview(&preview));
    }
    let request = build_request(args.terms, args.dry_run, criteria, &preview);
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
    output.print_document(&report);
    output.print_text(render::cleanup_dry_run(&report));
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
    let no_match = report.session_count == 0;
    let Criteria { ids, missing_from_gateway, .. } = &request.criteria;
    // A request that names sessions or queries the gateway still has to list the sessions that it skips, and a repeated
    // idempotency key has to return the earlier run.
    if no_match && ids.is_none() && !missing_from_gateway && request.terms.idempotency_key.is_none() {
        output.print_document(&report);
        return Ok(Exit::Done);
    }
    if !no_match && !yes && !prompt::confirm(confirmation_question(&report.impact, request))? {
        output.print_text("Nothing was deleted.");
        return Ok(Exit::Refused);
    }
    report.add_outcome(cleanup::create_run(db, gateway.as_ref(), request).await?);
    if detach {
        Ok(follow_run::queue_run(db, &report, output).await)
    } else {
        follow_run::execute_run(db, gateway, report, output).await
    }
}

/// Returns the confirmation question. Sessions that may not be deleted are skipped and do not block the others.
fn confirmation_question(impact: &Impact, request: &CleanupRequest) -> &'static str {
    let connected = impact.connected_sessions > 0 && !request.terms.allow_connected;
    let pending = impact.pending_messages > 0 && !request.terms.allow_pending_messages;
    if connected || pending || !impact.deletable {
        "Some of these sessions cannot be deleted and will be skipped. Delete the others?"
    } else {
        "Delete all this?"
    }
}

/// Builds the cleanup request. A dry run is compared with an expected impact only if the arguments give its token; a
/// deletion is otherwise compared with the previewed impact.
fn build_request(terms: DeletionArgs, dry_run: bool, criteria: Criteria, preview: &Preview) -> CleanupRequest {
    CleanupRequest {
        criteria,
        dry_run,
        terms: terms.into_terms((!dry_run).then_some(&preview.impact)),
        principal: current_principal(),
    }
}

impl From<CriteriaArgs> for Criteria {
    fn from(args: CriteriaArgs) -> Self {
        let default = Self::default();
        Self {
            ids: Some(args.ids).filter(|ids| !ids.is_empty()),
            statuses: if args.statuses.is_empty() { default.statuses } else { args.statuses },
            has_phone_number: match args.phone_number {
                PhoneNumber::Present => Some(true),
                PhoneNumber::Absent => Some(false),
                PhoneNumber::Either => None,
            },
            older_than: args.older_than,
            created_before: args.created_before,
            search: args.search,
            missing_from_gateway: args.missing_from_gateway,
            limit: args.limit,
        }
    }
}
