//! Tests of `docs/reference/cli.md`: every command with its arguments, from the definition of the command line.

use clap::{Arg, Command};

use super::option_table::{header, help, own_arguments, program, row, syntax};
use super::{assert_printed, wrap};

const INTRODUCTION: &str = "\
# Command line

This page lists the commands of `session-admin`, with their arguments and options.

- Options that an environment variable can set, too, are on [Configuration](configuration.md): the database, its
  timeouts, the gateway, and the options of `serve`.
- A command that changes something shows what it will do, and asks. `--yes` answers the question. It is required
  if nobody can answer: if standard input is not a terminal, or with `--json`.
- The exit code says how a command has ended; see [exit codes](error-codes.md#exit-codes).
- `session-admin --help` and `session-admin COMMAND --help` print what is on this page.
";

#[test]
fn the_command_line_page_is_what_the_code_prints() {
    assert_printed("cli.md", &page());
}

fn page() -> String {
    let program = program();
    let mut page = format!("{INTRODUCTION}\n{}", header(&["command", "what it does"]));
    for command in commands(&program) {
        let name = command.get_name();
        page += &row(&[&format!("[`{name}`](#{name})"), &purpose(command)]);
    }
    page += "\n## Options of every command\n\n";
    page += &table(program.get_arguments().filter(|argument| argument.is_global_set() && is_on_this_page(argument)));
    page += "\n[Configuration](configuration.md#options-of-every-command) lists the others.\n";
    for command in commands(&program) {
        page += &section(command, "##", command.get_name());
        page += &format!("\n{}\n", wrap(see_also(command.get_name())));
    }
    page
}

fn commands(parent: &Command) -> impl Iterator<Item = &Command> {
    parent.get_subcommands().filter(|command| command.get_name() != "help")
}

/// Returns the first sentence of a command's help.
fn purpose(command: &Command) -> String {
    command.get_about().unwrap_or_else(|| panic!("{} has no help text", command.get_name())).to_string()
}

/// Returns a command's description, usage and options, and those of its subcommands.
fn section(command: &Command, heading: &str, name: &str) -> String {
    let about = command.get_long_about().map_or_else(|| purpose(command), ToString::to_string);
    let about: Vec<String> = about.split("\n\n").map(|paragraph| wrap(&sentence(paragraph))).collect();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let mut text = format!("\n{heading} {name}\n\n{}\n\n```text\n{usage}\n```\n", about.join("\n\n"));
    let mut groups: Vec<(Option<&str>, Vec<&Arg>)> = Vec::new();
    for argument in own_arguments(command).filter(|argument| is_on_this_page(argument)) {
        let group = argument.get_help_heading();
        match groups.iter_mut().find(|(heading, _)| *heading == group) {
            Some((_, arguments)) => arguments.push(argument),
            None => groups.push((group, vec![argument])),
        }
    }
    for (group, arguments) in groups {
        text += &group.map(|group| format!("\n{group}:\n")).unwrap_or_default();
        text += &format!("\n{}", table(arguments.into_iter()));
    }
    for subcommand in commands(command) {
        text += &section(subcommand, "###", &format!("{name} {}", subcommand.get_name()));
    }
    text
}

/// Returns whether an option is on this page. Options with an environment variable are on the configuration page.
fn is_on_this_page(argument: &Arg) -> bool {
    argument.get_env().is_none()
}

fn table<'a>(arguments: impl Iterator<Item = &'a Arg>) -> String {
    let rows = arguments.map(|argument| {
        let help = help(argument);
        let meaning = match help.default {
            Some(default) => format!("{} Default: {default}", sentence(&help.meaning)),
            None => help.meaning,
        };
        row(&[&syntax(argument), &meaning])
    });
    header(&["argument", "meaning"]) + &rows.collect::<String>()
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with('.') { text.to_owned() } else { format!("{text}.") }
}

/// Returns the pages that explain a command.
fn see_also(command: &str) -> &'static str {
    match command {
        "serve" => {
            "[Configuration](configuration.md#options-of-serve) lists the other options of `serve`. See also \
             [deploy](../setup/deploy.md)."
        }
        "migrate" => "See [what `migrate` changes](../setup/postgresql.md#what-migrate-changes).",
        "doctor" => "See [accept a finding](../setup/postgresql.md#accept-a-finding).",
        "impact" => "See [preview a deletion](../guide/delete-and-restore.md#preview-a-deletion).",
        "delete" => "See [delete what was previewed](../guide/delete-and-restore.md#delete-what-was-previewed).",
        "cleanup" => "See [clean up in bulk](../guide/cleanup.md).",
        "runs" => "See [follow a run](../guide/cleanup.md#follow-a-run).",
        "deletions" => {
            "See [the audit trail](../guide/delete-and-restore.md#the-audit-trail) and [retention and \
             erasure](../guide/retention-and-erasure.md)."
        }
        "restore" => "See [restore a deletion](../guide/delete-and-restore.md#restore-a-deletion).",
        "token" => "See [authentication](../setup/authentication.md).",
        "schema" => "See [the GraphQL API](../guide/graphql.md).",
        "completions" | "man" => {
            "See [shell completions and manual pages](../setup/deploy.md#shell-completions-and-manual-pages)."
        }
        other => panic!("name the page that explains `{other}` here"),
    }
}
