//! The default database URL, and functions that inspect and redact database URLs.

use std::path::Path;

/// The URL of the database that is used if none is configured.
pub const DEFAULT_DATABASE: &str = "sqlite://session-admin.db";

/// Returns a database URL with its password and parameters redacted.
#[must_use]
pub fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "[redacted]".to_owned() };
    let (rest, hidden) = rest.split_once('?').map_or((rest, ""), |(rest, _)| (rest, "?[redacted]"));
    // The last @ ends the user information, since a password may contain an @ that is not percent-encoded.
    let address = rest.rsplit_once('@').map_or_else(
        || rest.to_owned(),
        |(user, host)| match user.split_once(':') {
            Some((name, _)) => format!("{name}:[redacted]@{host}"),
            None => format!("{user}@{host}"),
        },
    );
    format!("{scheme}://{address}{hidden}")
}

/// Returns the file of an SQLite URL, or `None` for an in-memory database or PostgreSQL.
#[must_use]
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let (path, parameters) = url.split_once('?').unwrap_or((url, ""));
    let path = path.strip_prefix("sqlite://").or_else(|| path.strip_prefix("sqlite:"))?;
    let in_memory = path.is_empty() || path == ":memory:" || parameters.contains("mode=memory");
    (!in_memory).then(|| Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::{redacted, sqlite_file};

    #[test]
    fn no_password_survives_redaction() {
        assert_eq!(redacted("postgres://u:secret@h:1/d"), "postgres://u:[redacted]@h:1/d");
        assert_eq!(redacted("postgres://u:se@cret@h/d"), "postgres://u:[redacted]@h/d");
        assert_eq!(redacted("postgres://h/d?user=u&password=secret"), "postgres://h/d?[redacted]");
        assert_eq!(redacted("secret"), "[redacted]");
        assert_eq!(redacted("sqlite://a.db"), "sqlite://a.db");
    }

    #[test]
    fn only_files_count_as_sqlite_files() {
        assert_eq!(sqlite_file("sqlite:///a/b.db?mode=rwc").and_then(|path| path.to_str()), Some("/a/b.db"));
        for url in ["sqlite::memory:", "sqlite://", "sqlite://x?mode=memory", "postgres://h/d"] {
            assert!(sqlite_file(url).is_none(), "{url}");
        }
    }
}
