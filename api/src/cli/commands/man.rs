//! The command `session-admin man`, which prints the manual page of the program or of one command.

use clap_mangen::Man;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::error::Error;

/// The arguments of `man`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The command; without it, the page of the program
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints a manual page. It needs no database.
pub(in crate::cli) fn run(args: &Args, mut program: clap::Command, output: Output) -> Result<Exit, Error> {
    program.build();
    let mut command = &program;
    for name in &args.command {
        let unknown = || Error::BadInput(format!("There is no command `{name}`."));
        command = command.find_subcommand(name).ok_or_else(unknown)?;
    }
    let mut page = Vec::new();
    let io_error = |source| Error::Io { what: "The page could not be written".to_owned(), source };
    let source = concat!("session-admin ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).render(&mut page).map_err(io_error)?;
    let page = String::from_utf8_lossy(&page);
    output.print_document(&json!({ "page": page }));
    output.print_text(page.trim_end());
    Ok(Exit::Done)
}
