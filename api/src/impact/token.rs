//! The token of an impact: what was looked at, small enough to be sent back. It carries the counts, so that a refusal can
//! say what has changed, and fingerprints of the sessions and of the foreign keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::Error;

use super::model::{Impact, ImpactChange, TableImpact};
use super::plan::Plan;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Fingerprint of the sessions' ids.
    sessions: String,
    /// Fingerprint of the foreign keys reached.
    keys: String,
    /// Table, rows deleted, rows unlinked.
    counts: Vec<(String, i64, i64)>,
}

/// The token's first part; another form would have another number.
const VERSION: &str = "i1";

impl Looked {
    /// What an impact shows.
    #[must_use]
    pub fn at(session_ids: &[Uuid], plan: &Plan<'_>, tables: &[TableImpact]) -> Self {
        let mut ids: Vec<String> = session_ids.iter().map(Uuid::to_string).collect();
        ids.sort_unstable();
        let counts = tables.iter().map(|table| (table.table.clone(), table.rows_deleted, table.rows_unlinked));
        Self { sessions: fingerprint(&ids), keys: fingerprint(&described(plan)), counts: counts.collect() }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> String {
        let body = serde_json::to_string(self).unwrap_or_default();
        let body = URL_SAFE_NO_PAD.encode(body);
        let check = fingerprint(std::slice::from_ref(&body));
        format!("{VERSION}.{body}.{check}")
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`Error::BadInput`] when it is not one of ours, or was cut or changed on the way.
    pub fn read(token: &str) -> Result<Self, Error> {
        let malformed = || {
            Error::BadInput(
                "expectedImpact is not a token of an impact. Send back DeletionImpact.token as it was, or leave it out."
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

    /// Whether an impact is still the one that was looked at.
    #[must_use]
    pub fn is_still(&self, impact: &Impact) -> bool {
        self.token() == impact.token
    }

    /// Where the counts differ from an impact's.
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
        let gone = self.counts.iter().filter(|(table, ..)| !impact.tables.iter().any(|now| now.table == *table));
        changes.extend(gone.map(|(table, deleted, unlinked)| ImpactChange {
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

/// The keys reached, in words that do not depend on the order in which the catalogue gives them.
fn described(plan: &Plan<'_>) -> Vec<String> {
    let mut keys: Vec<String> = plan
        .edges
        .iter()
        .map(|edge| {
            let key = &plan.graph.foreign_keys[edge.key];
            let (table, referenced) = (&plan.graph.tables[key.table], &plan.graph.tables[key.referenced]);
            format!(
                "{:?} {} {:?} -> {} {:?} {:?} {:?}",
                key.constraint,
                table.display,
                key.columns,
                referenced.display,
                key.referenced_columns,
                key.on_delete,
                edge.effect
            )
        })
        .collect();
    keys.sort_unstable();
    keys
}

fn fingerprint(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..12])
}
