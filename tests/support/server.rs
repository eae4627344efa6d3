//! The PostgreSQL server of a test process, or the one that `TEST_DATABASE_URL` names.
//!
//! The server is started by a shell that waits for the end of its standard input. The test process holds the other end.
//! When the test process ends, even if it is killed, the shell stops the server and removes its files.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// A running PostgreSQL server.
pub struct Server {
    /// The URL of the maintenance database.
    pub url: String,
    /// The folder of the server's files. Empty for a server that the tests did not start.
    pub folder: PathBuf,
    /// Closing this stops the server.
    _lifeline: Option<ChildStdin>,
}

/// Shell commands that set `base` to the folder for temporary files: `TMPDIR`, or else `/dev/shm` if it has 1 GB free.
///
/// A new database has 300 files. Creating and dropping them costs ten times the processor time on an ext4 disk.
pub const FIND_BASE: &str = r#"
base=${TMPDIR:-/tmp}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -ge 1048576 ]
then base=/dev/shm
fi
"#;

/// The shell script that starts and stops a server. Its arguments are the folder of the binaries, the port, shell
/// commands to run before the start with the server's folder in `$dir`, and more settings.
///
/// The settings give up durability, allow many connections, and keep expected errors out of the log.
const KEEPER: &str = r#"
set -eu
dir=$(mktemp -d "$base/session-admin-test.XXXXXX")
trap 'rm -rf "$dir"' EXIT
"$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
(eval "$3") >>"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$1/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 -o "-p $2 -k $dir -c listen_addresses=127.0.0.1 -c fsync=off \
  -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=128MB -c max_connections=300 \
  -c log_min_messages=fatal $4" start >/dev/null 2>&1 \
  || { cat "$dir/log" >&2; exit 1; }
echo "ready $dir"
cat >/dev/null
"$1/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1
"#;

const MISSING: &str = "PostgreSQL's binaries (initdb, pg_ctl) are neither on PATH nor in /usr/lib/postgresql/*/bin";

/// Returns the server. The first call starts it.
///
/// # Errors
/// Returns the reason why there is no server.
pub fn server() -> Result<&'static Server, &'static str> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER.get_or_init(find_or_start).as_ref().map_err(String::as_str)
}

fn find_or_start() -> Result<Server, String> {
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        return Ok(Server { url, folder: PathBuf::new(), _lifeline: None });
    }
    let binaries = find_binaries().ok_or(MISSING)?;
    Ok(start_with_retries(&binaries, "", ""))
}

/// Starts a server for one test, after these shell commands and with these extra settings.
///
/// # Errors
/// Returns the reason if PostgreSQL is not installed.
pub fn special(prepare: &str, settings: &str) -> Result<Server, String> {
    find_binaries().map(|binaries| start_with_retries(&binaries, prepare, settings)).ok_or_else(|| MISSING.to_owned())
}

fn start_with_retries(binaries: &Path, prepare: &str, settings: &str) -> Server {
    // Another process may bind the free port before the server does.
    let mut message = String::new();
    for _ in 0..3 {
        match start(binaries, prepare, settings) {
            Ok(server) => return server,
            Err(error) => message = error,
        }
    }
    panic!("PostgreSQL does not start: {message}");
}

fn start(binaries: &Path, prepare: &str, settings: &str) -> Result<Server, String> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap().port();
    let mut command = Command::new("sh");
    command.args(["-c", &[FIND_BASE, KEEPER].concat(), "keeper"]).arg(binaries).arg(port.to_string());
    command.args([prepare, settings]);
    // With its own process group, the keeper survives Ctrl-C and can clean up.
    command.current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if run_id(&["-u"]) == Some(0) {
        // PostgreSQL refuses to run as root.
        command.uid(run_id(&["-u", "postgres"]).unwrap_or(65534)).gid(run_id(&["-g", "postgres"]).unwrap_or(65534));
    }
    let mut keeper = command.spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).map_err(|error| error.to_string())?;
    if let Some(folder) = line.trim().strip_prefix("ready ") {
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        return Ok(Server { url, folder: folder.into(), _lifeline: keeper.stdin.take() });
    }
    let mut message = String::new();
    keeper.stderr.take().unwrap().read_to_string(&mut message).map_err(|error| error.to_string())?;
    keeper.wait().map_err(|error| error.to_string())?;
    Err(message)
}

/// Returns the folder of `initdb` and `pg_ctl`: from PATH, or else of the newest version of a Debian-like installation.
fn find_binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    std::env::split_paths(&path)
        .chain(versions.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn run_id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Replaces the database in a URL.
pub fn with_database(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &address[..end])
}
