//! Which addresses the server may listen on.

use std::net::SocketAddr;

use crate::error::Error;

/// Accepts loopback addresses, and every other address once a token is required: until then, everybody who reaches the server
/// may delete.
///
/// # Errors
/// [`Error::BadInput`] that says so, for any other address.
pub fn check_listen(address: SocketAddr, requires_token: bool) -> Result<(), Error> {
    if requires_token || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Error::BadInput(format!(
        "The server does not listen on {address}: until access tokens exist, whoever reached it there could delete \
         sessions. Make one first (`session-admin token create`), or let it take JWTs (--jwt-secret, --jwt-jwks), or let it \
         listen on a loopback address, such as 127.0.0.1:{}, and reach it from elsewhere through an SSH tunnel.",
        address.port()
    )))
}
