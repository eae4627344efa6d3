//! Tests that only the listed origins may use the server from their pages.

use api::http::{Origin, check_origins};
use axum::body::Body;
use axum::http::StatusCode;

use super::app::{Answer, TestApp, request};

const LISTED: [&str; 2] = ["https://admin.example", "http://localhost:3000"];

/// Sends a query as a page of this origin sends it.
async fn send_query(app: &TestApp, origin: &str) -> Answer {
    let query = request("POST", "/graphql")
        .header("origin", origin)
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"query": "{ __typename }"}"#));
    app.send(query.unwrap()).await
}

/// Sends the preflight request with which a browser asks whether the page may send the query.
async fn send_preflight(app: &TestApp, origin: &str) -> Answer {
    let preflight = request("OPTIONS", "/graphql")
        .header("origin", origin)
        .header("sec-fetch-site", "cross-site")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    app.send(preflight.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn pages_of_listed_origins_are_let_in() {
    let app = TestApp::with_origins(&LISTED).await;
    for origin in LISTED {
        let allowed = send_preflight(&app, origin).await;
        assert_eq!(allowed.status, StatusCode::OK, "{allowed:?}");
        assert_eq!(allowed.header("access-control-allow-methods"), Some("GET,POST"));
        assert_eq!(
            allowed.header("access-control-allow-headers"),
            Some("authorization,content-type,x-request-id"),
            "{allowed:?}"
        );
        let answer = send_query(&app, origin).await;
        assert_eq!((answer.status, answer.json()["data"]["__typename"].as_str()), (StatusCode::OK, Some("Query")));
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some("retry-after,www-authenticate,x-request-id"),
            "what a page may read of an answer"
        );
        for answer in [allowed, answer] {
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
            assert!(answer.header("vary").unwrap().contains("origin"), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn pages_of_other_origins_stay_out() {
    let app = TestApp::with_origins(&LISTED).await;
    for origin in ["http://admin.example", "https://admin.example:8443", "https://a.admin.example", "null", "*"] {
        for answer in [send_preflight(&app, origin).await, send_query(&app, origin).await] {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        }
    }
    // The server's own page needs no permission.
    assert_eq!(send_query_of_own_page(&app).await.status, StatusCode::OK);
}

async fn send_query_of_own_page(app: &TestApp) -> Answer {
    let query = request("POST", "/graphql")
        .header("origin", "http://localhost:8080")
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/json");
    app.send(query.body(Body::from(r#"{"query": "{ __typename }"}"#)).unwrap()).await
}

#[tokio::test]
async fn a_listed_origin_opens_no_other_door() {
    let app = TestApp::with_origins(&LISTED).await;
    // A foreign host name that resolves to this machine (DNS rebinding).
    let rebound = axum::http::Request::builder()
        .uri("/graphql?query=%7B__typename%7D")
        .header("host", "admin.example")
        .header("origin", LISTED[0]);
    assert_eq!(app.send(rebound.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
    // A link or an image, which sends no origin; and two origins, of which one is listed.
    let link = request("GET", "/graphql?query=%7B__typename%7D").header("sec-fetch-site", "cross-site");
    assert_eq!(app.send(link.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
    let two = request("GET", "/graphql?query=%7B__typename%7D").header("origin", LISTED[0]).header("origin", "null");
    assert_eq!(app.send(two.body(Body::empty()).unwrap()).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn whichever_origin_it_is_no_credentials_are_let_in() {
    let app = TestApp::with_origins(&["*"]).await;
    for answer in
        [send_preflight(&app, "https://attacker.example").await, send_query(&app, "https://attacker.example").await]
    {
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[test]
fn every_origin_at_once_is_refused_while_there_are_no_tokens() {
    let origins = |list: &[&str]| list.iter().map(|origin| origin.parse().unwrap()).collect::<Vec<Origin>>();
    check_origins(&origins(&[]), false).unwrap();
    check_origins(&origins(&LISTED), false).unwrap();
    let any = origins(&["https://admin.example", "*"]);
    check_origins(&any, true).unwrap();
    let error = check_origins(&any, false).unwrap_err();
    assert_eq!(error.code(), "BAD_USER_INPUT");
    assert!(error.to_string().contains("List the origins"), "{error}");
}

#[test]
fn origins_are_read_as_browsers_write_them() {
    for (text, origin) in [
        ("https://admin.example", "https://admin.example"),
        ("https://admin.example/", "https://admin.example"),
        ("HTTPS://Admin.Example", "https://admin.example"),
        ("https://admin.example:443", "https://admin.example"),
        ("http://admin.example:443", "http://admin.example:443"),
        ("http://localhost:80", "http://localhost"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ] {
        assert_eq!(text.parse::<Origin>().unwrap(), Origin::Of(origin.parse().unwrap()), "{text}");
    }
    assert_eq!("*".parse::<Origin>().unwrap(), Origin::Any);
}

#[test]
fn what_is_no_origin_is_refused() {
    for text in [
        "",
        "admin.example",
        "//admin.example",
        "ftp://admin.example",
        "https://",
        "https://admin.example/path",
        "https://admin.example?query",
        "https://user@admin.example",
        "https://admin.example:",
        "https://admin.example:99999",
        "https://*.admin.example/*",
        "null",
    ] {
        let error = text.parse::<Origin>().unwrap_err().to_string();
        assert!(error.contains("--allow-origin (SESSION_ADMIN_ALLOW_ORIGIN)"), "{text}: {error}");
    }
}
