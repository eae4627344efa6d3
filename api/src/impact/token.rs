//! The token of an impact, which a caller sends back to say which impact it expects. It carries the counts, so that a
//! refusal can say what has changed, and fingerprints of the sessions and of the foreign keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Error;

use super::effect::Effect;
use super::model::{Impact, ImpactChange, TableImpact};
use super::plan::DeletionPlan;

/// The impact that a caller expects: the content of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedImpact {
    /// The fingerprint of the sessions' ids.
    sessions: String,
    /// The fingerprint of the foreign keys reached.
    keys: String,
    /// For each table its name, the rows deleted and the rows unlinked.
    counts: Vec<(String, i64, i64)>,
}

/// The token's first part. A change of the format needs another number.
const VERSION: &str = "i1";

impl ExpectedImpact {
    /// Returns the expectation that an impact with this plan and these tables meets.
    #[must_use]
    pub fn from_plan(session_ids: &[Uuid], plan: &DeletionPlan<'_>, tables: &[TableImpact]) -> Self {
        let mut ids: Vec<String> = session_ids.iter().map(Uuid::to_string).collect();
        ids.sort_unstable();
        let counts = tables.iter().map(|table| (table.table.clone(), table.rows_deleted, table.rows_unlinked));
        Self { sessions: fingerprint(&ids), keys: fingerprint(&describe_keys(plan)), counts: counts.collect() }
    }

    /// Returns the token.
    #[must_use]
    pub fn token(&self) -> String {
        let body = serde_json::to_string(self).unwrap_or_default();
        let body = URL_SAFE_NO_PAD.encode(body);
        let check = fingerprint(std::slice::from_ref(&body));
        format!("{VERSION}.{body}.{check}")
    }

    /// Parses a token.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it is no token of this program, or was truncated or changed on the way.
    pub fn parse(token: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::BadInput(
                "expectedImpact is not an impact token. Send DeletionImpact.token unchanged, or omit expectedImpact."
                    .to_owned(),
            )
        };
        let mut parts = token.split('.');
        let (Some(VERSION), Some(body), Some(check), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        if fingerprint(&[body.to_owned()]) != check {
            return Err(malformed());
        }
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| malformed())?;
        serde_json::from_slice(&bytes).map_err(|_| malformed())
    }

    /// Whether an impact is the expected one.
    #[must_use]
    pub fn matches(&self, impact: &Impact) -> bool {
        self.token() == impact.token
    }

    /// Returns the tables whose counts differ from those of an impact.
    #[must_use]
    pub fn changes(&self, impact: &Impact) -> Vec<ImpactChange> {
        let mut changes: Vec<ImpactChange> = impact
            .tables
            .iter()
            .map(|now| {
                let before = self.counts.iter().find(|(table, ..)| *table == now.table);
                ImpactChange {
                    table: now.table.clone(),
                    rows_deleted_before: before.map_or(0, |(_, deleted, _)| *deleted),
                    rows_deleted_now: now.rows_deleted,
                    rows_unlinked_before: before.map_or(0, |(.., unlinked)| *unlinked),
                    rows_unlinked_now: now.rows_unlinked,
                }
            })
            .collect();
        let reached_no_more =
            self.counts.iter().filter(|(table, ..)| !impact.tables.iter().any(|now| now.table == *table));
        changes.extend(reached_no_more.map(|(table, deleted, unlinked)| ImpactChange {
            table: table.clone(),
            rows_deleted_before: *deleted,
            rows_deleted_now: 0,
            rows_unlinked_before: *unlinked,
            rows_unlinked_now: 0,
        }));
        changes.retain(|change| {
            change.rows_deleted_before != change.rows_deleted_now
                || change.rows_unlinked_before != change.rows_unlinked_now
        });
        changes
    }
}

/// Describes the keys reached, sorted, so that the order of the catalog makes no difference. The words are part of the
/// token's format.
fn describe_keys(plan: &DeletionPlan<'_>) -> Vec<String> {
    let mut keys: Vec<String> = plan
        .edges
        .iter()
        .map(|edge| {
            let key = &plan.graph.foreign_keys[edge.key];
            let (table, referenced) = (&plan.graph.tables[key.table], &plan.graph.tables[key.referenced]);
            format!(
                "{:?} {} {:?} -> {} {:?} {:?} {}",
                key.constraint,
                table.display,
                key.columns,
                referenced.display,
                key.referenced_columns,
                key.on_delete,
                describe_effect(&edge.effect)
            )
        })
        .collect();
    keys.sort_unstable();
    keys
}

fn describe_effect(effect: &Effect) -> String {
    match effect {
        Effect::Delete => "Delete".to_owned(),
        Effect::SetNull(columns) => format!("Clear({columns:?})"),
        Effect::SetDefault(columns) => format!("Default({columns:?})"),
        Effect::CascadeUpdate(values) => format!("Follow({values:?})"),
        Effect::Block(kind) => format!("Block({kind:?})"),
    }
}

fn fingerprint(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}
