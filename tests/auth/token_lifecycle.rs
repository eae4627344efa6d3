//! Tests of access tokens from creation to revocation or expiry.

use std::time::Duration;

use api::auth::access_token;
use api::auth::access_token::TokenStatus;
use api::auth::{Authenticator, Role};
use api::clock::Clock;
use api::db::Database;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use chrono::TimeDelta;
use serde_json::json;

use super::{
    CACHE_TTL, VIEWER, app, create_expired_token, create_revoked_token, create_token, query_viewer, send_query,
};
use crate::http::app::{TestApp, request};
use crate::support::wait::{eventually, wait_until};
use crate::support::{TestDb, on_both};

on_both!(Adopted:
    a_token_is_shown_once_and_only_its_hash_is_kept,
    a_token_is_good_until_it_is_revoked,
    a_name_is_taken_until_its_token_is_revoked,
    names_of_other_callers_are_no_names_of_tokens,
    the_last_use_is_written_down_once_an_hour,
    the_first_token_closes_the_open_door,
    the_door_stays_closed_when_the_last_token_is_gone,
    whoever_uses_the_first_token_at_once_is_its_principal,
    what_is_no_good_token_is_refused_in_the_same_words,
    a_request_with_a_known_token_costs_no_statement_of_its_own,
    once_a_token_is_needed_the_server_has_any_name,
    the_metrics_want_a_token_too,
    while_the_database_is_away_the_metrics_know_tokens_that_were_good,
);
on_both!(long Adopted: a_token_is_good_until_its_time_is_over);

const INVALID: &str = "Bearer realm=\"session-admin\", error=\"invalid_token\"";

async fn all_rows(db: &TestDb) -> String {
    db.dump(&[&db.dialect().internal_table("tokens")]).await
}

async fn a_token_is_shown_once_and_only_its_hash_is_kept(db: TestDb) {
    let database = db.database().await;
    let (created, secret) = access_token::create(database, "ci", Role::Viewer, None).await.unwrap();
    let text = secret.expose();
    assert!(text.starts_with("sadm_") && text.len() == "sadm_".len() + 43, "{} characters", text.len());
    assert_eq!(format!("{secret:?}"), "[redacted]");
    let rows = all_rows(&db).await;
    assert!(rows.contains("ci") && !rows.contains(text) && !rows.contains(&text["sadm_".len()..]), "{rows}");
    assert_eq!(access_token::list(database).await.unwrap(), [created]);
    let other = create_token(&db, "other", Role::Viewer).await;
    assert_ne!(other.expose(), text);
}

async fn a_token_is_good_until_it_is_revoked(db: TestDb) {
    let (name, secret) = ("ci", create_token(&db, "ci", Role::Operator).await);
    let app = app(db.clone(), None).await;
    assert_eq!(query_viewer(&app, secret.expose()).await, ("ci".to_owned(), "OPERATOR".to_owned()));
    let revoked = access_token::revoke(db.database().await, name).await.unwrap().unwrap();
    assert_eq!((revoked.status, revoked.revoked_at.is_some()), (TokenStatus::Revoked, true));
    tokio::time::sleep(2 * CACHE_TTL).await;
    let answer = send_query(&app, Some(secret.expose()), VIEWER, json!({})).await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some(INVALID)));
    assert_eq!(answer.error().0, "UNAUTHENTICATED");
    // Revoking a second time, by id, changes nothing.
    let again = access_token::revoke(db.database().await, &revoked.id.to_string()).await.unwrap().unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    assert_eq!(access_token::revoke(db.database().await, name).await.unwrap(), None);
}

async fn a_token_is_good_until_its_time_is_over(db: TestDb) {
    let soon = Clock::System.now() + TimeDelta::seconds(2);
    let (_, secret) = access_token::create(db.database().await, "brief", Role::Viewer, Some(soon)).await.unwrap();
    // The cache keeps tokens for longer than this one is valid.
    let access = Authenticator::with_cache_ttl(db.database().await.clone(), None, Duration::from_mins(1));
    assert!(access.authenticate(Some(secret.expose())).await.is_ok());
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    access.authenticate(Some(secret.expose())).await.unwrap_err();
    assert_eq!(access_token::list(db.database().await).await.unwrap()[0].status, TokenStatus::Expired);
    let error = access_token::create(db.database().await, "late", Role::Viewer, Some(soon)).await.unwrap_err();
    assert_eq!(error.code(), "BAD_USER_INPUT");
}

