//! Tests of upstream's deviations from GraphQL over HTTP.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::plain::{Plain, deviates, is_executed, json_post, post_as};
use crate::conformance::library::BOOKS;

#[tokio::test]
async fn a_request_that_is_not_executed_has_the_status_200_and_data() {
    let mut request = json_post(&json!({ "query": "{ nothing }" }).to_string());
    request.headers_mut().insert("accept", "application/graphql-response+json".parse().unwrap());
    let answer = Plain::new().send(request).await;
    let file = "http/graphql_over_http/response.rs";
    deviates(answer.status == StatusCode::OK, file, &answer);
    deviates(answer.json().get("data") == Some(&Value::Null), file, &answer);
}

#[tokio::test]
async fn the_accept_header_is_ignored() {
    let mut request = json_post(&json!({ "query": "{ __typename }" }).to_string());
    request.headers_mut().insert("accept", "application/json".parse().unwrap());
    let answer = Plain::new().send(request).await;
    let media_type = &answer.headers["content-type"];
    deviates(media_type == "application/graphql-response+json", "http/graphql_over_http/response.rs", media_type);
}

#[tokio::test]
async fn the_operation_name_of_an_address_is_ignored() {
    let query = "query%20A%7Ba:__typename%7D%20query%20B%7Bb:__typename%7D";
    let request = Request::get(format!("/graphql?query={query}&operationName=B")).body(Body::empty()).unwrap();
    let answer = Plain::new().send(request).await.json();
    deviates(answer.get("errors").is_some(), "http/graphql_over_http/request.rs", answer);
}

#[tokio::test]
async fn a_get_executes_mutations() {
    let plain = Plain::new();
    let query = "mutation%7BdeleteBook(input:%7Bid:%22b0%22%7D)%7Bbook%7Bid%7D%7D%7D";
    let answer = plain.send(Request::get(format!("/graphql?query={query}")).body(Body::empty()).unwrap()).await;
    deviates(plain.shelf.count() == BOOKS.len() - 1, "http/routes/graphql.rs", answer);
}

#[tokio::test]
async fn any_media_type_is_read_as_json_and_forms_are_executed() {
    let plain = Plain::new();
    let body = json!({ "query": "{ __typename }" }).to_string();
    let file = "http/graphql_over_http/request.rs (check_content_type)";
    is_executed(&plain.send(post_as("text/plain", &body)).await.json(), file);
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{body}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{{}}\r\n--x--\r\n"
    );
    is_executed(&plain.send(post_as("multipart/form-data; boundary=x", &form)).await.json(), file);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_answered_with_debug_text() {
    let answer = Plain::new().send(json_post("{")).await;
    deviates(answer.body.starts_with("InvalidRequest("), "http/graphql_over_http/response.rs", answer);
}

#[tokio::test]
async fn the_limit_of_bodies_does_not_apply() {
    let query = format!("{{ __typename }} #{}", "x".repeat(20_000));
    is_executed(&Plain::new().post(&query, json!({})).await, "http/graphql_over_http/request.rs (read_body)");
}

#[tokio::test]
async fn batches_of_any_size_are_executed() {
    let batch = vec![json!({ "query": "{ __typename }" }); 100];
    let answer = Plain::new().send(json_post(&json!(batch).to_string())).await.json();
    deviates(
        answer.as_array().is_some_and(|answers| answers.len() == 100),
        "http/graphql_over_http/request.rs",
        answer,
    );
}
