//! Tests that the error for an unreachable database contains the reason of the server or the operating system.

use crate::cli::server::Server;
use crate::cli::{Ended, ended, executable};
use crate::support::connection::RawConnection;
use crate::support::server::{special, with_database};
use crate::support::skip;
use crate::support::wait::{eventually, wait_until};

fn run(url: &str, arguments: &[&str]) -> Ended {
    let mut command = executable(arguments);
    command.env("DATABASE_URL", url);
    ended(command)
}

/// Runs a command that cannot reach the database, and returns the reason in its error message.
fn unreachable_reason(url: &str, arguments: &[&str]) -> String {
    let ended = run(url, arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{url}: {}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    let message = ended.stderr.strip_prefix("error: The database cannot be reached: ").expect(&ended.stderr);
    let advice =
        ". Check that it runs, that DATABASE_URL is correct and that it has a free connection, then try again.\n";
    message.strip_suffix(advice).expect(message).to_owned()
}

#[tokio::test]
async fn postgres_the_server_s_own_words_are_told() {
    let prepare = r#"
cp "$dir/data/pg_hba.conf" "$dir/rules"
{ echo "host all ada 127.0.0.1/32 scram-sha-256"; cat "$dir/rules"; } >"$dir/data/pg_hba.conf""#;
    let server = match special(prepare, "") {
        Ok(server) => server,
        Err(reason) => return skip(&reason),
    };
    RawConnection::open(&server.url).await.exec("CREATE ROLE ada LOGIN PASSWORD 'right'").await;
    let url_for = |user: &str| server.url.replace("postgres@", &format!("{user}@"));
    for (url, expected) in [
        (url_for("ada:hunter2"), "password authentication failed for user \"ada\""),
        (url_for("nobody:hunter2"), "role \"nobody\" does not exist"),
        (with_database(&url_for("postgres:hunter2"), "nothing"), "database \"nothing\" does not exist"),
    ] {
        assert_eq!(unreachable_reason(&url, &["doctor"]), expected);
        assert_eq!(unreachable_reason(&url, &["serve", "--listen", "127.0.0.1:0"]), expected);
    }
    let chain = run(&url_for("ada:hunter2"), &["doctor", "--log", "debug"]).stderr;
    assert!(chain.contains("failed error=") && !chain.contains("hunter2"), "{chain}");
    assert!(!chain.contains("SqlxError") && !chain.contains("Unavailable("), "{chain}");
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_one_that_is_starting_up_says_so() {
    // A standby server without hot_standby remains in the state of starting up.
    let server = match special(r#"touch "$dir/data/standby.signal""#, "-c hot_standby=off") {
        Ok(server) => server,
        Err(reason) => return skip(&reason),
    };
    let reason = unreachable_reason(&server.url, &["doctor"]);
    assert!(reason.starts_with("the database system is "), "{reason}");
}

#[test]
#[ignore = "long: `make test` runs it"]
fn postgres_the_system_s_own_words_are_told() {
    assert!(unreachable_reason("postgres://u:hunter2@127.0.0.1:1/d", &["doctor"]).starts_with("Connection refused"));
    let unknown = unreachable_reason("postgres://u:hunter2@no-such-host.invalid/d", &["doctor"]);
    assert!(unknown.starts_with("failed to lookup address information: "), "{unknown}");
}

#[test]
fn sqlite_s_own_words_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().display());
    assert_eq!(unreachable_reason(&url, &["doctor"]), "unable to open database file");
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_the_log_of_a_server_says_why_and_no_library_beside_it() {
    let database = match special("", "") {
        Ok(database) => database,
        Err(reason) => return skip(&reason),
    };
    assert_eq!(run(&database.url, &["migrate", "--yes"]).code, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let server = Server::logging(folder.path(), &["--database-url", &database.url], log.into());
    // The server takes runs from the queue only after it has checked the tables.
    let mut raw = RawConnection::open(&database.url).await;
    let workers = async || !raw.rows("SELECT 1 FROM apalis.workers").await.is_empty();
    wait_until("the server takes runs from the queue", workers).await;
    drop(database);
    let log = eventually(async || {
        let log = std::fs::read_to_string(&file).unwrap();
        if log.contains("cleanup runs cannot be read from the queue at present") { Ok(log) } else { Err(log) }
    })
    .await;
    // The reason depends on the moment of the next attempt: while the server stops, it resets connections or refuses them
    // with its own message, and afterwards the system refuses them.
    let reasons =
        ["Connection refused", "Connection reset by peer", "Broken pipe", "the database system is shutting down"];
    let is_explained = reasons.iter().any(|reason| log.contains(&format!("The database cannot be reached: {reason}")));
    assert!(is_explained, "{log}");
    assert!(!log.contains("apalis_core"), "{log}");
    assert_eq!(server.stop(), 0);
}
