//! Tests of the nine scripts of docs/guide/scripting.md and typescript.md on both databases.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

use super::{folder, output_text, tool};
use crate::cli::{Ended, document, ended, executable, migrate_without_purge, server::Server};
use crate::support::{TestDb, on_both, skip};

on_both!(long Mended:
    curl_previews,
    curl_deletes,
    curl_is_told_of_a_refusal,
    curl_cleans_up,
    curl_is_told_what_a_cleanup_left,
    the_command_line_previews,
    the_command_line_deletes,
    the_command_line_is_told_of_a_refusal,
    the_command_line_cleans_up,
    the_command_line_is_told_what_a_cleanup_left,
    typescript_previews,
    typescript_deletes,
    typescript_is_told_of_a_refusal,
    typescript_cleans_up,
    typescript_is_told_what_a_cleanup_left,
    curl_has_nothing_to_clean_up,
    the_command_line_has_nothing_to_clean_up,
    typescript_has_nothing_to_clean_up,
    curl_shows_a_token,
    typescript_shows_a_token,
);

const DOCUMENTS: [&str; 2] =
    [include_str!("../../docs/guide/scripting.md"), include_str!("../../docs/guide/typescript.md")];
const STALE: &str = "303d5044-0000-4000-8000-000000000001";
const CONNECTED: &str = "c0ffee00-0000-4000-8000-000000000010";

/// Writes each code block to a temporary folder, under the file name in its first line.
fn write_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for block in DOCUMENTS.iter().flat_map(|document| document.split("\n```").skip(1).step_by(2)) {
        let (_language, text) = block.split_once('\n').unwrap();
        let name = text.lines().next().and_then(|line| line.strip_prefix("# ").or(line.strip_prefix("// ")));
        std::fs::write(folder.path().join(name.expect(text)), text).unwrap();
    }
    folder
}

/// The kind of client that a script uses.
#[derive(Clone, Copy)]
enum Way {
    Curl,
    CommandLine,
    TypeScript,
}

impl Way {
    /// Returns a command that runs the script of a job. Skips the test and returns `None` if its tools are missing.
    fn script(self, job: &str, files: &Path) -> Option<Command> {
        let shell = |suffix: &str| {
            let mut command = Command::new("bash");
            command.arg(format!("{job}-{suffix}.sh")).current_dir(files);
            command
        };
        match self {
            Self::Curl => has(&["curl", "jq"]).then(|| shell("curl")),
            Self::CommandLine => has(&["jq"]).then(|| shell("cli")),
            Self::TypeScript => compiled_files().map(|files| {
                let mut command = Command::new("node");
                command.arg(format!("dist/{job}.js")).current_dir(files);
                command
            }),
        }
    }
}

pub(super) fn has(programs: &[&str]) -> bool {
    let missing = programs.iter().find(|program| {
        let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
        !found.is_ok_and(|status| status.success())
    });
    if let Some(program) = missing {
        skip(&format!("{program} is not on PATH; `make clients` installs it"));
    }
    missing.is_none()
}

/// Returns the folder of the compiled TypeScript files. The first call compiles them.
fn compiled_files() -> Option<&'static Path> {
    static BUILT: OnceLock<Option<TempDir>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        tool("typescript/bin/tsc", &[])?;
        let files = write_files();
        std::os::unix::fs::symlink(folder().join("node_modules"), files.path().join("node_modules")).unwrap();
        std::fs::write(files.path().join("package.json"), r#"{ "type": "module" }"#).unwrap();
        let output = with_path(Command::new("bash").arg("build.sh").current_dir(files.path())).output().unwrap();
        assert!(output.status.success(), "{}", output_text(&output));
        Some(files)
    });
    built.as_ref().map(TempDir::path)
}

