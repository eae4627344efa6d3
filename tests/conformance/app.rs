//! [`ToyApp`], a server of the library schema without HTTP, whose requests pass the rules of `api::conformance`.

use std::sync::{Arc, LazyLock};

use api::conformance::document_cache::DocumentCache;
use api::conformance::limits::DocumentLimits;
use api::conformance::prepare::{prepare_request, was_executed};
use api::conformance::request::GraphqlRequest;
use api::conformance::schema_index::SchemaIndex;
use api::graphql::error::finalize_errors;
use async_graphql::Response;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::library::{Schema, Shelf, builder};

static INDEX: LazyLock<SchemaIndex> = LazyLock::new(|| SchemaIndex::from_sdl(&builder().finish().sdl()));

/// A server of the library schema without HTTP.
pub struct ToyApp {
    schema: Schema,
    documents: DocumentCache,
    pub shelf: Arc<Shelf>,
}

/// A response of the server.
#[derive(Debug)]
pub struct Answer {
    pub was_executed: bool,
    /// The response as JSON, without `data` if nothing was executed.
    pub body: String,
}

impl ToyApp {
    pub fn new() -> Self {
        Self::over(Shelf::default(), DocumentLimits::DEFAULT)
    }

    pub fn with_limits(limits: DocumentLimits) -> Self {
        Self::over(Shelf::default(), limits)
    }

    pub fn with_shelf(shelf: Shelf) -> Self {
        Self::over(shelf, DocumentLimits::DEFAULT)
    }

    fn over(shelf: Shelf, limits: DocumentLimits) -> Self {
        let shelf = Arc::new(shelf);
        let schema = builder().data(Arc::clone(&shelf)).finish();
        Self { schema, documents: DocumentCache::new(limits, &INDEX), shelf }
    }

    pub async fn send(&self, query: &str, operation: Option<&str>, variables: Value) -> Answer {
        let Value::Object(variables) = variables else { panic!("{variables} is not an object") };
        let operation_name = operation.map(str::to_owned);
        let request = GraphqlRequest { query: query.to_owned(), operation_name, variables };
        let (document, request) = match self.documents.read(request) {
            Ok(read) => read,
            Err(error) => return Answer::from_response(Response::from_errors(vec![error])),
        };
        let request = match prepare_request(&document, request) {
            Ok(request) => request,
            Err(error) => return Answer::from_response(Response::from_errors(vec![error])),
        };
        let mut response = self.schema.execute(request).await;
        document.repair_response(operation, &mut response);
        Answer::from_response(response)
    }

    pub async fn post(&self, query: &str, variables: Value) -> Answer {
        self.send(query, None, variables).await
    }

    /// Returns the events of a subscription.
    pub async fn events(&self, query: &str) -> Vec<Answer> {
        let request = GraphqlRequest { query: query.to_owned(), ..GraphqlRequest::default() };
        let (document, request) = self.documents.read(request).unwrap();
        let request = prepare_request(&document, request).unwrap();
        let responses = self.schema.execute_stream(request);
        let responses = responses.map(|mut response| {
            document.repair_response(None, &mut response);
            Answer::from_response(response)
        });
        responses.collect().await
    }

    /// Sends a query, asserts that it has no errors, and returns its data.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.post(query, variables).await.json();
        assert_eq!(answer.get("errors"), None, "{answer:#}");
        answer["data"].take()
    }

    /// Sends a query and returns the code and the message of its only error.
    pub async fn error(&self, query: &str, variables: Value) -> (String, String) {
        self.post(query, variables).await.error()
    }
}

impl Answer {
    fn from_response(response: Response) -> Self {
        let (was_executed, response) = (was_executed(&response), finalize_errors(response, "test"));
        let mut json = serde_json::to_string(&response).unwrap();
        if !was_executed {
            json = json!({ "errors": response.errors }).to_string();
        }
        Self { was_executed, body: json }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Returns the code and the message of the only error.
    pub fn error(&self) -> (String, String) {
        let answer = self.json();
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no error in {answer:#}"));
        assert_eq!(errors.len(), 1, "{answer:#}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&errors[0]["extensions"]["code"]), text(&errors[0]["message"]))
    }

    /// Returns the path and the code of each error.
    pub fn failures(&self) -> Vec<(Value, Value)> {
        let answer = self.json();
        let errors = answer["errors"].as_array().unwrap_or_else(|| panic!("no error in {answer:#}"));
        errors.iter().map(|error| (error["path"].clone(), error["extensions"]["code"].clone())).collect()
    }

    /// Returns the positions of these field names in the response.
    pub fn places(&self, names: &[&str]) -> Vec<usize> {
        let place = |name: &&str| self.body.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{}", self.body));
        names.iter().map(place).collect()
    }
}
