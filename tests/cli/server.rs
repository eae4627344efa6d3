//! The server as a process of its own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::executable;

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub announced: Value,
}

impl Server {
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::logging(folder, arguments, Stdio::null())
    }

    /// The same, with its log somewhere.
    pub fn logging(folder: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut command = executable(&[&["serve", "--json", "--listen", "127.0.0.1:0"], arguments].concat());
        command.current_dir(folder).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut documents = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter();
        let announced = documents.next().unwrap().unwrap();
        Self { child, announced }
    }

    /// The answer to a GET, head and body.
    pub fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path}"), "", "")
    }

    /// The answer to a GraphQL request.
    pub fn post(&self, query: &str) -> Value {
        let body = serde_json::json!({ "query": query }).to_string();
        let answer = self.ask("POST /graphql", "", &body);
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1)
            .unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// With header lines of its own.
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

    /// Ends it in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to end, and waits.
    pub fn stop(mut self) -> i32 {
        terminate(&mut self.child)
    }
}

/// A test that fails leaves no server behind.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks it to end, and waits.
pub(super) fn terminate(child: &mut Child) -> i32 {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    child.wait().unwrap().code().unwrap()
}
