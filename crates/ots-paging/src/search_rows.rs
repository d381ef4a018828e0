//! The matches of a search, one after another.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::{Row, operation};

use crate::error::Error;
use crate::search::{SearchPage, SearchPager};
use crate::search_point::SearchPoint;

/// The rows that a search finds, one after another, over all its pages.
///
/// Lazy: a page is asked for when the rows of the one before are taken. A page without rows doesn't end
/// it, and neither does the window for offsets. Nothing is spawned. After an error, as after the end, it
/// gives nothing more.
///
/// # Errors
/// As [`SearchPager`]. That rows are missing is an error, never an early end, unless the search
/// [allows it](ots_core::request::Search::allow_partial).
///
/// # Cost
/// As [`SearchPager`]: a request a page.
///
/// # Cancel safety
/// Dropping it loses the rows of the page that were not taken, and abandons the request in flight;
/// [`resume_point`](Self::resume_point) tells where to go on.
#[must_use = "streams do nothing unless polled"]
pub struct SearchRows<'c, C> {
    state: State<'c, C>,
    rows: vec::IntoIter<Row>,
    /// Where the page of these rows begins, and how many of them were taken.
    page: (SearchPoint, u64),
    /// Where the next page begins.
    next: SearchPoint,
    delivered: u64,
    told: Told,
}

/// What the pager said when it was last at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    consumed: Consumed,
    requests: u64,
    total: Option<u64>,
}

enum State<'c, C> {
    AtHand(Box<SearchPager<C>>),
    Asking(Asking<'c, C>),
    Over,
}

/// The pager goes along with its question, and comes back with the answer.
type Asking<'c, C> = Pin<
    Box<dyn Future<Output = (Box<SearchPager<C>>, Result<Option<SearchPage>, Error>)> + Send + 'c>,
>;

impl<'c, C: Call<operation::Search> + 'c> SearchRows<'c, C> {
    /// The rows from where a pager stands.
    pub fn new(pager: SearchPager<C>) -> Self {
        let next = pager.resume_point();
        Self {
            page: (next.clone(), 0),
            next,
            state: State::AtHand(Box::new(pager)),
            rows: Vec::new().into_iter(),
            delivered: 0,
            told: Told::default(),
        }
    }

    /// The next row, or none at the end.
    ///
    /// # Errors
    /// As the stream.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the request goes on at the next poll.
    pub async fn next(&mut self) -> Option<Result<Row, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The place of the next row that was not given yet, also after an error:
    /// [`SearchPager::resume`] goes on from there.
    ///
    /// # Cost
    /// Going on inside a page takes a request more, for the keys of the rows before.
    pub fn resume_point(&self) -> SearchPoint {
        let (page, taken) = &self.page;
        if self.rows.len() == 0 {
            self.next.clone()
        } else {
            page.clone().skip(*taken)
        }
    }

    /// Rows given so far.
    #[must_use]
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// How many rows match, where that is known: see [`SearchPager::total`].
    #[must_use]
    pub const fn total(&self) -> Option<u64> {
        self.told.total
    }

    /// What all pages so far cost, where the service says so.
    #[must_use]
    pub const fn consumed(&self) -> Consumed {
        self.told.consumed
    }

    /// Requests that were answered.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.told.requests
    }

    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<SearchPage>, Error>> {
        let mut asking = match std::mem::replace(&mut self.state, State::Over) {
            State::Over => return Poll::Ready(Ok(None)),
            State::Asking(asking) => asking,
            State::AtHand(mut pager) => Box::pin(async move {
                let page = pager.next_page().await;
                (pager, page)
            }),
        };
        let Poll::Ready((pager, page)) = asking.as_mut().poll(cx) else {
            self.state = State::Asking(asking);
            return Poll::Pending;
        };
        self.told = Told {
            consumed: pager.consumed(),
            requests: pager.requests(),
            total: pager.total(),
        };
        self.next = pager.resume_point();
        if matches!(page, Ok(Some(_))) {
            self.state = State::AtHand(pager);
        }
        Poll::Ready(page)
    }

    fn poll_row(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Row>, Error>> {
        loop {
            if let Some(row) = self.rows.next() {
                self.delivered += 1;
                self.page.1 += 1;
                return Poll::Ready(Ok(Some(row)));
            }
            match ready!(self.poll_page(cx))? {
                Some(page) => match page.reply.rows() {
                    Ok(rows) => {
                        self.rows = rows.into_iter();
                        self.page = (page.place, 0);
                    }
                    Err(error) => {
                        self.next = page.place;
                        return Poll::Ready(Err(Error::call(error)));
                    }
                },
                None => return Poll::Ready(Ok(None)),
            }
        }
    }
}

impl<'c, C: Call<operation::Search> + 'c> Stream for SearchRows<'c, C> {
    type Item = Result<Row, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let row = ready!(this.poll_row(cx));
        if row.is_err() {
            this.state = State::Over;
        }
        let delivered = this.delivered;
        Poll::Ready(row.map_err(|error| error.after_rows(delivered)).transpose())
    }
}

impl<'c, C: Call<operation::Search> + 'c> FusedStream for SearchRows<'c, C> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Over) && self.rows.len() == 0
    }
}

impl<C> fmt::Debug for SearchRows<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchRows")
            .field("rows", &self.delivered)
            .field("requests", &self.told.requests)
            .field("request_in_flight", &matches!(self.state, State::Asking(_)))
            .finish_non_exhaustive()
    }
}
