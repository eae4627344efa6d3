//! Connection.

pub(crate) mod accept_loop;
pub(crate) mod activity;
pub(crate) mod bind_policy;
pub(crate) mod serve;
pub(crate) mod tracked_io;
