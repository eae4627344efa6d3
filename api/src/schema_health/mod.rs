//! Schema health: checks for problems in the database that prevent, slow down or endanger deletions of sessions.
//!
//! Each check is a file below `checks` and reads the same context.

mod catalog_facts;
mod check_context;
mod checks;
mod diagnosis;
mod finding_draft;
mod hstore;
mod model;
mod repair_sql;
mod row_counts;

pub use diagnosis::diagnose;
pub use hstore::InaccessibleHstore;
pub use model::{AcceptedFindings, Finding, FindingCode, Fix, ForeignKeyState, SchemaHealth, Severity};
