//! The operations of a socket that are in progress.
//!
//! Each event of an operation is computed in a task of its own. It holds database connections, and must not hold them for as
//! long as the client takes to read the event before.

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
    /// A result; there may be more.
    Next(Response),
    /// The operation was not executed, and has ended.
    Error(Response),
    /// The operation has ended.
    Complete,
}

type Events = BoxStream<'static, OperationEvent>;

/// The operations of a socket, by their ids.
#[derive(Default)]
pub(super) struct Operations {
    /// A task for each operation, which returns its id, its next event and the stream of the events after that.
    tasks: JoinSet<(String, Option<OperationEvent>, Events)>,
    in_progress: HashMap<String, AbortHandle>,
}

impl Operations {
    /// Starts an operation. Returns an event where the operation has ended at once.
    ///
    /// # Errors
    /// The reason to close the socket where the id is in use.
    pub(super) fn start(
        &mut self,
        caller: &Caller,
        id: &str,
        sent: GraphqlRequest,
        correlation_id: &str,
    ) -> Result<Option<OperationEvent>, CloseReason> {
        if self.in_progress.contains_key(id) {
            return Err(CloseReason::DuplicateId(id.to_owned()));
        }
        let max = caller.app.state.limits().operations;
        // The task of an operation that was ended stays until `next` has seen it.
        let is_full = self.in_progress.len() >= max || self.tasks.len() >= max.saturating_mul(2);
        if let Err(refusal) = caller.check_rate() {
            return Ok(Some(refuse(&refusal)));
        }
        if is_full {
            return Ok(Some(too_many(max)));
        }
        match execute(caller, sent, correlation_id) {
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

    /// Ends the operation with this id, if there is one.
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
            // The client may have ended the operation after its event was computed, and started another under the same id.
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

fn execute(caller: &Caller, sent: GraphqlRequest, correlation_id: &str) -> Result<Events, Box<OperationEvent>> {
    let not_executed = |error| Box::new(OperationEvent::Error(Response::from_errors(vec![error])));
    let (document, call) = caller.app.documents.read(sent).map_err(not_executed)?;
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
            Err(NotExecuted::Overloaded) => refuse(&overloaded()),
        }
    };
    Ok(stream::once(event).boxed())
}

fn refuse(why: &Refusal) -> OperationEvent {
    OperationEvent::Error(error_response(why.code, why.message.as_str()))
}

fn to_event(response: Response) -> OperationEvent {
    if was_executed(&response) { OperationEvent::Next(response) } else { OperationEvent::Error(response) }
}

fn too_many(max: usize) -> OperationEvent {
    let message = format!("At most {max} operations are under way over one socket. Complete one first.");
    OperationEvent::Error(error_response(BAD_USER_INPUT, message))
}
