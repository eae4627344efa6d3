//! Tests of the names and sizes of files.

use std::path::{Path, PathBuf};

use super::module_tree::source_files;

/// File names that do not say what the file defines: participles, pronouns, prepositions and metaphors.
///
/// A file is named by a noun phrase (docs/contributing/naming-and-comments.md).
const BANNED_STEMS: [&str; 44] = [
    "altered",
    "asked",
    "beside",
    "both",
    "chosen",
    "common",
    "counted",
    "cut",
    "door",
    "each",
    "elsewhere",
    "entry",
    "fit",
    "gone",
    "hand",
    "handed",
    "held",
    "helpers",
    "kept",
    "later",
    "leave",
    "left",
    "mended",
    "misc",
    "now",
    "of",
    "omitted",
    "others",
    "own",
    "place",
    "present",
    "said",
    "scene",
    "share",
    "shared",
    "stuff",
    "taken",
    "together",
    "turn",
    "util",
    "utils",
    "wanted",
    "whole",
    "witness",
];

/// The maximum number of lines of a file. Files are split at about 300 lines.
const LONGEST_FILE: usize = 350;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns the Rust files of every crate and of the tests and benchmarks.
fn workspace_files() -> Vec<PathBuf> {
    ["api", "entity", "migration", "tests", "benches"]
        .iter()
        .flat_map(|folder| source_files(&workspace().join(folder)))
        .filter(|file| !file.iter().any(|part| part == "node_modules" || part == "target"))
        .collect()
}

#[test]
fn a_file_is_named_for_what_it_defines() {
    let wrong: Vec<_> = workspace_files()
        .into_iter()
        .filter(|file| BANNED_STEMS.contains(&file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()))
        .collect();
    assert_eq!(wrong, Vec::<PathBuf>::new());
}

#[test]
fn a_file_has_at_most_350_lines() {
    let wrong: Vec<_> = workspace_files()
        .into_iter()
        .filter_map(|file| {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            (lines > LONGEST_FILE).then_some((file, lines))
        })
        .collect();
    assert_eq!(wrong, []);
}
