//! The options of the HTTP server.

use std::net::SocketAddr;

use crate::error::Error;
use crate::http::Origin;

/// The address that the server listens on, and the origins whose pages may use the API besides its own page.
#[derive(Debug, Clone, clap::Args)]
pub struct ListenOptions {
    /// The address and port that the server listens on
    #[arg(long, env = "SESSION_ADMIN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// An origin whose web pages may use the API, such as `https://admin.example`; repeat the flag, or separate several
    /// by commas [default: none]
    #[arg(long, env = "SESSION_ADMIN_ALLOW_ORIGIN", value_name = "URL", value_delimiter = ',')]
    pub allow_origin: Vec<String>,
}

impl ListenOptions {
    /// Returns the origins whose pages may use the API.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an invalid origin.
    pub fn origins(&self) -> Result<Vec<Origin>, Error> {
        let origins = self.allow_origin.iter().filter(|origin| !origin.is_empty());
        origins.map(|origin| origin.parse()).collect()
    }
}