/// Adds the folder of the executable to the command's `PATH`.
pub(super) fn with_path(command: &mut Command) -> &mut Command {
    let own = PathBuf::from(env!("CARGO_BIN_EXE_session-admin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own.parent().unwrap().to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).unwrap()).stdin(Stdio::null())
}

/// Runs the script of a job for a session while a server runs. Returns `None` if the tools are missing.
fn run_script(db: &TestDb, way: Way, job: &str, session: &str) -> Option<Ended> {
    run_script_with_token(db, way, job, session, "")
}

/// Runs the script of a job for a session with an access token, unless the token is empty. Returns `None` if the tools
/// are missing.
fn run_script_with_token(db: &TestDb, way: Way, job: &str, session: &str, token: &str) -> Option<Ended> {
    let files = write_files();
    let mut script = way.script(job, files.path())?;
    let server = Server::start(files.path(), &["--database-url", db.url()]);
    for (name, value) in executable(&[]).get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let endpoint = server.announced["endpoint"].as_str().unwrap();
    script.env("ENDPOINT", endpoint).env("DATABASE_URL", db.url()).env("SESSION", session).env("TOKEN", token);
    with_path(&mut script);
    let ended = ended(script);
    assert_eq!(server.stop(), 0);
    Some(ended)
}

/// Runs the script of a job, asserts that it succeeds, and returns its standard output.
fn run_script_successfully(db: &TestDb, way: Way, job: &str) -> Option<String> {
    let ended = run_script(db, way, job, STALE)?;
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    Some(ended.stdout)
}

async fn previews(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    let Some(text) = run_script_successfully(&db, way, "preview") else { return };
    let (_, impact) = document(&db, &["impact", STALE]);
    let mut expected = format!("{} rows go, {} are unlinked.\n", impact["rowsDeleted"], impact["rowsUnlinked"]);
    for table in impact["tables"].as_array().unwrap() {
        let name = table["table"].as_str().unwrap();
        expected += &format!("  {name}: {} go, {} are unlinked\n", table["rowsDeleted"], table["rowsUnlinked"]);
    }
    assert_eq!(text, expected);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn deletes(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    let Some(text) = run_script_successfully(&db, way, "delete") else { return };
    let (_, list) = document(&db, &["deletions"]);
    let deletion = &list["deletions"][0];
    assert_eq!((&deletion["sessions"][0]["id"], &deletion["reason"]), (&STALE.into(), &"never paired".into()));
    assert!(text.contains(&format!("{} rows", deletion["rowsDeleted"])), "{text}");
    assert!(text.contains(&format!("ecorded as {}", deletion["id"].as_str().unwrap())), "{text}");
    assert_eq!(db.count("whatsapp_sessions").await, 13);
}

async fn is_told_of_a_refusal(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    let Some(ended) = run_script(&db, way, "delete", CONNECTED) else { return };
    let text = format!("{}{}", ended.stdout, ended.stderr);
    assert!(ended.code == 3 && text.contains("that would be deleted is connected. "), "{} {text}", ended.code);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

async fn cleans_up(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    let Some(text) = run_script_successfully(&db, way, "cleanup") else { return };
    assert_eq!(text, "9 sessions deleted, 0 skipped: 1512 rows went.\n");
    assert_eq!(db.count("whatsapp_sessions").await, 5);
    let (_, list) = document(&db, &["runs"]);
    assert_eq!(list["runs"][0]["reason"], Value::from("spring cleaning"));
}

async fn has_nothing_to_clean_up(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    db.exec("UPDATE whatsapp_sessions SET status = 'connected'").await;
    let Some(text) = run_script_successfully(&db, way, "cleanup") else { return };
    assert_eq!(text, "0 sessions deleted, 0 skipped: 0 rows went.\n");
}

/// A session with a pending message is skipped.
async fn is_told_what_a_cleanup_left(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    db.exec(&format!(
        "UPDATE scheduled_whatsapp_messages SET status = 'pending' WHERE id IN (SELECT m.id FROM \
         scheduled_whatsapp_messages m JOIN whatsapp_groups g ON g.id = m.group_id WHERE g.session_id = '{STALE}' LIMIT 1)"
    ))
    .await;
    let Some(ended) = run_script(&db, way, "cleanup", STALE) else { return };
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("8 sessions deleted, 1 skipped: "), "{lines:?} {}", ended.stderr);
    assert!(lines[1].starts_with(&format!("  {STALE}: 1 scheduled message still to be sent")), "{lines:?}");
    assert_eq!(db.count("whatsapp_sessions").await, 6);
}

async fn shows_a_token(db: TestDb, way: Way) {
    migrate_without_purge(&db).await;
    let (_, created) = document(&db, &["token", "create", "--name", "script", "--role", "viewer"]);
    let Some(ended) = run_script_with_token(&db, way, "preview", STALE, created["token"].as_str().unwrap()) else {
        return;
    };
    assert!(ended.code == 0 && ended.stdout.contains(" rows go, "), "{} {}", ended.stdout, ended.stderr);
    let stranger = run_script(&db, way, "preview", STALE).unwrap();
    assert!(stranger.code != 0 && stranger.stderr.contains("This server needs an access token"), "{}", stranger.stderr);
    let viewer = run_script_with_token(&db, way, "delete", STALE, created["token"].as_str().unwrap()).unwrap();
    assert!(viewer.code != 0 && viewer.stderr.contains("deleteSession needs the role OPERATOR"), "{}", viewer.stderr);
    assert_eq!(db.count("whatsapp_sessions").await, 14);
}

/// Defines a test function for each job and kind of client.
macro_rules! ways {
    ($($name:ident: $job:ident $way:ident;)+) => { $(
        async fn $name(db: TestDb) {
            $job(db, Way::$way).await;
        }
    )+ };
}

ways! {
    curl_previews: previews Curl;
    curl_deletes: deletes Curl;
    curl_is_told_of_a_refusal: is_told_of_a_refusal Curl;
    curl_cleans_up: cleans_up Curl;
    curl_has_nothing_to_clean_up: has_nothing_to_clean_up Curl;
    the_command_line_has_nothing_to_clean_up: has_nothing_to_clean_up CommandLine;
    typescript_has_nothing_to_clean_up: has_nothing_to_clean_up TypeScript;
    curl_is_told_what_a_cleanup_left: is_told_what_a_cleanup_left Curl;
    the_command_line_previews: previews CommandLine;
    the_command_line_deletes: deletes CommandLine;
    the_command_line_is_told_of_a_refusal: is_told_of_a_refusal CommandLine;
    the_command_line_cleans_up: cleans_up CommandLine;
    the_command_line_is_told_what_a_cleanup_left: is_told_what_a_cleanup_left CommandLine;
    typescript_previews: previews TypeScript;
    typescript_deletes: deletes TypeScript;
    typescript_is_told_of_a_refusal: is_told_of_a_refusal TypeScript;
    typescript_cleans_up: cleans_up TypeScript;
    typescript_is_told_what_a_cleanup_left: is_told_what_a_cleanup_left TypeScript;
    curl_shows_a_token: shows_a_token Curl;
    typescript_shows_a_token: shows_a_token TypeScript;
}
