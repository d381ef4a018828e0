//! What the requests of a command took, counted where they are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ots_core::{Call, Error, Reply};
use ots_proto::operation::Operation;
use prost::Message as _;

/// Calls that are counted on their way. Clones count together.
#[derive(Clone, Debug)]
pub struct Counted<C> {
    call: C,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    retries: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

/// What the requests took so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Requests, however often each was sent.
    pub requests: u64,
    /// How often one was sent again.
    pub retries: u64,
    /// Bytes of the requests, each counted once.
    pub sent_bytes: u64,
    /// Bytes of the answers.
    pub received_bytes: u64,
}

impl<C> Counted<C> {
    /// Counts from nothing.
    pub fn new(call: C) -> Self {
        Self {
            call,
            counts: Arc::default(),
        }
    }

    /// What the finished calls took.
    pub fn tally(&self) -> Tally {
        let Counts {
            requests,
            retries,
            sent,
            received,
        } = &*self.counts;
        Tally {
            requests: requests.load(Ordering::Relaxed),
            retries: retries.load(Ordering::Relaxed),
            sent_bytes: sent.load(Ordering::Relaxed),
            received_bytes: received.load(Ordering::Relaxed),
        }
    }
}

impl<O: Operation, C: Call<O>> Call<O> for Counted<C> {
    async fn call(&self, request: O::Request) -> Result<Reply<O::Response>, Error> {
        let bytes = request.encoded_len();
        let outcome = self.call.call(request).await;
        let (attempts, received) = match &outcome {
            Ok(reply) => (reply.attempts, reply.body_bytes),
            Err(error) => (error.attempts(), 0),
        };
        let add = |count: &AtomicU64, more: u64| count.fetch_add(more, Ordering::Relaxed);
        add(&self.counts.requests, 1);
        add(&self.counts.retries, attempts.saturating_sub(1).into());
        add(&self.counts.sent, bytes as u64);
        add(&self.counts.received, received as u64);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use ots_proto::messages::{ListTableRequest, ListTableResponse};
    use ots_proto::operation;

    use super::*;

    /// Answers at the third attempt.
    #[derive(Clone)]
    struct Third;

    impl Call<operation::ListTable> for Third {
        async fn call(&self, _: ListTableRequest) -> Result<Reply<ListTableResponse>, Error> {
            let mut reply = Reply::new(ListTableResponse::default());
            (reply.attempts, reply.body_bytes) = (3, 70);
            Ok(reply)
        }
    }

    #[tokio::test]
    async fn clones_count_together() {
        let counted = Counted::new(Third);
        for call in [counted.clone(), counted.clone()] {
            call.call(ListTableRequest::default()).await.unwrap();
        }
        let expected = Tally {
            requests: 2,
            retries: 4,
            sent_bytes: 0,
            received_bytes: 140,
        };
        assert_eq!(counted.tally(), expected);
    }
}
