//! The operations of a socket that are under way. Each next output of one is worked out in a task of its own: it holds
//! connections to the database, and must not hold them for as long as the client takes to read what came before.

use std::collections::HashMap;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument as _;

use super::protocol::Farewell;
use crate::conformance::prepare::was_executed;
use crate::conformance::request::GraphqlRequest;
use crate::graphql::error::{BAD_USER_INPUT, refusal};
use crate::graphql::{allowed, subscribe};
use crate::http::App;
use crate::http::graphql_over_http::response::{Refusal, overloaded};
use crate::http::routes::graphql::{Unanswered, outcome};

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

type Outputs = BoxStream<'static, Output>;

/// Operations by their ids.
#[derive(Default)]
pub(super) struct Operations {
    /// What comes next of each, and what comes after that.
    running: JoinSet<(String, Option<Output>, Outputs)>,
    ends: HashMap<String, AbortHandle>,
}

impl Operations {
    /// Begins an operation, unless there is something that can be said of it at once.
    pub(super) fn begin(
        &mut self,
        app: &App,
        id: &str,
        sent: GraphqlRequest,
        correlation_id: &str,
    ) -> Result<Option<Output>, Farewell> {
        if self.ends.contains_key(id) {
            return Err(Farewell::InUse(id.to_owned()));
        }
        let most = app.state.limits().operations;
        // Those that have been ended stay until they are noticed.
        let crowded = self.ends.len() >= most || self.running.len() >= most.saturating_mul(2);
        if let Err(refusal) = app.check_rate() {
            return Ok(Some(refused(&refusal)));
        }
        if crowded {
            return Ok(Some(too_many(most)));
        }
        match outputs(app, sent, correlation_id) {
            Ok(outputs) => self.go_on(id.to_owned(), outputs),
            Err(output) => return Ok(Some(*output)),
        }
        Ok(None)
    }

    fn go_on(&mut self, id: String, mut outputs: Outputs) {
        let of = id.clone();
        let next = async move {
            let output = outputs.next().await;
            (of, output, outputs)
        };
        self.ends.insert(id, self.running.spawn(next.in_current_span()));
    }

    /// Ends an operation, if there is one of this id.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(end) = self.ends.remove(id) {
            end.abort();
        }
    }

    /// What comes next of any of them; never while there are none.
    pub(super) async fn next(&mut self) -> (String, Output) {
        loop {
            let (task, (id, output, outputs)) = match self.running.join_next_with_id().await {
                Some(Ok(joined)) => joined,
                Some(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                Some(Err(_ended)) => continue,
                None => std::future::pending().await,
            };
            // The client may have had enough when it was worked out already, and have begun another one under its id.
            if self.ends.get(&id).map(AbortHandle::id) != Some(task) {
                continue;
            }
            match output {
                Some(output @ Output::Next(_)) => {
                    self.go_on(id.clone(), outputs);
                    return (id, output);
                }
                output => {
                    self.ends.remove(&id);
                    return (id, output.unwrap_or(Output::Complete));
                }
            }
        }
    }
}

fn outputs(app: &App, sent: GraphqlRequest, correlation_id: &str) -> Result<Outputs, Box<Output>> {
    let not_executed = |error| Box::new(Output::Error(Response::from_errors(vec![error])));
    let (document, call) = app.documents.read(sent).map_err(not_executed)?;
    let operation = document.operation(call.operation_name.as_deref());
    tracing::info!(operation = operation.and_then(|(name, _)| name), "begun");
    allowed(&app.state, &document, call.operation_name.as_deref()).map_err(not_executed)?;
    let kind = operation.map(|(_, kind)| kind);
    if kind == Some(OperationType::Subscription) {
        return Ok(subscribe(&app.schema, &app.state, &document, call, correlation_id).map(output).boxed());
    }
    let (app, correlation_id) = (app.clone(), correlation_id.to_owned());
    let answer = async move {
        match outcome(&app, document, kind, call, &correlation_id).await {
            Ok(response) => output(response),
            Err(Unanswered::GivenUp(response)) => Output::Next(*response),
            Err(Unanswered::Overloaded) => refused(&overloaded()),
        }
    };
    Ok(stream::once(answer).boxed())
}

fn refused(why: &Refusal) -> Output {
    Output::Error(refusal(why.code, why.message.as_str()))
}

fn output(response: Response) -> Output {
    if was_executed(&response) { Output::Next(response) } else { Output::Error(response) }
}

fn too_many(most: usize) -> Output {
    let message = format!("At most {most} operations are under way over one socket. Complete one first.");
    Output::Error(refusal(BAD_USER_INPUT, message))
}
