//! The same with this crate: the end is an end, and anything else an error; a session that is lost is
//! begun anew, and no row counted twice.

pub(crate) mod go_multi;
pub(crate) mod go_single;
pub(crate) mod java_iterator;
pub(crate) mod java_semaphore;

use ots_core::Client;
use ots_scan::{OnSessionLoss, ScanBuilder, parallel_scan};

/// Orders, each exactly once.
fn orders(client: &Client) -> ScanBuilder<Client> {
    parallel_scan(client.clone(), "orders", "orders_index")
        .limit(500)
        .on_session_loss(OnSessionLoss::ExactlyOnce { max: 3 })
}
