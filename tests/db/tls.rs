//! Tests of TLS to PostgreSQL, with valid and invalid certificates.

use std::path::Path;
use std::process::Command;

use crate::cli::server::Server;
use crate::cli::{Ended, ended, executable};
use crate::support::connection::RawConnection;
use crate::support::legacy::{Legacy, Rules};
use crate::support::server::{self, special};
use crate::support::skip;
use crate::support::wait::eventually;
use api::db::Dialect;
use api::demo::scenario;

/// Shell commands that create a certificate authority, a server certificate that is valid only for `localhost`, and an
/// unrelated authority. The server accepts connections only with TLS.
const CERTIFICATES: &str = r#"
set -eu
cd "$dir"
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
openssl req -x509 $key -keyout ca.key -out ca.crt -days 2 -subj "/CN=authority"
openssl req -x509 $key -keyout stranger.key -out stranger.crt -days 2 -subj "/CN=stranger"
openssl req $key -keyout server.key -out server.csr -subj "/CN=localhost"
echo "subjectAltName=DNS:localhost" > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names
cp server.crt server.key data/
chmod 600 data/server.key
chmod 755 . && chmod 644 ca.crt stranger.crt
sed -i "s/^host /hostssl /" data/pg_hba.conf
"#;

/// Starts a server with TLS and the business tables as first built. Skips the test and returns `None` if a tool is
/// missing.
async fn start_tls_server() -> Option<server::Server> {
    if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        skip("openssl is not on PATH");
        return None;
    }
    let server = match special(CERTIFICATES, "-c ssl=on") {
        Ok(server) => server,
        Err(reason) => {
            skip(&reason);
            return None;
        }
    };
    let statements =
        [Legacy::new(Rules::as_built()).statements(Dialect::Postgres), scenario::statements(Dialect::Postgres, None)];
    RawConnection::open(&server.url).await.exec(&statements.concat().join(";\n")).await;
    Some(server)
}

fn run(url: &str, arguments: &[&str]) -> Ended {
    let mut command = executable(arguments);
    command.env("DATABASE_URL", url);
    ended(command)
}

/// Returns the server's URL with another host name and with parameters.
fn address(server: &server::Server, host: &str, parameters: &str) -> String {
    let authority = |name: &str| server.folder.join(name).display().to_string();
    let parameters = parameters.replace("CA", &authority("ca.crt")).replace("STRANGER", &authority("stranger.crt"));
    format!("{}?{parameters}", server.url.replace("127.0.0.1", host))
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_a_certificate_is_checked_and_everything_goes_over_tls() {
    let Some(server) = start_tls_server().await else { return };
    let url = address(&server, "localhost", "sslmode=verify-full&sslrootcert=CA");
    let migrated = run(&url, &["migrate", "--yes"]);
    assert_eq!(migrated.code, 0, "{}", migrated.stderr);
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let serving = Server::logging(folder.path(), &["--database-url", &url], log.into());
    // A run uses the queue, which has separate connections.
    let criteria = "{ statuses: [CONNECTED], hasPhoneNumber: null }";
    let answer = serving.post(&format!(
        "mutation {{ cleanUpSessions(input: {{ criteria: {criteria}, dryRun: false, allowConnected: true, \
         allowPendingMessages: true }}) {{ run {{ id }} userErrors {{ message }} }} }}"
    ));
    assert!(answer["data"]["cleanUpSessions"]["run"]["id"].is_string(), "{answer}");
    let mut raw = RawConnection::open(&server.url).await;
    eventually(async || {
        let remaining = raw.rows("SELECT count(*) FROM whatsapp_sessions").await;
        if remaining == [["0"]] { Ok(()) } else { Err(std::fs::read_to_string(folder.path().join("log")).unwrap()) }
    })
    .await;
    let connections = "SELECT DISTINCT application_name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name LIKE 'session-admin%' ORDER BY 1";
    assert_eq!(raw.rows(connections).await, [["session-admin", "t"], ["session-admin queue", "t"]]);
    assert_eq!(serving.stop(), 0);
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn postgres_a_wrong_certificate_is_refused_with_what_to_do() {
    let Some(server) = start_tls_server().await else { return };
    let doctor = |host: &str, parameters: &str| run(&address(&server, host, parameters), &["doctor"]);
    for (host, parameters, reason) in [
        ("localhost", "sslmode=verify-full&sslrootcert=STRANGER", "UnknownIssuer"),
        ("localhost", "sslmode=verify-ca&sslrootcert=STRANGER", "UnknownIssuer"),
        // The certificate is not signed by a public authority.
        ("localhost", "sslmode=verify-full", "UnknownIssuer"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=CA", "not valid for name \"127.0.0.1\""),
    ] {
        let ended = doctor(host, parameters);
        let is_named = ended.stderr.contains("cannot be secured: ") && ended.stderr.contains(reason);
        let has_advice = ended.stderr.contains("sslrootcert names the certificate of the authority");
        assert!(ended.code == 1 && is_named && has_advice, "{host} {parameters}: {} {}", ended.code, ended.stderr);
        assert_eq!(run(&address(&server, host, parameters), &["migrate", "--yes"]).code, 1);
    }
    // Exit code 3 means that the database was reached and has findings.
    for (host, parameters) in
        [("127.0.0.1", "sslmode=verify-ca&sslrootcert=CA"), ("127.0.0.1", "sslmode=require"), ("127.0.0.1", "")]
    {
        let ended = doctor(host, parameters);
        assert_eq!(ended.code, 3, "{host} {parameters}: {}", ended.stderr);
    }
    assert_eq!(doctor("127.0.0.1", "sslmode=disable").code, 1);
}

#[test]
fn parameters_that_would_check_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.crt");
    std::fs::write(&file, "").unwrap();
    let refusal = |parameters: &str| {
        let ended = run(&format!("postgres://u:secret@127.0.0.1:1/d?{parameters}"), &["doctor"]);
        assert!(ended.code == 2 && !ended.stderr.contains("secret"), "{} {}", ended.code, ended.stderr);
        ended.stderr
    };
    for mode in ["", "sslmode=require&", "sslmode=prefer&"] {
        let message = refusal(&format!("{mode}sslrootcert={}", file.display()));
        assert!(message.contains("is used only with sslmode=verify-full"), "{message}");
    }
    let missing_file = Path::new("/nowhere/ca.crt");
    let message = refusal(&format!("sslmode=verify-full&sslrootcert={}", missing_file.display()));
    assert!(message.contains("sslrootcert") && message.contains("/nowhere/ca.crt cannot be read"), "{message}");
    assert!(refusal("sslmode=verify").contains("unknown value \"verify\" for `ssl_mode`"));
}

#[tokio::test]
async fn postgres_a_server_without_tls_is_refused_where_it_is_wanted() {
    let server = match server::server() {
        Ok(server) => server,
        Err(reason) => return skip(reason),
    };
    let ended = run(&format!("{}?sslmode=require", server.url), &["doctor"]);
    assert!(ended.code == 1 && ended.stderr.contains("server does not support TLS"), "{}", ended.stderr);
}
