//! A transport that plays a script: answers, failures, delays.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Transport, TransportError};

type Answer = Box<dyn FnOnce(&http::Request<Bytes>) -> http::Response<Bytes> + Send>;

/// What happens to one request.
#[non_exhaustive]
pub enum Step {
    /// It is answered.
    Answer(Answer),
    /// The connection fails before anything is written.
    FailBeforeSend,
    /// The connection breaks after the request was written.
    FailAfterSend,
    /// Time passes before the next step.
    Delay(Duration),
}

impl Step {
    /// An answer that depends on the request.
    pub fn answer(
        answer: impl FnOnce(&http::Request<Bytes>) -> http::Response<Bytes> + Send + 'static,
    ) -> Self {
        Self::Answer(Box::new(answer))
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(_) => f.write_str("Answer"),
            Self::FailBeforeSend => f.write_str("FailBeforeSend"),
            Self::FailAfterSend => f.write_str("FailAfterSend"),
            Self::Delay(time) => f.debug_tuple("Delay").field(time).finish(),
        }
    }
}

/// A transport that plays a script and keeps what was sent.
pub struct Scripted {
    steps: Mutex<VecDeque<Step>>,
    sent: Mutex<Vec<http::Request<Bytes>>>,
}

// Without the requests: their bodies are rows.
impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted")
            .field("steps_left", &self.steps_left())
            .finish_non_exhaustive()
    }
}

impl Scripted {
    /// A transport that plays `steps` in order.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = Mutex::new(steps.into_iter().collect());
        Self {
            steps,
            sent: Mutex::new(Vec::new()),
        }
    }

    /// The requests so far, in order.
    pub fn sent(&self) -> Vec<http::Request<Bytes>> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Steps that nobody has asked for yet.
    pub fn steps_left(&self) -> usize {
        self.steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    fn next(&self) -> Option<Step> {
        self.steps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request.clone());
        loop {
            match self.next() {
                Some(Step::Delay(time)) => tokio::time::sleep(time).await,
                Some(Step::Answer(answer)) => return Ok(answer(&request)),
                Some(Step::FailBeforeSend) => {
                    return Err(TransportError::not_sent("scripted: connection refused"));
                }
                Some(Step::FailAfterSend) => {
                    return Err(TransportError::unknown("scripted: connection reset"));
                }
                None => return Err(TransportError::not_sent("scripted: the script has ended")),
            }
        }
    }
}
