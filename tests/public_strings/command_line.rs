//! Snapshot tests of commands and flags with their defaults and environment variables.

use super::assert_snapshot;
use crate::cli::{ended, executable};

/// Returns the help of a command.
fn help(command: &[&str]) -> String {
    let ended = ended(executable(&[command, &["--help"]].concat()));
    assert_eq!(ended.code, 0, "{command:?}: {}", ended.stderr);
    ended.stdout
}

/// Returns the names of the subcommands in a help text.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, listed)) = help.split_once("Commands:\n") else { return Vec::new() };
    let names = listed.lines().take_while(|line| !line.is_empty());
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

/// Returns the arguments and options of a command, each with its default and environment variable.
fn options(help: &str) -> Vec<String> {
    let begins = |line: &str| {
        let text = line.trim_start();
        let indentation = line.len() - text.len();
        (2..=6).contains(&indentation) && (text.starts_with('-') || text.starts_with(['<', '[']))
    };
    let lines: Vec<&str> = help.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| begins(lines[*at])).collect();
    let option = |(number, at): (usize, &usize)| {
        let until = starts.get(number + 1).copied().unwrap_or(lines.len());
        let name = lines[*at].trim().split("  ").next().unwrap_or_default().to_owned();
        let block = lines[*at..until].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let marks = ["[env: ", "[default: ", "[possible values: "].into_iter().filter_map(|mark| {
            // The default of --log names log targets, which are not public strings.
            let (_, rest) = block.split_once(mark).filter(|_| !(name.starts_with("--log ") && mark == "[default: "))?;
            Some(format!(" {mark}{}]", rest.split(']').next()?))
        });
        let marks: String = marks.collect();
        let values = block.split("Possible values:").nth(1).unwrap_or_default().split("- ").skip(1);
        let values: Vec<&str> = values.filter_map(|value| value.split(':').next()).collect();
        let values = if values.is_empty() { String::new() } else { format!(" {}", values.join("|")) };
        format!("{name}{marks}{values}")
    };
    starts.iter().enumerate().map(option).collect()
}

/// Appends a command and its subcommands to the text. Options of every command are listed once.
fn describe(command: &[&str], global: &[String], text: &mut String) {
    let help = help(command);
    *text += &format!("{}\n", [&["session-admin"], command].concat().join(" "));
    let options = options(&help);
    for option in options.iter().filter(|option| !global.contains(option)) {
        *text += &format!("  {option}\n");
    }
    let global = if command.is_empty() { &options } else { global };
    for name in subcommands(&help) {
        describe(&[command, &[&name]].concat(), global, text);
    }
}

#[test]
fn commands_and_flags() {
    let mut text = String::new();
    describe(&[], &[], &mut text);
    assert_snapshot("command_line", &text);
}
