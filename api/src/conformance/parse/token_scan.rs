//! A query's text before it is parsed: the parser descends into whatever is nested, and takes long for a long text.

/// What a text amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scan {
    /// Its tokens. A number with a point counts as three.
    pub tokens: usize,
    /// How deep brackets are nested, strings and comments left out.
    pub brackets: usize,
    /// How long its longest name is, in bytes; numbers count as names.
    pub name: usize,
}

/// Reads the text once.
pub(crate) fn scan(query: &str) -> Scan {
    let mut scan = Scan::default();
    let mut depth = 0_usize;
    let mut rest = query.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                rest = tail;
                continue;
            }
            b'#' => {
                rest = after(tail, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'"' if tail.starts_with(b"\"\"") => after_string(&tail[2..], b"\"\"\"", b"\\\"\"\""),
            b'"' => after_string(tail, b"\"", b"\\"),
            b'{' | b'[' | b'(' => {
                depth += 1;
                scan.brackets = scan.brackets.max(depth);
                tail
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                tail
            }
            b'.' => after(tail, |byte| byte == b'.'),
            byte if is_of_a_word(byte) => {
                let rest = after(tail, is_of_a_word);
                scan.name = scan.name.max(1 + tail.len() - rest.len());
                rest
            }
            _ => tail,
        };
        scan.tokens += 1;
    }
    scan
}

const fn is_of_a_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// What follows the bytes of which `belongs` holds.
fn after(text: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !belongs(*byte)).unwrap_or(text.len());
    &text[end..]
}

/// What follows a string whose opening quote has been read. `escape` makes what it begins with part of the string; a
/// single backslash takes one more byte with it.
fn after_string<'a>(mut text: &'a [u8], quote: &[u8], escape: &[u8]) -> &'a [u8] {
    while !text.is_empty() {
        if text.starts_with(escape) {
            let taken = if escape.len() == 1 { 2 } else { escape.len() };
            text = text.get(taken..).unwrap_or_default();
        } else if text.starts_with(quote) {
            return &text[quote.len()..];
        } else {
            text = &text[1..];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Scan, scan};

    #[test]
    fn tokens_are_counted_as_graphql_has_them() {
        for (text, tokens, brackets, name) in [
            ("", 0, 0, 0),
            (" ,\t\r\n# { a comment [", 0, 0, 0),
            ("{ a }", 3, 1, 1),
            ("{a:b}", 5, 1, 1),
            ("{ ...F ... on Q { b } }", 10, 2, 2),
            ("query($a:[Int!]=1){b(c:$a)}", 21, 2, 5),
            ("{ a(b: \"}, { \\\" [\") }", 8, 2, 1),
            ("{ a(b: \"\"\"[ \\\"\"\" \" [\"\"\") }", 8, 2, 1),
            ("# {\n{ a }", 3, 1, 1),
            ("{ name }", 3, 1, 4),
        ] {
            assert_eq!(scan(text), Scan { tokens, brackets, name }, "{text}");
        }
    }
}
