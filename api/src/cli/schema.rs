//! `session-admin schema`: the GraphQL schema, for code generators and for `schema.graphql`.

use serde_json::json;

use super::Exit;
use super::output::Output;
use crate::graphql;

/// Prints it; no database is needed.
pub(super) fn run(output: Output) -> Exit {
    let sdl = graphql::sdl();
    output.document(&json!({ "sdl": sdl }));
    output.text(sdl.trim_end());
    Exit::Done
}
