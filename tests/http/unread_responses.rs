//! Answers that nobody reads.

use std::net::SocketAddr;
use std::time::Duration;

use api::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::limits::{is_well, limited, started};
use crate::support::{TestDb, on_both};

on_both!(Adopted: an_answer_that_is_not_read_ends_its_connection);

const SOON: Limits = Limits { response_timeout: Duration::from_secs(1), ..Limits::DEFAULT };

/// One frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A whole request without a body.
fn request(stream: u32) -> Vec<u8> {
    let literal = |name: u8, value: &str| [&[name, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let path = "/graphql?query=%7B__typename%7D";
    // Of HPACK's table: GET, http, and two names with values of their own.
    let head = [vec![0x82, 0x86], literal(0x04, path), literal(0x01, "localhost")].concat();
    frame(0x1, 0x5, stream, &head)
}

/// A connection of HTTP/2 whose client takes so many bytes of each answer unless it says more.
async fn taking(address: SocketAddr, bytes: u32) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let window = [&[0, 0x4][..], &bytes.to_be_bytes()].concat();
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(0x4, 0, 0, &window)].concat();
    stream.write_all(&hello).await.unwrap();
    stream
}

#[tokio::test]
async fn a_client_of_http_2_that_takes_nothing_is_let_go() {
    for bytes in [0, 1] {
        let (_db, address) = limited(SOON).await;
        let (mut read, mut write) = taking(address, bytes).await.into_split();
        // Whoever asks now and then is not idle.
        let asking = tokio::spawn(async move {
            let mut stream = 1;
            while write.write_all(&request(stream)).await.is_ok() {
                stream += 2;
                sleep(Duration::from_millis(200)).await;
            }
        });
        let asked = Instant::now();
        let mut said = Vec::new();
        // It may be reset.
        let _ = timeout(Duration::from_secs(10), read.read_to_end(&mut said)).await.unwrap();
        assert!(asked.elapsed() > Duration::from_millis(900), "{:?}", asked.elapsed());
        asking.abort();
        is_well(address).await;
    }
}

#[tokio::test]
async fn a_client_of_http_2_that_takes_its_answers_stays() {
    let (_db, address) = limited(SOON).await;
    let mut stream = taking(address, 65_535).await;
    for number in 0..10 {
        stream.write_all(&request(2 * number + 1)).await.unwrap();
        let mut some = [0; 1_000];
        assert!(stream.read(&mut some).await.unwrap() > 0);
        sleep(Duration::from_millis(300)).await;
    }
}

async fn an_answer_that_is_not_read_ends_its_connection(db: TestDb) {
    db.exec(&format!("UPDATE whatsapp_groups SET group_name = '{}'", "x".repeat(60_000))).await;
    let address = started(&db, SOON).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(128 * 1024).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let query = "{sessions(first:13){nodes{groups(first:40){nodes{a:name%20b:name%20c:name%20d:name}}}}}";
    let head = format!("GET /graphql?query={query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let head = head.replace('{', "%7B").replace('}', "%7D");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = vec![timeout(Duration::from_secs(20), stream.read_u8()).await.unwrap().unwrap()];
    sleep(Duration::from_secs(3)).await;
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut said)).await.unwrap();
    let text = String::from_utf8_lossy(&said);
    assert!(text.starts_with("HTTP/1.1 200"), "{text:.200}");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let length: usize = length.parse().unwrap();
    // More than the wire takes by itself.
    assert!(length > 8_000_000 && said.len() < length, "{} of {length}", said.len());
    is_well(address).await;
}
