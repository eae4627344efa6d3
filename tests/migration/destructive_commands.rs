//! Tests that the command line offers no command that can drop a business table.

use super::fetch_catalog;
use crate::cli::{document, ended, executable, run};
use crate::story::rows_now;
use crate::support::{TestDb, on_both};

on_both!(Mended: the_words_that_drop_tables_elsewhere_are_wrong_usage);

const COMMANDS: [&str; 13] = [
    "serve",
    "migrate",
    "doctor",
    "impact",
    "delete",
    "cleanup",
    "runs",
    "deletions",
    "restore",
    "token",
    "schema",
    "completions",
    "man",
];

/// The commands of sea-orm's own command line, and similar words.
const ELSEWHERE: [&str; 8] = ["fresh", "refresh", "reset", "down", "up", "init", "generate", "drop"];

fn help_text(arguments: &[&str]) -> String {
    let ended = ended(executable(arguments));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    ended.stdout
}

fn split_words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
}

#[test]
fn the_help_offers_no_way_to_drop_a_table() {
    let all = help_text(&["--help"]);
    let listed = all.split("Commands:").nth(1).unwrap().lines().skip(1).take_while(|line| !line.is_empty());
    let mut listed: Vec<&str> =
        listed.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()).collect();
    listed.retain(|command| *command != "help");
    assert_eq!(listed, COMMANDS, "a new command: see what it can drop, then name it here");
    for command in listed {
        let text = help_text(&[command, "--help"]);
        let found: Vec<String> =
            split_words(&text).into_iter().filter(|word| ELSEWHERE.contains(&word.as_str())).collect();
        let found: Vec<&String> = found.iter().filter(|word| *word != "up").collect();
        assert!(found.is_empty(), "{command}: {found:?} in {text}");
    }
    let migrate = help_text(&["migrate", "--help"]);
    assert!(!migrate.contains("Commands:"), "{migrate}");
}

async fn the_words_that_drop_tables_elsewhere_are_wrong_usage(db: TestDb) {
    assert_eq!(document(&db, &["migrate", "--yes"]).0, 0);
    let before = (fetch_catalog(&db).await, rows_now(&db).await);
    for word in ELSEWHERE {
        assert_eq!(run(&db, &["migrate", word]).code, 2, "{word}");
        assert_eq!(run(&db, &["migrate", &format!("--{word}"), "--yes"]).code, 2, "{word}");
        assert_eq!(run(&db, &[word]).code, 2, "{word}");
    }
    assert_eq!((fetch_catalog(&db).await, rows_now(&db).await), before);
}
