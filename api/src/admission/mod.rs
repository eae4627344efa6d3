//! Admission.

pub(crate) mod client_quota;
pub(crate) mod event_permit;
pub(crate) mod mutation_permit;
pub(crate) mod query_permits;
pub(crate) mod queue_limit;
pub(crate) mod rate_limit;
pub(crate) mod socket_slots;
