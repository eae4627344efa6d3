//! Tests of the reference pages that are generated from the code, and of the links between all pages.

mod cli;
mod configuration;
mod error_codes;
mod links;
mod markdown;
mod option_table;

use std::path::{Path, PathBuf};

/// The first line of every generated page, which Markdown does not show.
const PRINTED: &str = "<!-- `make reference` prints this page from the code; a test compares the two. -->\n";

/// Returns the root folder of the repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Asserts that a page of `docs/reference/` has the generated content, or writes it if `UPDATE_REFERENCE` is 1.
fn assert_printed(page: &str, content: &str) {
    let path = repository().join("docs/reference").join(page);
    let printed = format!("{PRINTED}{content}");
    if std::env::var("UPDATE_REFERENCE").as_deref() == Ok("1") {
        return std::fs::write(path, printed).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    if let Some(difference) = first_difference(&written, &printed) {
        panic!("docs/reference/{page} is not what the code prints. Run `make reference` and commit it.\n{difference}");
    }
}

/// Returns both versions of the first line in which two texts differ.
fn first_difference(written: &str, printed: &str) -> Option<String> {
    if written == printed {
        return None;
    }
    let (mut written, mut printed) = (written.split('\n'), printed.split('\n'));
    let mut number = 0;
    loop {
        number += 1;
        let (page, code) = (written.next(), printed.next());
        if page != code {
            let line_text = |line: Option<&str>| line.unwrap_or("(the end)").to_owned();
            return Some(format!("line {number}, page: {}\nline {number}, code: {}", line_text(page), line_text(code)));
        }
    }
}

/// The maximum length of a line of prose.
const WIDTH: usize = 116;

/// Wraps a paragraph at the maximum line length.
fn wrap(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[test]
fn a_difference_is_shown_by_its_line() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(first_difference("a\nb\n", "a\nc\n").unwrap(), "line 2, page: b\nline 2, code: c");
    assert_eq!(first_difference("", "a").unwrap(), "line 1, page: \nline 1, code: a");
    assert_eq!(first_difference("a", "a\nb").unwrap(), "line 2, page: (the end)\nline 2, code: b");
}
