//! `USER_TRIGGER`: the impact does not show what a trigger does, since that is not in the foreign keys; a dry run shows
//! it.

use crate::db::{Dialect, quote};
use crate::schema_health::check_context::CheckContext;
use crate::schema_health::finding_draft::FindingDraft;
use crate::schema_health::model::{FindingCode, Fix, Severity};
use crate::schema_health::row_counts;

/// Returns a draft for each trigger.
pub(super) fn check(context: &CheckContext) -> Vec<FindingDraft> {
    let tables = context.affected_tables();
    tables
        .into_iter()
        .flat_map(|table| context.table(table).triggers.iter().map(move |trigger| draft(context, table, trigger)))
        .collect()
}

fn draft(context: &CheckContext, id: usize, trigger: &str) -> FindingDraft {
    let table = &context.table(id).display;
    let (change, severity) = if context.reached.contains(&id) {
        ("deletes rows of", Severity::Warning)
    } else {
        ("clears references in", Severity::Info)
    };
    let message = format!(
        "A deletion {change} {table}, and the trigger {trigger} may act on that. The impact does not include its \
         effects; a dry run (--dry-run) executes it and rolls back."
    );
    FindingDraft {
        subject: format!("{table}.{trigger}"),
        rows: row_counts::rows(context, id),
        fixes: vec![disable_trigger(context, id, trigger)],
        ..FindingDraft::about_table(FindingCode::UserTrigger, severity, table, message)
    }
}

fn disable_trigger(context: &CheckContext, id: usize, trigger: &str) -> Fix {
    match context.dialect {
        Dialect::Postgres => Fix {
            statement: format!("ALTER TABLE {} DISABLE TRIGGER {}", context.sql_table(id), quote(trigger)),
            consequence:
                "It no longer fires for any role, until ENABLE TRIGGER. If it is harmless, accept the finding instead."
                    .to_owned(),
        },
        Dialect::Sqlite => Fix {
            statement: format!("DROP TRIGGER {}", quote(trigger)),
            consequence: "It is removed for everybody. If it is harmless, accept the finding instead.".to_owned(),
        },
    }
}
