//! The scheduler of data loader batches.
//!
//! A batch is read once every field is resolved that the rows read so far permit. It is not read after a delay. Each
//! level of a list is therefore read in one batch, however long resolving takes, and no field waits for a timer.
//! Batches of sibling lists are read concurrently.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, FuturesUnordered, poll_fn as poll_stream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::admission::request_permit::RequestPermit;

/// A future that reads one batch.
type Batch = BoxFuture<'static, ()>;

/// The function that the data loader calls to have a batch read.
pub(in crate::graphql) type SpawnBatch = Box<dyn Fn(Batch) + Send + Sync>;

/// Runs `respond` together with the batches that its loaders spawn, in one task, and returns its response.
///
/// No batch is read while a field can be resolved, and no field is resolved while a batch delivers its rows. Each batch
/// waits for one of the request's read permits.
pub(in crate::graphql) async fn run_with_batches<T, F>(
    permit: RequestPermit,
    respond: impl FnOnce(SpawnBatch) -> F,
) -> T
where
    F: Future<Output = T>,
{
    let (schedule, mut scheduler) = BatchScheduler::new(usize::MAX);
    let spawn: SpawnBatch = Box::new(move |batch| {
        let reads = permit.query_permits().cloned();
        schedule(Box::pin(async move {
            let _permit = match &reads {
                Some(reads) => Some(reads.batch().await),
                None => None,
            };
            batch.await;
        }));
    });
    let mut response = pin!(respond(spawn));
    poll_fn(|cx| scheduler.drive(cx, |cx| response.as_mut().poll(cx))).await
}

/// Returns the responses of `respond` as a stream and reads the batches that its loaders spawn.
///
/// Batches are read one at a time, so that a response uses at most one connection to the database.
pub(in crate::graphql) fn stream_with_batches<T: 'static>(
    respond: impl FnOnce(SpawnBatch) -> BoxStream<'static, T>,
) -> BoxStream<'static, T> {
    let (spawn, mut scheduler) = BatchScheduler::new(1);
    let mut responses = respond(spawn);
    poll_stream(move |cx| scheduler.drive(cx, |cx| responses.poll_next_unpin(cx))).boxed()
}

/// The batches of one request.
struct BatchScheduler {
    spawned: UnboundedReceiver<Batch>,
    running: FuturesUnordered<Batch>,
    /// The maximum number of batches that are read concurrently.
    max_running: usize,
}

impl BatchScheduler {
    fn new(max_running: usize) -> (SpawnBatch, Self) {
        let (sender, spawned) = unbounded_channel();
        // The receiver is dropped together with the response. Nothing waits for a batch after that.
        let spawn: SpawnBatch = Box::new(move |batch| drop(sender.send(batch)));
        (spawn, Self { spawned, running: FuturesUnordered::new(), max_running })
    }

    fn drive<T>(&mut self, cx: &mut Context<'_>, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        loop {
            let woken = Arc::new(WakeFlag { is_woken: AtomicBool::new(false), task: cx.waker().clone() });
            if let Poll::Ready(response) = poll(&mut Context::from_waker(&Waker::from(Arc::clone(&woken)))) {
                return Poll::Ready(response);
            }
            if woken.is_woken.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            while self.running.len() < self.max_running
                && let Poll::Ready(Some(batch)) = self.spawned.poll_recv(cx)
            {
                self.running.push(batch);
            }
            let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) else { return Poll::Pending };
        }
    }
}

/// A waker that records whether a response was woken while it was polled.
///
/// A response over a large list yields to other tasks between two fields and wakes itself. The flag distinguishes it
/// from a response that waits for a batch.
struct WakeFlag {
    is_woken: AtomicBool,
    task: Waker,
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
