//! What `migrate` did and will do.

use std::fmt::Write as _;

use super::{count, impact, table};
use crate::cli::purge_plan::SparedSession;
use crate::impact::Impact;

/// The history, applied and pending.
pub(in crate::cli) fn migrations(status: &[(String, bool)]) -> String {
    let mut table = table(&["Migration", "State"], &[]);
    for (name, applied) in status {
        table.add_row([name.as_str(), if *applied { "applied" } else { "pending" }]);
    }
    table.to_string()
}

/// What `migrate` is about to do.
pub(in crate::cli) fn pending(names: &[String], purge: Option<&Impact>, spared: &[SparedSession]) -> String {
    let mut text = format!("Pending:\n  {}\n\n", names.join("\n  "));
    if !spared.is_empty() {
        let _ = writeln!(text, "{}\n", self::spared(spared));
    }
    let Some(purge) = purge else {
        text.push_str(if spared.is_empty() {
            "No stale session is there to purge."
        } else {
            "No other stale session is there to purge."
        });
        return text;
    };
    let _ = writeln!(
        text,
        "The purge takes {}: not connected, never paired, not updated within 24 hours, no message still to be sent.\n\n{}",
        count(purge.session_count, "stale session", "stale sessions"),
        impact(purge)
    );
    if !purge.deletable {
        text.push_str(
            "\nThe pending fixes come first and mend foreign keys; the purge is then worked out anew, shown again, and made \
             only if nothing is in the way.\n",
        );
    }
    text
}

/// The stale sessions that the purge leaves, a line each.
pub(in crate::cli) fn spared(spared: &[SparedSession]) -> String {
    let lines: Vec<String> = spared
        .iter()
        .map(|session| {
            if session.pending_messages == 0 {
                return format!("Spared: {}, as the gateway says that it is connected.", session.name);
            }
            let messages = count(session.pending_messages, "message is", "messages are");
            format!("Spared: {}, as {messages} still to be sent.", session.name)
        })
        .collect();
    lines.join("\n")
}
