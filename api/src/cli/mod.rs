//! The command line, one command a file: arguments in, tables or JSON out. The rules are in the domain folders.

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
