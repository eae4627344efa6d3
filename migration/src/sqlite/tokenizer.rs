//! The words of an SQL text as SQLite reads them, each with its place in the text.

use std::ops::Range;

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bare word: a keyword or a name.
    Word,
    /// A name or text in quotes of any of SQLite's four kinds.
    Quoted,
    /// A number.
    Number,
    /// One sign.
    Sign,
}

/// A word and where it stands, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) at: Range<usize>,
}

impl Token<'_> {
    /// Whether it is this keyword. Quoted words never are.
    pub(super) fn is(&self, keyword: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// The name that it stands for. SQLite takes 'text' for a name where only a name can stand.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_owned()),
            Kind::Quoted => {
                let inner = &self.text[1..self.text.len() - 1];
                let close = &self.text[self.text.len() - 1..];
                Some(if close == "]" { inner.to_owned() } else { inner.replace(&close.repeat(2), close) })
            }
            Kind::Number | Kind::Sign => None,
        }
    }
}

/// Splits a text into its words; spaces and comments are left out. Fails on a quote that is never closed.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token<'_>>, String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let (kind, length) = if next.is_ascii_whitespace() {
            (None, 1)
        } else if rest.starts_with("--") {
            (None, rest.find('\n').map_or(rest.len(), |end| end + 1))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            // SQLite takes a comment that is never closed as one to the end.
            (None, comment.find("*/").map_or(rest.len(), |end| end + 4))
        } else if matches!(next, '\'' | '"' | '`' | '[') {
            (Some(Kind::Quoted), quoted(rest, next).ok_or_else(|| format!("a quote at byte {at} is never closed"))?)
        } else if next.is_ascii_digit() {
            (Some(Kind::Number), length_while(rest, |c| is_word(c) || c == '.'))
        } else if is_word(next) {
            (Some(Kind::Word), length_while(rest, is_word))
        } else {
            (Some(Kind::Sign), next.len_utf8())
        };
        if let Some(kind) = kind {
            found.push(Token { kind, text: &rest[..length], at: at..at + length });
        }
        at += length;
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a quoted word with its quotes. A doubled quote stands for itself; `]` cannot be doubled.
fn quoted(text: &str, open: char) -> Option<usize> {
    if open == '[' {
        return text.find(']').map(|end| end + 1);
    }
    let mut at = 1;
    loop {
        at += text[at..].find(open)? + 1;
        if !text[at..].starts_with(open) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).unwrap().into_iter().map(|t| t.text).collect()
    }

    #[test]
    fn comments_and_quotes_are_read_as_sqlite_reads_them() {
        let sql = "a -- b ( 'c\n/* d ) \" */ \"e\"\"f\" [g h] `i``j` 'k''l' 12.5e3 <= \u{fc}ber_2$";
        assert_eq!(texts(sql), ["a", "\"e\"\"f\"", "[g h]", "`i``j`", "'k''l'", "12.5e3", "<", "=", "\u{fc}ber_2$"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let found = tokens("x \"a\"\"b\" [a b] `a``b` 'a''b' 1 ,").unwrap();
        let names: Vec<_> = found.iter().map(super::Token::name).collect();
        let expected = [Some("x"), Some("a\"b"), Some("a b"), Some("a`b"), Some("a'b"), None, None];
        assert_eq!(names, expected.map(|n| n.map(str::to_owned)));
    }

    #[test]
    fn an_open_quote_is_refused() {
        for sql in ["'a", "\"a\"\"", "[a", "`"] {
            assert!(tokens(sql).is_err(), "{sql}");
        }
        assert_eq!(texts("a /* open"), ["a"]);
        assert_eq!(texts("a -- open"), ["a"]);
    }
}
