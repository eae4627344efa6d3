//! The execution of a parsed document, from the request to its response.

pub(crate) mod batch_scheduler;
pub(crate) mod execute;
pub(crate) mod instrumented;
pub(crate) mod root_permits;
pub(crate) mod row_list;
