//! Tests of shell completions and manual pages.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::{Ended, ended, executable};

/// Runs a command without a database and returns its standard output.
fn run_for_stdout(arguments: &[&str]) -> String {
    let Ended { code, stdout, stderr } = ended(executable(arguments));
    assert_eq!(code, 0, "{stderr}");
    stdout
}

/// Runs a program with this standard input. Returns `None` if the program is not installed.
fn run_with_stdin(program: &str, arguments: &[&str], text: &str) -> Option<Ended> {
    let mut command = Command::new(program);
    let streams = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = streams.spawn().ok()?;
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    })
}

/// Returns the commands that `--help` lists, without `help`.
fn commands() -> Vec<String> {
    let help = run_for_stdout(&["--help"]);
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let names = listed.lines().take_while(|line| !line.is_empty());
    let starts = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    starts.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

#[test]
fn bash_completes_commands_and_flags() {
    let script = run_for_stdout(&["completions", "bash"]);
    let completed = |words: &str| {
        let last = words.split_whitespace().count() - 1;
        let completion = format!(
            "COMP_WORDS=({words}); COMP_CWORD={last}; _session__admin session-admin \"${{COMP_WORDS[-1]}}\" \
             \"${{COMP_WORDS[-2]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        let ended = run_with_stdin("bash", &["--norc", "-s"], &format!("{script}\n{completion}\n")).unwrap();
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        ended.stdout
    };
    assert_eq!(completed("session-admin doc"), "doctor\n");
    assert_eq!(completed("session-admin delete --allow"), "--allow-connected --allow-pending-messages\n");
}

#[test]
fn every_shell_is_told_of_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run_for_stdout(&["completions", shell]);
        for command in commands() {
            assert!(script.contains(&command), "{shell}: {command}");
        }
    }
    assert_eq!(ended(executable(&["completions", "cmd.exe"])).code, 2);
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let page = run_for_stdout(&["man"]);
    for command in commands() {
        // In a manual page, a literal hyphen is escaped.
        assert!(page.contains(&format!("session\\-admin\\-{command}(1)")), "{command}: {page}");
        let own = run_for_stdout(&["man", &command]);
        assert!(own.starts_with(".ie"), "{own}");
        assert!(own.contains(&format!(".TH session-admin-{command} 1")), "{own}");
        assert_sound(&own);
    }
    assert_sound(&page);
    assert_eq!(ended(executable(&["man", "nothing"])).code, 2);
}

/// Asserts that groff, if it is installed, accepts a page without warnings.
fn assert_sound(page: &str) {
    if let Some(ended) = run_with_stdin("groff", &["-man", "-Tutf8", "-ww", "-z"], page) {
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{page}");
    }
}

#[test]
fn the_readme_names_every_command() {
    for command in commands() {
        let row = format!("\n| `{command}");
        assert!(include_str!("../../README.md").contains(&row), "{command}");
    }
}
