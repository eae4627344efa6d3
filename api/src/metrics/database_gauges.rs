//! The numbers that are counted in the database; they are the same from every process.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};
use serde_json::json;

use super::collector::{gauge, register};
use crate::cleanup::{self, RunStatus};
use crate::db::Database;
use crate::deletion::audit::query;
use crate::error::Error;
use crate::schema_health;
use crate::schema_health::{AcceptedFindings, Severity};
use crate::session::{SessionStatus, queries};

/// The numbers of one count. Those that could not be counted are none.
#[derive(Debug)]
pub(super) struct DatabaseCounts {
    /// The time of the count, in seconds since 1970.
    counted_at: i64,
    runs: Option<Vec<(RunStatus, u64)>>,
    deletions: Option<(u64, u64)>,
    sessions: Option<Vec<(SessionStatus, bool, i64)>>,
    findings: Option<Vec<(Severity, bool)>>,
}

impl DatabaseCounts {
    /// Counts everything. Returns None where the database is unavailable.
    pub(super) async fn load(db: &Database, accepted: &AcceptedFindings) -> Option<Self> {
        let findings = async {
            let findings = schema_health::diagnose(db, accepted).await?.findings;
            Ok(findings.into_iter().map(|finding| (finding.severity, finding.accepted)).collect())
        };
        Some(Self {
            counted_at: db.settings().clock.now().timestamp(),
            runs: counted_part("runs", cleanup::count_by_status(db).await)?,
            deletions: counted_part("deletions", query::totals(db).await)?,
            sessions: counted_part("sessions", queries::count_by_status(db).await)?,
            findings: counted_part("findings", findings.await)?,
        })
    }

    pub(super) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        let help = "When what is in the database was counted, in seconds since 1970; once a minute at most.";
        gauge(registry, "counted_timestamp_seconds", help, self.counted_at)?;
        if let Some(runs) = &self.runs {
            register_runs(registry, runs)?;
        }
        if let Some((deletions, rows)) = self.deletions {
            counter(registry, "deletions_total", "Deletions in the database's audit trail.", deletions)?;
            counter(registry, "rows_deleted_total", "Rows that these deletions took, over all tables.", rows)?;
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

/// Returns one part of the numbers. The inner option is none where the part could not be counted, the outer one where
/// the database is unavailable.
#[expect(clippy::option_option, reason = "the outer one ends the reading")]
fn counted_part<T>(part: &str, read: Result<T, Error>) -> Option<Option<T>> {
    match read {
        Ok(read) => Some(Some(read)),
        Err(error) => {
            tracing::warn!(target: "session_admin::metrics", error = &error as &dyn std::error::Error, part, "the metrics lack what is in the database");
            (error.code() != "UNAVAILABLE").then_some(None)
        }
    }
}

fn register_runs(registry: &Registry, runs: &[(RunStatus, u64)]) -> prometheus::Result<()> {
    let help = "Cleanup runs in the database that have finished, by their status.";
    let opts = Opts::new("cleanup_runs_finished_total", help);
    let finished = register(registry, IntCounterVec::new(opts, &["status"])?)?;
    let help = "Cleanup runs in the database that have not finished, by their status.";
    let open = register(registry, IntGaugeVec::new(Opts::new("cleanup_runs", help), &["status"])?)?;
    for (status, count) in runs {
        let label = json!(status).as_str().unwrap_or_default().to_lowercase();
        if status.has_finished() {
            finished.with_label_values(&[&label]).inc_by(*count);
        } else {
            open.with_label_values(&[&label]).set(i64::try_from(*count).unwrap_or(i64::MAX));
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
    gauge(registry, "stale_sessions", "Stale sessions in the database, whatever their age.", stale)
}

fn register_findings(registry: &Registry, found: &[(Severity, bool)]) -> prometheus::Result<()> {
    let opts =
        Opts::new("findings", "Findings of schema health, by severity and whether the configuration accepts them.");
    let findings = register(registry, IntGaugeVec::new(opts, &["severity", "accepted"])?)?;
    for (severity, label) in [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Info, "info")] {
        for accepted in [false, true] {
            let count = found.iter().filter(|finding| **finding == (severity, accepted)).count();
            let gauge = findings.with_label_values(&[label, &accepted.to_string()]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    Ok(())
}

fn counter(registry: &Registry, name: &str, help: &str, count: u64) -> prometheus::Result<()> {
    register(registry, IntCounter::new(name, help)?)?.inc_by(count);
    Ok(())
}