async fn a_name_is_taken_until_its_token_is_revoked(db: TestDb) {
    let database = db.database().await;
    let first = create_token(&db, "ci", Role::Viewer).await;
    let error = access_token::create(database, "ci", Role::Admin, None).await.unwrap_err();
    assert!(error.to_string().starts_with("A token with the name ci already exists."), "{error}");
    access_token::revoke(database, "ci").await.unwrap().unwrap();
    let second = create_token(&db, "ci", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    assert_eq!(send_query(&app, Some(first.expose()), VIEWER, json!({})).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(query_viewer(&app, second.expose()).await.0, "ci");
}

async fn names_of_other_callers_are_no_names_of_tokens(db: TestDb) {
    let long = "x".repeat(65);
    let id = "c0ffee00-0000-4000-8000-000000000010";
    let names = [
        "",
        " ci",
        "ci ",
        "local",
        "Local",
        "schedule",
        "cli:ada",
        "jwt:ada",
        "a\nb",
        "a\u{202e}b",
        "\u{200b}",
        &long,
        id,
    ];
    for name in names {
        let error = access_token::create(db.database().await, name, Role::Viewer, None).await.unwrap_err();
        assert_eq!(error.code(), "BAD_USER_INPUT", "{name}");
    }
    for name in ["x", "Nightly job (billing)", "ada@example.com", "žaneta", &long[..64]] {
        create_token(&db, name, Role::Viewer).await;
    }
}

async fn the_last_use_is_written_down_once_an_hour(db: TestDb) {
    let secret = create_token(&db, "ci", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    let last_used = async || access_token::list(db.database().await).await.unwrap()[0].last_used_at;
    assert_eq!(last_used().await, None);
    query_viewer(&app, secret.expose()).await;
    wait_until("the use is written down", async || last_used().await.is_some()).await;
    let first = last_used().await;
    for _ in 0..3 {
        tokio::time::sleep(2 * CACHE_TTL).await;
        query_viewer(&app, secret.expose()).await;
    }
    tokio::time::sleep(2 * CACHE_TTL).await;
    assert_eq!(last_used().await, first);
    let tokens = db.dialect().internal_table("tokens");
    db.exec(&format!("UPDATE {tokens} SET last_used_at = '2026-01-01T00:00:00.000000+00:00'")).await;
    query_viewer(&app, secret.expose()).await;
    wait_until("the use is written down again", async || last_used().await >= first).await;
}

async fn the_first_token_closes_the_open_door(db: TestDb) {
    let app = app(db.clone(), None).await;
    let answer = send_query(&app, None, VIEWER, json!({})).await;
    assert_eq!(answer.json(), json!({ "data": { "viewer": { "name": "local", "role": "ADMIN" } } }));
    create_token(&db, "ci", Role::Viewer).await;
    let answer = eventually(async || {
        let answer = send_query(&app, None, VIEWER, json!({})).await;
        if answer.status == StatusCode::UNAUTHORIZED { Ok(answer) } else { Err(answer.body) }
    })
    .await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"session-admin\""));
    assert_eq!(answer.error().0, "UNAUTHENTICATED");
    assert_eq!(answer.json().get("data"), None);
    assert_eq!(answer.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
}

async fn the_door_stays_closed_when_the_last_token_is_gone(db: TestDb) {
    create_revoked_token(&db, "gone", Role::Admin).await;
    create_expired_token(&db, "over", Role::Admin).await;
    let app = app(db.clone(), None).await;
    assert_eq!(send_query(&app, None, VIEWER, json!({})).await.status, StatusCode::UNAUTHORIZED);
}

async fn whoever_uses_the_first_token_at_once_is_its_principal(db: TestDb) {
    let app = app(db.clone(), None).await;
    assert_eq!(send_query(&app, None, VIEWER, json!({})).await.status, StatusCode::OK);
    let secret = create_token(&db, "ci", Role::Viewer).await;
    assert_eq!(query_viewer(&app, secret.expose()).await, ("ci".to_owned(), "VIEWER".to_owned()));
    assert_eq!(send_query(&app, None, VIEWER, json!({})).await.status, StatusCode::UNAUTHORIZED);
}

async fn what_is_no_good_token_is_refused_in_the_same_words(db: TestDb) {
    let good = create_token(&db, "good", Role::Admin).await;
    let mut tokens = vec![
        create_revoked_token(&db, "gone", Role::Admin).await.expose().to_owned(),
        create_expired_token(&db, "over", Role::Admin).await.expose().to_owned(),
        format!("sadm_{}", "A".repeat(43)),
        good.expose()[..good.expose().len() - 1].to_owned(),
        good.expose().to_uppercase(),
        "x".repeat(100_000),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.".to_owned(),
    ];
    tokens.push(String::new());
    let app = app(db.clone(), None).await;
    let mut bodies = Vec::new();
    for token in &tokens {
        let answer = send_query(&app, Some(token), VIEWER, json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token:.60}");
        if !token.is_empty() {
            assert_eq!(answer.header("www-authenticate"), Some(INVALID), "{token:.60}");
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    // Other schemes and duplicate headers are refused.
    for (credentials, challenge) in
        [("Basic YTpi", "Bearer realm=\"session-admin\""), ("Bearer", "Bearer realm=\"session-admin\"")]
    {
        let request = request("GET", "/graphql?query=%7B__typename%7D").header("authorization", credentials);
        let answer = app.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::UNAUTHORIZED, Some(challenge)));
    }
    let bearer = format!("bearer {}", good.expose());
    let get = || request("GET", "/graphql?query=%7B__typename%7D").header("authorization", &bearer);
    let twice = get().header("authorization", &bearer);
    assert_eq!(app.send(twice.body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.send(get().body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    // A token in the URL is not accepted, because URLs end up in logs and histories.
    let uri = format!("/graphql?query=%7B__typename%7D&access_token={}", good.expose());
    assert_eq!(app.send(request("GET", &uri).body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
}

async fn a_request_with_a_known_token_costs_no_statement_of_its_own(db: TestDb) {
    let secret = create_token(&db, "ci", Role::Viewer).await;
    let mut database = Database::connect(db.settings()).await.unwrap();
    let statements = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&statements);
    database
        .on_statement(move |_| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        })
        .await;
    let app = TestApp::with(db.clone(), database);
    query_viewer(&app, secret.expose()).await;
    // The last use is recorded in the background.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = statements.load(std::sync::atomic::Ordering::Relaxed);
    assert!(before > 0);
    for _ in 0..5 {
        query_viewer(&app, secret.expose()).await;
    }
    assert_eq!(statements.load(std::sync::atomic::Ordering::Relaxed), before);
}

async fn once_a_token_is_needed_the_server_has_any_name(db: TestDb) {
    let secret = create_token(&db, "ci", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    let get = |path: &str| Request::builder().uri(path).header("host", "admin.example");
    let query = "/graphql?query=%7B__typename%7D";
    let with = |request: axum::http::request::Builder| {
        request.header("authorization", format!("Bearer {}", secret.expose())).body(Body::empty()).unwrap()
    };
    assert_eq!(app.send(with(get(query))).await.status, StatusCode::OK);
    assert_eq!(app.send(get("/").body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    assert_eq!(app.send(get(query).body(Body::empty()).unwrap()).await.status, StatusCode::UNAUTHORIZED);
    // Requests from another origin are still refused.
    let foreign = get(query).header("origin", "https://attacker.example");
    assert_eq!(app.send(with(foreign)).await.status, StatusCode::FORBIDDEN);
    let own = get(query).header("origin", "https://admin.example");
    assert_eq!(app.send(with(own)).await.status, StatusCode::OK);
}

async fn the_metrics_want_a_token_too(db: TestDb) {
    let secret = create_token(&db, "prometheus", Role::Viewer).await;
    let app = app(db.clone(), None).await;
    let answer = app.send(request("GET", "/metrics").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let bearer = format!("Bearer {}", secret.expose());
    let with = request("GET", "/metrics").header("authorization", bearer);
    assert_eq!(app.send(with.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    for open in ["/", "/health/live"] {
        assert_eq!(app.send(request("GET", open).body(Body::empty()).unwrap()).await.status, StatusCode::OK, "{open}");
    }
}

async fn while_the_database_is_away_the_metrics_know_tokens_that_were_good(db: TestDb) {
    let good = create_token(&db, "good", Role::Viewer).await;
    let (revoked_token, unused) =
        (create_token(&db, "ended", Role::Viewer).await, create_token(&db, "unused", Role::Viewer).await);
    let app = app(db.clone(), None).await;
    let metrics = async |token: &str| {
        let request = request("GET", "/metrics").header("authorization", format!("Bearer {token}"));
        app.send(request.body(Body::empty()).unwrap()).await
    };
    for secret in [&good, &revoked_token] {
        query_viewer(&app, secret.expose()).await;
    }
    access_token::revoke(db.database().await, "ended").await.unwrap().unwrap();
    tokio::time::sleep(2 * CACHE_TTL).await;
    assert_eq!(metrics(revoked_token.expose()).await.status, StatusCode::UNAUTHORIZED);
    db.database().await.clone().close().await.unwrap();
    let response = metrics(good.expose()).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    assert!(response.body.contains("session_admin_http_requests_total"), "{}", response.body);
    for secret in [revoked_token, unused] {
        assert_eq!(metrics(secret.expose()).await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(send_query(&app, Some(good.expose()), VIEWER, json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
