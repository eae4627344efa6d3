//! Tests of clients that do not read the server's responses.

use std::net::SocketAddr;
use std::time::Duration;

use api::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::limits::{assert_answers_query, limited, started};
use crate::support::{TestDb, on_both};

on_both!(long Adopted: an_answer_that_is_not_read_ends_its_connection);

const SOON: Limits = Limits { response_timeout: Duration::from_secs(1), ..Limits::DEFAULT };

/// Returns one HTTP/2 frame.
fn encode_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Returns the frame of a complete request without a body.
fn encode_request(stream: u32) -> Vec<u8> {
    let literal = |name: u8, value: &str| [&[name, u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let path = "/graphql?query=%7B__typename%7D";
    // Indexed fields of HPACK's static table (GET, http), and two indexed names with literal values.
    let head = [vec![0x82, 0x86], literal(0x04, path), literal(0x01, "localhost")].concat();
    encode_frame(0x1, 0x5, stream, &head)
}

/// Opens an HTTP/2 connection whose client accepts this many bytes of each response until it enlarges the window.
async fn connect_with_window(address: SocketAddr, bytes: u32) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let window = [&[0, 0x4][..], &bytes.to_be_bytes()].concat();
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), encode_frame(0x4, 0, 0, &window)].concat();
    stream.write_all(&hello).await.unwrap();
    stream
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_client_of_http_2_that_takes_nothing_is_let_go() {
    for bytes in [0, 1] {
        let (_db, address) = limited(SOON).await;
        let (mut read, mut write) = connect_with_window(address, bytes).await.into_split();
        // A client that sends requests from time to time is not idle.
        let asking = tokio::spawn(async move {
            let mut stream = 1;
            while write.write_all(&encode_request(stream)).await.is_ok() {
                stream += 2;
                sleep(Duration::from_millis(200)).await;
            }
        });
        let start = Instant::now();
        let mut received = Vec::new();
        // The connection may be reset.
        let _ = timeout(Duration::from_secs(10), read.read_to_end(&mut received)).await.unwrap();
        assert!(start.elapsed() > Duration::from_millis(900), "{:?}", start.elapsed());
        asking.abort();
        assert_answers_query(address).await;
    }
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_client_of_http_2_that_takes_its_answers_stays() {
    let (_db, address) = limited(SOON).await;
    let mut stream = connect_with_window(address, 65_535).await;
    for number in 0..10 {
        stream.write_all(&encode_request(2 * number + 1)).await.unwrap();
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
    let mut received = vec![timeout(Duration::from_secs(20), stream.read_u8()).await.unwrap().unwrap()];
    sleep(Duration::from_secs(3)).await;
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut received)).await.unwrap();
    let text = String::from_utf8_lossy(&received);
    assert!(text.starts_with("HTTP/1.1 200"), "{text:.200}");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let length: usize = length.parse().unwrap();
    // The response is larger than the network buffers.
    assert!(length > 8_000_000 && received.len() < length, "{} of {length}", received.len());
    assert_answers_query(address).await;
}
