//! One of the two compared servers: its process, its requests, and the measurement of its speed and memory.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::BY_HAND;

/// The number of rows that a request asks for.
const FIRST: u32 = 50;
/// The number of connections of the load test.
const CONNECTIONS: &str = "16";

/// The program, arguments and database of a server.
pub struct Side {
    program: String,
    before: Vec<String>,
    url: String,
}

/// A running server.
pub struct Process {
    child: Child,
    started: Instant,
    address: String,
    client: reqwest::Client,
}

/// A request to one of the servers.
pub struct Ask {
    path: String,
    body: String,
}

impl Ask {
    pub fn ours(query: &str) -> Self {
        let body = json!({ "query": query, "variables": { "first": FIRST } }).to_string();
        Self { path: "/graphql".to_owned(), body }
    }

    pub fn by_hand(path: &str) -> Self {
        Self { path: path.to_owned(), body: json!({ "first": FIRST }).to_string() }
    }

    /// Writes the request as a Lua script for wrk.
    fn script(&self) -> NamedTempFile {
        let mut file = NamedTempFile::with_suffix(".lua").unwrap();
        write!(
            file,
            "wrk.method = 'POST'\nwrk.path = '{}'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [==[{}]==]\n",
            self.path, self.body
        )
        .unwrap();
        file
    }
}

impl Side {
    /// Returns the program with its defaults, except for the rate limit.
    pub fn ours(url: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_session-admin").to_owned();
        Self {
            program,
            before: ["serve", "--max-requests-a-minute", "0", "--listen"].map(str::to_owned).to_vec(),
            url: url.to_owned(),
        }
    }

    /// Returns the hand-written server, which is this program with another argument.
    pub fn by_hand(url: &str) -> Self {
        let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
        Self { program, before: vec![BY_HAND.to_owned(), url.to_owned()], url: url.to_owned() }
    }

    /// Starts the server without waiting until it answers.
    pub fn spawn(&self) -> Process {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(&self.program);
        command.args(&self.before).arg(&address).env("DATABASE_URL", &self.url);
        // reqwest needs a default provider. The call fails if the program's client has installed the same one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        let started = Instant::now();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Process { child, started, address, client }
    }
}

impl Process {
    /// Sends a request and returns the body of the response, or `None` while the server does not listen.
    async fn ask(&self, ask: &Ask) -> Option<Value> {
        let request = self.client.post(format!("http://{}{}", self.address, ask.path));
        let request = request.header("content-type", "application/json").body(ask.body.clone());
        let answer: Value = request.send().await.ok()?.json().await.unwrap();
        assert!(answer["errors"].is_null(), "{answer}");
        Some(answer)
    }

    /// Repeats a request until it is answered. Returns the response and the milliseconds since the start of the server.
    pub async fn first_answer(&self, ask: &Ask) -> (Value, f64) {
        loop {
            if let Some(answer) = self.ask(ask).await {
                return (answer, self.started.elapsed().as_secs_f64() * 1_000.0);
            }
            assert!(self.started.elapsed() < Duration::from_mins(1), "the server does not answer");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Measures the responses per second over `time`.
    pub fn load(&self, ask: &Ask, time: Duration) -> f64 {
        let script = ask.script();
        let duration = format!("{}s", time.as_secs());
        let output = Command::new("wrk")
            .args(["--threads", "1", "--connections", CONNECTIONS, "--duration", &duration, "--script"])
            .arg(script.path())
            .arg(format!("http://{}", self.address))
            .output()
            .expect("wrk; the argument `engine` leaves the lists out");
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(!report.contains("Non-2xx") && !report.contains("Socket errors"), "{report}");
        let figure = report.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
        figure.unwrap_or_else(|| panic!("{report}")).trim().parse().unwrap()
    }

    /// Returns the resident memory of the server in MiB.
    pub fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let figure = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        figure.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
