//! A database that cannot be reached: whoever runs the program is told why, in the server's or the system's own words.

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

/// What it says, in its one line.
fn why(url: &str, arguments: &[&str]) -> String {
    let ended = run(url, arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{url}: {}", ended.stderr);
    assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    let said = ended.stderr.strip_prefix("error: The database cannot be reached: ").expect(&ended.stderr);
    let advice =
        ". Check that it runs, that DATABASE_URL is right and that it has a connection to spare, then try again.\n";
    said.strip_suffix(advice).expect(said).to_owned()
}

#[tokio::test]
async fn postgres_the_server_s_own_words_are_told() {
    let prepare = r#"
cp "$dir/data/pg_hba.conf" "$dir/rules"
{ echo "host all ada 127.0.0.1/32 scram-sha-256"; cat "$dir/rules"; } >"$dir/data/pg_hba.conf""#;
    let server = match special(prepare, "") {
        Ok(server) => server,
        Err(why) => return skip(&why),
    };
    RawConnection::open(&server.url).await.exec("CREATE ROLE ada LOGIN PASSWORD 'right'").await;
    let of = |user: &str| server.url.replace("postgres@", &format!("{user}@"));
    for (url, said) in [
        (of("ada:hunter2"), "password authentication failed for user \"ada\""),
        (of("nobody:hunter2"), "role \"nobody\" does not exist"),
        (with_database(&of("postgres:hunter2"), "nothing"), "database \"nothing\" does not exist"),
    ] {
        assert_eq!(why(&url, &["doctor"]), said);
        assert_eq!(why(&url, &["serve", "--listen", "127.0.0.1:0"]), said);
    }
    let chain = run(&of("ada:hunter2"), &["doctor", "--log", "debug"]).stderr;
    assert!(chain.contains("failed error=") && !chain.contains("hunter2"), "{chain}");
    assert!(!chain.contains("SqlxError") && !chain.contains("Unavailable("), "{chain}");
}

#[tokio::test]
async fn postgres_one_that_is_starting_up_says_so() {
    // A standby that lets nobody in never gets further than starting up.
    let server = match special(r#"touch "$dir/data/standby.signal""#, "-c hot_standby=off") {
        Ok(server) => server,
        Err(why) => return skip(&why),
    };
    let said = why(&server.url, &["doctor"]);
    assert!(said.starts_with("the database system is "), "{said}");
}

#[test]
fn postgres_the_system_s_own_words_are_told() {
    assert!(why("postgres://u:hunter2@127.0.0.1:1/d", &["doctor"]).starts_with("Connection refused"));
    let unknown = why("postgres://u:hunter2@no-such-host.invalid/d", &["doctor"]);
    assert!(unknown.starts_with("failed to lookup address information: "), "{unknown}");
}

#[test]
fn sqlite_s_own_words_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().display());
    assert_eq!(why(&url, &["doctor"]), "unable to open database file");
}

#[tokio::test]
async fn postgres_the_log_of_a_server_says_why_and_no_library_beside_it() {
    let database = match special("", "") {
        Ok(database) => database,
        Err(why) => return skip(&why),
    };
    assert_eq!(run(&database.url, &["migrate", "--yes"]).code, 0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let log = std::fs::File::create(&file).unwrap();
    let server = Server::logging(folder.path(), &["--database-url", &database.url], log.into());
    // It waits for the tables before it takes anything from the queue.
    let mut raw = RawConnection::open(&database.url).await;
    let workers = async || !raw.rows("SELECT 1 FROM apalis.workers").await.is_empty();
    wait_until("the server takes runs from the queue", workers).await;
    drop(database);
    let log = eventually(async || {
        let log = std::fs::read_to_string(&file).unwrap();
        if log.contains("no cleanup runs are taken from the queue for now") { Ok(log) } else { Err(log) }
    })
    .await;
    // A server that stops refuses connections in its own words first.
    let reasons = ["Connection refused", "the database system is shutting down"];
    let is_explained = reasons.iter().any(|reason| log.contains(&format!("The database cannot be reached: {reason}")));
    assert!(is_explained, "{log}");
    assert!(!log.contains("apalis_core"), "{log}");
    assert_eq!(server.stop(), 0);
}
