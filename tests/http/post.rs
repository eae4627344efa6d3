//! Tests of POST /graphql: JSON, one request at a time, with a limited size.

use axum::body::Body;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::app::{Answer, TestApp, json_post, request};

const QUERY: &str = r#"{"query": "{ __typename }"}"#;

async fn post_as(content_type: Option<&str>) -> Answer {
    let mut request = request("POST", "/graphql");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    TestApp::without_data().await.send(request.body(Body::from(QUERY)).unwrap()).await
}

async fn post(body: &str) -> Answer {
    TestApp::without_data().await.send(json_post(body)).await
}

#[tokio::test]
async fn json_is_taken_in_utf8() {
    for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
        let answer = post_as(Some(content_type)).await;
        assert_eq!(answer.status, StatusCode::OK, "{content_type}");
        assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }));
    }
}

#[tokio::test]
async fn any_other_content_type_is_refused_since_a_page_may_send_it_unasked() {
    let types = [
        None,
        Some(""),
        Some("text/plain"),
        Some("text/plain; application/json"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("application/jsonp"),
        Some("application/json, text/plain"),
        Some("application/json; charset=utf-16"),
    ];
    for content_type in types {
        let answer = post_as(content_type).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type:?}");
        let message = "Send the request as application/json, in UTF-8.".to_owned();
        assert_eq!(answer.error(), ("BAD_USER_INPUT".to_owned(), message), "{content_type:?}");
    }
}

