//! Tests of the page at `/`, its files, and the security headers of every response.

use std::path::Path;
use std::time::Duration;

use api::auth::{Role, access_token};
use axum::body::Body;
use axum::http::StatusCode;

use super::app::{Answer, TestApp, request};
use crate::dashboard::is_built;
use crate::support::{Contents, TestDb};

async fn get(app: &TestApp, path: &str) -> Answer {
    app.send(request("GET", path).body(Body::empty()).unwrap()).await
}

/// Returns the page and the paths of its files, or `None` if the page was not built.
async fn fetch_page(app: &TestApp) -> Option<(Answer, Vec<String>)> {
    let page = get(app, "/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
    if !is_built(&page.body) {
        return None;
    }
    let places = page.body.split(['"', '\'']).filter(|part| part.starts_with("/assets/")).map(str::to_owned).collect();
    Some((page, places))
}

#[tokio::test]
async fn the_page_refers_to_files_of_this_server_and_to_no_other() {
    let app = TestApp::without_data().await;
    let Some((page, places)) = fetch_page(&app).await else { return };
    assert!(page.body.contains("<title>Session Admin</title>"), "{}", page.body);
    assert!(!page.body.contains("//"), "{}", page.body);
    assert!(places.len() >= 3, "{places:?}");
    for place in places {
        assert_eq!(get(&app, &place).await.status, StatusCode::OK, "{place}");
    }
}

#[tokio::test]
async fn every_file_that_was_built_is_served_as_what_it_is() {
    let app = TestApp::without_data().await;
    if fetch_page(&app).await.is_none() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/dist/assets");
    let mut kinds = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        if file.path().extension().is_some_and(|end| end == "gz") {
            continue;
        }
        let answer = get(&app, &format!("/assets/{name}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"), "{name}");
        assert_eq!(answer.body, String::from_utf8_lossy(&std::fs::read(file.path()).unwrap()), "{name}");
        kinds.push(answer.header("content-type").unwrap().to_owned());
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds,
        ["font/ttf", "image/svg+xml", "text/css; charset=utf-8", "text/javascript; charset=utf-8"],
        "a kind of file that http/page.rs does not know?"
    );
}

#[tokio::test]
async fn files_are_compressed_for_those_who_take_that_and_for_no_others() {
    let app = TestApp::without_data().await;
    let Some((_, places)) = fetch_page(&app).await else { return };
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/dist");
    let script = places.iter().find(|place| Path::new(place).extension().is_some_and(|end| end == "js")).unwrap();
    for (place, file) in [("/", "index.html"), (script, &script[1..])] {
        let plain = std::fs::read(dist.join(file)).unwrap();
        let compressed = std::fs::read(dist.join(format!("{file}.gz"))).unwrap();
        assert_eq!(compressed[..2], [0x1f, 0x8b], "gzip's first bytes");
        assert!(compressed.len() < plain.len(), "{place}");
        let mut tags = Vec::new();
        for (takes, is_compressed) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0, identity", false),
            ("gzip; q=0.000", false),
            ("br, xgzip", false),
            ("", false),
        ] {
            let get =
                |known: &str| request("GET", place).header("accept-encoding", takes).header("if-none-match", known);
            let answer = app.send(get("").body(Body::empty()).unwrap()).await;
            assert_eq!(answer.header("content-encoding"), is_compressed.then_some("gzip"), "{place} {takes}");
            assert_eq!(answer.header("vary"), Some("accept-encoding"), "{place} {takes}");
            assert!(answer.header("content-type").unwrap().starts_with("text/"), "{place} {takes}");
            let wanted = if is_compressed { &compressed } else { &plain };
            assert_eq!(answer.body, String::from_utf8_lossy(wanted), "{place} {takes}");
            let tag = answer.header("etag").unwrap().to_owned();
            let again = app.send(get(&tag).body(Body::empty()).unwrap()).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{place} {takes}");
            assert_eq!(again.header("vary"), Some("accept-encoding"), "{place} {takes}");
            tags.push(tag);
        }
        assert_ne!(tags.first(), tags.last(), "what is compressed is something else to a cache");
    }
}

#[tokio::test]
async fn the_page_is_told_when_a_token_is_needed() {
    let app = TestApp::over(TestDb::sqlite(Contents::Adopted).await).await;
    for method in ["HEAD", "GET"] {
        let page = app.send(request(method, "/").body(Body::empty()).unwrap()).await;
        assert_eq!((page.status, page.header("www-authenticate")), (StatusCode::OK, None));
    }
    access_token::create(app.state.database(), "reader", Role::Viewer, None).await.unwrap();
    // The server checks once a second whether a token exists.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    for method in ["HEAD", "GET"] {
        let page = app.send(request(method, "/").body(Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::OK, "the page itself wants none");
        assert_eq!(page.header("www-authenticate"), Some("Bearer realm=\"session-admin\""));
    }
}

#[tokio::test]
async fn a_browser_that_has_the_page_is_told_so() {
    let app = TestApp::without_data().await;
    let Some((page, places)) = fetch_page(&app).await else { return };
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    for place in ["/", &places[0]] {
        let tag = get(&app, place).await.header("etag").unwrap().to_owned();
        for (known, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            let request = request("GET", place).header("if-none-match", &known).body(Body::empty()).unwrap();
            let answer = app.send(request).await;
            assert_eq!((answer.status, answer.header("etag")), (status, Some(tag.as_str())), "{place} {known}");
            assert_eq!(answer.body.is_empty(), status == StatusCode::NOT_MODIFIED, "{place} {known}");
        }
    }
}

#[tokio::test]
async fn no_other_file_can_be_asked_for() {
    let app = TestApp::without_data().await;
    for path in ["/assets/", "/assets/none.js", "/assets/../index.html", "/assets/%2e%2e/index.html", "/index.html"] {
        let answer = get(&app, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.starts_with("There is nothing here."), "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_answer_tells_browsers_to_be_careful() {
    let app = TestApp::without_data().await;
    for (path, host) in [
        ("/", "localhost"),
        ("/assets/none.js", "localhost"),
        ("/graphql?query=%7B__typename%7D", "localhost"),
        ("/graphql/ws", "localhost"),
        ("/metrics", "localhost"),
        ("/nothing-here", "localhost"),
        ("/health/live", "attacker.example"),
        ("/", "attacker.example"),
    ] {
        let answer =
            app.send(axum::http::Request::builder().uri(path).header("host", host).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        let directive = |name: &str| policy.split("; ").find_map(|one| one.strip_prefix(name)).map(str::trim);
        assert_eq!(directive("default-src"), Some("'none'"));
        assert_eq!(directive("script-src"), Some("'self'"));
        assert_eq!(directive("worker-src"), Some("'self'"));
        assert_eq!(directive("connect-src"), Some("'self'"));
        assert_eq!(directive("frame-ancestors"), Some("'none'"));
    }
}
