//! [`Redaction`], which replaces values that differ between executions by placeholders: generated ids, timestamps,
//! secrets, impact tokens, and the names and the number of migrations.

use std::collections::BTreeMap;

use crate::support::steps;

/// A text filter that replaces volatile values by placeholders. Equal ids get equal placeholders.
#[derive(Debug, Default)]
pub(super) struct Redaction {
    ids: BTreeMap<String, usize>,
    hidden: Vec<(String, String)>,
}

impl Redaction {
    /// Registers a value that later calls of `apply` replace by the placeholder.
    pub(super) fn hide(&mut self, value: &str, placeholder: &str) {
        self.hidden.push((value.to_owned(), placeholder.to_owned()));
    }

    /// Replaces the volatile values of a text.
    pub(super) fn apply(&mut self, text: &str) -> String {
        let mut text = text.replace(&format!("{} migrations are pending", steps()), "<n> migrations are pending");
        for (value, placeholder) in &self.hidden {
            text = text.replace(value, placeholder);
        }
        let mut redacted = String::new();
        let mut rest = text.as_str();
        while let Some(first) = rest.chars().next() {
            let word = &rest[..word_length(rest)];
            if word.is_empty() {
                redacted.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
            let bare = word.trim_end_matches(['.', ':']);
            redacted.push_str(&self.placeholder(bare).unwrap_or_else(|| bare.to_owned()));
            redacted.push_str(&word[bare.len()..]);
            rest = &rest[word.len()..];
        }
        one_migration_of_several(&redacted)
    }

    fn placeholder(&mut self, word: &str) -> Option<String> {
        if is_generated_id(word) {
            let next = self.ids.len() + 1;
            return Some(format!("<id {}>", self.ids.entry(word.to_owned()).or_insert(next)));
        }
        if is_moment(word) {
            let zone: String = word[19..].chars().skip_while(|c| *c == '.' || c.is_ascii_digit()).collect();
            let separator = &word[10..11];
            return word[19..].starts_with('.').then(|| format!("<date{separator}time{zone}>"));
        }
        match word {
            _ if word.starts_with("i1.") => Some("<impact token>".to_owned()),
            _ if word.starts_with("sadm_") => Some(format!("sadm_<{} characters>", word.len() - 5)),
            _ if is_migration(word) => Some("<migration>".to_owned()),
            _ => None,
        }
    }
}

/// Returns the length of the text's first word in bytes. A date and a time with one space between them are one word.
fn word_length(text: &str) -> usize {
    let length =
        |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || "_-.:+".contains(c))).unwrap_or(text.len());
    let first = length(text);
    let is_date = |word: &str| has_form(word, "dddd-dd-dd");
    if is_date(&text[..first]) && text[first..].starts_with(' ') {
        let second = length(&text[first + 1..]);
        if has_form(&text[first + 1..first + 1 + second.min(8)], "dd:dd:dd") {
            return first + 1 + second;
        }
    }
    first
}

/// Returns whether a word matches a form, in which `d` matches a digit and every other character itself.
fn has_form(word: &str, form: &str) -> bool {
    word.len() == form.len()
        && word.chars().zip(form.chars()).all(|(c, form)| if form == 'd' { c.is_ascii_digit() } else { c == form })
}

/// The id that messages use as an example.
const EXAMPLE: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

/// Returns whether a word is a generated UUID. Those of the scenario and of tests have zeros in their middle.
fn is_generated_id(word: &str) -> bool {
    word.len() == 36
        && word.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
        && !word.contains("-0000-4000-8000-")
        && word != EXAMPLE
}

fn is_moment(word: &str) -> bool {
    word.is_char_boundary(19)
        && word.len() > 19
        && (has_form(&word[..19], "dddd-dd-ddTdd:dd:dd") || has_form(&word[..19], "dddd-dd-dd dd:dd:dd"))
}

fn is_migration(word: &str) -> bool {
    word.split_once('_').is_some_and(|(first, rest)| {
        has_form(first, "mdddddddd") && rest.split('_').next().is_some_and(|number| has_form(number, "dddddd"))
    })
}

/// Reduces a list of migrations to one entry, because the migrations differ between releases.
fn one_migration_of_several(text: &str) -> String {
    let is_item = |line: &str| matches!(line.trim(), "\"<migration>\"" | "\"<migration>\",");
    let mut text = text.to_owned();
    while text.contains("<migration>, <migration>") {
        text = text.replace("<migration>, <migration>", "<migration>");
    }
    let lines: Vec<&str> = text.split('\n').collect();
    let keeps = |at: usize| !(is_item(lines[at]) && lines.get(at + 1).is_some_and(|next| is_item(next)));
    (0..lines.len()).filter(|at| keeps(*at)).map(|at| lines[at]).collect::<Vec<_>>().join("\n")
}

#[test]
fn volatile_words_are_replaced_and_all_else_stays() {
    let mut redaction = Redaction::default();
    redaction.hide("127.0.0.1:4711", "<gateway>");
    let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964fe";
    for (text, expected) in [
        (format!("No deletion has the id {id}."), "No deletion has the id <id 1>."),
        ("1f9619ff-8b86-4d01-b42d-00cf4fc964fe, ".to_owned(), "<id 2>, "),
        (id.to_owned(), "<id 1>"),
        ("303d5044-0000-4000-8000-000000000001".to_owned(), "303d5044-0000-4000-8000-000000000001"),
        ("\"2026-11-30T17:38:01.123456Z\"".to_owned(), "\"<dateTtimeZ>\""),
        ("{2026-11-30 17:38:01.5+00,x}".to_owned(), "{<date time+00>,x}"),
        ("such as 2027-01-31T08:30:00Z".to_owned(), "such as 2027-01-31T08:30:00Z"),
        ("2026-01-05T00:00:00+00:00".to_owned(), "2026-01-05T00:00:00+00:00"),
        ("2026-01-05 00:00:00+00".to_owned(), "2026-01-05 00:00:00+00"),
        ("i1.eyJ-_9.x".to_owned(), "<impact token>"),
        ("sadm_abc".to_owned(), "sadm_<3 characters>"),
        ("http://127.0.0.1:4711/{id}".to_owned(), "http://<gateway>/{id}"),
        (format!("{} migrations are pending", steps()), "<n> migrations are pending"),
        ("[\n  \"m20260101_000001_a\",\n  \"m20260101_000002_b\"\n]".to_owned(), "[\n  \"<migration>\"\n]"),
        ("m20260101_000001_a, m20260101_000002_b, m20260101_000003_c.".to_owned(), "<migration>."),
        ("ünïcode … → 12".to_owned(), "ünïcode … → 12"),
    ] {
        assert_eq!(redaction.apply(&text), expected);
    }
}
