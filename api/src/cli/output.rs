//! The output of a command: text for people, or one JSON document.

use std::fmt::Display;
use std::io::Write as _;

use serde::Serialize;
use serde_json::json;

/// The output of a command on standard output: text, or one JSON document with `--json`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Returns whether the output is a JSON document.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Prints the command's JSON document. Prints nothing if the output is text.
    pub fn print_document(self, document: &impl Serialize) {
        if self.json {
            // Serialization cannot fail: no document type has a map whose keys are not strings.
            let text = serde_json::to_string_pretty(document).unwrap_or_else(|_| "null".to_owned());
            print_line(&text);
        }
    }

    /// Prints text for people. Prints nothing if the output is a JSON document.
    pub fn print_text(self, text: impl Display) {
        if !self.json {
            print_line(&text);
        }
    }

    /// Prints an error: as the JSON document on standard output, or as text on standard error.
    pub fn print_error(self, code: &str, message: &str) {
        if self.json {
            self.print_document(&json!({ "error": { "code": code, "message": message } }));
        } else {
            eprint_note(format_args!("error: {message}"));
        }
    }
}

/// Prints a line on standard output. A closed pipe (`session-admin schema | head`) is ignored.
fn print_line(text: &impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a remark on standard error, apart from the command's output.
pub(super) fn eprint_note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
