//! The metrics that are counted in the database, and that are therefore the same in every process.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use serde_json::json;

use super::collector::{register, register_gauge};
use crate::cleanup::{self, RunStatus};
use crate::db::Database;
use crate::deletion::audit::query;
use crate::error::Error;
use crate::schema_health;
use crate::schema_health::{AcceptedFindings, Severity};
use crate::session::{SessionStatus, queries};

/// The numbers of one count of the database. A part that could not be counted is `None`.
#[derive(Debug)]
pub(super) struct DatabaseCounts {
    /// The time of the count, in seconds since 1970.
    counted_at: i64,
    /// The number of runs per status.
    runs: Option<Vec<(RunStatus, u64)>>,
    /// The number of deletions, and of the rows that they deleted.
    deletions: Option<(u64, u64)>,
    /// The number of sessions per status, and whether they are stale.
    sessions: Option<Vec<(SessionStatus, bool, i64)>>,
    /// The severity of each finding, and whether it is accepted.
    findings: Option<Vec<(Severity, bool)>>,
}

impl DatabaseCounts {
    /// Counts all parts. Returns `None` if the database is unavailable.
    pub(super) async fn load(db: &Database, accepted: &AcceptedFindings) -> Option<Self> {
        let findings = async {
            let findings = schema_health::diagnose(db, accepted).await?.findings;
            Ok(findings.into_iter().map(|finding| (finding.severity, finding.accepted)).collect())
        };
        Some(Self {
            counted_at: db.settings().clock.now().timestamp(),
            runs: require_available("runs", cleanup::count_by_status(db).await)?,
            deletions: require_available("deletions", query::totals(db).await)?,
            sessions: require_available("sessions", queries::count_by_status(db).await)?,
            findings: require_available("findings", findings.await)?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "The time at which the values from the database were counted, in seconds since 1970; at most once a minute.";
        register_gauge(registry, "counted_timestamp_seconds", help, self.counted_at)?;
        if let Some(runs) = &self.runs {
            register_runs(registry, runs)?;
        }
        if let Some((deletions, rows)) = self.deletions {
            register_counter(registry, "deletions_total", "Deletions in the database's audit trail.", deletions)?;
            register_counter(
                registry,
                "rows_deleted_total",
                "Rows that these deletions deleted, in all tables.",
                rows,
            )?;
        }
        if let Some(sessions) = &self.sessions {
            register_sessions(registry, sessions)?;
        }
        if let Some(findings) = &self.findings {
            register_findings(registry, findings)?;
        }
        Ok(())
    }
}

/// Returns the result of counting one part. The outer option is `None` if the database is unavailable, the inner one if
/// the part could not be counted for another reason, which is logged.
#[expect(clippy::option_option, reason = "the outer one ends the counting")]
fn require_available<T>(part: &str, result: Result<T, Error>) -> Option<Option<T>> {
    match result {
        Ok(count) => Some(Some(count)),
        Err(error) => {
            tracing::warn!(target: "session_admin::metrics", error = &error as &dyn std::error::Error, part, "the metrics lack counts from the database");
            (error.code() != "UNAVAILABLE").then_some(None)
        }
    }
}

fn register_runs(registry: &Registry, runs: &[(RunStatus, u64)]) -> prometheus::Result<()> {
    let help = "Cleanup runs in the database that have finished, by their status.";
    let opts = Opts::new("cleanup_runs_finished_total", help);
    let finished_runs = register(registry, IntCounterVec::new(opts, &["status"])?)?;
    let help = "Cleanup runs in the database that have not finished, by their status.";
    let unfinished_runs = register(registry, IntGaugeVec::new(Opts::new("cleanup_runs", help), &["status"])?)?;
    for (status, count) in runs {
        let label = json!(status).as_str().unwrap_or_default().to_lowercase();
        if status.has_finished() {
            finished_runs.with_label_values(&[&label]).inc_by(*count);
        } else {
            unfinished_runs.with_label_values(&[&label]).set(i64::try_from(*count).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

fn register_sessions(registry: &Registry, counts: &[(SessionStatus, bool, i64)]) -> prometheus::Result<()> {
    let opts = Opts::new("sessions", "Sessions in the database, by their status.");
    let sessions = register(registry, IntGaugeVec::new(opts, &["status"])?)?;
    for (status, _, count) in counts {
        let label = json!(status).as_str().unwrap_or_default().to_lowercase();
        sessions.with_label_values(&[&label]).add(*count);
    }
    let stale = counts.iter().filter(|(_, stale, _)| *stale).map(|(.., count)| count).sum();
    register_gauge(registry, "stale_sessions", "Stale sessions in the database, of any age.", stale)
}

fn register_findings(registry: &Registry, findings: &[(Severity, bool)]) -> prometheus::Result<()> {
    let opts =
        Opts::new("findings", "Findings of schema health, by severity and whether the configuration accepts them.");
    let gauges = register(registry, IntGaugeVec::new(opts, &["severity", "accepted"])?)?;
    for (severity, label) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")] {
        for accepted in [false, true] {
            let count = findings.iter().filter(|finding| **finding == (severity, accepted)).count();
            let gauge = gauges.with_label_values(&[label, &accepted.to_string()]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

/// Registers a counter with one value.
fn register_counter(registry: &Registry, name: &str, help: &str, count: u64) -> prometheus::Result<()> {
    register(registry, IntCounter::new(name, help)?)?.inc_by(count);
    Ok(())
}
