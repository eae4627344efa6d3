//! Tests of a deployment with a faulty schema, from its diagnosis to its use after the migration: what was impossible,
//! what repairs it, what the purge deletes and what it spares.

mod database_in_trouble;
mod migration_paths;
mod other_schema;
mod purge;
mod purge_restored;

use serde_json::{Value, json};

use crate::cli::document;
use crate::support::TestDb;
use crate::support::legacy_tables::{TABLES, Table};

/// The condition for the scenario's stale sessions. All other sessions are connected.
const STALE: &str = "session_name LIKE 'stale-%'";

/// The effect of purging all nine stale sessions: table, rows deleted, rows unlinked, references cleared.
const PURGED: [(&str, i64, i64, i64); 12] = [
    ("whatsapp_sessions", 9, 0, 0),
    ("dynamic_links", 0, 11, 11),
    ("notification_campaign_groups", 37, 0, 0),
    ("scheduled_webinar_messages", 21, 0, 0),
    ("scheduled_whatsapp_messages", 44, 0, 0),
    ("webinar_whatsapp_groups", 12, 0, 0),
    ("webinars", 0, 8, 9),
    ("whatsapp_group_admins", 800, 0, 0),
    ("whatsapp_groups", 580, 0, 0),
    ("workshop_group_members", 0, 150, 150),
    ("workshop_whatsapp_groups", 9, 0, 0),
    ("workshops", 0, 4, 4),
];

/// Returns the names of the thirteen tables.
fn table_names() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.name).collect()
}

/// Returns the rows that a purge must leave, computed from the current rows without any foreign key. The sessions that
/// `deleted_condition` selects and all their rows are omitted, references to their groups are null, and everything
/// else is unchanged.
pub(crate) async fn left_without(db: &TestDb, deleted_condition: &str) -> Vec<Vec<String>> {
    let sessions = format!("(SELECT id FROM whatsapp_sessions WHERE {deleted_condition})");
    let groups = format!("(SELECT id FROM whatsapp_groups WHERE session_id IN {sessions})");
    let mut remaining = Vec::new();
    for table in TABLES {
        remaining.push(db.snapshot(&rows_left(table, &sessions, &groups)).await);
    }
    remaining
}

fn rows_left(table: &Table, sessions: &str, groups: &str) -> String {
    let is_gone = if table.name == "whatsapp_sessions" { format!("id IN {sessions}") } else { "1 = 0".to_owned() };
    let (mut selected, mut gone) = (Vec::new(), vec![is_gone]);
    for column in table.columns {
        let going = match column.refers_to {
            Some("whatsapp_sessions") => sessions,
            Some("whatsapp_groups") => groups,
            _ => {
                selected.push(column.name.to_owned());
                continue;
            }
        };
        if column.nullable {
            selected.push(format!("CASE WHEN {0} IN {going} THEN NULL ELSE {0} END AS {0}", column.name));
        } else {
            selected.push(column.name.to_owned());
            gone.push(format!("{} IN {going}", column.name));
        }
    }
    format!("(SELECT {} FROM {} WHERE NOT ({}))", selected.join(", "), table.name, gone.join(" OR "))
}

/// Returns the current rows of the thirteen tables.
pub(crate) async fn rows_now(db: &TestDb) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for table in TABLES {
        rows.push(db.snapshot(table.name).await);
    }
    rows
}

/// Returns the effect of a deletion from its record: table, rows deleted, rows unlinked, references cleared.
fn deletion_effect(tables: &Value) -> Vec<(&str, i64, i64, i64)> {
    let number = |value: &Value| value.as_i64().unwrap();
    let cleared = |table: &Value| -> i64 {
        let references = table["references"].as_array().unwrap().iter();
        references
            .filter(|reference| reference["onDelete"] == "SET_NULL")
            .map(|reference| number(&reference["rows"]))
            .sum()
    };
    let table = |table: &'_ Value| (number(&table["rowsDeleted"]), number(&table["rowsUnlinked"]), cleared(table));
    let tables = tables.as_array().unwrap().iter();
    tables
        .map(|found| (found["table"].as_str().unwrap(), table(found)))
        .map(|(name, (a, b, c))| (name, a, b, c))
        .collect()
}

/// Migrates a deployment that contains the whole scenario, and checks the result.
pub(crate) async fn assert_migrates_and_purges(db: &TestDb) {
    let left = left_without(db, STALE).await;
    let (code, report) = document(db, &["migrate", "--yes"]);
    assert_eq!((code, &report["pending"]), (0, &json!([])), "{report}");
    assert_sound(db, &left).await;
}

/// Asserts that the foreign keys have the final rules, that the remaining rows are as expected, that the deletion's
/// record is complete, and that nothing is pending.
pub(crate) async fn assert_sound(db: &TestDb, left: &[Vec<String>]) {
    assert_eq!(crate::migration::fetch_rules(db, "public").await, crate::migration::FINAL_RULES);
    let now = rows_now(db).await;
    for (table, (now, left)) in table_names().into_iter().zip(now.iter().zip(left)) {
        assert_eq!(now, left, "{table}");
    }
    let own = if db.url().starts_with("sqlite") { "session_admin_deletions" } else { "session_admin.deletions" };
    let sql = format!("SELECT reason, rows_deleted, rows_unlinked, CAST(tables AS text) FROM {own}");
    let records = db.rows(&sql).await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0][..3], ["purge of stale sessions by migrate", "1512", "173"]);
    let recorded: Value = serde_json::from_str(&records[0][3]).unwrap();
    assert_eq!(deletion_effect(&recorded), PURGED);
    let (code, health) = document(db, &["doctor"]);
    assert_eq!((code, &health["healthy"]), (0, &json!(true)), "{health}");
}
