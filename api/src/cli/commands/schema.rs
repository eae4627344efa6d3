//! The command `session-admin schema`, which prints the GraphQL schema for code generators and for `schema.graphql`.

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::graphql;

/// Prints the GraphQL schema in the schema definition language. It needs no database.
pub(in crate::cli) fn run(output: Output) -> Exit {
    let sdl = graphql::sdl();
    output.print_document(&json!({ "sdl": sdl }));
    output.print_text(sdl.trim_end());
    Exit::Done
}
