//! `session-admin man`: the manual's pages, the program's own and one for each command.

use clap_mangen::Man;
use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::error::Error;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The command whose page it is; the program's own page without one
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// Prints a page; no database is needed.
pub(in crate::cli) fn run(args: &Args, mut program: clap::Command, output: Output) -> Result<Exit, Error> {
    program.build();
    let mut command = &program;
    for name in &args.command {
        let unknown = || Error::BadInput(format!("There is no command `{name}` here, and so no page about it."));
        command = command.find_subcommand(name).ok_or_else(unknown)?;
    }
    let mut page = Vec::new();
    let failed = |source| Error::Io { what: "The page could not be written".to_owned(), source };
    let source = concat!("session-admin ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source).render(&mut page).map_err(failed)?;
    let page = String::from_utf8_lossy(&page);
    output.document(&json!({ "page": page }));
    output.text(page.trim_end());
    Ok(Exit::Done)
}
