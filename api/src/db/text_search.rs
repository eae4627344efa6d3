//! Case-insensitive search for a literal substring.
//!
//! A PostgreSQL database's locale decides which letters differ only in case, and SQLite ignores the case of ASCII
//! letters only. Therefore the pattern contains each letter in both cases, and both databases find the same rows.

use super::dialect::Dialect;

/// Returns the condition that a text contains the substring; null for a null text. `parameter` is a [`pattern`].
#[must_use]
pub fn contains(dialect: Dialect, text: &str, parameter: &str) -> String {
    match dialect {
        // The column's own collation may be nondeterministic, which supports no patterns.
        Dialect::Postgres => format!("CAST({text} AS text) COLLATE \"C\" ~ {parameter}"),
        Dialect::Sqlite => format!("CAST({text} AS text) GLOB {parameter}"),
    }
}

/// Returns the pattern that matches a substring: a regular expression on PostgreSQL, a GLOB on SQLite.
#[must_use]
pub fn pattern(dialect: Dialect, part: &str) -> String {
    let pattern: String = part.chars().map(|letter| letter_pattern(dialect, letter)).collect();
    match dialect {
        Dialect::Postgres => pattern,
        Dialect::Sqlite => format!("*{pattern}*"),
    }
}

/// Returns the pattern for one letter in either case. A case of several letters, such as that of ß, is left out.
fn letter_pattern(dialect: Dialect, letter: char) -> String {
    let single = |mut letters: Box<dyn Iterator<Item = char>>| letters.next().filter(|_| letters.next().is_none());
    let mut cases = vec![letter];
    for case in [single(Box::new(letter.to_lowercase())), single(Box::new(letter.to_uppercase()))].into_iter().flatten()
    {
        if !cases.contains(&case) {
            cases.push(case);
        }
    }
    if cases.len() > 1 {
        return format!("[{}]", cases.into_iter().collect::<String>());
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
