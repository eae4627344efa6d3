//! Standard output and standard error: text for people, or one JSON document.

use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

/// Where a command's answer goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the answer is a document.
    pub const fn json(self) -> bool {
        self.json
    }

    /// The one document; nothing for people.
    pub fn document(self, document: &impl Serialize) {
        if self.json {
            // The types are this program's own; none has a map whose keys are not text.
            let text = serde_json::to_string_pretty(document).unwrap_or_else(|_| "null".to_owned());
            line(&text);
        }
    }

    /// Text for people; nothing where a document is wanted.
    pub fn text(self, text: impl Display) {
        if !self.json {
            line(&text);
        }
    }

    /// The answer is that it went wrong.
    pub fn error(self, code: &str, message: &str) {
        if self.json {
            self.document(&json!({ "error": { "code": code, "message": message } }));
        } else {
            eprint_note(format_args!("error: {message}"));
        }
    }
}

/// A reader that has gone away (`session-admin schema | head`) is no reason to fail.
fn line(text: &impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// A remark beside the answer, on standard error.
pub(super) fn eprint_note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
