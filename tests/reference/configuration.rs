//! Tests of `docs/reference/configuration.md`: the options with an environment variable, and the configuration file.

use clap::Arg;

use super::assert_printed;
use super::option_table::{header, help, own_arguments, program, row, syntax};
use crate::cli::{ended, executable};

const INTRODUCTION: &str = "\
# Configuration

This page lists every option that a flag or an environment variable can set, and the keys of the configuration
file.

- A flag overrides its environment variable.
- For an option with several values, repeat the flag, or separate the values by commas in the variable.
- To use a default, leave the variable out. An option with a number refuses an empty variable.
- Set secrets (the database's address, the gateway's header, the JWT secret) in the environment. Other users of the
  machine can see the flags of a process.
- Options without an environment variable, such as `--yes`, are on [Command line](cli.md).
";

const CONFIGURATION_FILE: &str = "
## The configuration file

`--config` (`SESSION_ADMIN_CONFIG`) names a TOML file. It lists the findings of `doctor` that are accepted; see
[accept a finding](../setup/postgresql.md#accept-a-finding).

```toml
[[accepted]]
finding = \"USER_TRIGGER:whatsapp_groups.audit\"
reason = \"writes to our own audit table and refuses nothing\"
```

";

const OTHER_VARIABLES: &str = "
## Other environment variables

| variable | meaning |
|---|---|
| `PGSSLMODE`, `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY` | TLS to PostgreSQL, if the database's address does not say; see [TLS](../setup/postgresql.md#tls) |
| `USER`, `LOGNAME`, `USERNAME` | the first that is set is the user's name in the audit trail, after `cli:` |
";

#[test]
fn the_configuration_page_is_what_the_code_prints() {
    assert_printed("configuration.md", &page());
}

fn page() -> String {
    let program = program();
    let serve = program.find_subcommand("serve").unwrap();
    let mut page = INTRODUCTION.to_owned();
    page += &sections(program.get_arguments().filter(|argument| argument.is_global_set()), "##");
    page += "\n## Options of `serve`\n";
    page += &sections(own_arguments(serve), "###");
    page += CONFIGURATION_FILE;
    page += &header(&["key of `[[accepted]]`", "meaning"]);
    for key in keys_of_accepted() {
        page += &row(&[&format!("`{key}`"), meaning_of_key(&key)]);
    }
    page + OTHER_VARIABLES
}

/// Returns a section with a table for each group of options.
fn sections<'a>(arguments: impl Iterator<Item = &'a Arg>, heading: &str) -> String {
    let mut groups: Vec<(Option<&str>, String)> = Vec::new();
    for argument in arguments {
        let Some(variable) = argument.get_env() else { continue };
        let help = help(argument);
        let default = help.default.unwrap_or_else(|| "none".to_owned());
        let variable = format!("`{}`", variable.to_string_lossy());
        let row = row(&[&syntax(argument), &variable, &default, &help.meaning]);
        let group = argument.get_help_heading();
        match groups.iter_mut().find(|(heading, _)| *heading == group) {
            Some((_, rows)) => *rows += &row,
            None => groups.push((group, row)),
        }
    }
    let header = header(&["flag", "environment variable", "default", "meaning"]);
    let section = |(group, rows): (Option<&str>, String)| {
        let (title, text) = title(group);
        format!("\n{heading} {title}\n\n{text}\n\n{header}{rows}")
    };
    groups.into_iter().map(section).collect()
}

/// Returns the title and the introduction of the section for a heading of `--help`.
fn title(group: Option<&str>) -> (&'static str, &'static str) {
    match group {
        Some("Options of every command") => ("Options of every command", "These options work with every command."),
        Some("Gateway (every command)") => (
            "Gateway",
            "These options work with every command. [Connect the gateway](../setup/gateway.md) explains them.",
        ),
        None => ("Network", "[Browser clients](../setup/browser-clients.md) explains `--allow-origin`."),
        Some("Scheduled cleanup of stale sessions") => {
            ("Scheduled cleanup", "[Scheduled cleanup](../guide/scheduled-cleanup.md) explains these options.")
        }
        Some("JWTs accepted in addition to access tokens") => {
            ("JWTs", "[JWTs](../setup/jwt.md) explains these options.")
        }
        Some("Request limits") => {
            ("Limits", "[Limits](limits.md) explains how each limit is counted, and what happens above it.")
        }
        Some(other) => panic!("name the section for the options under {other:?} here"),
    }
}

/// Returns the keys that the program accepts, from its error message about an unknown key.
fn keys_of_accepted() -> Vec<String> {
    assert_eq!(expected_keys("nothing = 1\n"), ["accepted"]);
    expected_keys("[[accepted]]\nnothing = 1\n")
}

fn expected_keys(file: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("configuration.toml");
    std::fs::write(&path, file).unwrap();
    let message = ended(executable(&["doctor", "--config", path.to_str().unwrap()])).stderr;
    let (_, keys) = message.split_once("unknown field `nothing`, expected ").unwrap_or_else(|| panic!("{message}"));
    keys.lines().next().unwrap().split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn meaning_of_key(key: &str) -> &'static str {
    match key {
        "finding" => "the name of the finding: `key` in the output of `doctor --json` and in `schemaHealth`",
        "reason" => "why it is accepted; it may not be empty",
        other => panic!("say here what the key {other} means"),
    }
}
