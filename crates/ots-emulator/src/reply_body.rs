//! The body of a reply over a connection: whole, or with an end that comes too soon.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};

/// A body. One that is cut says how long it should be, and fails when what it has is sent.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    rest: Bytes,
    missing_bytes: usize,
    /// Whether the head, which may be all there is, has had its chance to be sent.
    flushed: bool,
    /// Woken when the last byte that there is was sent.
    waiting: Arc<Waiting>,
    /// Kept as long as the body is.
    busy: Busy,
}

/// What hyper is to send. It lets go of it when the system has taken its last byte.
#[derive(Debug)]
pub(crate) struct Unsent {
    bytes: Bytes,
    waiting: Arc<Waiting>,
    _busy: Busy,
}

/// Held while a request is under way, from its last byte until that of its answer is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy(Arc<()>);

impl Busy {
    /// Whether anybody else holds it.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// Who waits until there is nothing unsent any more.
#[derive(Debug, Default)]
struct Waiting(Mutex<Option<Waker>>);

impl Waiting {
    fn set(&self, waker: Option<Waker>) -> Option<Waker> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *waiting, waker)
    }
}

/// The connection ends here: a fault wants it so.
#[derive(Debug)]
pub(crate) struct Lost;

impl ReplyBody {
    pub(crate) fn whole(body: Bytes, busy: Busy) -> Self {
        let whole_bytes = body.len();
        Self::cut(body, whole_bytes, busy)
    }

    pub(crate) fn cut(body: Bytes, whole_bytes: usize, busy: Busy) -> Self {
        let missing_bytes = whole_bytes.saturating_sub(body.len());
        Self {
            rest: body,
            missing_bytes,
            flushed: false,
            waiting: Arc::default(),
            busy,
        }
    }
}

impl Body for ReplyBody {
    type Data = Unsent;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Unsent>, Lost>>> {
        if !self.rest.is_empty() {
            let all = Unsent {
                bytes: self.rest.split_off(0),
                waiting: Arc::clone(&self.waiting),
                _busy: self.busy.clone(),
            };
            return Poll::Ready(Some(Ok(Frame::data(all))));
        }
        if self.missing_bytes == 0 {
            return Poll::Ready(None);
        }
        // hyper forgets what it has not sent when a body fails; while a body waits, it sends.
        if !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        // One task polls the body and drops what was sent, so nothing is dropped between these two.
        if Arc::strong_count(&self.waiting) > 1 {
            self.waiting.set(Some(context.waker().clone()));
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Lost)))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.missing_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self.rest.len().saturating_add(self.missing_bytes);
        SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

impl Buf for Unsent {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        // The waker only schedules: this one is gone when the body is polled again.
        if let Some(waker) = self.waiting.set(None) {
            waker.wake();
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault rule ends the connection")
    }
}

impl std::error::Error for Lost {}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(body: &mut ReplyBody) -> Poll<Option<Result<Frame<Unsent>, Lost>>> {
        Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
    }

    fn data(body: &mut ReplyBody) -> Unsent {
        match poll(body) {
            Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_under_way_until_the_last_byte_of_its_answer_is_sent() {
        let busy = Busy::default();
        let mut body = ReplyBody::whole(Bytes::from_static(b"answer"), busy.clone());
        let unsent = data(&mut body);
        // hyper drops a body when it has given all that it has.
        assert!(body.is_end_stream());
        drop(body);
        assert!(busy.is_held());
        drop(unsent);
        assert!(!busy.is_held());
    }

    #[test]
    fn a_body_that_is_cut_fails_when_what_it_has_is_sent() {
        let busy = Busy::default();
        let mut body = ReplyBody::cut(Bytes::from_static(b"ans"), 6, busy);
        assert_eq!(body.size_hint().exact(), Some(6));
        let mut unsent = data(&mut body);
        assert!(poll(&mut body).is_pending());
        assert!(poll(&mut body).is_pending());
        unsent.advance(3);
        assert!(poll(&mut body).is_pending());
        drop(unsent);
        assert!(matches!(poll(&mut body), Poll::Ready(Some(Err(Lost)))));
    }
}
