//! The house: a file uses only what stands lower.

use std::path::{Path, PathBuf};

/// The parts of `api/src`, from the ground up. Parts of one floor may use each other.
const FLOORS: [&[&str]; 14] = [
    &["conformance"],
    &["error", "refusal", "clock", "limits", "wording"],
    &["db", "admission"],
    &["auth"],
    &["catalog", "demo"],
    &["impact"],
    &["gateway", "group", "schema_health", "session", "idempotency"],
    &["deletion", "restore", "cleanup"],
    &["metrics"],
    &["worker"],
    &["app_state"],
    &["graphql", "http"],
    &["config"],
    &["cli", "main", "lib"],
];

fn floor(part: &str) -> Option<usize> {
    FLOORS.iter().position(|parts| parts.contains(&part))
}

#[test]
fn a_file_uses_only_what_stands_lower() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in sources(&root) {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let part = name.split(['/', '.']).next().unwrap();
        let own = floor(part).unwrap_or_else(|| panic!("{name} stands on no floor; give it one here"));
        let text = std::fs::read_to_string(&file).unwrap();
        for used in uses(&text) {
            if floor(&used).is_some_and(|used| used > own) {
                wrong.push(format!("{name} uses {used}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The parts named after `crate::`, alone or in braces.
fn uses(text: &str) -> Vec<String> {
    text.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or_default().split(',').map(word).collect(),
            None => vec![word(rest)],
        })
        .collect()
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                vec![path]
            } else {
                Vec::new()
            }
        })
        .collect()
}
