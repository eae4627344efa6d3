//! The configuration from defaults, the environment and flags. All options are checked, also against each other, before
//! anything starts.

mod accepted_findings;
mod cleanup_schedule;
mod database_url;
mod gateway;
mod invalid_option;
mod jwt;
mod limits;
mod listen;
mod options;
mod resolved;
mod tls;

pub use cleanup_schedule::CleanupScheduleOptions;
pub use database_url::{DEFAULT_DATABASE, redacted, sqlite_file};
pub use jwt::JwtOptions;
pub use limits::LimitOptions;
pub use listen::ListenOptions;
pub use options::{GlobalOptions, LogFormat};
pub use resolved::Config;
