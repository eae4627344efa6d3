//! Looking for a part of a text, in any case: nothing in it means anything but itself.
//!
//! What counts as the other case of a letter depends on a PostgreSQL database's locale, and SQLite knows it of ASCII only.
//! So every letter is written with its cases, and both databases find the same rows.

use super::Dialect;

/// Whether a text has the part that `parameter` holds as [`pattern`]; null for no text.
#[must_use]
pub fn contains(dialect: Dialect, text: &str, parameter: &str) -> String {
    match dialect {
        // The column's own collation may be one that takes no patterns; the cases are written out anyway.
        Dialect::Postgres => format!("CAST({text} AS text) COLLATE \"C\" ~ {parameter}"),
        Dialect::Sqlite => format!("CAST({text} AS text) GLOB {parameter}"),
    }
}

/// The value to look for: a regular expression on PostgreSQL, a GLOB on SQLite.
#[must_use]
pub fn pattern(dialect: Dialect, part: &str) -> String {
    let letters: String = part.chars().map(|letter| cases(dialect, letter)).collect();
    match dialect {
        Dialect::Postgres => letters,
        Dialect::Sqlite => format!("*{letters}*"),
    }
}

fn cases(dialect: Dialect, letter: char) -> String {
    let single = |mut cases: Box<dyn Iterator<Item = char>>| cases.next().filter(|_| cases.next().is_none());
    let mut all = vec![letter];
    for case in [single(Box::new(letter.to_lowercase())), single(Box::new(letter.to_uppercase()))].into_iter().flatten()
    {
        if !all.contains(&case) {
            all.push(case);
        }
    }
    if all.len() > 1 {
        return format!("[{}]", all.into_iter().collect::<String>());
    }
    match dialect {
        Dialect::Postgres if letter.is_ascii_punctuation() => format!("\\{letter}"),
        Dialect::Sqlite if "*?[".contains(letter) => format!("[{letter}]"),
        _ => letter.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, pattern};

    #[test]
    fn a_letter_is_found_in_either_case_and_a_sign_only_as_itself() {
        assert_eq!(pattern(Dialect::Postgres, "aÄ1%_.^"), "[aA][Ää]1\\%\\_\\.\\^");
        assert_eq!(pattern(Dialect::Sqlite, "aÄ1%_*?[]^"), "*[aA][Ää]1%_[*][?][[]]^*");
    }
}
