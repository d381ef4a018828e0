//! The bound on requests in flight.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A bound on requests in flight, which scans can share.
///
/// A permit covers one request, retries included. It is taken when there is room for the answer,
/// and given back before the page is handed over, so that a scan whose caller is slow, or has stopped
/// reading, starves no other.
///
/// ```
/// use ots_scan::{Permits, parallel_scan};
///
/// # fn example(client: std::sync::Arc<ots_core::Client>) {
/// // Two scans, four requests in flight between them.
/// let permits = Permits::new(4);
/// let orders = parallel_scan(client.clone(), "orders", "orders_index").permits(permits.clone());
/// let flights = parallel_scan(client, "flights", "flights_index").permits(permits);
/// # }
/// ```
///
/// Those who wait are served in the order in which they came.
#[derive(Clone, Debug)]
pub struct Permits(Arc<Semaphore>);

impl Permits {
    /// At most `requests` in flight; at least one, or nothing would ever be asked.
    #[must_use]
    pub fn new(requests: usize) -> Self {
        Self(Arc::new(Semaphore::new(
            requests.clamp(1, Semaphore::MAX_PERMITS),
        )))
    }

    /// How many requests could start now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.0.available_permits()
    }

    pub(crate) async fn acquire(&self) -> Permit {
        // Refused only after `close`, which nobody calls.
        Permit {
            _held: Arc::clone(&self.0).acquire_owned().await.ok(),
        }
    }
}

/// The right to have one request in flight, given back on drop.
#[derive(Debug)]
pub(crate) struct Permit {
    _held: Option<OwnedSemaphorePermit>,
}
