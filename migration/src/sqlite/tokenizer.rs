//! A tokenizer for SQL text that follows SQLite's rules.

use std::ops::Range;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// An unquoted keyword or name.
    Word,
    /// A name or string in any of SQLite's four kinds of quotes.
    Quoted,
    Number,
    /// A single character of an operator or punctuation.
    Symbol,
}

/// A token with its byte range in the text.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) range: Range<usize>,
}

impl Token<'_> {
    /// Returns whether the token is the given keyword. A quoted word is never a keyword.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// Returns the name that the token represents, without quotes.
    ///
    /// SQLite accepts a string in single quotes as a name wherever only a name is possible.
    pub(super) fn to_name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Quoted => {
                let content = &self.text[1..self.text.len() - 1];
                let quote = &self.text[self.text.len() - 1..];
                Some(if quote == "]" { content.to_owned() } else { content.replace(&quote.repeat(2), quote) })
            }
            TokenKind::Number | TokenKind::Symbol => None,
        }
    }
}

/// Splits a text into tokens, without whitespace and comments.
///
/// # Errors
///
/// Returns a description of the problem if a quote is never closed.
pub(super) fn tokenize(sql: &str) -> Result<Vec<Token<'_>>, String> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(next) = sql[start..].chars().next() {
        let rest = &sql[start..];
        let (kind, length) = if next.is_ascii_whitespace() {
            (None, 1)
        } else if rest.starts_with("--") {
            (None, rest.find('\n').map_or(rest.len(), |end| end + 1))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            // In SQLite, a comment that is never closed ends with the text.
            (None, comment.find("*/").map_or(rest.len(), |end| end + 4))
        } else if matches!(next, '\'' | '"' | '`' | '[') {
            let length = quoted_length(rest, next).ok_or_else(|| format!("a quote at byte {start} is never closed"))?;
            (Some(TokenKind::Quoted), length)
        } else if next.is_ascii_digit() {
            (Some(TokenKind::Number), length_while(rest, |c| is_word_character(c) || c == '.'))
        } else if is_word_character(next) {
            (Some(TokenKind::Word), length_while(rest, is_word_character))
        } else {
            (Some(TokenKind::Symbol), next.len_utf8())
        };
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: &rest[..length], range: start..start + length });
        }
        start += length;
    }
    Ok(tokens)
}

fn is_word_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn length_while(text: &str, accepts: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accepts(c)).unwrap_or(text.len())
}

/// Returns the length of a quoted token with its quotes. A doubled quote is part of the content; `]` cannot be doubled.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    if quote == '[' {
        return text.find(']').map(|end| end + 1);
    }
    let mut end = 1;
    loop {
        end += text[end..].find(quote)? + 1;
        if !text[end..].starts_with(quote) {
            return Some(end);
        }
        end += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Token, tokenize};

    fn texts(sql: &str) -> Vec<&str> {
        tokenize(sql).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_quotes_are_read_as_sqlite_reads_them() {
        let sql = "a -- b ( 'c\n/* d ) \" */ \"e\"\"f\" [g h] `i``j` 'k''l' 12.5e3 <= \u{fc}ber_2$";
        assert_eq!(texts(sql), ["a", "\"e\"\"f\"", "[g h]", "`i``j`", "'k''l'", "12.5e3", "<", "=", "\u{fc}ber_2$"]);
    }

    #[test]
    fn names_lose_their_quotes() {
        let tokens = tokenize("x \"a\"\"b\" [a b] `a``b` 'a''b' 1 ,").unwrap();
        let names: Vec<_> = tokens.iter().map(Token::to_name).collect();
        let expected = [Some("x"), Some("a\"b"), Some("a b"), Some("a`b"), Some("a'b"), None, None];
        assert_eq!(names, expected.map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn an_open_quote_is_refused() {
        for sql in ["'a", "\"a\"\"", "[a", "`"] {
            assert!(tokenize(sql).is_err(), "{sql}");
        }
        assert_eq!(texts("a /* open"), ["a"]);
        assert_eq!(texts("a -- open"), ["a"]);
    }
}
