//! Middleware.

pub(crate) mod authentication;
pub(crate) mod cors;
pub(crate) mod host_check;
pub(crate) mod request_log;
pub(crate) mod security_headers;
