//! One connection: its time limits, and counting what is in flight on it.
//!
//! The limits follow requests, not bytes, so that nobody stretches them by sending a little now and
//! then:
//!
//! | state | ends after |
//! | --- | --- |
//! | idle: no request in flight | [`ServerLimits::idle_timeout`](super::ServerLimits) |
//! | head: the first byte of an HTTP/1 request has come | [`ServerLimits::header_timeout`](super::ServerLimits) |
//! | busy: a request or its answer is under way | never, but the body has a limit of its own |
//! | the other side takes nothing we send | [`ServerLimits::write_stall_timeout`](super::ServerLimits) |
//!
//! The watch over the first three stands beside the connection, not in its reads: while a request is
//! busy, hyper leaves a read pending and does not try again when the answer is done.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use super::ServerLimits;
use crate::clock;

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    limits: ServerLimits,
    now: Mutex<Doing>,
}

#[derive(Debug)]
struct Doing {
    in_flight: usize,
    /// Bytes of a head have come and no request yet.
    in_head: bool,
    /// When the connection ends unless a request begins; not heeded while one is in flight.
    deadline: Instant,
}

impl Activity {
    fn new(limits: ServerLimits) -> Self {
        let doing = Doing {
            in_flight: 0,
            in_head: true,
            deadline: from_now(limits.header_timeout),
        };
        Self {
            limits,
            now: Mutex::new(doing),
        }
    }

    fn doing(&self) -> MutexGuard<'_, Doing> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request until what is given back is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        let mut doing = self.doing();
        doing.in_flight = doing.in_flight.saturating_add(1);
        doing.in_head = false;
        InFlight(self.clone())
    }

    fn end(&self) {
        let mut doing = self.doing();
        doing.in_flight = doing.in_flight.saturating_sub(1);
        doing.deadline = from_now(self.limits.idle_timeout);
    }

    /// Bytes came on an HTTP/1 connection.
    fn heard(&self) {
        let mut doing = self.doing();
        if doing.in_flight == 0 && !doing.in_head {
            doing.in_head = true;
            doing.deadline = from_now(self.limits.header_timeout);
        }
    }

    /// Comes back when the connection has been idle, or in a head, for too long.
    pub(super) async fn dawdled(self: Arc<Self>) {
        let busy_look = self.limits.header_timeout.min(self.limits.idle_timeout);
        let mut next = from_now(self.limits.header_timeout);
        loop {
            tokio::time::sleep_until(next).await;
            let now = from_now(Duration::ZERO);
            let doing = self.doing();
            next = match doing.in_flight {
                0 if doing.deadline <= now => return,
                // A deadline may come nearer when a head begins; look at least that often.
                0 => doing.deadline.min(now + busy_look),
                _ => now + busy_look,
            };
        }
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The body of an answer; its request is in flight until the last of it is handed over.
pub(super) struct Answering {
    body: Body,
    _in_flight: InFlight,
}

impl Answering {
    pub(super) fn new(body: Body, in_flight: InFlight) -> Self {
        Self {
            body,
            _in_flight: in_flight,
        }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The first bytes tell the protocols apart: no HTTP/1 method that we serve begins so.
const HTTP2_BEGINS: &[u8; 3] = b"PRI";

/// A connection that tells its [`Activity`] and gives up on one who takes nothing.
pub(super) struct Watched<S> {
    inner: S,
    /// Read to tell the protocol, not yet handed on.
    first: Vec<u8>,
    is_http2: bool,
    activity: Arc<Activity>,
    write_deadline: Option<Pin<Box<Sleep>>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    /// Reads the first bytes of `inner`. `None` if they do not come in time, or the other side left.
    pub(super) async fn begin(mut inner: S, limits: ServerLimits) -> Option<Self> {
        let mut first = [0; HTTP2_BEGINS.len()];
        let read = inner.read_exact(&mut first);
        match tokio::time::timeout(limits.header_timeout, read).await {
            Ok(Ok(_)) => {}
            _ => return None,
        }
        Some(Self {
            inner,
            is_http2: first == *HTTP2_BEGINS,
            first: first.to_vec(),
            activity: Arc::new(Activity::new(limits)),
            write_deadline: None,
        })
    }

    pub(super) fn is_http2(&self) -> bool {
        self.is_http2
    }

    pub(super) fn activity(&self) -> Arc<Activity> {
        self.activity.clone()
    }

    fn poll_stalled<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write_deadline = None;
            return result;
        }
        let limit = self.activity.limits.write_stall_timeout;
        let deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

fn from_now(limit: Duration) -> Instant {
    Instant::from_std(clock::instant()) + limit
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.first.is_empty() {
            let taken = this.first.len().min(buffer.remaining());
            buffer.put_slice(this.first.get(..taken).unwrap_or_default());
            this.first.drain(..taken);
            return Poll::Ready(Ok(()));
        }
        let result = Pin::new(&mut this.inner).poll_read(cx, buffer);
        if result.is_ready() && !this.is_http2 {
            this.activity.heard();
        }
        result
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.poll_stalled(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.poll_stalled(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.poll_stalled(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.poll_stalled(cx, result)
    }
}
