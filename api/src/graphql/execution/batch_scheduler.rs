//! When the loaders read: as soon as every field that can be answered with what has been read so far has been, and not
//! after some time. So what one level of a list needs is always one batch, however long resolving takes, and nobody waits
//! for a clock. Lists beside one another are read at once; what the first to come needs does not wait for the others.

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

type Begun = BoxFuture<'static, ()>;

/// What the loader calls to have its work done.
pub(in crate::graphql) type Work = Box<dyn Fn(Begun) + Send + Sync>;

/// Runs `answer` and the work that its loaders begin, in one task: while there are fields to resolve no batch is read, and
/// while a batch hands out its rows no field is resolved. Each batch waits for one of the request's read permits.
pub(in crate::graphql) async fn answered<T, F>(permit: RequestPermit, answer: impl FnOnce(Work) -> F) -> T
where
    F: Future<Output = T>,
{
    let (begin, mut driven) = Driven::new(usize::MAX);
    let work: Work = Box::new(move |work| {
        let reads = permit.reads().cloned();
        begin(Box::pin(async move {
            let _permit = match &reads {
                Some(reads) => Some(reads.batch().await),
                None => None,
            };
            work.await;
        }));
    });
    let mut answer = pin!(answer(work));
    poll_fn(|cx| driven.drive(cx, |cx| answer.as_mut().poll(cx))).await
}

/// The same for answers that follow one another, one at a time; so are their batches, so that an answer has one connection
/// to the database at most.
pub(in crate::graphql) fn each_answered<T: 'static>(
    answers: impl FnOnce(Work) -> BoxStream<'static, T>,
) -> BoxStream<'static, T> {
    let (work, mut driven) = Driven::new(1);
    let mut answers = answers(work);
    poll_stream(move |cx| driven.drive(cx, |cx| answers.poll_next_unpin(cx))).boxed()
}

/// The batches that loaders have begun.
struct Driven {
    begun: UnboundedReceiver<Begun>,
    running: FuturesUnordered<Begun>,
    /// The most that run at once; the others wait.
    most: usize,
}

impl Driven {
    fn new(most: usize) -> (Work, Self) {
        let (sender, begun) = unbounded_channel();
        // When nobody receives any more, the answer is gone, and with it all who wait.
        let work: Work = Box::new(move |work| drop(sender.send(work)));
        (work, Self { begun, running: FuturesUnordered::new(), most })
    }

    fn drive<T>(&mut self, cx: &mut Context<'_>, mut answer: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        loop {
            let turn = Arc::new(Turn { wanted: AtomicBool::new(false), task: cx.waker().clone() });
            if let Poll::Ready(answer) = answer(&mut Context::from_waker(&Waker::from(Arc::clone(&turn)))) {
                return Poll::Ready(answer);
            }
            if turn.wanted.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            while self.running.len() < self.most
                && let Poll::Ready(Some(work)) = self.begun.poll_recv(cx)
            {
                self.running.push(work);
            }
            let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) else { return Poll::Pending };
        }
    }
}

/// Tells an answer that waits for others from one that has paused between two fields and wants to go on: large lists do
/// so, to let other tasks have their turn.
struct Turn {
    wanted: AtomicBool,
    task: Waker,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wanted.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}
