//! Tests of how the gateway's responses are interpreted, including unexpected ones.

use std::time::{Duration, Instant};

use api::gateway::{GatewaySessionState, GatewaySettings, Header, StatusPath, StatusWords};
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{Server, gateway, query_gateway, query_state, settings, unreachable_gateway, with_status};

use GatewaySessionState::{Connected, Connecting, Disconnected, NotFound, QrPending, Unknown, Unreachable};

#[tokio::test]
async fn the_words_of_waha_of_evolution_api_and_of_the_database_are_known() {
    let waha = |word: &str| json!({ "name": "x", "status": word, "config": {}, "me": null });
    let evolution = |word: &str| json!({ "instance": { "instanceName": "x", "state": word } });
    let cases = [
        (waha("WORKING"), Connected),
        (waha("STARTING"), Connecting),
        (waha("SCAN_QR_CODE"), QrPending),
        (waha("STOPPED"), Disconnected),
        (waha("FAILED"), Disconnected),
        (evolution("open"), Connected),
        (evolution("connecting"), Connecting),
        (evolution("close"), Disconnected),
        (evolution("refused"), Disconnected),
        (waha("connected"), Connected),
        (waha("qr_pending"), QrPending),
        (waha("disconnected"), Disconnected),
        // A number that is not a session status does not hide the status.
        (json!({ "status": 200, "instance": { "state": "open" } }), Connected),
    ];
    for (answer, expected) in cases {
        let server = Server::with_answer(answer.clone());
        let response = query_gateway(&server.gateway()).await;
        assert_eq!((response.state, response.detail), (expected, None), "{answer}");
    }
}

#[tokio::test]
async fn a_gateways_own_words_and_their_place_can_be_named() {
    let own = async |answer: Value, path: &str, words: &[&str]| {
        let server = Server::with_answer(answer);
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let status_path = StatusPath::parse(path).unwrap();
        query_state(&gateway(GatewaySettings {
            status_path,
            words: StatusWords::with_entries(&words).unwrap(),
            ..server.settings()
        }))
        .await
    };
    let nested = json!({ "data": [{ "a/b": { "live": "Up" } }] });
    assert_eq!(own(nested.clone(), "/data/0/a~1b/live", &["up=CONNECTED", "down=disconnected"]).await, Connected);
    // The default words stay valid, and configured words take precedence.
    assert_eq!(own(json!({ "s": "WORKING" }), "/s", &["up=CONNECTED"]).await, Connected);
    assert_eq!(own(json!({ "s": "open" }), "/s", &["OPEN=CONNECTING"]).await, Connecting);
    assert_eq!(own(json!({ "s": "session_not_found" }), "/s", &["session_not_found=NOT_FOUND"]).await, NotFound);
    assert_eq!(own(json!({ "up": false }), "/up", &["true=CONNECTED", "false=DISCONNECTED"]).await, Disconnected);
    assert_eq!(own(json!({ "status": "WORKING" }), "/other", &[]).await, Unknown);
    for wrong in ["", "x", "=CONNECTED", "x=", "x=UP", "x=UNREACHABLE"] {
        assert!(StatusWords::with_entries(&[wrong.to_owned()]).unwrap_err().contains("write WORD=STATE"), "{wrong}");
    }
    let twice = ["x=CONNECTED".to_owned(), "X=CONNECTING".to_owned()];
    assert_eq!(StatusWords::with_entries(&twice).unwrap_err(), "gives x two meanings; give each word only once.");
}

#[tokio::test]
async fn a_session_that_the_gateway_does_not_know_is_an_answer() {
    let server = Server::new(async |_| with_status(404, "no such session"));
    let response = query_gateway(&server.gateway()).await;
    assert_eq!((response.state, response.detail), (NotFound, None));
}

#[tokio::test]
async fn other_answers_say_what_happened() {
    let key = "check its key (--gateway-header).";
    let path = "The gateway's answer has no status at /status or /instance/state. Set its path with \
                --gateway-status-path.";
    let word = "The gateway reports the status \"BANNED\", which is unknown. Set its meaning with --gateway-word.";
    let cases: [(u16, &'static str, GatewaySessionState, &str); 12] = [
        (401, "", Unreachable, &format!("The gateway answered 401 Unauthorized: {key}")),
        (403, "", Unreachable, &format!("The gateway answered 403 Forbidden: {key}")),
        (400, "", Unreachable, "The gateway answered 400 Bad Request."),
        (429, "", Unreachable, "The gateway answered 429 Too Many Requests."),
        (500, "{\"status\":\"WORKING\"}", Unreachable, "The gateway answered 500 Internal Server Error."),
        (503, "", Unreachable, "The gateway answered 503 Service Unavailable."),
        (200, "<html>", Unknown, "The gateway's answer is not JSON."),
        (204, "", Unknown, "The gateway's answer is not JSON."),
        (200, "{}", Unknown, path),
        (200, "{\"status\":null}", Unknown, path),
        (200, "{\"status\":{\"a\":1}}", Unknown, path),
        (200, "{\"status\":\"BANNED\"}", Unknown, word),
    ];
    for (status, body, expected, detail) in cases {
        let server = Server::new(move |_| std::future::ready(with_status(status, body)));
        let response = query_gateway(&server.gateway()).await;
        assert_eq!((response.state, response.detail.as_deref()), (expected, Some(detail)), "{status} {body}");
    }
}

#[tokio::test]
async fn of_an_unknown_word_only_the_beginning_is_repeated() {
    let server = Server::with_answer(json!({ "status": "x".repeat(1_000) }));
    let detail = query_gateway(&server.gateway()).await.detail.unwrap();
    assert!(detail.contains(&format!("\"{}\"", "x".repeat(40))), "{detail}");
}

#[tokio::test]
async fn an_answer_that_is_late_or_never_ends_is_not_waited_for() {
    let silent = Server::new(async |_| {
        tokio::time::sleep(Duration::from_mins(1)).await;
        with_status(200, "{}")
    });
    let stalls = Server::new(async |_| {
        let begins = stream::iter([Ok::<_, std::io::Error>(Bytes::from("{"))]);
        Response::new(Body::from_stream(begins.chain(stream::pending())))
    });
    for server in [silent, stalls] {
        let start = Instant::now();
        let response =
            query_gateway(&gateway(GatewaySettings { timeout: Duration::from_millis(300), ..server.settings() })).await;
        assert_eq!(response.state, Unreachable);
        assert_eq!(response.detail.as_deref(), Some("The gateway did not answer within 0.3 s."));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn no_more_than_64_kb_of_an_answer_are_read() {
    let padded = |length: usize| {
        let answer = json!({ "status": "WORKING", "pad": "" }).to_string();
        answer.replace("\"pad\":\"\"", &format!("\"pad\":\"{}\"", "x".repeat(length - answer.len())))
    };
    for (length, expected) in [(64 * 1024, Connected), (64 * 1024 + 1, Unknown)] {
        let server = Server::new(move |_| {
            let body = padded(length);
            assert_eq!(body.len(), length);
            async move { body.into_response() }
        });
        assert_eq!(query_state(&server.gateway()).await, expected, "{length}");
    }
    let endless = Server::new(async |_| {
        Response::new(Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 1024])))))
    });
    let response =
        query_gateway(&gateway(GatewaySettings { timeout: Duration::from_secs(30), ..endless.settings() })).await;
    assert_eq!(
        (response.state, response.detail.as_deref()),
        (Unknown, Some("The gateway's answer is longer than 64 kB."))
    );
}

