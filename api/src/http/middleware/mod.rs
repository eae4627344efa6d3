//! The middleware of the server. The order of the layers is in `http/router.rs`.

pub(in crate::http) mod authentication;
pub(in crate::http) mod cors;
pub(in crate::http) mod host_check;
pub(in crate::http) mod request_log;
pub(in crate::http) mod request_metrics;
pub(in crate::http) mod security_headers;
