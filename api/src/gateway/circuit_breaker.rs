//! A gateway that hangs: once as many questions in a row as are asked at once went unanswered, the others need not wait
//! for their time-outs one after another. That is for whoever only looks: before a deletion each session is asked about.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::GatewaySessionState;
use super::client::Said;

/// How long nothing is asked then.
const PAUSE: Duration = Duration::from_secs(5);

/// How often in a row the gateway has not answered in time.
#[derive(Debug)]
pub(super) struct Silence {
    limit: usize,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    missed: usize,
    last: Option<Instant>,
}

impl Silence {
    /// Gives up after so many.
    pub fn after(limit: usize) -> Self {
        Self { limit, heard: Mutex::default() }
    }

    /// Whether there is no use in asking now.
    pub fn is_kept(&self) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.missed >= self.limit && heard.last.is_some_and(|last| last.elapsed() < PAUSE)
    }

    /// The answer then: nothing was asked, so it says nothing about whether the gateway answers in time.
    pub fn said(&self) -> Said {
        let detail = format!(
            "The gateway did not answer the last {} questions in time, and was not asked: try again in some seconds.",
            self.limit
        );
        Said { state: GatewaySessionState::Unreachable, detail: Some(detail), in_time: None }
    }

    /// Takes in how a question ended; none was asked where that is not known.
    pub fn note(&self, in_time: Option<bool>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match in_time {
            Some(true) => *heard = Heard::default(),
            Some(false) => *heard = Heard { missed: heard.missed + 1, last: Some(Instant::now()) },
            None => {}
        }
    }
}
