//! The operations of a socket that are under way. Each next output of one is worked out in a task of its own: it holds
//! connections to the database, and must not hold them for as long as the client takes to read what came before.

use std::collections::HashMap;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument as _;

use super::message::Farewell;
use crate::graphql::error::{BAD_USER_INPUT, refusal};
use crate::graphql::{Sent, allowed, subscribe, was_executed};
use crate::http::App;
use crate::http::answer::{Refusal, overloaded};
use crate::http::graphql::{Unanswered, outcome};

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
    /// Begins an operation.
    pub(super) fn begin(&mut self, app: &App, id: String, sent: Sent, correlation_id: &str) -> Result<(), Farewell> {
        if self.ends.contains_key(&id) {
            return Err(Farewell::InUse(id));
        }
        let most = app.state.limits().operations;
        let outputs = if self.ends.len() < most { outputs(app, sent, correlation_id) } else { too_many(most) };
        self.go_on(id, outputs);
        Ok(())
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

fn outputs(app: &App, sent: Sent, correlation_id: &str) -> Outputs {
    if let Err(refusal) = app.pace.count(app) {
        return ended(refused(&refusal));
    }
    let (document, call) = match app.documents.read(sent) {
        Ok(read) => read,
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
        return subscribe(&app.schema, &app.state, document, call, correlation_id).map(output).boxed();
    }
    let (app, correlation_id) = (app.clone(), correlation_id.to_owned());
    let answer = async move {
        match outcome(&app, document, kind, call, &correlation_id).await {
            Ok(response) => output(response),
            Err(Unanswered::GivenUp(response)) => Output::Next(*response),
            Err(Unanswered::Overloaded) => refused(&overloaded()),
        }
    };
    stream::once(answer).boxed()
}

fn refused(why: &Refusal) -> Output {
    Output::Error(refusal(why.code, why.message.as_str()))
}

fn output(response: Response) -> Output {
    if was_executed(&response) { Output::Next(response) } else { Output::Error(response) }
}

fn ended(output: Output) -> Outputs {
    stream::iter([output]).boxed()
}

fn too_many(most: usize) -> Outputs {
    let message = format!("At most {most} operations are under way over one socket. Complete one first.");
    ended(Output::Error(refusal(BAD_USER_INPUT, message)))
}
