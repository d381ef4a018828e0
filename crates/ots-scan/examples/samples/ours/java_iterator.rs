//! Row by row; each is given for good, so it can be done with when it comes.
//!
//! Who wants the rows of one snapshot instead takes `OnSessionLoss::Restart`, and clears the list when
//! the scan says that it begins anew.

use futures::TryStreamExt as _;
use ots_core::{Client, Row};
use ots_scan::ScanError;

use super::orders;

pub(crate) async fn scan(client: &Client) -> Result<Vec<Row>, ScanError> {
    orders(client).open().await?.rows().try_collect().await
}
