//! `USER_TRIGGER`: what a trigger does is not in the foreign keys, so no impact shows it; only a dry run does.

use super::Draft;
use crate::db::{Dialect, quote};
use crate::schema_health::check_context::Scene;
use crate::schema_health::{FindingCode, Fix, Severity, row_counts};

/// The drafts of this check: one a trigger.
pub(super) fn check(scene: &Scene) -> Vec<Draft> {
    let tables = scene.touched();
    tables
        .into_iter()
        .flat_map(|table| scene.table(table).triggers.iter().map(move |trigger| draft(scene, table, trigger)))
        .collect()
}

fn draft(scene: &Scene, id: usize, trigger: &str) -> Draft {
    let table = &scene.table(id).display;
    let (change, severity) = if scene.reached.contains(&id) {
        ("deletes rows of", Severity::Warning)
    } else {
        ("clears references in", Severity::Info)
    };
    let message = format!(
        "A deletion {change} {table}, and the trigger {trigger} may act on that. What it does is not in the impact; \
         a dry run (--dry-run) runs it and takes it back."
    );
    Draft {
        subject: format!("{table}.{trigger}"),
        rows: row_counts::rows(scene, id),
        fixes: vec![switch_off(scene, id, trigger)],
        ..Draft::about_table(FindingCode::UserTrigger, severity, table, message)
    }
}

fn switch_off(scene: &Scene, id: usize, trigger: &str) -> Fix {
    match scene.dialect {
        Dialect::Postgres => Fix {
            statement: format!("ALTER TABLE {} DISABLE TRIGGER {}", scene.sql_table(id), quote(trigger)),
            consequence:
                "It no longer fires for anybody, until ENABLE TRIGGER. If it is harmless, accept the finding instead."
                    .to_owned(),
        },
        Dialect::Sqlite => Fix {
            statement: format!("DROP TRIGGER {}", quote(trigger)),
            consequence: "It is gone for everybody. If it is harmless, accept the finding instead.".to_owned(),
        },
    }
}
