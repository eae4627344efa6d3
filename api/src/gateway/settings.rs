//! The settings of the gateway, validated before use.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use uuid::Uuid;

use super::status_words::StatusWords;

/// The settings of the gateway.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// The URL of a session's status.
    pub url: UrlTemplate,
    /// A header of every request, such as the key.
    pub header: Option<Header>,
    /// Where the status is in an answer.
    pub status_path: StatusPath,
    /// The meanings of the gateway's status words.
    pub words: StatusWords,
    /// The time limit of one request.
    pub timeout: Duration,
    /// How long an answer is cached.
    pub cache_ttl: Duration,
    /// The most concurrent requests.
    pub max_concurrency: usize,
}

impl GatewaySettings {
    /// Returns the defaults for the gateway at `url`.
    #[must_use]
    pub fn new(url: UrlTemplate) -> Self {
        Self {
            url,
            header: None,
            status_path: StatusPath::default(),
            words: StatusWords::default(),
            timeout: Duration::from_secs(2),
            cache_ttl: Duration::from_secs(5),
            max_concurrency: 16,
        }
    }
}

/// A URL in which `{id}` stands for the session's id. It may contain a password, so `Debug` leaves it out.
#[derive(Clone)]
pub struct UrlTemplate(String);

/// The placeholder for the session's id.
const ID: &str = "{id}";

impl UrlTemplate {
    /// Parses a URL such as `http://vps/sessions/{id}/status`.
    ///
    /// # Errors
    /// A description of the problem, without the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(ID) {
            return Err("has no {id}, which stands for the session's id: http://vps/sessions/{id}/status.".to_owned());
        }
        if text.replace(ID, "").contains(['{', '}']) {
            return Err("has braces other than {id}; only {id} is replaced.".to_owned());
        }
        let template = Self(text.to_owned());
        let parsed = |id: u128| {
            Url::parse(&template.session_url(Uuid::from_u128(id)))
                .map_err(|problem| format!("is not a URL: {problem}."))
        };
        let (one, other) = (parsed(1)?, parsed(2)?);
        if !matches!(one.scheme(), "http" | "https") {
            return Err("is neither http:// nor https://.".to_owned());
        }
        let server = |url: &Url| (url.origin(), url.username().to_owned(), url.password().map(str::to_owned));
        if server(&one) != server(&other) {
            return Err("has {id} before the path; all sessions must be on the same server.".to_owned());
        }
        if one.fragment().is_some() {
            return Err("has a fragment (#), which is not sent to the server.".to_owned());
        }
        Ok(template)
    }

    /// Returns the URL of one session. A UUID needs no percent-encoding.
    pub(super) fn session_url(&self, session: Uuid) -> String {
        self.0.replace(ID, &session.to_string())
    }
}

impl std::fmt::Debug for UrlTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A header of every request, such as one with a key. `Debug` leaves out its value.
#[derive(Debug, Clone)]
pub struct Header {
    pub(super) name: HeaderName,
    pub(super) value: HeaderValue,
}

impl Header {
    /// Parses a header such as `X-Api-Key: …`.
    ///
    /// # Errors
    /// A description of the problem, without the header.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is not a header; write NAME: VALUE on one line, such as X-Api-Key: … .".to_owned();
        let (name, value) = text.split_once(':').ok_or_else(wrong)?;
        let name = name.trim().parse::<HeaderName>().map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value.trim()).ok().filter(|value| !value.is_empty()).ok_or_else(wrong)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

/// Where the status is in an answer: JSON Pointers (RFC 6901), of which the first with a known word counts.
#[derive(Debug, Clone)]
pub struct StatusPath(pub(super) Vec<String>);

impl Default for StatusPath {
    /// Returns the paths of WAHA and of Evolution API.
    fn default() -> Self {
        Self(vec!["/status".to_owned(), "/instance/state".to_owned()])
    }
}

impl StatusPath {
    /// Parses one JSON Pointer.
    ///
    /// # Errors
    /// A description of the problem.
    pub fn parse(text: &str) -> Result<Self, String> {
        let escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if text.starts_with('/') && escaped {
            return Ok(Self(vec![text.to_owned()]));
        }
        Err(format!("is {text:?}; it must be a JSON Pointer (RFC 6901), such as /status or /instance/state."))
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, StatusPath, UrlTemplate};

    #[test]
    fn a_url_is_of_one_server_and_has_a_place_for_the_id() {
        for right in ["http://vps/sessions/{id}/status", "https://u:p@h:1/x?id={id}&again={id}"] {
            assert!(UrlTemplate::parse(right).is_ok(), "{right}");
        }
        for (wrong, why) in [
            ("http://vps/sessions", "has no {id}"),
            ("http://vps/{id}/{name}", "has braces other than"),
            ("vps/{id}", "is not a URL"),
            ("ftp://vps/{id}", "is neither http:// nor https://"),
            ("http://{id}.vps/", "has {id} before the path"),
            ("http://u:{id}@vps/", "has {id} before the path"),
            ("http://vps/#{id}", "has a fragment (#)"),
        ] {
            let said = UrlTemplate::parse(wrong).unwrap_err();
            assert!(said.starts_with(why), "{wrong}: {said}");
        }
        assert_eq!(format!("{:?}", UrlTemplate::parse("http://u:hunter2@h/{id}").unwrap()), "[redacted]");
    }

    #[test]
    fn a_header_is_a_name_and_a_value_that_is_not_printed() {
        let header = Header::parse("X-Api-Key:  hunter2 ").unwrap();
        assert_eq!((header.name.as_str(), header.value.to_str().unwrap()), ("x-api-key", "hunter2"));
        assert!(!format!("{header:?}").contains("hunter2"), "{header:?}");
        for wrong in ["hunter2", ": hunter2", "X Y: hunter2", "X-Api-Key:", "X-Api-Key: hunter2\nX: y"] {
            let said = Header::parse(wrong).unwrap_err();
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn a_path_is_a_json_pointer() {
        for right in ["/status", "/a~1b/0/~0", "/"] {
            assert!(StatusPath::parse(right).is_ok(), "{right}");
        }
        for wrong in ["", "status", "$.status", "/a~", "/a~2"] {
            assert!(StatusPath::parse(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
    }
}
