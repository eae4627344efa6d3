//! The operations of a socket that are under way.

use std::collections::HashMap;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures_util::future::AbortHandle;
use futures_util::stream::{BoxStream, SelectAll, abortable};
use futures_util::{Stream, StreamExt as _, stream};

use super::message::Farewell;
use crate::graphql::error::{BAD_USER_INPUT, refusal};
use crate::graphql::{Call, allowed, subscribe, was_executed};
use crate::http::{App, graphql};

/// The most of one socket.
const MOST: usize = 100;

/// What comes of an operation.
#[derive(Debug)]
pub(super) enum Output {
    /// A result; there may be more.
    Next(Response),
    /// It was not executed, and has ended.
    Error(Response),
    /// It has ended.
    Complete,
}

/// Operations by their ids.
#[derive(Default)]
pub(super) struct Operations {
    running: SelectAll<BoxStream<'static, (String, Output)>>,
    ends: HashMap<String, AbortHandle>,
}

impl Operations {
    /// Begins an operation.
    pub(super) fn begin(&mut self, app: &App, id: String, call: Call, correlation_id: &str) -> Result<(), Farewell> {
        if self.ends.contains_key(&id) {
            return Err(Farewell::InUse(id));
        }
        let outputs = if self.ends.len() < MOST { outputs(app, call, correlation_id) } else { too_many() };
        let (outputs, end) = abortable(outputs);
        self.ends.insert(id.clone(), end);
        self.running.push(outputs.map(move |output| (id.clone(), output)).boxed());
        Ok(())
    }

    /// Ends an operation, if there is one of this id.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(end) = self.ends.remove(id) {
            end.abort();
        }
    }

    /// What comes next of any of them; never while there are none.
    pub(super) async fn next(&mut self) -> (String, Output) {
        let Some((id, output)) = self.running.next().await else {
            return std::future::pending().await;
        };
        if matches!(output, Output::Error(_) | Output::Complete) {
            self.end(&id);
        }
        (id, output)
    }
}

fn outputs(app: &App, call: Call, correlation_id: &str) -> BoxStream<'static, Output> {
    let document = match app.documents.read(&call.query) {
        Ok(document) => document,
        Err(error) => return ended(Output::Error(Response::from_errors(vec![error]))),
    };
    let operation = document.operation(call.operation_name.as_deref());
    tracing::info!(operation = operation.and_then(|(name, _)| name), "begun");
    if let Err(error) = allowed(&document, call.operation_name.as_deref(), app.state.principal()) {
        tracing::info!(why = error.message, "forbidden");
        return ended(Output::Error(Response::from_errors(vec![error])));
    }
    let kind = operation.map(|(_, kind)| kind);
    if kind == Some(OperationType::Subscription) {
        return completed(subscribe(&app.schema, &app.state, document, call, correlation_id).map(output)).boxed();
    }
    let (app, correlation_id) = (app.clone(), correlation_id.to_owned());
    let outcome = async move {
        match graphql::outcome(&app, document, kind, call, &correlation_id).await {
            Ok(response) => output(response),
            Err(given_up) => Output::Next(given_up),
        }
    };
    completed(stream::once(outcome)).boxed()
}

fn output(response: Response) -> Output {
    if was_executed(&response) { Output::Next(response) } else { Output::Error(response) }
}

fn completed(outputs: impl Stream<Item = Output>) -> impl Stream<Item = Output> {
    outputs.chain(stream::iter([Output::Complete]))
}

fn ended(output: Output) -> BoxStream<'static, Output> {
    stream::iter([output]).boxed()
}

fn too_many() -> BoxStream<'static, Output> {
    let message = format!("At most {MOST} operations are under way over one socket. Complete one first.");
    ended(Output::Error(refusal(BAD_USER_INPUT, message)))
}
