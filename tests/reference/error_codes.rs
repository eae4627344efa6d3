//! Tests of `docs/reference/error-codes.md`: the codes of refusals and errors, and the exit codes.
//!
//! The texts are in a `match` or a macro without a wildcard, so that a new variant without a text does not compile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use api::cli::Exit;
use api::error::{DatabaseMessage, Error};
use api::graphql::types::UserErrorCode;
use async_graphql::resolver_utils::EnumType as _;
use sea_orm::DbErr;

use super::option_table::{header, row};
use super::{assert_printed, repository};

const INTRODUCTION: &str = "\
# Error codes

This page lists the codes of refusals and errors, and the exit codes of the command line, with what to do about each.

| | where in GraphQL | where with `--json` |
|---|---|---|
| a [refusal](#refusals): the caller can act on it | `userErrors` in the payload, next to the data | `refusals` |
| an [error](#errors): everything else | `errors` of the response, with the code in `extensions.code` | `error` |

Codes do not change. Each code comes with a `message` that says what is wrong and what to do; messages may change.

## Refusals

The type of `userErrors` is `UserError`. A response has at most one refusal per code, and the message names
everything that it applies to. `field` is the path of the argument that it is about, such as
`[\"input\", \"atMost\"]`. A cleanup run gives each session that it skipped one of these codes.

";

const ERRORS: &str = "
## Errors

";

const HTTP_STATUS: &str = "
An error with the code `INTERNAL` has a `correlationId` in its `extensions`. It is the id of the request in the
[log](../setup/deploy.md#logs), where the cause is.

### The HTTP status

| situation | status |
|---|---|
| the operation was executed, with or without errors | 200 |
| the document was rejected: `BAD_USER_INPUT`, `QUERY_TOO_COMPLEX` | 400 if the client accepts `application/graphql-response+json`, otherwise 200 |
| the request is not a GraphQL request: `BAD_USER_INPUT` | 400, 405, 408, 413 or 415 |
| `UNAUTHENTICATED` | 401 |
| `FORBIDDEN` | 403 |
| `RATE_LIMITED` | 429 with `Retry-After` |
| the server has no capacity, or cannot check the token: `UNAVAILABLE` | 503 |

A WebSocket closes instead, or sends an `error` message; see
[authentication](../setup/authentication.md#responses-to-a-missing-token-or-role) and [limits](limits.md).
";

const EXIT_CODES: &str = "
## Exit codes

";

const AFTER_EXIT_CODES: &str = "
`doctor`, `impact` and `cleanup` can serve as a check in a pipeline; see
[scripting](../guide/scripting.md#exit-codes).
";

#[test]
fn the_page_of_error_codes_is_what_the_code_prints() {
    assert_printed("error-codes.md", &page());
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned() + &header(&["code", "meaning", "what to do"]);
    for item in UserErrorCode::items() {
        let (meaning, action) = refusal(item.value);
        page += &row(&[&format!("`{}`", item.name), meaning, action]);
    }
    page += ERRORS;
    page += &header(&["code", "meaning", "what to do"]);
    for code in ERROR_CODES {
        page += &row(&[&format!("`{code}`"), &causes_of(code), action(code)]);
    }
    page += HTTP_STATUS;
    page += EXIT_CODES;
    page += &header(&["code", "meaning"]);
    for exit in [Exit::Done, Exit::Failed, Exit::Usage, Exit::Refused] {
        page += &row(&[&format!("{}", exit as u8), exit_meaning(exit)]);
    }
    page + AFTER_EXIT_CODES
}

/// Returns what a refusal means and what to do about it.
fn refusal(code: UserErrorCode) -> (&'static str, &'static str) {
    match code {
        UserErrorCode::NotFound => (
            "There is no session, deletion or cleanup run with this id.",
            "Check the id. Somebody may have deleted the session already.",
        ),
        UserErrorCode::SessionConnected => (
            "A session that would be deleted is connected.",
            "Disconnect it, or set `allowConnected` (`--allow-connected`).",
        ),
        UserErrorCode::PendingMessages => (
            "The deletion would delete messages that are still to be sent; or the restore would bring back messages whose \
             time has passed, and which would be sent at once.",
            "Cancel or send the messages, or set `allowPendingMessages` (`--allow-pending-messages`).",
        ),
        UserErrorCode::BlockedByForeignKey => (
            "The database refuses: a foreign key, a trigger, a check, a unique index, or row-level security. In a cleanup \
             run also any other error of the database about this session.",
            "Read the message and `blockers`. `session-admin doctor` shows SQL that repairs foreign keys and row-level \
             security.",
        ),
        UserErrorCode::ImpactChanged => (
            "The deletion is not the one that `expectedImpact` stands for; or the database did something else than was \
             counted, for example because of a trigger.",
            "Read `changes`, preview again, and send the new token.",
        ),
        UserErrorCode::TooManyRows => (
            "The deletion would delete more rows than `atMost` allows.",
            "Preview again. Raise `atMost` (`--at-most`), or delete fewer sessions.",
        ),
        UserErrorCode::GatewayDisagrees => (
            "The gateway says that a session is connected, whatever the database says.",
            "Disconnect it, or set `allowConnected` (`--allow-connected`).",
        ),
        UserErrorCode::NoLongerMatches => (
            "The session does not meet the criteria, or not any more. With `missingFromGateway`: the gateway knows the \
             session, or did not say whether it does.",
            "Nothing, or start the cleanup again with other criteria.",
        ),
        UserErrorCode::LockTimeout => (
            "Another transaction held rows or tables for longer than `--lock-timeout`. In a cleanup run also: a statement \
             took longer than `--deletion-timeout`.",
            "Try again.",
        ),
        UserErrorCode::IdempotencyKeyReused => (
            "The idempotency key was used for another request within the last 7 days.",
            "Use a new key for each deletion and each cleanup.",
        ),
        UserErrorCode::AlreadyRestored => ("Everything has been restored already.", "Nothing."),
        UserErrorCode::ArchiveGone => (
            "There is nothing to restore or to erase: the archive has expired, was erased, or never existed.",
            "Nothing. [Retention](../guide/retention-and-erasure.md) says how long archives exist.",
        ),
        UserErrorCode::RestoreConflict => (
            "Something prevents the restore. For a cleanup run: the run, or another restore of it, is still in progress.",
            "Repair what `conflicts` lists, then restore again. For a run: wait until it has finished, or cancel it.",
        ),
        UserErrorCode::RunFinished => (
            "The cleanup run has finished, so it cannot be cancelled. As the reason of a skipped session: the run ended \
             before its turn.",
            "Nothing, or start a new run.",
        ),
    }
}

/// The codes of errors, in the order of the page: those that the caller causes come first.
const ERROR_CODES: [&str; 10] = [
    "BAD_USER_INPUT",
    "QUERY_TOO_COMPLEX",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "RATE_LIMITED",
    "NOT_FOUND",
    "TIMEOUT",
    "UNAVAILABLE",
    "MIGRATIONS_PENDING",
    "INTERNAL",
];

/// Returns what to do about an error.
fn action(code: &str) -> &'static str {
    match code {
        "BAD_USER_INPUT" => "Correct what the message names.",
        "QUERY_TOO_COMPLEX" => "Ask for less in one request; see [limits](limits.md#the-document).",
        "UNAUTHENTICATED" => "Send a valid [access token](../setup/authentication.md) or [JWT](../setup/jwt.md).",
        "FORBIDDEN" => "Use a token with the [role](../setup/authentication.md#roles) that the message names.",
        "RATE_LIMITED" => {
            "Try again after the seconds in `Retry-After`; see [limits](limits.md#the-request-and-its-connection)."
        }
        "NOT_FOUND" => "Send the query again.",
        "TIMEOUT" => "Nothing was changed. Try again, or ask for less.",
        "UNAVAILABLE" => "Try again later. If it persists, read the server's log.",
        "MIGRATIONS_PENDING" => "Run [`session-admin migrate`](../setup/postgresql.md#what-migrate-changes).",
        "INTERNAL" => "Read the server's log. `session-admin doctor` names missing privileges.",
        other => panic!("say here what to do about {other}"),
    }
}

/// Returns every cause of an error code, as one text.
fn causes_of(code: &str) -> String {
    let of_domain = domain_causes().into_iter().filter(|(error, _)| error.code() == code).map(|(_, cause)| cause);
    let causes: Vec<&str> = of_domain.chain(request_causes(code).iter().copied()).collect();
    assert!(!causes.is_empty(), "say here what causes {code}");
    let text = causes.join("; ");
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

/// Returns the causes of an error code that are detected before the domain is called.
fn request_causes(code: &str) -> &'static [&'static str] {
    match code {
        "BAD_USER_INPUT" => &["the document is not valid GraphQL, or the request is not a GraphQL request"],
        "QUERY_TOO_COMPLEX" => &["the document or its variables exceed a limit"],
        "UNAUTHENTICATED" => &["a token is needed, and the request has none that is valid"],
        "FORBIDDEN" => &["a JWT contains no known role"],
        "RATE_LIMITED" => {
            &["the token, or the address while no token is needed, has sent too many requests in this minute"]
        }
        "TIMEOUT" => &["a query took longer than `--request-timeout`"],
        "UNAVAILABLE" => &["the server executes as many requests as it may"],
        _ => &[],
    }
}

/// Lists an example and the cause of every variant of [`Error`]. A missing variant does not compile.
macro_rules! causes {
    ($($variant:ident $pattern:tt = $example:expr => $cause:literal,)+) => {{
        fn is_listed(error: &Error) -> bool {
            match error { $(Error::$variant $pattern => true,)+ }
        }
        let causes = vec![$(($example, $cause)),+];
        assert!(causes.iter().all(|(error, _)| is_listed(error)));
        causes
    }};
}

fn domain_causes() -> Vec<(Error, &'static str)> {
    let fault = || DbErr::Custom(String::new());
    let message =
        || Box::new(DatabaseMessage { message: String::new(), table: None, constraint: None, source: fault() });
    let text = String::new;
    causes! {
        BadInput(_) = Error::BadInput(text()) => "an argument, a variable or an option has a value that is not accepted",
        NotFound(_) = Error::NotFound(text()) => "something that the response needs was deleted in the meantime",
        Forbidden(_) = Error::Forbidden(text()) => "the caller's role does not allow a field",
        Unavailable(_) = Error::Unavailable(fault()) => "the database cannot be reached, or has no free connection",
        Insecure { .. } = Error::Insecure { why: text(), source: fault() } => "the connection to the database is not secure",
        ReadOnly(_) = Error::ReadOnly(fault()) => "the database accepts no changes",
        Storage(_) = Error::Storage(fault()) => "the database's disk is full or fails",
        Damaged(_) = Error::Damaged(fault()) => "the SQLite file is damaged, or is not a database",
        MissingTable(_) = Error::MissingTable(fault()) => "the database lacks a table",
        Timeout(_) = Error::Timeout(fault()) => "a statement took too long",
        LockTimeout(_) = Error::LockTimeout(fault()) => "another transaction held a lock for too long",
        Refused(_) = Error::Refused(message()) => "the database refused a statement",
        MissingGrant(_) = Error::MissingGrant(message()) => "the database role lacks a privilege",
        MigrationsPending(_) = Error::MigrationsPending(1) => "a migration is pending",
        IncompatibleDatabase(_) = Error::IncompatibleDatabase(text()) => "the database is not one that this program can use",
        Database(_) = Error::Database(fault()) => "the database reported another error",
        Migration(_) = Error::from(migration::Error::Orphans(Vec::new())) => "a migration stopped",
        Io { .. } = Error::Io { what: text(), source: std::io::ErrorKind::Other.into() } => "a file or a port cannot be used",
    }
}

const fn exit_meaning(exit: Exit) -> &'static str {
    match exit {
        Exit::Done => "done",
        Exit::Failed => {
            "failed: an error with any code but `BAD_USER_INPUT`, or a run that was stopped before it had ended"
        }
        Exit::Usage => "wrong usage: the arguments or the configuration are invalid (`BAD_USER_INPUT`)",
        Exit::Refused => {
            "refused: a refusal, the answer no to a question, an error that `doctor` found, a blocker that `impact` found, \
             or a session that `cleanup` skipped"
        }
    }
}

/// The codes in the sources are the constants of files `error.rs` whose name is their value, and the codes of
/// responses.
#[test]
fn every_error_code_of_the_sources_is_listed() {
    let mut codes: BTreeSet<String> = domain_causes().iter().map(|(error, _)| error.code().to_owned()).collect();
    for file in rust_files(&repository().join("api/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        codes.extend(text.lines().filter_map(code_in_response));
        if file.file_stem().is_some_and(|stem| stem == "error") {
            codes.extend(text.lines().filter_map(constant_code));
        }
    }
    let listed: BTreeSet<String> = ERROR_CODES.map(str::to_owned).into();
    assert_eq!(codes, listed);
}

/// Returns the code in `code: "CODE"`.
fn code_in_response(line: &str) -> Option<String> {
    let value = line.trim().strip_prefix("code: \"")?.split('"').next()?;
    is_code(value).then(|| value.to_owned())
}

/// Returns the code in `const CODE: &str = "CODE"`.
fn constant_code(line: &str) -> Option<String> {
    let (declaration, rest) = line.split_once(": &str = \"")?;
    let name = declaration.rsplit(' ').next()?;
    (is_code(name) && rest.starts_with(&format!("{name}\""))).then(|| name.to_owned())
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

#[test]
fn codes_are_found_in_a_source() {
    assert_eq!(constant_code("pub const TIMEOUT: &str = \"TIMEOUT\";").as_deref(), Some("TIMEOUT"));
    assert_eq!(constant_code("const NAME: &str = \"OTHER\";"), None);
    assert_eq!(code_in_response("            code: \"RATE_LIMITED\",").as_deref(), Some("RATE_LIMITED"));
    assert_eq!(code_in_response("    code: \"a word\","), None);
}
