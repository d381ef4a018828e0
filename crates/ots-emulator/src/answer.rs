//! What becomes of a request: an answer, or what a fault leaves of it.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

/// What becomes of a request. Without faults it is a whole reply, at once.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// How long the reply is held back, in real time.
    pub delay: Duration,
    /// The reply.
    pub reply: Reply,
}

/// What a client gets to see.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reply {
    /// A response.
    Whole(Response<Bytes>),
    /// A response whose connection ends before its body does.
    Cut {
        /// The response, with the part of the body that comes.
        response: Response<Bytes>,
        /// Bytes the whole body has.
        whole_bytes: usize,
    },
    /// The connection ends without a response.
    Lost,
}

impl Answer {
    pub(crate) const fn at_once(response: Response<Bytes>) -> Self {
        Self {
            delay: Duration::ZERO,
            reply: Reply::Whole(response),
        }
    }

    pub(crate) const fn lost() -> Self {
        Self {
            delay: Duration::ZERO,
            reply: Reply::Lost,
        }
    }

    /// The answer as one who can't see connections sees it: without delay, a cut one with the part
    /// of its body that came, a lost one as the 503 of a gateway that lost its service, without any
    /// of the service's headers.
    pub(crate) fn into_response(self) -> Response<Bytes> {
        match self.reply {
            Reply::Whole(response) | Reply::Cut { response, .. } => response,
            Reply::Lost => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                response
            }
        }
    }
}
