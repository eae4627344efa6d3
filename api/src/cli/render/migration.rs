//! The texts of the command `migrate`.

use std::fmt::Write as _;

use super::{impact, new_table, pluralize};
use crate::cli::purge_plan::SparedSession;
use crate::impact::Impact;

/// Returns a table of all migrations, each with whether it has been applied.
pub(in crate::cli) fn migration_status(status: &[(String, bool)]) -> String {
    let mut table = new_table(&["Migration", "State"], &[]);
    for (name, applied) in status {
        table.add_row([name.as_str(), if *applied { "applied" } else { "pending" }]);
    }
    table.to_string()
}

/// Returns the pending migrations, the spared sessions and the impact of the purge.
pub(in crate::cli) fn pending_migrations(names: &[String], purge: Option<&Impact>, spared: &[SparedSession]) -> String {
    let mut text = format!("Pending:\n  {}\n\n", names.join("\n  "));
    if !spared.is_empty() {
        let _ = writeln!(text, "{}\n", spared_sessions(spared));
    }
    let Some(purge) = purge else {
        text.push_str(if spared.is_empty() {
            "There is no stale session to purge."
        } else {
            "There is no other stale session to purge."
        });
        return text;
    };
    let _ = writeln!(
        text,
        "The purge deletes {}: not connected, never paired, not updated within 24 hours, no message still to be sent.\n\n{}",
        pluralize(purge.session_count, "stale session", "stale sessions"),
        impact(purge)
    );
    if !purge.deletable {
        text.push_str(
            "\nThe pending migrations repair the foreign keys first. The purge is then planned and shown again, and \
             executed only if nothing blocks it.\n",
        );
    }
    text
}

/// Returns the stale sessions that the purge spares, one per line, with the reasons.
pub(in crate::cli) fn spared_sessions(spared: &[SparedSession]) -> String {
    let lines: Vec<String> = spared
        .iter()
        .map(|session| {
            if session.pending_messages == 0 {
                return format!("Not purged: {}, because the gateway reports it as connected.", session.name);
            }
            let messages = pluralize(session.pending_messages, "message is", "messages are");
            format!("Not purged: {}, because {messages} still to be sent.", session.name)
        })
        .collect();
    lines.join("\n")
}
