//! Response bodies and streams that record whether the client reads what is sent.
//!
//! They distinguish a client that reads nothing from an idle one. This works over HTTP/2 too, where the client opens a
//! flow-control window for each response.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::activity::{ActiveRequest, ConnectionActivity};

/// The size of the chunks in which a body is handed to the connection, in bytes. The connection buffers one chunk
/// whether or not the client reads.
const CHUNK: usize = 16 * 1024;

/// A response body that ends its request when it is dropped. The connection drops it after it has read the last byte.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: Body,
    /// The bytes that were read from the body but not yet passed to the connection.
    rest: Bytes,
    has_begun: bool,
    _request: ActiveRequest,
}

impl TrackedBody {
    /// Wraps the body of the response to a request.
    pub(super) fn new(body: Body, mut request: ActiveRequest) -> Self {
        request.start_response();
        Self { body, rest: Bytes::new(), has_begun: false, _request: request }
    }
}

impl hyper::body::Body for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.has_begun = true;
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => self.rest = data,
                Some(Ok(Err(trailers))) => return Poll::Ready(Some(Ok(trailers))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        // The last byte is handed over alone. The connection has room for it only once the other bytes have been sent,
        // so the body is not dropped earlier.
        let chunk = self.rest.len().saturating_sub(1).clamp(1, CHUNK).min(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(chunk)))))
    }

    /// Returns true for an empty body only.
    ///
    /// The end must not be announced together with the last chunk, because that chunk may still have to wait for room.
    fn is_end_stream(&self) -> bool {
        !self.has_begun && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body_hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body_hint.lower() + rest);
        if let Some(upper) = body_hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

/// The stream of a connection, which records whether a write has to wait for the client.
#[derive(Debug)]
pub(super) struct TrackedStream {
    stream: TokioIo<TcpStream>,
    activity: ConnectionActivity,
}

impl TrackedStream {
    /// Wraps the stream of a connection.
    pub(super) fn new(stream: TcpStream, activity: ConnectionActivity) -> Self {
        Self { stream: TokioIo::new(stream), activity }
    }

    fn record<T>(&self, written: Poll<T>) -> Poll<T> {
        self.activity.set_write_blocked(written.is_pending());
        written
    }
}

impl Read for TrackedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl Write for TrackedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.record(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.record(written)
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
