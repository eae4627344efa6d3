//! The gateway's options.

use std::time::Duration;

use crate::error::Error;
use crate::gateway::{GatewaySettings, Header, StatusPath, StatusWords, UrlTemplate};

/// The gateway's options, as given.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "The gateway, for every command")]
pub struct GatewayOptions {
    /// Where the service that holds the live connections answers about a session, with {id} in place of the session's id:
    /// `http://vps/sessions/{id}/status` [default: none]
    #[arg(
        id = "gateway-url",
        long = "gateway-url",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    url: Option<String>,
    /// A header that it is asked with, such as `X-Api-Key: KEY`
    #[arg(
        id = "gateway-header",
        long = "gateway-header",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_HEADER",
        hide_env_values = true,
        value_name = "NAME: VALUE"
    )]
    header: Option<String>,
    /// Where in its answer the status is, as a JSON Pointer [default: `/status`, as in WAHA, or `/instance/state`, as in
    /// Evolution API]
    #[arg(
        id = "gateway-status-path",
        long = "gateway-status-path",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_STATUS_PATH",
        value_name = "POINTER"
    )]
    status_path: Option<String>,
    /// What one of its words means, such as `WORKING=CONNECTED`; repeat it, or write several with commas. Those of WAHA
    /// and of Evolution API are known
    #[arg(
        id = "gateway-word",
        long = "gateway-word",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_WORD",
        value_delimiter = ',',
        value_name = "WORD=STATE"
    )]
    words: Vec<String>,
    /// How long its answer may take, in seconds
    #[arg(
        id = "gateway-timeout",
        long = "gateway-timeout",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 2
    )]
    timeout: u64,
    /// How long its answer is believed, in seconds
    #[arg(
        id = "gateway-cache",
        long = "gateway-cache",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_CACHE",
        value_name = "SECONDS",
        default_value_t = 5
    )]
    cache: u64,
    /// The most sessions that it is asked about at the same time
    #[arg(
        id = "gateway-at-once",
        long = "gateway-at-once",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_AT_ONCE",
        value_name = "NUMBER",
        default_value_t = 16
    )]
    at_once: usize,
}

impl GatewayOptions {
    /// Checks the options and returns the settings; none where no gateway is named.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the option and says what is accepted.
    pub(super) fn resolve(&self) -> Result<Option<GatewaySettings>, Error> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let words: Vec<String> = self.words.iter().filter(|word| !word.is_empty()).cloned().collect();
        let (header, path) = (given(&self.header), given(&self.status_path));
        let Some(url) = given(&self.url) else {
            if header.is_none() && path.is_none() && words.is_empty() {
                return Ok(None);
            }
            let message = "The gateway's options are given without --gateway-url (SESSION_ADMIN_GATEWAY_URL), which says \
                           where it is.";
            return Err(Error::BadInput(message.to_owned()));
        };
        let mut settings =
            GatewaySettings::new(parsed("--gateway-url (SESSION_ADMIN_GATEWAY_URL)", UrlTemplate::parse(&url))?);
        if let Some(header) = header {
            settings.header = Some(parsed("--gateway-header (SESSION_ADMIN_GATEWAY_HEADER)", Header::parse(&header))?);
        }
        if let Some(path) = path {
            settings.status_path =
                parsed("--gateway-status-path (SESSION_ADMIN_GATEWAY_STATUS_PATH)", StatusPath::parse(&path))?;
        }
        settings.words = parsed("--gateway-word (SESSION_ADMIN_GATEWAY_WORD)", StatusWords::with_entries(&words))?;
        self.check_limits()?;
        settings.timeout = Duration::from_secs(self.timeout);
        settings.cache_ttl = Duration::from_secs(self.cache);
        settings.max_concurrency = self.at_once;
        Ok(Some(settings))
    }

    fn check_limits(&self) -> Result<(), Error> {
        let at_once = u64::try_from(self.at_once).unwrap_or(u64::MAX);
        let limits = [
            ("--gateway-timeout (SESSION_ADMIN_GATEWAY_TIMEOUT)", self.timeout, "seconds", 1, 60),
            ("--gateway-cache (SESSION_ADMIN_GATEWAY_CACHE)", self.cache, "seconds", 0, 60),
            ("--gateway-at-once (SESSION_ADMIN_GATEWAY_AT_ONCE)", at_once, "sessions", 1, 100),
        ];
        for (name, number, what, least, most) in limits {
            if !(least..=most).contains(&number) {
                let message = format!("{name} is {number}; it takes {what}, from {least} to {most}.");
                return Err(Error::BadInput(message));
            }
        }
        Ok(())
    }
}

/// Adds the option's name to the error of its value.
fn parsed<T>(name: &str, value: Result<T, String>) -> Result<T, Error> {
    value.map_err(|problem| Error::BadInput(format!("{name} {problem}")))
}
