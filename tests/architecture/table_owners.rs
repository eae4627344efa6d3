//! Tests that each internal table is named in one part of `api/src` only.

use super::module_tree::API;
use super::part;

/// The internal tables and the part of `api/src` that names each. Only the migrations name `created_tables`.
const OWNERS: [(&str, &str); 9] = [
    ("archived_rows", "deletion"),
    ("archived_tables", "deletion"),
    ("cleanup_run_sessions", "cleanup"),
    ("cleanup_runs", "cleanup"),
    ("created_tables", "migration"),
    ("deleted_sessions", "deletion"),
    ("deletions", "deletion"),
    ("idempotency_keys", "idempotency"),
    ("tokens", "auth"),
];

/// Returns whether a text names an internal table: quoted alone, as the dialect's function takes it, or qualified as
/// either database has it.
fn names_table(text: &str, table: &str) -> bool {
    let spellings =
        [format!("internal_table(\"{table}\")"), format!("session_admin.{table}"), format!("session_admin_{table}")];
    let word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    spellings.iter().any(|spelling| {
        text.match_indices(spelling.as_str()).any(|(at, _)| !word(text[at + spelling.len()..].chars().next()))
    })
}

#[test]
fn an_internal_table_is_named_by_its_owner_only() {
    let mut wrong = Vec::new();
    let mut named = Vec::new();
    for file in API.files.values() {
        for (table, owner) in OWNERS {
            if names_table(&file.text, table) {
                named.push(table);
                if part(&file.name) != owner {
                    wrong.push(format!("{} names {table}, which is {owner}'s", file.name));
                }
            }
        }
    }
    wrong.sort_unstable();
    assert_eq!(wrong, Vec::<String>::new());
    // Every table except that of the migrations has to be found, which shows that the spellings above are complete.
    let missed: Vec<_> =
        OWNERS.iter().filter(|(table, owner)| *owner != "migration" && !named.contains(table)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}
