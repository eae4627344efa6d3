//! The options of the gateway.

use std::time::Duration;

use crate::error::Error;
use crate::gateway::{GatewaySettings, Header, StatusPath, StatusWords, UrlTemplate};

/// The unchecked options of the gateway.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Gateway (every command)")]
pub struct GatewayOptions {
    /// The URL at which the gateway reports the status of a session; `{id}` stands for the session's id:
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
    /// A header of requests to the gateway, such as `X-Api-Key: KEY`
    #[arg(
        id = "gateway-header",
        long = "gateway-header",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_HEADER",
        hide_env_values = true,
        value_name = "NAME: VALUE"
    )]
    header: Option<String>,
    /// JSON Pointer to the status in the gateway's response [default: `/status`, as in WAHA, or `/instance/state`, as
    /// in Evolution API]
    #[arg(
        id = "gateway-status-path",
        long = "gateway-status-path",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_STATUS_PATH",
        value_name = "POINTER"
    )]
    status_path: Option<String>,
    /// The meaning of a status word, such as `WORKING=CONNECTED`; repeat the flag, or separate several by commas. The
    /// words of WAHA and Evolution API are known
    #[arg(
        id = "gateway-word",
        long = "gateway-word",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_WORD",
        value_delimiter = ',',
        value_name = "WORD=STATE"
    )]
    words: Vec<String>,
    /// The most seconds that a response of the gateway may take
    #[arg(
        id = "gateway-timeout",
        long = "gateway-timeout",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_TIMEOUT",
        value_name = "SECONDS",
        default_value_t = 2
    )]
    timeout: u64,
    /// For how many seconds a response of the gateway is reused
    #[arg(
        id = "gateway-cache",
        long = "gateway-cache",
        global = true,
        env = "SESSION_ADMIN_GATEWAY_CACHE",
        value_name = "SECONDS",
        default_value_t = 5
    )]
    cache: u64,
    /// The most concurrent requests to the gateway
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
    /// Checks the options and returns the settings, or `None` if no gateway is configured.
    ///
    /// # Errors
    /// [`Error::BadInput`] that names the option and says what is accepted.
    pub(super) fn resolve(&self) -> Result<Option<GatewaySettings>, Error> {
        let non_empty = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let words: Vec<String> = self.words.iter().filter(|word| !word.is_empty()).cloned().collect();
        let (header, path) = (non_empty(&self.header), non_empty(&self.status_path));
        let Some(url) = non_empty(&self.url) else {
            if header.is_none() && path.is_none() && words.is_empty() {
                return Ok(None);
            }
            let message =
                "The options of the gateway need --gateway-url (SESSION_ADMIN_GATEWAY_URL), which is not set.";
            return Err(Error::BadInput(message.to_owned()));
        };
        let mut settings = GatewaySettings::new(add_option_name(
            "--gateway-url (SESSION_ADMIN_GATEWAY_URL)",
            UrlTemplate::parse(&url),
        )?);
        if let Some(header) = header {
            settings.header =
                Some(add_option_name("--gateway-header (SESSION_ADMIN_GATEWAY_HEADER)", Header::parse(&header))?);
        }
        if let Some(path) = path {
            settings.status_path =
                add_option_name("--gateway-status-path (SESSION_ADMIN_GATEWAY_STATUS_PATH)", StatusPath::parse(&path))?;
        }
        settings.words =
            add_option_name("--gateway-word (SESSION_ADMIN_GATEWAY_WORD)", StatusWords::with_entries(&words))?;
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
            ("--gateway-at-once (SESSION_ADMIN_GATEWAY_AT_ONCE)", at_once, "requests", 1, 100),
        ];
        for (name, number, what, least, most) in limits {
            if !(least..=most).contains(&number) {
                let message = format!("{name} is {number}; it must be from {least} to {most} {what}.");
                return Err(Error::BadInput(message));
            }
        }
        Ok(())
    }
}

/// Converts the error of an option's value into [`Error::BadInput`] that also names the option.
fn add_option_name<T>(name: &str, value: Result<T, String>) -> Result<T, Error> {
    value.map_err(|problem| Error::BadInput(format!("{name} {problem}")))
}
