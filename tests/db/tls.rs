//! TLS to PostgreSQL: a server that takes no connection without it, and certificates that are right or wrong.

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

/// An authority, a certificate of its for the host `localhost` and no other, and another authority. Nobody is let in
/// without TLS.
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

/// A server with TLS and the deployment in trouble on it; none where this machine lacks what is needed.
async fn secured() -> Option<server::Server> {
    if !Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success()) {
        skip("openssl is not on PATH");
        return None;
    }
    let server = match special(CERTIFICATES, "-c ssl=on") {
        Ok(server) => server,
        Err(why) => {
            skip(&why);
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

/// The server's address by another name, with parameters.
fn address(server: &server::Server, host: &str, parameters: &str) -> String {
    let authority = |name: &str| server.folder.join(name).display().to_string();
    let parameters = parameters.replace("CA", &authority("ca.crt")).replace("STRANGER", &authority("stranger.crt"));
    format!("{}?{parameters}", server.url.replace("127.0.0.1", host))
}

#[tokio::test]
async fn postgres_a_certificate_is_checked_and_everything_goes_over_tls() {
    let Some(server) = secured().await else { return };
    let url = address(&server, "localhost", "sslmode=verify-full&sslrootcert=CA");
    let migrated = run(&url, &["migrate", "--yes"]);
    assert_eq!(migrated.code, 0, "{}", migrated.stderr);
    let folder = tempfile::tempdir().unwrap();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let serving = Server::logging(folder.path(), &["--database-url", &url], log.into());
    // A run goes through the queue, which has connections of its own.
    let criteria = "{ statuses: [CONNECTED], hasPhoneNumber: null }";
    let asked = serving.post(&format!(
        "mutation {{ cleanUpSessions(input: {{ criteria: {criteria}, dryRun: false, allowConnected: true, \
         allowPendingMessages: true }}) {{ run {{ id }} userErrors {{ message }} }} }}"
    ));
    assert!(asked["data"]["cleanUpSessions"]["run"]["id"].is_string(), "{asked}");
    let mut raw = RawConnection::open(&server.url).await;
    eventually(async || {
        let left = raw.rows("SELECT count(*) FROM whatsapp_sessions").await;
        if left == [["0"]] { Ok(()) } else { Err(std::fs::read_to_string(folder.path().join("log")).unwrap()) }
    })
    .await;
    let connections = "SELECT DISTINCT application_name, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name LIKE 'session-admin%' ORDER BY 1";
    assert_eq!(raw.rows(connections).await, [["session-admin", "t"], ["session-admin queue", "t"]]);
    assert_eq!(serving.stop(), 0);
}

#[tokio::test]
async fn postgres_a_wrong_certificate_is_refused_with_what_to_do() {
    let Some(server) = secured().await else { return };
    let doctor = |host: &str, parameters: &str| run(&address(&server, host, parameters), &["doctor"]);
    for (host, parameters, why) in [
        ("localhost", "sslmode=verify-full&sslrootcert=STRANGER", "UnknownIssuer"),
        ("localhost", "sslmode=verify-ca&sslrootcert=STRANGER", "UnknownIssuer"),
        // Authorities that the whole world trusts have not signed it.
        ("localhost", "sslmode=verify-full", "UnknownIssuer"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=CA", "not valid for name \"127.0.0.1\""),
    ] {
        let ended = doctor(host, parameters);
        let said = ended.stderr.contains("cannot be secured: ") && ended.stderr.contains(why);
        let advised = ended.stderr.contains("sslrootcert names the certificate of the authority");
        assert!(ended.code == 1 && said && advised, "{host} {parameters}: {} {}", ended.code, ended.stderr);
        assert_eq!(run(&address(&server, host, parameters), &["migrate", "--yes"]).code, 1);
    }
    // 3: it has been reached, and is in trouble.
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
    let refused = |parameters: &str| {
        let ended = run(&format!("postgres://u:secret@127.0.0.1:1/d?{parameters}"), &["doctor"]);
        assert!(ended.code == 2 && !ended.stderr.contains("secret"), "{} {}", ended.code, ended.stderr);
        ended.stderr
    };
    for mode in ["", "sslmode=require&", "sslmode=prefer&"] {
        let said = refused(&format!("{mode}sslrootcert={}", file.display()));
        assert!(said.contains("is checked with sslmode=verify-full"), "{said}");
    }
    let gone = Path::new("/nowhere/ca.crt");
    let said = refused(&format!("sslmode=verify-full&sslrootcert={}", gone.display()));
    assert!(said.contains("sslrootcert") && said.contains("/nowhere/ca.crt cannot be read"), "{said}");
    assert!(refused("sslmode=verify").contains("unknown value \"verify\" for `ssl_mode`"));
}

#[tokio::test]
async fn postgres_a_server_without_tls_is_refused_where_it_is_wanted() {
    let server = match server::server() {
        Ok(server) => server,
        Err(why) => return skip(why),
    };
    let ended = run(&format!("{}?sslmode=require", server.url), &["doctor"]);
    assert!(ended.code == 1 && ended.stderr.contains("server does not support TLS"), "{}", ended.stderr);
}
