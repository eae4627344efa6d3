//! A compact layout of JSON documents, which keeps large snapshots readable.

/// The maximum length of a folded line, in characters.
const WIDTH: usize = 280;

/// Puts each object and array that fits onto one line of its own. Names, values and their order stay the same.
pub(super) fn fold(indented: &str) -> String {
    let lines: Vec<&str> = indented.lines().collect();
    let mut folded = String::new();
    let mut at = 0;
    while at < lines.len() {
        let (line, used) = on_one_line(&lines[at..]).unwrap_or((lines[at].to_owned(), 1));
        folded.push_str(&line);
        folded.push('\n');
        at += used;
    }
    folded
}

/// Returns the object or array that begins on the first line as one line, and its number of lines before.
///
/// Returns `None` if the first line begins no object or array, or if the value does not fit on one line.
fn on_one_line(lines: &[&str]) -> Option<(String, usize)> {
    let first = lines.first().filter(|line| line.ends_with(['{', '[']))?;
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let last = 1 + lines[1..].iter().position(|line| indentation(line) == indentation(first))?;
    let inner = lines[1..=last].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let line = format!("{first} {inner}");
    (line.chars().count() <= WIDTH).then_some((line, last + 1))
}

#[test]
fn short_values_are_folded_and_long_ones_are_not() {
    let long = "x".repeat(WIDTH);
    let document = format!("{{\n  \"a\": [\n    1,\n    {{\n      \"b\": {{}}\n    }}\n  ],\n  \"c\": \"{long}\"\n}}");
    assert_eq!(fold(&document), format!("{{\n  \"a\": [ 1, {{ \"b\": {{}} }} ],\n  \"c\": \"{long}\"\n}}\n"));
}