#[tokio::test]
async fn a_refused_connection_is_told_without_the_password() {
    let response = query_gateway(&unreachable_gateway()).await;
    assert_eq!(response.state, Unreachable);
    let detail = response.detail.unwrap();
    assert!(detail.starts_with("The gateway cannot be reached: Connection refused"), "{detail}");
    assert!(!detail.contains("hunter2") && !detail.contains("127.0.0.1"), "{detail}");
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || drop(listener.accept()));
    let response = query_gateway(&gateway(settings(&format!("http://{address}/{{id}}")))).await;
    assert_eq!(response.state, Unreachable);
    assert!(response.detail.as_ref().unwrap().starts_with("The gateway did not complete its answer"), "{response:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_unreachable_over_https() {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let response = query_gateway(&gateway(settings(&server.url().replace("http:", "https:")))).await;
    assert_eq!(response.state, Unreachable);
    assert!(response.detail.as_ref().unwrap().starts_with("The gateway cannot be reached: "), "{response:?}");
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_server_only() {
    let elsewhere = Server::with_answer(json!({ "status": "WORKING" }));
    let target = format!("http://{}/", elsewhere.address);
    let server = Server::new(move |request| {
        let to = if request.path.starts_with("/api") { "/there".to_owned() } else { target.clone() };
        async move { (axum::http::StatusCode::FOUND, [("location", to)]).into_response() }
    });
    let header = Some(Header::parse("X-Api-Key: hunter2").unwrap());
    let response = query_gateway(&gateway(GatewaySettings { header, ..server.settings() })).await;
    assert_eq!(response.state, Unreachable);
    let detail = "The gateway answered 302 Found and redirected to another server or too often.";
    assert_eq!(response.detail.as_deref(), Some(detail));
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!((paths.len(), paths[1].as_str()), (2, "/there"));
    assert_eq!(elsewhere.requests().len(), 0);
    let moved = Server::new(async |request| match request.path.strip_prefix("/api") {
        Some(rest) => (axum::http::StatusCode::PERMANENT_REDIRECT, [("location", rest.to_owned())]).into_response(),
        None => with_status(200, "{\"status\":\"WORKING\"}"),
    });
    assert_eq!(query_state(&moved.gateway()).await, Connected);
    let around =
        Server::new(async |request| (axum::http::StatusCode::FOUND, [("location", request.path)]).into_response());
    assert_eq!(query_state(&around.gateway()).await, Unreachable);
    assert!(around.requests().len() < 10);
}

/// A page behind a redirect, such as a login page, knows no sessions.
#[tokio::test]
async fn what_is_not_found_behind_a_redirect_is_unknown() {
    let server = Server::new(async |request| match request.path.strip_prefix("/api") {
        Some(rest) => (axum::http::StatusCode::FOUND, [("location", format!("/login{rest}"))]).into_response(),
        None => with_status(404, ""),
    });
    let response = query_gateway(&server.gateway()).await;
    assert_eq!((server.requests().len(), response.state), (2, Unknown));
    assert_eq!(response.detail.as_deref(), Some("The gateway redirected to a page that does not exist."));
}

#[tokio::test]
async fn it_is_asked_with_the_id_and_with_its_key() {
    let server = Server::with_answer(json!({ "status": "WORKING" }));
    let header = Some(Header::parse("X-Api-Key: hunter2").unwrap());
    let url = server.url().replace("http://", "http://user:pa%20ss@");
    let settings = GatewaySettings { header, ..settings(&url) };
    assert!(!format!("{settings:?}").contains("hunter2") && !format!("{settings:?}").contains("pa%20ss"));
    assert_eq!(query_state(&gateway(settings)).await, Connected);
    let request = server.requests().remove(0);
    assert_eq!(request.path, format!("/api/sessions/{}", super::id(0)));
    assert_eq!(request.headers["x-api-key"], "hunter2");
    assert_eq!(request.headers["authorization"], "Basic dXNlcjpwYSBzcw==");
}
