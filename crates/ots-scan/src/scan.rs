//! A scan under way: the stream of its pages.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use crate::checkpoint::Checkpoint;
use crate::decode::Decoder;
use crate::decoded::{self, ScanDecoded};
use crate::engine::Engine;
use crate::error::ScanError;
use crate::page::ScanPage;
use crate::progress::ScanProgress;
use crate::rows::ScanRows;
use crate::session::ScanSession;

/// A scan under way: a stream of [`ScanPage`]s, of all splits.
///
/// Pages come in order within a split, and in any order between splits; empty ones come too. The
/// stream ends without an error only when every split was read to its end. After an error it ends,
/// and all that was under way is given up.
///
/// # Cost
/// Nothing before it is polled. Then a request for each page: before a page is handed over the next
/// one of its split is asked for, so a scan that is dropped early has asked for up to two pages of
/// each split that nobody got. Over a pause of the caller's, a request for a row of each split every
/// third of the alive time; see [`keep_alive`](crate::ScanBuilder::keep_alive).
///
/// # Cancel safety
/// Waiting for a page can be given up and begun again; no page is lost. Dropping the scan aborts its
/// tasks and gives back its permits. A scan that nobody polls any more asks for two pages of each
/// split, holds no permit, and waits.
///
/// # Errors
/// [`SessionExpired`](crate::ScanErrorKind::SessionExpired), [`Call`](crate::ScanErrorKind::Call),
/// [`NotAdvancing`](crate::ScanErrorKind::NotAdvancing),
/// [`TokenMoved`](crate::ScanErrorKind::TokenMoved) and [`Aborted`](crate::ScanErrorKind::Aborted),
/// each with what was handed over of every split; [`Row`](crate::ScanErrorKind::Row) where pages are
/// [verified](crate::ScanBuilder::verify_pages). When it may begin anew after a lost session:
/// [`Open`](crate::ScanErrorKind::Open), [`DeliveredKeys`](crate::ScanErrorKind::DeliveredKeys),
/// [`KeyChanged`](crate::ScanErrorKind::KeyChanged) and [`Spill`](crate::ScanErrorKind::Spill). An error comes after the pages of its own split;
/// pages of others that nobody has taken are lost, and not counted.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Scan(Engine<ScanPage>);

impl Scan {
    pub(crate) const fn new(engine: Engine<ScanPage>) -> Self {
        Self(engine)
    }

    /// The session that the scan reads in; none for a scan without one.
    #[must_use]
    pub const fn session(&self) -> Option<&ScanSession> {
        self.0.setup.session.as_ref()
    }

    /// How many splits the session is divided into.
    #[must_use]
    pub fn max_parallel(&self) -> u32 {
        self.0.setup.plan.lock().max_parallel()
    }

    /// How far the scan is: what was handed over of each split, what lies ready.
    #[must_use]
    pub fn progress(&self) -> ScanProgress {
        self.0.setup.progress()
    }

    /// Behind the last page that was handed over of each split: to go on from, with
    /// [`ScanBuilder::resume`](crate::ScanBuilder::resume), in this process or in another, while the
    /// session lives. None without a session. None once the session was lost: nobody can go on in it, and
    /// in the next one the rows given before are known by their keys to this scan alone. And none once
    /// a token was seen to lead on by itself, as then the pages asked for ahead, which nobody will get,
    /// would be missing behind the checkpoint: see [what can't be found
    /// out](crate::ScanBuilder::resume).
    ///
    /// It [expires](Checkpoint::expires_at) an alive time after the last request of the scan, however
    /// much later it is taken. It is for the caller to have done with a page before it takes the
    /// checkpoint behind it.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        self.0.setup.checkpoint()
    }

    /// The rows instead of the pages, owning their values.
    ///
    /// Pages are verified in the tasks of the splits, side by side, if no page was asked for yet;
    /// otherwise by whoever polls, and a page that is damaged is not asked for again. Rows are made one
    /// by one by whoever polls, who mostly lets a row go before the next is made: memory that one thread
    /// takes and another gives back costs more than what a row is copied for. To make rows side by side
    /// too, there is `decode(ScanPage::rows)`.
    pub fn rows(self) -> ScanRows {
        ScanRows::new(self.decoded(Decoder::pages(true)))
    }

    /// What `decode` makes of each page, instead of the page: record batches, rows of a type, sums.
    ///
    /// It runs in the tasks of the splits, side by side, while the next page of the split is on its
    /// way. A page that it refuses is asked for again, as often as
    /// [`refetches`](crate::ScanBuilder::refetches) says, before the scan fails with its error. As
    /// with [`rows`](Self::rows) this is for a scan of which no page was asked for yet.
    ///
    /// ```
    /// # fn example(scan: ots_scan::Scan) {
    /// let counts = scan.decode(|page| {
    ///     let mut rows = page.reader();
    ///     let mut cells = 0;
    ///     while let Some(row) = rows.next_row()? {
    ///         cells += row.cells().len();
    ///     }
    ///     Ok::<_, ots_scan::ScanError>(cells)
    /// });
    /// # }
    /// ```
    pub fn decode<T, E>(
        self,
        decode: impl Fn(&ScanPage) -> Result<T, E> + Send + Sync + 'static,
    ) -> ScanDecoded<T>
    where
        T: Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.decoded(Decoder::with(decode))
    }

    /// As [`decode`](Self::decode), for what takes more memory than its page, or less: of each page
    /// the value, and what it holds in bytes. These count towards
    /// [`buffered_bytes`](crate::ScanBuilder::buffered_bytes) until the value is taken, in place of
    /// those of the page.
    ///
    /// ```
    /// # fn example(scan: ots_scan::Scan) {
    /// let keys = scan.decode_sized(|page| {
    ///     let keys: Vec<_> = page.rows()?.into_iter().map(|row| row.primary_key).collect();
    ///     let bytes = keys.len() * 64;
    ///     Ok::<_, ots_scan::ScanError>((keys, bytes))
    /// });
    /// # }
    /// ```
    pub fn decode_sized<T, E>(
        self,
        decode: impl Fn(&ScanPage) -> Result<(T, usize), E> + Send + Sync + 'static,
    ) -> ScanDecoded<T>
    where
        T: Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.decoded(Decoder::sized(decode))
    }

    fn decoded<T: Send + 'static>(self, decoder: Decoder<T>) -> ScanDecoded<T> {
        ScanDecoded::new(self.0, decoder)
    }
}

impl Stream for Scan {
    type Item = Result<ScanPage, ScanError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        decoded::next(&mut self.get_mut().0, cx, Ok)
    }
}

impl FusedStream for Scan {
    fn is_terminated(&self) -> bool {
        self.0.is_ended()
    }
}
