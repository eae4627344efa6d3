//! One PostgreSQL server per test process, or the one that `TEST_DATABASE_URL` names.
//!
//! The server is the child of a shell that waits for the end of its standard input. The test process holds the other
//! end, so however it ends, killed included, the shell notices, stops the server and removes its files.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;

/// A running server.
pub struct Server {
    /// The URL of its maintenance database.
    pub url: String,
    /// Where its files are; empty for one that was there before.
    pub folder: PathBuf,
    /// Closing this stops the server.
    _lifeline: Option<ChildStdin>,
}

/// Shell commands that set `base` to the folder for temporary files: `TMPDIR`, or else memory where there is 1 GB of it.
/// A new database has 300 files. On a disk with ext4 it costs ten times the processor time to create and drop them.
pub const FIND_BASE: &str = r#"
base=${TMPDIR:-/tmp}
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ] && [ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -ge 1048576 ]
then base=/dev/shm
fi
"#;

/// Settings: nothing has to survive, many tests connect, and refusals are expected. The third argument is done before the
/// server starts, with its folder in `$dir`; the fourth one are more settings.
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

/// The server, started by the first test that asks; or why there is none.
pub fn server() -> Result<&'static Server, &'static str> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER.get_or_init(find_or_start).as_ref().map_err(String::as_str)
}

fn find_or_start() -> Result<Server, String> {
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        return Ok(Server { url, folder: PathBuf::new(), _lifeline: None });
    }
    let binaries = binaries().ok_or(MISSING)?;
    Ok(started(&binaries, "", ""))
}

/// A server for one test, prepared by a piece of shell and with settings of its own; none where there is no PostgreSQL.
pub fn special(prepare: &str, settings: &str) -> Result<Server, String> {
    binaries().map(|binaries| started(&binaries, prepare, settings)).ok_or_else(|| MISSING.to_owned())
}

fn started(binaries: &Path, prepare: &str, settings: &str) -> Server {
    // Somebody else may take the free port before the server does.
    let mut complaint = String::new();
    for _ in 0..3 {
        match start(binaries, prepare, settings) {
            Ok(server) => return server,
            Err(error) => complaint = error,
        }
    }
    panic!("PostgreSQL does not start: {complaint}");
}

fn start(binaries: &Path, prepare: &str, settings: &str) -> Result<Server, String> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).unwrap().port();
    let mut command = Command::new("sh");
    command.args(["-c", &[FIND_BASE, KEEPER].concat(), "keeper"]).arg(binaries).arg(port.to_string());
    command.args([prepare, settings]);
    // A group of its own: Ctrl-C is for the tests, and then the keeper still has to clean up.
    command.current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    if id(&["-u"]) == Some(0) {
        // PostgreSQL refuses to run as root.
        command.uid(id(&["-u", "postgres"]).unwrap_or(65534)).gid(id(&["-g", "postgres"]).unwrap_or(65534));
    }
    let mut keeper = command.spawn().map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).map_err(|error| error.to_string())?;
    if let Some(folder) = line.trim().strip_prefix("ready ") {
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        return Ok(Server { url, folder: folder.into(), _lifeline: keeper.stdin.take() });
    }
    let mut complaint = String::new();
    keeper.stderr.take().unwrap().read_to_string(&mut complaint).map_err(|error| error.to_string())?;
    keeper.wait().map_err(|error| error.to_string())?;
    Err(complaint)
}

/// The folder of `initdb` and `pg_ctl`: the newest version of a Debian-like installation, or one on PATH.
fn binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    std::env::split_paths(&on_path)
        .chain(versions.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The same server, another database.
pub fn with_database(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let host = address.find("://").map_or(0, |at| at + 3);
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &address[..end])
}
