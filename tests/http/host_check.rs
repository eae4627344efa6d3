//! Tests that requests from other sites in the operator's browser are rejected.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use super::app::{Answer, TestApp, request};

const QUERY: &str = r#"{"query": "{ __typename }"}"#;

async fn post_with(headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method("POST").uri("/graphql").header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    TestApp::without_data().await.send(request.body(Body::from(QUERY)).unwrap()).await
}

#[tokio::test]
async fn the_names_of_this_machine_are_let_in() {
    for host in ["localhost", "localhost:8080", "LocalHost:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:8080"] {
        assert_eq!(post_with(&[("host", host)]).await.status, StatusCode::OK, "{host}");
    }
}

#[tokio::test]
async fn any_other_name_is_refused_wherever_it_points() {
    let hosts = [
        "attacker.example",
        "attacker.example:8080",
        "localhost.attacker.example",
        "localhost.",
        "127.0.0.1.attacker.example",
        "192.168.0.1",
        "0.0.0.0",
        "[::]",
        "[::ffff:10.0.0.1]",
        "user@localhost",
        "localhost:1@localhost:2",
        "localhost@attacker.example",
        "localhost:",
        "localhost:99999",
        "localhost:80:80",
        "localhost attacker.example",
        "",
    ];
    for host in hosts {
        let answer = post_with(&[("host", host)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{host}");
        assert!(answer.body.starts_with("Call this server by localhost"), "{host}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_request_without_a_name_or_with_two_is_refused() {
    assert_eq!(post_with(&[]).await.status, StatusCode::FORBIDDEN);
    let two = [("host", "localhost:8080"), ("host", "attacker.example")];
    assert_eq!(post_with(&two).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_authority_of_http2_is_checked_like_the_header() {
    let app = TestApp::without_data().await;
    for (uri, host, status) in [
        ("http://localhost:8080/", None, StatusCode::OK),
        ("http://localhost:8080/", Some("localhost:8080"), StatusCode::OK),
        ("http://attacker.example/", None, StatusCode::FORBIDDEN),
        ("http://attacker.example/", Some("localhost:8080"), StatusCode::FORBIDDEN),
        ("http://localhost:8080/", Some("attacker.example"), StatusCode::FORBIDDEN),
        ("http://localhost:8080/", Some("localhost:8081"), StatusCode::FORBIDDEN),
    ] {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.status, status, "{uri} {host:?}");
    }
}

#[tokio::test]
async fn a_page_of_this_server_is_let_in() {
    for (host, origin) in [
        ("localhost:8080", "http://localhost:8080"),
        ("LOCALHOST:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:8080", "https://[::1]:8080"),
    ] {
        let answer = post_with(&[("host", host), ("origin", origin), ("sec-fetch-site", "same-origin")]).await;
        assert_eq!(answer.status, StatusCode::OK, "{origin}");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let origins = [
        "https://attacker.example",
        "http://localhost:3000",
        "http://localhost",
        "http://127.0.0.1:8080",
        "http://localhost:8080.attacker.example",
        "http://user@localhost:8080",
        "file://localhost:8080",
        "localhost:8080",
        "null",
        "",
    ];
    for origin in origins {
        let answer = post_with(&[("host", "localhost:8080"), ("origin", origin)]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
        assert!(
            answer.body.starts_with("A page of another origin may not use this server, unless `serve --allow-origin`")
        );
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[tokio::test]
async fn a_preflight_gets_no_permission() {
    let app = TestApp::without_data().await;
    let preflight = request("OPTIONS", "/graphql")
        .header("origin", "https://attacker.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = app.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn what_another_site_starts_without_an_origin_is_refused() {
    let app = TestApp::without_data().await;
    for path in ["/", "/graphql?query=%7B__typename%7D"] {
        let request = request("GET", path).header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
        assert_eq!(app.send(request).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test]
async fn every_route_is_guarded_but_what_a_supervisor_asks() {
    let app = TestApp::without_data().await;
    for (path, status) in [
        ("/", StatusCode::FORBIDDEN),
        ("/graphql", StatusCode::FORBIDDEN),
        ("/graphql/", StatusCode::FORBIDDEN),
        ("/nothing-here", StatusCode::FORBIDDEN),
        ("/health", StatusCode::FORBIDDEN),
        ("/health/live", StatusCode::OK),
    ] {
        let request = Request::builder().uri(path).header("host", "attacker.example").body(Body::empty()).unwrap();
        assert_eq!(app.send(request).await.status, status, "{path}");
    }
}
