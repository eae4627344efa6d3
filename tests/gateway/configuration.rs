//! Tests that a command rejects invalid gateway options at its start, and that no output shows their values.

use crate::cli::{Ended, ended, executable};

/// Runs a command that needs no database, with the given gateway options in the environment.
fn run_schema_with(options: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = executable(arguments);
    for (name, value) in options {
        command.env(format!("SESSION_ADMIN_GATEWAY_{name}"), value);
    }
    ended(command)
}

const URL: (&str, &str) = ("URL", "http://vps/sessions/{id}/status");

#[test]
fn wrong_options_are_named_and_exit_with_2() {
    let cases: [(&[(&str, &str)], &str); 12] = [
        (&[("URL", "http://vps/sessions")], "--gateway-url (SESSION_ADMIN_GATEWAY_URL) has no {id}"),
        (&[("URL", "ftp://vps/{id}")], "is neither http:// nor https://"),
        (&[("HEADER", "X-Api-Key: hunter2")], "need --gateway-url"),
        (&[("STATUS_PATH", "/status")], "need --gateway-url"),
        (&[URL, ("HEADER", "hunter2")], "--gateway-header (SESSION_ADMIN_GATEWAY_HEADER) is not a header"),
        (
            &[URL, ("STATUS_PATH", "$.status")],
            "--gateway-status-path (SESSION_ADMIN_GATEWAY_STATUS_PATH) is \"$.status\"",
        ),
        (&[URL, ("WORD", "UP=CONNECTED,DOWN")], "--gateway-word (SESSION_ADMIN_GATEWAY_WORD) has \"DOWN\""),
        (&[URL, ("WORD", "UP=CONNECTED,up=CONNECTING")], "gives up two meanings"),
        (
            &[URL, ("TIMEOUT", "0")],
            "--gateway-timeout (SESSION_ADMIN_GATEWAY_TIMEOUT) is 0; it must be from 1 to 60 seconds.",
        ),
        (&[URL, ("CACHE", "61")], "SESSION_ADMIN_GATEWAY_CACHE"),
        (&[URL, ("AT_ONCE", "0")], "SESSION_ADMIN_GATEWAY_AT_ONCE"),
        (&[URL, ("AT_ONCE", "x")], "gateway-at-once"),
    ];
    for (options, named) in cases {
        let Ended { code, stderr, .. } = run_schema_with(options, &["schema"]);
        assert!(code == 2 && stderr.contains(named), "{options:?}: {code} {stderr}");
        assert!(!stderr.contains("hunter2"), "{options:?}: {stderr}");
    }
}

#[test]
fn right_options_pass_and_empty_ones_are_none() {
    let all = [
        ("URL", "https://u:hunter2@vps:8443/x?id={id}"),
        ("HEADER", "apikey: hunter2"),
        ("STATUS_PATH", "/data/0/state"),
        ("WORD", "UP=CONNECTED, DOWN=DISCONNECTED"),
        ("TIMEOUT", "1"),
        ("CACHE", "0"),
        ("AT_ONCE", "100"),
    ];
    assert_eq!(run_schema_with(&all, &["schema"]).code, 0);
    let empty = [("URL", ""), ("HEADER", ""), ("STATUS_PATH", ""), ("WORD", "")];
    assert_eq!(run_schema_with(&empty, &["schema"]).code, 0);
    let flags = ["schema", "--gateway-url", URL.1, "--gateway-word", "UP=CONNECTED", "--gateway-word", "A=UNKNOWN"];
    assert_eq!(run_schema_with(&[], &flags).code, 0);
}

#[test]
fn help_does_not_show_what_the_environment_holds() {
    let secret = [("URL", "http://u:hunter2@vps/{id}"), ("HEADER", "X-Api-Key: hunter2")];
    for arguments in [&["--help"][..], &["delete", "--help"], &["man"], &["man", "serve"]] {
        let Ended { code, stdout, stderr } = run_schema_with(&secret, arguments);
        assert!(code == 0 && stdout.contains("gateway"), "{arguments:?}: {stdout}{stderr}");
        assert!(!stdout.contains("hunter2") && !stderr.contains("hunter2"), "{arguments:?}: {stdout}{stderr}");
    }
}
