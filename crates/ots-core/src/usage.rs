//! What a client has used so far, counted.

use std::sync::atomic::{AtomicU64, Ordering};

use ots_proto::operation::Operation;

use crate::request::Consumed;

/// What a client and its clones have used since it was built: numbers that only grow.
///
/// ```
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::request::ListTable;
///
/// let before = client.usage();
/// client.send(ListTable::new()).await?;
/// let after = client.usage();
/// println!("{} bytes came", after.bytes_received - before.bytes_received);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Calls that began. Those under way, and those whose futures were dropped, are neither among
    /// the failed nor told apart from the answered.
    pub calls: u64,
    /// Calls that ended in an error.
    pub failed_calls: u64,
    /// Requests, each repetition counted.
    pub attempts: u64,
    /// Requests that repeated one that failed.
    pub retries: u64,
    /// Bytes of the bodies of requests, as sent.
    pub bytes_sent: u64,
    /// Bytes of the bodies of answers, as received.
    pub bytes_received: u64,
    /// Capacity units, as far as answers state them: refusals don't, although they may cost some.
    pub consumed: Consumed,
}

/// The numbers while they grow.
#[derive(Debug, Default)]
pub(crate) struct UsageCounters {
    pub(crate) calls: Counter,
    pub(crate) failed_calls: Counter,
    pub(crate) attempts: Counter,
    pub(crate) retries: Counter,
    pub(crate) bytes_sent: Counter,
    pub(crate) bytes_received: Counter,
    pub(crate) read_units: Counter,
    pub(crate) write_units: Counter,
}

impl UsageCounters {
    /// The numbers now. Not of one moment, if calls are under way: each is read by itself.
    pub(crate) fn snapshot(&self) -> Usage {
        let consumed = Consumed {
            read: self.read_units.get(),
            write: self.write_units.get(),
        };
        Usage {
            calls: self.calls.get(),
            failed_calls: self.failed_calls.get(),
            attempts: self.attempts.get(),
            retries: self.retries.get(),
            bytes_sent: self.bytes_sent.get(),
            bytes_received: self.bytes_received.get(),
            consumed,
        }
    }
}

/// The capacity units that an answer states.
pub(crate) fn consumed<O: Operation>(response: &O::Response) -> Consumed {
    let mut sum = Consumed::default();
    O::consumed(response, &mut |part| {
        sum += Consumed::from_message(Some(part));
    });
    sum
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Numbers for reports: nobody draws conclusions from the order in which they grow.
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
