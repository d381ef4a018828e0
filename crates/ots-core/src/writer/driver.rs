//! The tasks of a writer: one that cuts batches, and one for each batch under way.

use std::sync::Arc;

use ots_proto::plainbuffer::write_changes;
use ots_proto::{PrimaryKey, operation};

use super::queue::Entry;
use super::shared::{Accepted, Due, Shared};
use super::{Outcome, Settled};
use crate::call::Call;
use crate::client::Client;
use crate::limiter::Permit;
use crate::request::batch::{Pace, WriteRows, settle};
use crate::request::frame_of;
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
    let rows = under_way.encode();
    let client = shared.client.as_ref();
    let pace = Pace {
        policy: &*shared.retry,
        clock: &*shared.clock,
        random: &|| client.map_or_else(fastrand::f64, Client::random),
        turn: &|pause, elapsed| match client {
            Some(client) => {
                let time_left = shared.retry.deadline().saturating_sub(elapsed);
                // What the policy itself allows is never too late.
                client.turn(pause, time_left.max(pause))
            }
            // The limiter spares the service too: it halves with every round that is throttled.
            None => Turn::After(pause),
        },
        limiter: Some(&shared.limiter),
        abandoned: Some(&shared.abandoned),
    };
    let reply = settle(&*call, &rows, &pace, Some(permit)).await;
    shared.count_batch(reply.attempts);
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
    /// What isn't encoded yet.
    entries: Vec<Entry<T>>,
    /// What is reported of the others.
    reports: Vec<(T, PrimaryKey)>,
    /// What to let go of when they were reported.
    accepted: Vec<Accepted>,
}

impl<T: Send> UnderWay<T> {
    fn new(shared: Arc<Shared<T>>, entries: Vec<Entry<T>>) -> Self {
        Self {
            shared,
            accepted: entries.iter().map(Accepted::of).collect(),
            entries,
            reports: Vec::new(),
        }
    }

    /// The rows as they are sent. Of each row itself only the key is kept.
    fn encode(&mut self) -> WriteRows {
        let bytes = self.entries.iter().map(|entry| entry.wire_bytes).sum();
        let changes = write_changes(self.entries.iter().map(|entry| &entry.change), bytes);
        self.reports.reserve_exact(self.entries.len());
        let rows = self.entries.drain(..).zip(changes).map(|(entry, bytes)| {
            let mut message = entry
                .frame
                .map_or_else(|| frame_of(&entry.change), |frame| *frame);
            message.row_change = bytes;
            let key = entry.change.into_primary_key();
            self.reports.push((entry.tag, key));
            (message, entry.may_repeat)
        });
        WriteRows::of_table(self.shared.table.clone(), rows)
    }

    /// Reports every row, with these outcomes in turn. Where they end too soon, nobody knows what became
    /// of the rest, and that is said.
    fn report(&mut self, outcomes: impl Iterator<Item = Outcome>) {
        let unknown = || Outcome::Abandoned { may_have_run: true };
        let outcomes = outcomes.chain(std::iter::repeat_with(unknown));
        let encoded = self.reports.drain(..);
        let left = self.entries.drain(..);
        let left = left.map(|entry| (entry.tag, entry.change.into_primary_key()));
        let settled = encoded.chain(left).zip(outcomes);
        let settled = settled.map(|((tag, key), outcome)| Settled { tag, key, outcome });
        let settled: Vec<_> = settled.collect();
        if !settled.is_empty() {
            self.shared.report(settled);
        }
    }
}

impl<T: Send> Drop for UnderWay<T> {
    fn drop(&mut self) {
        self.report(std::iter::empty());
        self.shared.settle(std::mem::take(&mut self.accepted));
    }
}