#[tokio::test]
async fn two_content_types_are_refused() {
    let request =
        request("POST", "/graphql").header("content-type", "application/json").header("content-type", "text/plain");
    let answer = TestApp::without_data().await.send(request.body(Body::from(QUERY)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn a_body_is_sent_as_it_is() {
    let app = TestApp::without_data().await;
    for (coding, expected) in [("identity", StatusCode::OK), ("gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE)] {
        let request =
            request("POST", "/graphql").header("content-type", "application/json").header("content-encoding", coding);
        assert_eq!(app.send(request.body(Body::from(QUERY)).unwrap()).await.status, expected, "{coding}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused_by_name() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, message) in [
        ("", "The body is not JSON."),
        ("{", "The body is not JSON."),
        ("{\"query\": \"{ __typename }\"} x", "The body is not JSON."),
        ("query=%7B__typename%7D", "The body is not JSON."),
        (&deep, "The body is not JSON."),
        ("null", "The body is not a JSON object with a query."),
        ("\"{ __typename }\"", "The body is not a JSON object with a query."),
        ("{}", "query is missing or not a string."),
        ("{\"query\": null}", "query is missing or not a string."),
        ("{\"query\": 1}", "query is missing or not a string."),
        ("{\"query\": \"{ __typename }\", \"operationName\": 1}", "operationName is not a string."),
        ("{\"query\": \"{ __typename }\", \"variables\": []}", "variables is not an object."),
        ("{\"query\": \"{ __typename }\", \"variables\": \"{}\"}", "variables is not an object."),
        ("{\"query\": \"{ __typename }\", \"extensions\": 1}", "extensions is not an object."),
    ] {
        let answer = post(body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:.60}");
        assert_eq!(answer.error(), ("BAD_USER_INPUT".to_owned(), message.to_owned()), "{body:.60}");
        assert_eq!(answer.json().get("data"), None);
    }
}

#[tokio::test]
async fn batches_are_refused() {
    for body in [
        "[]",
        r#"[{"query": "{ __typename }"}]"#,
        r#"[{"query": "{ a: __typename }"}, {"query": "{ __typename }"}]"#,
        // The framework's extractor accepts an array of a request's members as a request.
        r#"["{ __typename }"]"#,
        r#" ["{ __typename }", null, {}, {}]"#,
    ] {
        let answer = post(body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.error().1, "Send one request at a time: batches are not supported.");
    }
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_refused() {
    let padded = |size: usize| {
        let empty = json!({ "query": "{ __typename }", "extensions": { "padding": "" } }).to_string().len();
        json!({ "query": "{ __typename }", "extensions": { "padding": "x".repeat(size - empty) } }).to_string()
    };
    assert_eq!(post(&padded(1024 * 1024)).await.status, StatusCode::OK);
    let answer = post(&padded(1024 * 1024 + 1)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(answer.error().1, "The body is larger than 1048576 bytes.");
}

#[tokio::test]
async fn members_that_are_null_count_as_left_out() {
    let answer =
        post(r#"{"query": "{ __typename }", "operationName": null, "variables": null, "extensions": null}"#).await;
    assert_eq!(answer.json(), json!({ "data": { "__typename": "Query" } }));
}

/// The framework's extractor rejects duplicate members. The server's own parser accepts them.
#[tokio::test]
async fn of_a_member_that_is_sent_twice_the_last_counts() {
    let answer = post(r#"{"query": "{ a: __typename }", "query": "{ b: __typename }"}"#).await;
    assert_eq!(answer.json(), json!({ "data": { "b": "Query" } }));
    let answer = post(
        r#"{"query": "query Q($x: Boolean!) { a: __typename @skip(if: $x) b: __typename }",
                         "variables": 1, "variables": {"x": false, "x": true}}"#,
    )
    .await;
    assert_eq!(answer.json(), json!({ "data": { "b": "Query" } }));
}

#[tokio::test]
async fn an_empty_query_is_no_query() {
    let answer = post(r#"{"query": ""}"#).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.error().0, "BAD_USER_INPUT");
    assert_eq!(answer.json().get("data"), None);
}

#[tokio::test]
async fn the_operation_is_chosen_by_name() {
    let query = "query A { a: __typename } query B { b: __typename }";
    let named = |name: Value| json!({ "query": query, "operationName": name }).to_string();
    assert_eq!(post(&named(json!("B"))).await.json(), json!({ "data": { "b": "Query" } }));
    assert_eq!(post(&named(json!("C"))).await.error().0, "BAD_USER_INPUT");
    assert_eq!(post(&named(json!(null))).await.error().0, "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_answer_has_the_type_that_is_asked_for() {
    let app = TestApp::without_data().await;
    for (accept, expected) in [
        (None, "application/json; charset=utf-8"),
        (Some("*/*"), "application/json; charset=utf-8"),
        (Some("application/json"), "application/json; charset=utf-8"),
        (Some("application/graphql-response+json"), "application/graphql-response+json; charset=utf-8"),
        (
            Some("application/graphql-response+json, application/json;q=0.9"),
            "application/graphql-response+json; charset=utf-8",
        ),
        (Some("application/graphql-response+json;q=0.5, application/json"), "application/json; charset=utf-8"),
        (Some("application/graphql-response+json;q=0"), "application/json; charset=utf-8"),
    ] {
        let mut request = request("POST", "/graphql").header("content-type", "application/json");
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let answer = app.send(request.body(Body::from(QUERY)).unwrap()).await;
        assert_eq!(answer.header("content-type"), Some(expected), "{accept:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_query_that_is_refused_has_no_data_and_the_status_of_its_type() {
    let app = TestApp::without_data().await;
    for (accept, status) in
        [("application/json", StatusCode::OK), ("application/graphql-response+json", StatusCode::BAD_REQUEST)]
    {
        for query in [
            "{",
            "{ nothing }",
            "{ __schema @nothing { description } }",
            "subscription { nothing }",
            "query Q($a: Nothing) { __typename }",
        ] {
            let request =
                request("POST", "/graphql").header("content-type", "application/json").header("accept", accept);
            let answer = app.send(request.body(Body::from(json!({ "query": query }).to_string())).unwrap()).await;
            assert_eq!(answer.status, status, "{accept} {query}");
            assert_eq!(answer.json().get("data"), None, "{accept} {query}");
            assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{accept} {query}");
        }
    }
}

#[tokio::test]
async fn a_syntax_error_names_its_place_and_does_not_echo_the_query() {
    let answer = post(&json!({ "query": "{\n  secret(" }).to_string()).await;
    assert_eq!(answer.error().1, "The query is not valid GraphQL: there is a syntax error at this place.");
    assert_eq!(answer.json()["errors"][0]["locations"], json!([{ "line": 2, "column": 10 }]));
}

#[tokio::test]
async fn other_methods_are_refused() {
    let app = TestApp::without_data().await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = app.send(request(method, "/graphql").body(Body::from(QUERY)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[tokio::test]
async fn a_request_keeps_its_id_if_that_is_harmless_and_gets_one_otherwise() {
    let app = TestApp::without_data().await;
    let ask = async |id: &str| {
        let request = request("GET", "/health/live").header("x-request-id", id).body(Body::empty()).unwrap();
        app.send(request).await.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(ask("from-the-proxy_1.2").await, "from-the-proxy_1.2");
    for id in ["", "two words", "<script>", "a;b", &"x".repeat(65)] {
        let given = ask(id).await;
        assert_ne!(given, id);
        assert_eq!(given.len(), 36, "{given}");
    }
}
