//! Tests that the commands and operations of the guide work, each page with its own demonstration server.
//!
//! The blocks in `sh` and `graphql` run in the page's order in one shell. Each has to succeed: a command with exit code
//! 0, an operation without errors. Subscriptions are left out (`cli/readme.rs` tests one), and so are blocks of output
//! (`console`, `text`).

use std::process::Command;

use super::scripting::{has, with_path};
use crate::cli::{ended, executable, server::Server};

const PAGES: [(&str, &str); 7] = [
    ("README.md", include_str!("../../README.md")),
    ("quickstart.md", include_str!("../../docs/guide/quickstart.md")),
    ("graphql.md", include_str!("../../docs/guide/graphql.md")),
    ("delete-and-restore.md", include_str!("../../docs/guide/delete-and-restore.md")),
    ("retention-and-erasure.md", include_str!("../../docs/guide/retention-and-erasure.md")),
    ("cleanup.md", include_str!("../../docs/guide/cleanup.md")),
    ("scheduled-cleanup.md", include_str!("../../docs/guide/scheduled-cleanup.md")),
];

/// The beginning of each page's script. `post` sends the operation on its standard input.
const PRELUDE: &str = r#"set -euo pipefail
post() {
  answer=$(jq --raw-input --slurp '{ query: . }' | curl --silent --show-error --json @- "$ENDPOINT")
  echo "$answer"
  jq --exit-status 'has("errors") | not' <<<"$answer" >/dev/null
}
"#;

fn script(page: &str) -> String {
    let mut script = PRELUDE.to_owned();
    for block in page.split("\n```").skip(1).step_by(2) {
        let (language, text) = block.split_once('\n').unwrap();
        match language {
            "sh" => script += &format!("{text}\n"),
            "graphql" if !text.starts_with("subscription") => {
                script += &format!("post <<'OPERATION'\n{text}\nOPERATION\n");
            }
            _ => {}
        }
    }
    script
}

#[test]
#[ignore = "long: `make test` runs it"]
fn every_page_of_the_guide_runs_in_its_order() {
    if !has(&["curl", "jq"]) {
        return;
    }
    for (name, page) in PAGES {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &["--demo"]);
        let announced = |key: &str| server.announced[key].as_str().unwrap().to_owned();
        let mut migrate = executable(&["migrate", "--yes"]);
        migrate.env("DATABASE_URL", announced("databaseUrl"));
        assert_eq!(ended(migrate).code, 0);
        let script = script(page);
        assert!(script.len() > PRELUDE.len(), "{name} has nothing to run");
        let mut bash = Command::new("bash");
        bash.arg("-c").arg(&script).current_dir(folder.path());
        for (variable, value) in executable(&[]).get_envs() {
            match value {
                Some(value) => bash.env(variable, value),
                None => bash.env_remove(variable),
            };
        }
        bash.env("DATABASE_URL", announced("databaseUrl")).env("ENDPOINT", announced("endpoint"));
        with_path(&mut bash);
        let ended = ended(bash);
        assert_eq!(ended.code, 0, "{name}: {script}\n{}\n{}", ended.stdout, ended.stderr);
        assert_eq!(server.stop(), 0);
    }
}

/// The README shows a preview as it is printed, with a shortened token.
#[test]
fn the_preview_of_the_readme_is_what_is_printed() {
    let (_, page) = PAGES[0];
    let documented = page.split("```console\n$ session-admin impact ").nth(1).unwrap();
    let (id, documented) = documented.split("\n```").next().unwrap().split_once('\n').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &["--demo"]);
    let url = server.announced["databaseUrl"].as_str().unwrap();
    assert_eq!(ended(executable(&["migrate", "--yes", "--database-url", url])).code, 0);
    let printed = ended(executable(&["impact", id, "--database-url", url])).stdout;
    let (printed, token) = printed.trim_end().rsplit_once("\nToken: ").unwrap();
    assert_eq!(documented, format!("{printed}\nToken: {}…", &token[..7]));
    assert_eq!(server.stop(), 0);
}
