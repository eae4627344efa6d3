//! The policy that decides which addresses the server may listen on.

use std::net::SocketAddr;

use crate::error::Error;

/// Checks that the server may listen on an address.
///
/// Loopback addresses are always accepted. Other addresses require that the server requires a token, because otherwise
/// everyone who reaches the server may delete sessions.
///
/// # Errors
/// Returns [`Error::BadInput`] for an address that is not accepted.
pub fn check_listen(address: SocketAddr, requires_token: bool) -> Result<(), Error> {
    if requires_token || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::BadInput(format!(
        "The server does not listen on {address}: without access tokens, any client that reaches it could delete \
         sessions. Create a token first (`session-admin token create`), or accept JWTs (--jwt-secret, --jwt-jwks), or \
         listen on a loopback address, such as 127.0.0.1:{}, and use an SSH tunnel from elsewhere.",
        address.port()
    )))
}
