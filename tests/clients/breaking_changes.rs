//! Tests that `schema.graphql` has no breaking changes since the last release.

use std::process::Command;

use super::{output_text, tool_here};
use crate::support::skip_comparison;

/// Returns the breaking changes from `released` to `current`, or `None` if the tool is missing.
fn breaking_changes(released: &str, current: &str) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, sdl: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, sdl).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (released, current) = (file("released.graphql", released), file("current.graphql", current));
    let output = tool_here("breaking_changes.js", &[&released, &current])?.output().unwrap();
    let text = output_text(&output);
    assert_eq!(output.status.success(), text.is_empty(), "{text}");
    Some(text)
}

/// Returns `schema.graphql` of the newest release, or `None` before the first release.
fn released_schema() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    };
    let tag = git(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"])?;
    git(&["show", &format!("{}:schema.graphql", tag.trim())])
}

#[test]
fn nothing_is_broken_that_the_last_release_promised() {
    let Some(released) = released_schema() else {
        return skip_comparison("there is no release yet whose schema could be compared with");
    };
    if let Some(broken) = breaking_changes(&released, &api::graphql::sdl()) {
        assert_eq!(broken, "");
    }
}

#[test]
fn a_change_that_breaks_clients_is_found() {
    let released = api::graphql::sdl();
    let current = released.replacen("  allowConnected: Boolean! = false", "  allowAny: Boolean! = false", 1);
    assert_ne!(released, current);
    let Some(broken) = breaking_changes(&released, &current) else { return };
    assert!(broken.contains("allowConnected"), "{broken}");
}

#[test]
fn a_new_field_breaks_nothing() {
    let released = api::graphql::sdl();
    let current = released.replacen("type Query {\n", "type Query {\n  aaa: Int\n", 1);
    assert_ne!(released, current);
    if let Some(broken) = breaking_changes(&released, &current) {
        assert_eq!(broken, "");
    }
}
