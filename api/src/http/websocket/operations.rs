//! The operations of a socket that are in progress.
//!
//! Each event of an operation is computed in a separate task. The computation holds database connections, which it must
//! not hold while the client reads the previous event.

use std::collections::HashMap;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument as _;

use super::protocol::CloseReason;
use crate::conformance::prepare::was_executed;
use crate::conformance::request::GraphqlRequest;
use crate::graphql::error::{BAD_USER_INPUT, error_response};
use crate::graphql::{authorize, subscribe};
use crate::http::app::Caller;
use crate::http::graphql_over_http::response::{Refusal, overloaded};
use crate::http::routes::graphql::{NotExecuted, execute_limited};

/// An event of an operation.
#[derive(Debug)]
pub(super) enum OperationEvent {
    /// A result. More results may follow.
    Next(Response),
    /// The operation was not executed and has ended.
    Error(Response),
    /// The operation has ended.
    Complete,
}

type Events = BoxStream<'static, OperationEvent>;

/// The operations of a socket by their ids.
#[derive(Default)]
pub(super) struct Operations {
    /// One task per operation. It returns the operation's id, its next event and the stream of the following events.
    tasks: JoinSet<(String, Option<OperationEvent>, Events)>,
    in_progress: HashMap<String, AbortHandle>,
}

impl Operations {
    /// Starts an operation. Returns an event if the operation ends immediately.
    ///
    /// # Errors
    /// Returns the reason to close the socket if the id is already in use.
    pub(super) fn start(
        &mut self,
        caller: &Caller,
        id: &str,
        graphql_request: GraphqlRequest,
        correlation_id: &str,
    ) -> Result<Option<OperationEvent>, CloseReason> {
        if self.in_progress.contains_key(id) {
            return Err(CloseReason::DuplicateId(id.to_owned()));
        }
        let max = caller.app.state.limits().operations;
        // The task of an ended operation remains until `next` has removed it.
        let is_full = self.in_progress.len() >= max || self.tasks.len() >= max.saturating_mul(2);
        if let Err(refusal) = caller.check_rate() {
            return Ok(Some(refusal_event(&refusal)));
        }
        if is_full {
            return Ok(Some(too_many_operations_event(max)));
        }
        match execute(caller, graphql_request, correlation_id) {
            Ok(events) => self.poll_next(id.to_owned(), events),
            Err(event) => return Ok(Some(*event)),
        }
        Ok(None)
    }

    fn poll_next(&mut self, id: String, mut events: Events) {
        let operation = id.clone();
        let next = async move {
            let event = events.next().await;
            (operation, event, events)
        };
        self.in_progress.insert(id, self.tasks.spawn(next.in_current_span()));
    }

    /// Ends the operation with this id, if it exists.
    pub(super) fn end(&mut self, id: &str) {
        if let Some(task) = self.in_progress.remove(id) {
            task.abort();
        }
    }

    /// Waits for the next event of any operation.
    pub(super) async fn next(&mut self) -> (String, OperationEvent) {
        loop {
            let (task, (id, event, events)) = match self.tasks.join_next_with_id().await {
                Some(Ok(joined)) => joined,
                Some(Err(ended)) if ended.is_panic() => std::panic::resume_unwind(ended.into_panic()),
                Some(Err(_ended)) => continue,
                None => std::future::pending().await,
            };
            // The client may have ended the operation after its event was computed, and started another one with the
            // same id.
            if self.in_progress.get(&id).map(AbortHandle::id) != Some(task) {
                continue;
            }
            match event {
                Some(event @ OperationEvent::Next(_)) => {
                    self.poll_next(id.clone(), events);
                    return (id, event);
                }
                event => {
                    self.in_progress.remove(&id);
                    return (id, event.unwrap_or(OperationEvent::Complete));
                }
            }
        }
    }
}

fn execute(
    caller: &Caller,
    graphql_request: GraphqlRequest,
    correlation_id: &str,
) -> Result<Events, Box<OperationEvent>> {
    let not_executed = |error| Box::new(OperationEvent::Error(Response::from_errors(vec![error])));
    let (document, call) = caller.app.documents.read(graphql_request).map_err(not_executed)?;
    let operation = document.operation(call.operation_name.as_deref());
    tracing::info!(target: "session_admin::http", operation = operation.and_then(|(name, _)| name), "begun");
    authorize(&caller.context, &document, call.operation_name.as_deref()).map_err(not_executed)?;
    let kind = operation.map(|(_, kind)| kind);
    if kind == Some(OperationType::Subscription) {
        let responses = subscribe(&caller.app.schema, &caller.context, &document, call, correlation_id);
        return Ok(responses.map(to_event).boxed());
    }
    let (caller, correlation_id) = (caller.clone(), correlation_id.to_owned());
    let event = async move {
        match execute_limited(&caller, document, kind, call, &correlation_id).await {
            Ok(response) => to_event(response),
            Err(NotExecuted::TimedOut(response)) => OperationEvent::Next(*response),
            Err(NotExecuted::Overloaded) => refusal_event(&overloaded()),
        }
    };
    Ok(stream::once(event).boxed())
}

fn refusal_event(refusal: &Refusal) -> OperationEvent {
    OperationEvent::Error(error_response(refusal.code, refusal.message.as_str()))
}

fn to_event(response: Response) -> OperationEvent {
    if was_executed(&response) { OperationEvent::Next(response) } else { OperationEvent::Error(response) }
}

fn too_many_operations_event(max: usize) -> OperationEvent {
    let message = format!("At most {max} operations may be in progress over one WebSocket. Complete one first.");
    OperationEvent::Error(error_response(BAD_USER_INPUT, message))
}
