//! [`Server`], the real server in a child process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::executable;

/// A server process. Dropping it kills the process, so that a failed test leaves none behind.
pub(crate) struct Server {
    child: Child,
    /// The JSON document that the server prints at its start.
    pub announced: Value,
}

impl Server {
    /// Starts a server in a folder, without its log.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::logging(folder, arguments, Stdio::null())
    }

    /// Starts a server in a folder, with its log written to `log`.
    pub fn logging(folder: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut command = executable(&[&["serve", "--json", "--listen", "127.0.0.1:0"], arguments].concat());
        command.current_dir(folder).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut documents = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter();
        let announced = documents.next().unwrap().unwrap();
        Self { child, announced }
    }

    /// Sends a GET request and returns the head and the body of the response.
    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// Sends a GraphQL request and returns the body of the response.
    pub fn post(&self, query: &str) -> Value {
        let body = serde_json::json!({ "query": query }).to_string();
        let answer = self.ask("POST /graphql", "", &body);
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1)
            .unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// Sends a request with additional header lines. `what` is the method and the path.
    pub fn ask(&self, what: &str, headers: &str, body: &str) -> String {
        let page = self.announced["page"].as_str().unwrap();
        let host = page.strip_prefix("http://").unwrap().trim_end_matches('/');
        let mut stream = TcpStream::connect(host).unwrap();
        let length = body.len();
        write!(
            stream,
            "{what} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Accept: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Terminates the server and returns its exit code.
    pub fn stop(mut self) -> i32 {
        terminate(&mut self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends SIGTERM to a process, waits for its end and returns its exit code.
pub(super) fn terminate(child: &mut Child) -> i32 {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap().code().unwrap()
}
