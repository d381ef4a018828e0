//! The body of a reply over a connection: whole, or with an end that comes too soon.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A body. One that is cut says how long it should be, and fails when what it has is sent.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    rest: Bytes,
    missing_bytes: usize,
    /// Whether what comes before the cut has had its chance to be sent.
    flushed: bool,
    /// Kept as long as the body is.
    _busy: Busy,
}

/// Held while a request is under way, from its last byte until its answer is handed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Busy(Arc<()>);

impl Busy {
    /// Whether anybody else holds it.
    pub(crate) fn is_held(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// The connection ends here: a fault wants it so.
#[derive(Debug)]
pub(crate) struct Lost;

impl ReplyBody {
    pub(crate) const fn whole(body: Bytes, busy: Busy) -> Self {
        Self {
            rest: body,
            missing_bytes: 0,
            flushed: false,
            _busy: busy,
        }
    }

    pub(crate) const fn cut(body: Bytes, whole_bytes: usize, busy: Busy) -> Self {
        let missing_bytes = whole_bytes.saturating_sub(body.len());
        Self {
            rest: body,
            missing_bytes,
            flushed: false,
            _busy: busy,
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Lost;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Lost>>> {
        if !self.rest.is_empty() {
            let all = self.rest.split_off(0);
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

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault rule ends the connection")
    }
}

impl std::error::Error for Lost {}
