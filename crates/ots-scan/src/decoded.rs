//! A scan whose pages become something else in the tasks that fetch them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use ots_proto::plainbuffer::Checksums;

use crate::decode::Decoder;
use crate::engine::{Engine, Item};
use crate::error::ScanError;
use crate::failure::Failure;
use crate::page::ScanPage;
use crate::progress::ScanProgress;
use crate::session::ScanSession;
use crate::setup::Setup;

/// A scan under way: a stream of what its pages become. See [`Scan::decode`](crate::Scan::decode).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ScanDecoded<T>(Source<T>);

#[derive(Debug)]
enum Source<T> {
    /// Decoded by the tasks of the splits.
    Tasks(Engine<T>),
    /// By whoever polls: the tasks had begun to hand over pages.
    Here(Engine<ScanPage>, Decoder<T>),
}

impl<T: Send + 'static> ScanDecoded<T> {
    pub(crate) fn new(engine: Engine<ScanPage>, decoder: Decoder<T>) -> Self {
        Self(if engine.is_unpolled() {
            Source::Tasks(engine.decoded(decoder))
        } else {
            Source::Here(engine, decoder)
        })
    }

    pub(crate) fn fail(&mut self, failure: Failure) -> ScanError {
        match &mut self.0 {
            Source::Tasks(engine) => engine.fail(failure.into()),
            Source::Here(engine, _) => engine.fail(failure.into()),
        }
    }

    /// How far the scan is.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.setup().progress()
    }

    /// How many splits the session is divided into.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.setup().plan.lock().max_parallel()
    }
}

impl<T> ScanDecoded<T> {
    /// The session that the scan reads in; none for a scan without one.
    #[must_use]
    pub const fn session(&self) -> Option<&ScanSession> {
        self.setup().session.as_ref()
    }

    const fn setup(&self) -> &Setup {
        match &self.0 {
            Source::Tasks(engine) => &engine.setup,
            Source::Here(engine, _) => &engine.setup,
        }
    }
}

impl<T: Send + 'static> Stream for ScanDecoded<T> {
    type Item = Result<T, ScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match &mut self.get_mut().0 {
            Source::Tasks(engine) => next(engine, cx, Ok),
            Source::Here(engine, decoder) => next(engine, cx, |page| {
                let (split, index) = (page.split, page.index);
                let decoded = decoder.decode(page, Checksums::Verify);
                decoded.map(|it| it.value).map_err(|error| {
                    let page = index;
                    Failure::Damaged {
                        split,
                        page,
                        asked: 1,
                        error,
                    }
                })
            }),
        }
    }
}

/// The next page, where a scan that began anew has nothing to say of it: as what is made of it before
/// it counts as given.
pub(crate) fn next<T: Send + 'static, U>(
    engine: &mut Engine<T>,
    cx: &mut Context<'_>,
    mut accept: impl FnMut(T) -> Result<U, Failure>,
) -> Poll<Option<Result<U, ScanError>>> {
    loop {
        match ready!(engine.poll_as(cx, &mut accept)?) {
            Some(Item::Page(page)) => return Poll::Ready(Some(Ok(page))),
            Some(Item::Restarted(_)) => {}
            None => return Poll::Ready(None),
        }
    }
}

impl<T: Send + 'static> FusedStream for ScanDecoded<T> {
    fn is_terminated(&self) -> bool {
        match &self.0 {
            Source::Tasks(engine) => engine.is_ended(),
            Source::Here(engine, _) => engine.is_ended(),
        }
    }
}
