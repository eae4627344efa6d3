//! `session-admin schema`: the GraphQL schema, for code generators and for `schema.graphql`.

use serde_json::json;

use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::graphql;

/// Prints it; no database is needed.
pub(in crate::cli) fn run(output: Output) -> Exit {
    let sdl = graphql::sdl();
    output.document(&json!({ "sdl": sdl }));
    output.text(sdl.trim_end());
    Exit::Done
}
