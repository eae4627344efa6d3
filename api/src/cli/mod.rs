//! The command line, which parses arguments and prints tables or JSON. The rules are in the domain modules.

mod cleanup_report;
mod command_line;
mod commands;
mod deletion_args;
mod exit;
mod follow_run;
mod log_output;
mod migration_check;
mod os_user;
mod output;
mod program;
mod prompt;
mod purge_plan;
mod render;
mod shutdown_signal;
mod value_parsers;

pub use command_line::definition;
pub use exit::Exit;
pub use program::main;
