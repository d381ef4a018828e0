//! What the task of a split waits for, and what it asks meanwhile.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use ots_core::Call;
use ots_core::limiter::{Outcome, Permit};
use ots_core::request::send;
use ots_proto::messages::ParallelScanResponse;
use ots_proto::operation;
use tokio::sync::SemaphorePermit;
use tokio::time::{timeout, timeout_at};

use super::{Shared, Worker, poll_once};
use crate::failure::Failure;
use crate::plan::{Ask, ScanPlan};

impl<C: Call<operation::ParallelScan>> Worker<C> {
    /// Waits until fewer splits are read than may be.
    pub(super) async fn place(&self, first: &Ask) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        let Shared {
            places,
            keep_alive,
            plan,
            ..
        } = &*self.shared;
        let mut place = pin!(places.split());
        if let Some(place) = poll_once(place.as_mut()).await {
            return Ok(place);
        }
        // Those that are read keep the session alive, but not the token at which this one stands.
        if first.token().is_some() {
            let mut pages = plan.lock().pages();
            while let Some(pause) = keep_alive.pause() {
                let wait = timeout(pause, place.as_mut());
                if let Ok(place) = self.keeping_alive(first, wait).await? {
                    return Ok(place);
                }
                // While pages come nobody pauses, however long the others take.
                let before = std::mem::replace(&mut pages, plan.lock().pages());
                if before == pages {
                    break;
                }
            }
        }
        Ok(place.await)
    }

    /// Waits for something, and keeps the session alive meanwhile.
    pub(super) async fn keeping_alive<F: Future>(
        &self,
        ask: &Ask,
        wait: F,
    ) -> Result<F::Output, Failure> {
        let mut wait = pin!(wait);
        let mut asked = 0;
        // Also before its first page: all splits that go on may have ended meanwhile.
        while let Some(due) = self.shared.keep_alive.next(self.last_request(), asked) {
            match timeout_at(due, wait.as_mut()).await {
                Ok(output) => return Ok(output),
                Err(_) => asked += 1,
            }
            let mut ping = pin!(self.ping(ask));
            let output = poll_fn(|cx| {
                if let Poll::Ready(output) = wait.as_mut().poll(cx) {
                    return Poll::Ready(Ok(Some(output)));
                }
                ping.as_mut().poll(cx).map_ok(|()| None)
            });
            if let Some(output) = output.await? {
                return Ok(output);
            }
        }
        Ok(wait.await)
    }

    /// Keeps the session alive. The page that comes next is asked for again when it is wanted, as it is
    /// after an answer that was lost.
    async fn ping(&self, ask: &Ask) -> Result<(), Failure> {
        let _place = self.shared.places.request().await;
        // Ahead of those who lose nothing by waiting.
        let permit = self.shared.limiter.acquire_urgent().await;
        match self.one_row(ask, permit, ScanPlan::kept_alive).await {
            // The page itself will fail too, or won't.
            Err(failure @ Failure::Call { .. }) if !failure.ends_the_session() => Ok(()),
            asked => asked.map(drop),
        }
    }

    /// Whoever read up to here has asked ahead, and nobody got those pages. So in a scan that was
    /// resumed a row is asked for before its page is, until one came: if it doesn't come again, the
    /// service leads on by itself, and has led on over those pages too.
    pub(super) async fn prove(&self, ask: &Ask) -> Result<(), Failure> {
        let _place = self.shared.places.request().await;
        let permit = self.permit().await;
        let came = self.one_row(ask, permit, ScanPlan::probed).await?;
        self.asked().unproved = !came;
        Ok(())
    }

    /// Asks for one row of the page that comes next, and throws it away: whether there was one.
    async fn one_row(
        &self,
        ask: &Ask,
        permit: Permit,
        count: fn(&mut ScanPlan, u32, u32),
    ) -> Result<bool, Failure> {
        let shared = &*self.shared;
        // From here on, also should nobody wait for the answer.
        self.ask_again(ask, None)?;
        self.touch();
        let answer = send(&*shared.call, self.request.page(ask).one_row()).await;
        permit.finish(Outcome::of(&answer));
        self.touch();
        let reply = match answer {
            Ok(reply) => reply,
            Err(error) => {
                let (attempts, throttled) = (error.attempts().max(1), error.throttled());
                count(&mut shared.plan.lock(), attempts, throttled);
                return Err(Failure::Call {
                    split: ask.split(),
                    page: ask.page(),
                    error,
                });
            }
        };
        count(&mut shared.plan.lock(), reply.attempts, reply.throttled);
        let ParallelScanResponse { rows, next_token } = reply.response;
        let tokens = &mut self.asked().tokens;
        tokens.answer(ask.token(), !rows.is_empty(), next_token.as_ref(), 1);
        tokens.expect(ask.token(), rows.first());
        if tokens.have_moved() {
            // The row that came is gone from the scan.
            return Err(Failure::TokenMoved(ask.split()));
        }
        Ok(!rows.is_empty())
    }

    /// Waits for a permit: in the order in which splits came, until the session has not been asked for
    /// a third of its life; then ahead of those who lose nothing by waiting.
    pub(super) async fn permit(&self) -> Permit {
        let Shared {
            limiter,
            keep_alive,
            ..
        } = &*self.shared;
        match keep_alive.due(self.last_request()) {
            Some(due) => match timeout_at(due, limiter.acquire()).await {
                Ok(permit) => permit,
                Err(_) => limiter.acquire_urgent().await,
            },
            None => limiter.acquire().await,
        }
    }
}
