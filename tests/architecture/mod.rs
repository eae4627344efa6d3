//! Tests of the architecture rules that the compiler does not check. ARCHITECTURE.md, sections 3 and 8, explains them.

mod layout;
mod module_tree;
mod table_owners;

use std::collections::HashMap;

use module_tree::{API, CratePath, ModuleTree};

/// The parts of `api/src` in floors (layers), lowest first. Parts of one floor may use each other.
const FLOORS: [&[&str]; 14] = [
    &["clock", "conformance", "error", "limits", "refusal", "wording"],
    &["admission", "db"],
    &["auth"],
    &["catalog", "demo"],
    &["impact"],
    &["gateway", "group", "idempotency", "schema_health", "session"],
    &["deletion"],
    &["restore"],
    &["cleanup"],
    &["metrics"],
    &["worker"],
    &["app_state"],
    &["graphql"],
    &["http"],
];

/// The parts above all floors, which assemble the others.
const TOP_PARTS: [&str; 4] = ["config", "cli", "main", "lib"];

/// Returns the part of a file: its top-level folder, or its own name if it is a top-level file.
fn part(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or_default()
}

fn floor(part: &str) -> usize {
    if TOP_PARTS.contains(&part) {
        return FLOORS.len();
    }
    FLOORS
        .iter()
        .position(|parts| parts.contains(&part))
        .unwrap_or_else(|| panic!("{part} stands on no floor; give it one in tests/architecture/mod.rs"))
}

/// Returns every pair of a file and a file that it uses.
fn dependencies(tree: &ModuleTree) -> Vec<(&str, &str)> {
    let dependencies_of = |module: &CratePath| {
        let name = tree.files[module].name.as_str();
        tree.uses(module).into_iter().map(move |used| (name, used)).collect::<Vec<_>>()
    };
    let mut dependencies: Vec<_> = tree.files.keys().flat_map(dependencies_of).collect();
    dependencies.sort_unstable();
    dependencies
}

#[test]
fn a_file_uses_only_what_stands_lower() {
    let wrong: Vec<_> =
        dependencies(&API).into_iter().filter(|(user, used)| floor(part(used)) > floor(part(user))).collect();
    assert_eq!(wrong, [], "these files use a part that stands higher");
}

#[test]
fn no_file_imports_itself_through_others() {
    let mut uses: HashMap<&str, Vec<&str>> = HashMap::new();
    for (user, used) in dependencies(&API) {
        uses.entry(user).or_default().push(used);
    }
    // A file that uses no remaining file is on no cycle, so it is removed.
    while let Some(leaf) =
        uses.iter().find(|(_, used)| !used.iter().any(|file| uses.contains_key(file))).map(|(file, _)| *file)
    {
        uses.remove(leaf);
    }
    // A file that no remaining file uses is above the cycles, so it is removed too.
    while let Some(top) = uses.keys().copied().find(|file| !uses.values().any(|used| used.contains(file))) {
        uses.remove(top);
    }
    let mut cyclic: Vec<_> = uses
        .iter()
        .map(|(file, used)| {
            let within: Vec<_> = used.iter().filter(|other| uses.contains_key(*other)).collect();
            format!("{file} uses {within:?}")
        })
        .collect();
    cyclic.sort_unstable();
    assert_eq!(cyclic, Vec::<String>::new(), "these files lie on, or between, cycles of imports");
}

#[test]
fn conformance_uses_no_other_part() {
    let wrong: Vec<_> = dependencies(&API)
        .into_iter()
        .filter(|(user, used)| part(user) == "conformance" && part(used) != "conformance")
        .collect();
    assert_eq!(wrong, []);
}

/// Log filters name targets, so a target must not change when a file moves within its part, and must be documented.
#[test]
fn a_log_event_names_the_target_of_its_part() {
    let documented = include_str!("../../docs/contributing/logging.md");
    let mut wrong = Vec::new();
    for file in API.files.values() {
        let part = if TOP_PARTS.contains(&part(&file.name)) { "cli" } else { part(&file.name) };
        let target = format!("\"session_admin::{part}\"");
        for call in file.text.split("tracing::").skip(1) {
            let Some((name, arguments)) = call.split_once("!(") else { continue };
            if !["error", "warn", "info", "debug", "trace"].contains(&name.trim_end_matches("_span")) {
                continue;
            }
            let named = arguments.trim_start().strip_prefix("target: ").is_some_and(|rest| rest.starts_with(&target));
            if !named || !documented.contains(&target.replace('"', "`")) {
                wrong.push(format!("{}: {name}! wants target: {target}, listed in logging.md", file.name));
            }
        }
    }
    wrong.sort_unstable();
    assert_eq!(wrong, Vec::<String>::new());
}
