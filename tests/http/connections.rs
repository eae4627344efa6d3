//! Tests of the limits on the number of connections, and on how long a connection may have no request.

use std::net::SocketAddr;
use std::time::Duration;

use api::limits::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::limits::{LONG, assert_answers_query, json, limited, post, slow, started};
use crate::support::{TestDb, on_both};

on_both!(long Adopted: what_is_half_sent_makes_room_before_what_waits, connections_that_wait_for_answers_make_no_room);

/// Sends bytes over a separate connection, and returns everything received until the server closes it.
pub(super) async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    // A reset also ends the connection.
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
#[ignore = "long: `make test` runs it"]
async fn a_connection_without_a_request_is_closed() {
    let (_db, address) = limited(Limits { head_timeout: Duration::from_secs(1), ..Limits::DEFAULT }).await;
    let whole = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for sent in [
        "",
        // The common first byte of a POST in HTTP/1 and of the preface of HTTP/2.
        "P",
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        // A complete request, after whose response the connection is idle.
        whole,
    ] {
        let start = Instant::now();
        let answer = exchange(address, sent.as_bytes()).await;
        assert!(start.elapsed() < Duration::from_secs(5), "{sent:?}: {:?}", start.elapsed());
        assert_eq!(answer.starts_with("HTTP/1.1 200"), sent == whole, "{sent:?}: {answer}");
        assert_answers_query(address).await;
    }
}

#[tokio::test]
async fn a_head_that_drips_ends_too() {
    let (_db, address) = limited(Limits { head_timeout: Duration::from_secs(1), ..Limits::DEFAULT }).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"POST /graphql HTTP/1.1\r\n").await.unwrap();
    let dripping = async {
        while stream.write_all(b"X-A: b\r\n").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(10), dripping).await.unwrap();
    assert_answers_query(address).await;
}

#[tokio::test]
async fn idle_connections_make_room_for_others() {
    let (_db, address) = limited(Limits { connections: 20, ..Limits::DEFAULT }).await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nX-Half: ").await.unwrap();
        idle.push(stream);
    }
    assert_answers_query(address).await;
    let mut rest = Vec::new();
    let mut oldest = idle.swap_remove(0);
    // The connection may be reset.
    let _ = timeout(Duration::from_secs(5), oldest.read_to_end(&mut rest)).await.unwrap();
    assert_eq!(rest, b"");
    let mut newest = idle.pop().unwrap();
    assert!(timeout(Duration::from_millis(100), newest.read_u8()).await.is_err());
}

/// Of three connections, the first one closed is the one without a request, however recent, and then the one with an
/// incomplete body.
async fn what_is_half_sent_makes_room_before_what_waits(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { connections: 3, ..Limits::DEFAULT }).await;
    let waiting = tokio::spawn(post(address, LONG));
    sleep(Duration::from_millis(200)).await;
    let mut half = TcpStream::connect(address).await.unwrap();
    let head =
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let _next = TcpStream::connect(address).await.unwrap();
    assert!(timeout(Duration::from_secs(1), idle.read_u8()).await.unwrap().is_err());
    assert!(timeout(Duration::from_millis(100), half.read_u8()).await.is_err());
    let second = tokio::spawn(post(address, LONG));
    sleep(Duration::from_millis(200)).await;
    let third = tokio::spawn(post(address, LONG));
    assert!(timeout(Duration::from_secs(1), half.read_u8()).await.unwrap().is_err());
    for answer in [waiting, second, third] {
        assert_eq!(answer.await.unwrap().status(), 200);
    }
}

async fn connections_that_wait_for_answers_make_no_room(db: TestDb) {
    slow(&db).await;
    let address = started(&db, Limits { connections: 3, ..Limits::DEFAULT }).await;
    let waiting: Vec<_> = (0..3).map(|_| tokio::spawn(post(address, LONG))).collect();
    sleep(Duration::from_millis(500)).await;
    let answer = exchange(address, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nThe maximum number of connections is open. Try again later."), "{answer}");
    for answer in waiting {
        let answer = json(answer.await.unwrap()).await;
        assert_eq!(answer["data"]["deletions"]["nodes"].as_array().map(Vec::len), Some(1), "{answer}");
    }
    assert_answers_query(address).await;
}
