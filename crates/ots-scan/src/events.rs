//! A scan that says when it began anew.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use ots_core::Error;

use crate::engine::{Engine, Item};
use crate::error::ScanError;
use crate::page::ScanPage;
use crate::progress::ScanProgress;
use crate::session::ScanSession;
use crate::split::Split;

/// A scan under way: a stream of [`ScanEvent`]s. Everything else is as with [`Scan`](crate::Scan).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ScanEvents(Engine<ScanPage>);

/// What a scan has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScanEvent {
    /// A page of the current session.
    Page(ScanPage),
    /// The session was lost, and every page from here on is of another.
    Restarted(Restarted),
}

/// A session was lost, and the scan has begun anew in another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Restarted {
    /// The number of the new session: 1 for the second.
    pub generation: u32,
    /// The split that was told so.
    pub split: Split,
    /// What the service said.
    pub cause: Error,
    /// How far the lost session was read.
    pub progress: ScanProgress,
    /// Whether the rows given so far stand: under
    /// [`ExactlyOnce`](crate::OnSessionLoss::ExactlyOnce) they do and won't come again. Under
    /// [`Restart`](crate::OnSessionLoss::Restart) all rows come again, and the caller forgets them.
    pub rows_stand: bool,
}

impl ScanEvents {
    pub(crate) const fn new(engine: Engine<ScanPage>) -> Self {
        Self(engine)
    }

    /// The session that the scan reads in now; none for a scan without one.
    #[must_use]
    pub const fn session(&self) -> Option<&ScanSession> {
        self.0.setup.session.as_ref()
    }

    /// How many splits the session is divided into.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.0.setup.plan.lock().max_parallel()
    }

    /// How far the scan is.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.0.setup.progress()
    }
}

impl Stream for ScanEvents {
    type Item = Result<ScanEvent, ScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.get_mut().0.poll(cx));
        Poll::Ready(item.map(|item| {
            Ok(match item? {
                Item::Page(page) => ScanEvent::Page(page),
                Item::Restarted(restarted) => ScanEvent::Restarted(restarted),
            })
        }))
    }
}

impl FusedStream for ScanEvents {
    fn is_terminated(&self) -> bool {
        self.0.is_ended()
    }
}
