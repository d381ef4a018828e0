//! How many splits of a scan are read at once.

use std::num::NonZeroU32;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Places for splits that are read. A scan that divides its session itself has one for each of them;
/// where it was given more splits than may be read at once, the next takes the place of one that ended.
#[derive(Debug)]
pub(crate) struct Places {
    splits: Semaphore,
    /// For requests, where splits that wait are kept alive too: so that there are no more in flight than
    /// places. Those that are read have one request each.
    requests: Option<Semaphore>,
}

impl Places {
    pub(crate) fn new(splits: u32, most: NonZeroU32) -> Self {
        let most = usize::try_from(most.get()).unwrap_or(usize::MAX);
        let places = || Semaphore::new(most.min(Semaphore::MAX_PERMITS));
        let fit = usize::try_from(splits).is_ok_and(|splits| splits <= most);
        Self {
            splits: places(),
            requests: (!fit).then(places),
        }
    }

    /// Waits until fewer splits are read than may be.
    pub(crate) async fn split(&self) -> Option<SemaphorePermit<'_>> {
        // Refused only after `close`, which nobody calls.
        self.splits.acquire().await.ok()
    }

    /// Waits until fewer requests are in flight than splits may be read.
    pub(crate) async fn request(&self) -> Option<SemaphorePermit<'_>> {
        self.requests.as_ref()?.acquire().await.ok()
    }
}
