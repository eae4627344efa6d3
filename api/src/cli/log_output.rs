//! The setup of the log on standard error.

use tracing_subscriber::EnvFilter;

use crate::config::{GlobalOptions, LogFormat};
use crate::error::Error;

/// Starts the log on standard error with the filter and the format of the options.
///
/// # Errors
/// [`Error::BadInput`] if the filter cannot be parsed or the log has already been started.
pub(super) fn log_to_stderr(options: &GlobalOptions) -> Result<(), Error> {
    let filter = EnvFilter::try_new(&options.log).map_err(|problem| {
        Error::BadInput(format!(
            "--log (SESSION_ADMIN_LOG) is not a filter such as `info` or `warn,session_admin=debug`: {problem}."
        ))
    })?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match options.log_format {
        LogFormat::Text => subscriber.with_ansi(false).try_init(),
        LogFormat::Json => subscriber.json().with_span_list(false).try_init(),
    };
    started.map_err(|problem| Error::BadInput(format!("The log cannot be started: {problem}.")))
}
