//! Tests of the schema with linters that clients may use.
//!
//! Every rule is enabled. The configuration of graphql-eslint explains its settings.

use std::process::Command;

use tempfile::TempDir;

use super::{folder, output_text, tool};

/// Writes a schema to a file in a temporary folder.
fn write_schema(sdl: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("schema.graphql"), sdl).unwrap();
    folder
}

fn schema_linter() -> Option<Command> {
    tool("graphql-schema-linter/lib/cli.js", &["schema.graphql"])
}

fn eslint() -> Option<Command> {
    let config = folder().join("eslint.config.js");
    tool("eslint/bin/eslint.js", &["--max-warnings", "0", "-c", config.to_str().unwrap(), "schema.graphql"])
}

/// Lints a schema. Returns whether it passed, and the output.
fn lint(linter: Option<Command>, sdl: &str) -> Option<(bool, String)> {
    let folder = write_schema(sdl);
    let output = linter?.current_dir(folder.path()).output().unwrap();
    Some((output.status.success(), output_text(&output)))
}

#[test]
#[ignore = "long: `make test` runs it"]
fn the_schema_passes_every_rule_of_graphql_schema_linter() {
    if let Some((passed, text)) = lint(schema_linter(), &api::graphql::sdl()) {
        assert!(passed, "{text}");
    }
}

#[test]
#[ignore = "long: `make test` runs it"]
fn the_schema_passes_the_schema_rules_of_graphql_eslint() {
    if let Some((passed, text)) = lint(eslint(), &api::graphql::sdl()) {
        assert!(passed, "{text}");
    }
}

#[test]
#[ignore = "long: `make test` runs it"]
fn the_linters_find_what_is_wrong() {
    let wrong = format!("{}\ntype Wrong {{ b: Int a: Int }}\n", api::graphql::sdl());
    if let Some((passed, text)) = lint(schema_linter(), &wrong) {
        assert!(!passed && text.contains("type-fields-sorted-alphabetically"), "{text}");
    }
    if let Some((passed, text)) = lint(eslint(), &wrong) {
        assert!(!passed && text.contains("strict-id-in-types") && text.contains("no-unreachable-types"), "{text}");
    }
}
