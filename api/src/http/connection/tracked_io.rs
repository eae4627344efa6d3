//! Answers on their way out. A client that takes nothing of them must be told from one that is idle, over HTTP/2 too, where a
//! client says of each answer how much of it it takes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::activity::{Begun, Client};

/// How much is handed over at once, in bytes: that much lies with the connection whether or not the client takes it.
const PIECE: usize = 16 * 1024;

/// The body of an answer. Its request has not ended before this is dropped, which is when the last of it goes.
#[derive(Debug)]
pub(in crate::http) struct Handed {
    body: Body,
    /// What has been taken out of the body, and has not been handed over.
    rest: Bytes,
    is_begun: bool,
    _request: Begun,
}

impl Handed {
    pub(in crate::http) fn new(body: Body, mut request: Begun) -> Self {
        request.is_answered();
        Self { body, rest: Bytes::new(), is_begun: false, _request: request }
    }
}

impl hyper::body::Body for Handed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_begun = true;
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        // The last byte goes alone: it finds room only once the others have gone, so no answer is dropped before.
        let piece = self.rest.len().saturating_sub(1).clamp(1, PIECE).min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    /// Whether there is nothing to hand over. The end is not told with the last piece, which may have to wait for its room.
    fn is_end_stream(&self) -> bool {
        !self.is_begun && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, of_body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(of_body.lower() + rest);
        if let Some(upper) = of_body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

/// The wire of a connection, which notes whether the client takes what is written.
#[derive(Debug)]
pub(in crate::http) struct Wire {
    stream: TokioIo<TcpStream>,
    client: Client,
}

impl Wire {
    pub(in crate::http) fn new(stream: TcpStream, client: Client) -> Self {
        Self { stream: TokioIo::new(stream), client }
    }

    fn noted<T>(&self, written: Poll<T>) -> Poll<T> {
        self.client.is_stuck(written.is_pending());
        written
    }
}

impl Read for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl Write for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
