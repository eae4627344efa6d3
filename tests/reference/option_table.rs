//! Arguments and options of a command as rows of a Markdown table.

use clap::{Arg, ArgAction, Command};

/// Returns the command line's definition with everything that clap derives from it, such as inherited options.
pub(super) fn program() -> Command {
    let mut program = api::cli::definition();
    program.build();
    program
}

/// Returns the arguments of a command, without those that clap adds and those that it inherits.
pub(super) fn own_arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| !argument.is_global_set() && !is_added_by_clap(argument))
}

fn is_added_by_clap(argument: &Arg) -> bool {
    ["help", "version"].contains(&argument.get_id().as_str())
}

/// Returns the syntax of an argument, such as `--older-than DURATION` or `ID`.
pub(super) fn syntax(argument: &Arg) -> String {
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let names = argument.get_value_names().unwrap_or_default();
    let values: Vec<&str> = names.iter().filter(|_| takes_value).map(clap::builder::Str::as_str).collect();
    let flag = argument.get_long().map(|name| format!("--{name}"));
    let words: Vec<&str> = flag.iter().map(String::as_str).chain(values).collect();
    format!("`{}`", words.join(" "))
}

/// The help text of an argument, split into its meaning and its default.
pub(super) struct Help {
    /// The text without the default.
    pub(super) meaning: String,
    /// The default from clap or from the text.
    pub(super) default: Option<String>,
}

/// Reads the help text of an argument.
pub(super) fn help(argument: &Arg) -> Help {
    let text = argument.get_long_help().or_else(|| argument.get_help()).unwrap_or_else(|| {
        panic!("the argument {} has no help text", argument.get_id());
    });
    let text = text.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let (mut meaning, mut default) = match text.strip_suffix(']').and_then(|text| text.rsplit_once(" [default: ")) {
        Some((meaning, default)) => (meaning.to_owned(), Some(as_code(default))),
        None => (text, None),
    };
    let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    let words = argument.get_possible_values();
    let words: Vec<String> = words
        .iter()
        .filter(|word| takes_value && !word.is_hide_set())
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if !words.is_empty() {
        meaning += &format!(". One of {}.", words.join(", "));
    }
    let defaults = argument.get_default_values();
    if takes_value && !defaults.is_empty() {
        let values: Vec<String> = defaults.iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
        default = Some(values.join(", "));
    }
    Help { meaning, default }
}

/// Formats a default from a help text, as code if it is a value rather than a description.
fn as_code(default: &str) -> String {
    let is_description = default.contains(' ') || default.contains('`') || ["none", "never"].contains(&default);
    if is_description { default.to_owned() } else { format!("`{default}`") }
}

/// Returns a row of a Markdown table.
pub(super) fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Returns the first two lines of a Markdown table.
pub(super) fn header(titles: &[&str]) -> String {
    row(titles) + &format!("|{}\n", "---|".repeat(titles.len()))
}
