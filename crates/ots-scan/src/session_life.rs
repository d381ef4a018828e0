//! What a checkpoint must know of its session, beyond how far its splits are read.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How long a session has to live, and whether a scan can go on in it: for all scans of one session in
/// this process, and for their tasks.
#[derive(Debug)]
pub(crate) struct SessionLife {
    alive_time: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    expires_at: SystemTime,
    can_go_on: bool,
}

impl SessionLife {
    /// Of a session that was just opened, or of which nothing is known.
    pub(crate) fn new(alive_time: Duration) -> Self {
        Self::until(after(SystemTime::now(), alive_time), alive_time)
    }

    /// Of a session that is gone then, unless it is asked before.
    pub(crate) const fn until(expires_at: SystemTime, alive_time: Duration) -> Self {
        let state = State {
            expires_at,
            can_go_on: true,
        };
        Self {
            alive_time,
            state: Mutex::new(state),
        }
    }

    /// The session was asked something now, or answered.
    pub(crate) fn asked(&self) {
        // By the computer's clock: another process reads it, and a computer that slept was away.
        let expires_at = after(SystemTime::now(), self.alive_time);
        self.lock().expires_at = expires_at;
    }

    /// The session is gone, or its tokens can't be asked again: nobody goes on in it.
    pub(crate) fn end(&self) {
        self.lock().can_go_on = false;
    }

    /// When the session is gone if nobody asks it anything; none when nobody can go on in it.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        let state = *self.lock();
        state.can_go_on.then_some(state.expires_at)
    }

    /// Held for the length of a decision, never across an await.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn after(now: SystemTime, alive_time: Duration) -> SystemTime {
    // Beyond the end of the calendar, which the service would refuse.
    now.checked_add(alive_time).unwrap_or(now)
}
