//! `UNINDEXED_FOREIGN_KEY`: without an index every deleted parent row costs a scan of the whole table.

use super::Draft;
use crate::catalog::ForeignKey;
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::{Scene, list};
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

/// The drafts of this check.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    scene.enforced_keys().filter(|key| !key.indexed).map(|key| draft(scene, key)).collect()
}

fn draft(scene: &Scene, key: &ForeignKey) -> Draft {
    let (table, parent) = (&scene.table(key.table).display, &scene.table(key.referenced).display);
    let columns = key.columns.join(", ");
    let message =
        format!("No index of {table} leads with {columns}: every row deleted from {parent} scans all rows of {table}.");
    Draft {
        rows: row_counts::rows(scene, key.table),
        fixes: vec![Fix { statement: create_index(scene, key), consequence: price(scene, key) }],
        ..Draft::about_key(scene, FindingCode::UnindexedForeignKey, Severity::Warning, key, message)
    }
}

fn create_index(scene: &Scene, key: &ForeignKey) -> String {
    let (carrier, columns) = (scene.sql_carrier(key), list(&key.columns));
    if scene.dialect == Dialect::Postgres && concurrently(scene, key) {
        // PostgreSQL finds a free name by itself.
        return format!("CREATE INDEX CONCURRENTLY ON {carrier} ({columns})");
    }
    if scene.dialect == Dialect::Postgres {
        return format!("CREATE INDEX ON {carrier} ({columns})");
    }
    let name: String =
        format!("{}_{}_idx", scene.table(key.table).name, key.columns.join("_")).chars().take(LONGEST_NAME).collect();
    format!("CREATE INDEX {} ON {carrier} ({columns})", quote(&name))
}

/// PostgreSQL cannot build an index of a partitioned table without locking it.
fn concurrently(scene: &Scene, key: &ForeignKey) -> bool {
    key.scope.is_some() || !scene.table(key.table).partitioned
}

fn price(scene: &Scene, key: &ForeignKey) -> String {
    if scene.dialect == Dialect::Postgres && concurrently(scene, key) {
        "No row changes, and others go on writing meanwhile; it cannot run inside a transaction.".to_owned()
    } else {
        "No row changes; others wait to write to the table until the index is built.".to_owned()
    }
}
