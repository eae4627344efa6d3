//! A document's text before it is parsed. async-graphql's parser recurses into whatever is nested, and takes long for a long
//! text, so tokens and brackets are counted first, in one pass.

/// What a text amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TokenScan {
    /// The number of tokens. A number with a point counts as three.
    pub tokens: usize,
    /// How deep brackets are nested; those in strings and comments do not count.
    pub brackets: usize,
    /// The length of the longest name, in bytes; numbers count as names.
    pub longest_name: usize,
}

/// Counts the tokens of a text.
pub(crate) fn scan_tokens(query: &str) -> TokenScan {
    let mut scan = TokenScan::default();
    let mut depth = 0_usize;
    let mut rest = query.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                rest = tail;
                continue;
            }
            b'#' => {
                rest = skip_while(tail, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'"' if tail.starts_with(b"\"\"") => skip_string(&tail[2..], b"\"\"\"", b"\\\"\"\""),
            b'"' => skip_string(tail, b"\"", b"\\"),
            b'{' | b'[' | b'(' => {
                depth += 1;
                scan.brackets = scan.brackets.max(depth);
                tail
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                tail
            }
            b'.' => skip_while(tail, |byte| byte == b'.'),
            byte if is_name_byte(byte) => {
                let rest = skip_while(tail, is_name_byte);
                scan.longest_name = scan.longest_name.max(1 + tail.len() - rest.len());
                rest
            }
            _ => tail,
        };
        scan.tokens += 1;
    }
    scan
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns what follows the leading bytes for which `belongs` holds.
fn skip_while(text: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().position(|byte| !belongs(*byte)).unwrap_or(text.len());
    &text[end..]
}

/// Returns what follows a string whose opening quote has been read. `escape` is what may stand before a quote that does not
/// end the string: for a backslash alone, the byte after it is skipped too.
fn skip_string<'a>(mut text: &'a [u8], quote: &[u8], escape: &[u8]) -> &'a [u8] {
    while !text.is_empty() {
        if text.starts_with(escape) {
            let escaped = if escape.len() == 1 { 2 } else { escape.len() };
            text = text.get(escaped..).unwrap_or_default();
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
    use super::{TokenScan, scan_tokens};

    #[test]
    fn tokens_are_counted_as_graphql_has_them() {
        for (text, tokens, brackets, longest_name) in [
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
            assert_eq!(scan_tokens(text), TokenScan { tokens, brackets, longest_name }, "{text}");
        }
    }
}
