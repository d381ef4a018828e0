//! Where the task of a split hands its pages over.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::{fmt, io};

use futures_core::future::BoxFuture;
use ots_proto::plainbuffer::Checksums;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::spawn_blocking;

use crate::budget::Room;
use crate::decode::{DecodeError, Decoder};
use crate::delivered::{Given, KeysError, PageKeys, Segment};
use crate::failure::Failure;
use crate::page::ScanPage;
use crate::plan::{Handed, Position};
use crate::session::ScanSession;
use crate::worker::count;

/// Takes the pages of tasks, which don't know what becomes of them.
pub(crate) trait Outlet: Send + Sync {
    /// Decodes a page and hands it over: now, or on another thread where that has to wait for a disk.
    fn page(self: Arc<Self>, fetched: Fetched) -> Handing;

    /// Says that there is no more, and why.
    fn failed(&self, failure: Failure);
}

/// A page that is handed over.
pub(crate) enum Handing {
    Done(Result<(), Refused>),
    Waiting(BoxFuture<'static, Result<(), Refused>>),
}

/// Why a page isn't handed over.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It can't be decoded; it may come otherwise when it is asked for again.
    Damaged(DecodeError),
    /// Whether its rows were given before can't be read from the disk.
    Spill(io::Error),
}

/// A page as it came.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) page: ScanPage,
    /// Behind the page.
    pub(crate) position: Position,
    pub(crate) room: Room,
    pub(crate) turn: Option<OwnedSemaphorePermit>,
}

/// What a task sends to the scan.
#[derive(Debug)]
pub(crate) enum Event<T> {
    Page(Ready<T>),
    Failed(Failure),
    /// Another session is open; and what was given in the one before it.
    Opened(ScanSession, Option<Segment>),
}

/// A decoded page that nobody has taken yet. Dropping it makes room for another.
#[derive(Debug)]
pub(crate) struct Ready<T> {
    pub(crate) value: T,
    pub(crate) handed: Handed,
    /// The keys of its rows, where they are to be remembered.
    pub(crate) keys: Option<PageKeys>,
    _room: Room,
    _turn: Option<OwnedSemaphorePermit>,
}

/// Hands pages to a scan that wants them as `T`.
pub(crate) struct Channel<T> {
    pub(crate) events: UnboundedSender<Event<T>>,
    pub(crate) decoder: Decoder<T>,
    /// What earlier sessions gave, where it is to be left out.
    pub(crate) given: Option<Given>,
}

impl<T: Send + 'static> Outlet for Channel<T> {
    fn page(self: Arc<Self>, fetched: Fetched) -> Handing {
        if !self.given.as_ref().is_some_and(Given::is_on_disk) {
            return Handing::Done(self.give(fetched));
        }
        let waiting = spawn_blocking(move || self.give(fetched));
        Handing::Waiting(Box::pin(async {
            match waiting.await {
                Ok(given) => given,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The runtime is shutting down.
                    Err(error) => Err(Refused::Spill(io::Error::other(error))),
                },
            }
        }))
    }

    fn failed(&self, failure: Failure) {
        self.send(Event::Failed(failure));
    }
}

impl<T> Channel<T> {
    fn give(&self, fetched: Fetched) -> Result<(), Refused> {
        let Fetched {
            mut page,
            position,
            mut room,
            turn,
        } = fetched;
        let (split, generation) = (page.split, page.generation);
        let (page_bytes, rows) = (page.page_bytes, page.rows.len());
        let mut suppressed = 0;
        let mut checksums = Checksums::Verify;
        let keys = match &self.given {
            None => None,
            Some(given) => {
                let keys = PageKeys::read(&page.rows);
                let mut keys = keys.map_err(|error| Refused::Damaged(error.into()))?;
                checksums = Checksums::Trust;
                if !given.is_empty() {
                    let left = keys.leave_out(given, &mut page.rows);
                    (keys, suppressed) = left.map_err(Refused::Spill)?;
                }
                Some(keys)
            }
        };
        let decoded = self.decoder.decode(page, checksums);
        let decoded = decoded.map_err(Refused::Damaged)?;
        if let Some(bytes) = decoded.held_bytes {
            room.resize(bytes);
        }
        let handed = Handed::new(split, generation, count(rows), count(page_bytes), position);
        self.send(Event::Page(Ready {
            value: decoded.value,
            handed: handed.suppressing(suppressed),
            keys,
            _room: room,
            _turn: turn,
        }));
        Ok(())
    }

    fn send(&self, event: Event<T>) {
        // Refused only when the scan is gone, and then nobody is left to tell.
        let _ = self.events.send(event);
    }
}

impl From<KeysError> for DecodeError {
    fn from(error: KeysError) -> Self {
        match error {
            KeysError::Damage(error) => error.into(),
            KeysError::Mixed => "the rows of one page have different key columns".into(),
        }
    }
}

impl<T> fmt::Debug for Channel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel")
    }
}
