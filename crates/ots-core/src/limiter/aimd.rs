//! Additive increase, multiplicative decrease: where the limit goes after each request, without a
//! clock, a lock or a queue.

use super::Outcome;

/// The limit, and how it moves.
#[derive(Clone, Debug)]
pub(super) struct Aimd {
    /// Its whole part is the limit; the rest is growth that doesn't make a request yet.
    limit: f64,
    max: f64,
    /// Below this the limit doubles in a round; above, it grows by one.
    threshold: f64,
    /// Counts how often the limit fell.
    falls: u64,
    is_fixed: bool,
}

/// When a request began: after which fall of the limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket(u64);

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_truncation,
    reason = "a limit is between one and a semaphore's most; whole numbers of that size are exact \
              in an f64, or differ from it by a request in quadrillions"
)]
impl Aimd {
    pub(super) fn fixed(requests: usize) -> Self {
        Self {
            is_fixed: true,
            ..Self::adaptive(requests, requests)
        }
    }

    pub(super) fn adaptive(start: usize, max: usize) -> Self {
        let max = max as f64;
        Self {
            limit: start as f64,
            max,
            threshold: max,
            falls: 0,
            is_fixed: false,
        }
    }

    /// How many requests may be in flight.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    pub(super) fn max(&self) -> usize {
        self.max as usize
    }

    /// A request begins.
    pub(super) const fn begin(&self) -> Ticket {
        Ticket(self.falls)
    }

    /// A request ends, one of `in_flight`.
    pub(super) fn finish(&mut self, ticket: Ticket, outcome: Outcome, in_flight: usize) {
        if self.is_fixed {
            return;
        }
        match outcome {
            // A limit that nobody reaches proves nothing by answers: it must not grow while idle, or
            // the next rush would meet a limit that was never tried.
            Outcome::Answered if in_flight.saturating_mul(2) >= self.limit() => {
                let growth = if self.limit < self.threshold {
                    1.0
                } else {
                    1.0 / self.limit
                };
                self.limit = (self.limit + growth).min(self.max);
            }
            // Requests that began before the limit fell were sent at the old rate. Their throttling is
            // the same news again: a round of eight must halve the limit once, not eight times.
            Outcome::Throttled if ticket.0 == self.falls => {
                self.limit = (self.limit / 2.0).floor().max(1.0);
                self.threshold = self.limit;
                self.falls += 1;
            }
            Outcome::Answered | Outcome::Throttled | Outcome::Neutral => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A full round: as many requests as the limit allows, all with the same outcome.
    fn round(aimd: &mut Aimd, outcome: Outcome) -> usize {
        let tickets: Vec<_> = (0..aimd.limit()).map(|_| aimd.begin()).collect();
        for (ended, ticket) in tickets.iter().enumerate() {
            aimd.finish(*ticket, outcome, tickets.len() - ended);
        }
        aimd.limit()
    }

    #[test]
    fn the_limit_soon_reaches_its_maximum_and_stays() {
        let mut aimd = Aimd::adaptive(2, 20);
        let mut rounds = 0;
        while aimd.limit() < 20 {
            round(&mut aimd, Outcome::Answered);
            rounds += 1;
        }
        assert!(rounds <= 8, "{rounds}");
        assert_eq!(round(&mut aimd, Outcome::Answered), 20);
    }

    #[test]
    fn a_throttled_round_halves_the_limit_once_and_growth_is_slow_after_it() {
        let mut aimd = Aimd::adaptive(16, 64);
        assert_eq!(round(&mut aimd, Outcome::Throttled), 8);
        for _ in 0..4 {
            let before = aimd.limit();
            let after = round(&mut aimd, Outcome::Answered);
            assert!(after <= before + 1, "{before} to {after}");
        }
        assert!(aimd.limit() > 8);
    }

    #[test]
    fn the_limit_never_falls_below_one() {
        let mut aimd = Aimd::adaptive(3, 8);
        for _ in 0..5 {
            round(&mut aimd, Outcome::Throttled);
        }
        assert_eq!(aimd.limit(), 1);
        round(&mut aimd, Outcome::Answered);
        assert_eq!(aimd.limit(), 2, "and it comes back");
    }

    #[test]
    fn a_limit_that_is_not_used_does_not_grow() {
        let mut aimd = Aimd::adaptive(8, 64);
        for _ in 0..100 {
            let ticket = aimd.begin();
            aimd.finish(ticket, Outcome::Answered, 1);
        }
        assert_eq!(aimd.limit(), 8);
    }

    #[test]
    fn other_failures_move_nothing() {
        let mut aimd = Aimd::adaptive(8, 64);
        assert_eq!(round(&mut aimd, Outcome::Neutral), 8);
    }
}
