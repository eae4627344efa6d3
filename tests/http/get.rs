//! Tests that a GET request can execute queries only.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::json;

use super::app::{Answer, TestApp, request};

async fn get(parameters: &str) -> Answer {
    let app = TestApp::without_data().await;
    app.send(request("GET", &format!("/graphql{parameters}")).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_query_is_answered() {
    let answer = get("?query=%7B__typename%7D").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "data": { "__typename": "Query" } })));
}

#[tokio::test]
async fn its_variables_and_operation_are_read() {
    let query = "query=query%20A(%24x%3ABoolean!)%7B__schema%20@include(if%3A%24x)%7BqueryType%7Bname%7D%7D%7D%20query%20B%7Bb%3A__typename%7D";
    let answer = get(&format!("?{query}&operationName=A&variables=%7B%22x%22%3Atrue%7D")).await;
    assert_eq!(answer.json(), json!({ "data": { "__schema": { "queryType": { "name": "Query" } } } }));
    let answer = get(&format!("?{query}&operationName=B&variables=")).await;
    assert_eq!(answer.json(), json!({ "data": { "b": "Query" } }));
}

#[tokio::test]
async fn a_mutation_is_refused_however_it_is_dressed() {
    let delete = "mutation%20M%7BdeleteSession(input%3A%7Bid%3A%22x%22%7D)%7BuserErrors%7Bcode%7D%7D%7D";
    for parameters in [
        format!("?query={delete}"),
        format!("?query={delete}&operationName=M"),
        format!("?query={delete}%20query%20Q%7B__typename%7D&operationName=M"),
        format!("?query=query%20Q%7B__typename%7D%20{delete}&operationName=M"),
        "?query=subscription%7Bx%7D".to_owned(),
    ] {
        let answer = get(&parameters).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{parameters}");
        assert_eq!(answer.header("allow"), Some("POST"));
        assert_eq!(answer.error().1, "GET is for queries only: send this operation as a POST.");
    }
}

#[tokio::test]
async fn a_query_beside_a_mutation_is_answered_and_the_mutation_is_not_run() {
    let answer = get("?query=query%20Q%7B__typename%7D%20mutation%20M%7B__typename%7D&operationName=Q").await;
    assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }));
    let answer = get("?query=query%20Q%7B__typename%7D%20mutation%20M%7B__typename%7D").await;
    assert_eq!(answer.error(), ("BAD_USER_INPUT".to_owned(), "Operation name required in request.".to_owned()));
}

#[tokio::test]
async fn head_answers_like_get_and_runs_no_mutation_either() {
    let app = TestApp::without_data().await;
    let head = |query: &str| request("HEAD", &format!("/graphql?query={query}")).body(Body::empty()).unwrap();
    assert_eq!(app.send(head("%7B__typename%7D")).await.status, StatusCode::OK);
    assert_eq!(app.send(head("mutation%7B__typename%7D")).await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_refused_by_name() {
    let repeated = "The parameters of the URL cannot be read: give each of them once, percent-encoded.";
    for (parameters, message) in [
        ("", "The parameter query is missing."),
        ("?variables=%7B%7D", "The parameter query is missing."),
        ("?query=%7B__typename%7D&query=%7Ba%3A__typename%7D", repeated),
        ("?query=%7B__typename%7D&variables=%7B", "The parameter variables is not JSON."),
        ("?query=%7B__typename%7D&variables=%5B%5D", "variables is not an object."),
        ("?query=%7B__typename%7D&extensions=zz", "The parameter extensions is not JSON."),
        ("?query=%7B__typename%7D&extensions=%5B%5D", "extensions is not an object."),
    ] {
        let answer = get(parameters).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
        assert_eq!(answer.error(), ("BAD_USER_INPUT".to_owned(), message.to_owned()), "{parameters}");
    }
}

#[tokio::test]
async fn elsewhere_there_is_nothing() {
    let app = TestApp::without_data().await;
    let answer = app.send(request("GET", "/nothing-here").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
