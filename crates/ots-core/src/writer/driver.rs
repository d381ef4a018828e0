//! The tasks of a writer: one that cuts batches, and one for each batch under way.

use std::sync::Arc;

use ots_proto::messages::RowInBatchWriteRowRequest;
use ots_proto::{PrimaryKey, operation};

use super::Outcome;
use super::queue::Entry;
use super::shared::{Accepted, Due, Shared};
use crate::call::Call;
use crate::limiter::Permit;
use crate::request::batch::{Pace, WriteRows, settle};
use crate::retry::Turn;

/// Cuts batches until the handle is gone.
pub(super) async fn run<C, T>(call: C, shared: Arc<Shared<T>>)
where
    C: Call<operation::BatchWriteRow> + 'static,
    T: Send + 'static,
{
    let call = Arc::new(call);
    loop {
        match shared.due() {
            Due::Now => {
                // The batch is cut when there is room for it: until then it may grow.
                let permit = shared.limiter.acquire().await;
                let entries = shared.take();
                // Abandoned meanwhile, or taken back.
                if !entries.is_empty() {
                    let under_way = UnderWay::new(Arc::clone(&shared), entries);
                    tokio::spawn(send(Arc::clone(&call), under_way, permit));
                }
            }
            Due::At(at) => {
                // Which of the two it was, `due` says.
                tokio::time::timeout_at(at, shared.changed()).await.ok();
            }
            Due::Never => shared.changed().await,
            Due::Ended => return,
        }
    }
}

/// Sends a batch until each of its rows is settled, and reports them.
async fn send<C, T>(call: Arc<C>, mut under_way: UnderWay<T>, permit: Permit)
where
    C: Call<operation::BatchWriteRow>,
    T: Send,
{
    let shared = Arc::clone(&under_way.shared);
    let rows = std::mem::take(&mut under_way.rows);
    let rows = WriteRows::of_table(shared.table.clone(), rows);
    let pace = Pace {
        policy: &*shared.retry,
        clock: &*shared.clock,
        random: &fastrand::f64,
        // The limiter is what spares the service: it halves with every round that is throttled.
        turn: &|pause, _| Turn::After(pause),
        limiter: Some(&shared.limiter),
        abandoned: Some(&shared.abandoned),
    };
    let reply = settle(&*call, &rows, &pace, Some(permit)).await;
    shared.count_requests(reply.attempts);
    let outcomes = reply.into_inner().into_iter().map(|settled| {
        let may_have_run = settled.may_have_run;
        match settled.result {
            Ok(reply) => Outcome::Written(reply),
            Err(error) => Outcome::Failed {
                error,
                may_have_run,
            },
        }
    });
    under_way.report(outcomes);
}

/// The rows of a batch that was sent. Whatever ends its task, each is reported.
struct UnderWay<T: Send> {
    shared: Arc<Shared<T>>,
    /// What is sent of them, each with whether it may be sent twice.
    rows: Vec<(RowInBatchWriteRowRequest, bool)>,
    /// What is reported of them.
    reports: Vec<(T, PrimaryKey)>,
    /// What to let go of when they were reported.
    accepted: Vec<Accepted>,
    is_reporting: bool,
}

impl<T: Send> UnderWay<T> {
    fn new(shared: Arc<Shared<T>>, entries: Vec<Entry<T>>) -> Self {
        let accepted = entries.iter().map(Accepted::of).collect();
        let mut rows = Vec::with_capacity(entries.len());
        let mut reports = Vec::with_capacity(entries.len());
        for entry in entries {
            rows.push((entry.message, entry.may_repeat));
            reports.push((entry.tag, entry.key));
        }
        Self {
            shared,
            rows,
            reports,
            accepted,
            is_reporting: false,
        }
    }

    fn report(&mut self, outcomes: impl Iterator<Item = Outcome>) {
        self.is_reporting = true;
        let reports = std::mem::take(&mut self.reports);
        for ((tag, key), outcome) in reports.into_iter().zip(outcomes) {
            self.shared.report(tag, key, outcome);
        }
        self.is_reporting = false;
    }
}

impl<T: Send> Drop for UnderWay<T> {
    fn drop(&mut self) {
        // A report that panicked isn't called again: a second panic would end the process.
        if !self.is_reporting {
            let lost = || Outcome::Abandoned { may_have_run: true };
            self.report(std::iter::repeat_with(lost));
        }
        self.shared.settle(std::mem::take(&mut self.accepted));
    }
}
