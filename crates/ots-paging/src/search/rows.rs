//! The matches of a search, one after another.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_core::stream::FusedStream;
use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::{NameCache, Row, operation, plainbuffer};

use super::page_rows::PageRows;
use super::{SearchPage, SearchPager};
use crate::error::Error;
use crate::search_point::SearchPoint;

/// The rows that a search finds, one after another, over all its pages.
///
/// Lazy: a page is asked for when the rows of the one before are taken, and decoded as its own are. A
/// page without rows doesn't end it, and neither does the window for offsets. Nothing is spawned. After
/// an error, as after the end, it gives nothing more.
///
/// ```
/// # async fn example(client: ots_core::Client) -> Result<(), ots_paging::Error> {
/// use ots_core::Query;
/// use ots_core::request::Search;
/// use ots_paging::SearchExt as _;
///
/// let search = Search::new("orders", "by_city", Query::term("city", "Hangzhou"));
/// let mut rows = search.search_rows(&client)?;
/// while let Some(row) = rows.next().await {
///     println!("{}", row?.primary_key);
/// }
/// println!("{} rows for {} requests", rows.delivered(), rows.requests());
/// # Ok(())
/// # }
/// ```
///
/// For a number of pages, a window or a total limit of one's own, [make](Self::new) it of a
/// [`SearchPager`].
///
/// # Errors
/// As [`SearchPager`]. That rows are missing is an error, never an early end, unless the search
/// [allows it](ots_core::request::Search::allow_partial).
///
/// [`ErrorKind::Rows`](crate::ErrorKind::Rows) in the place of a damaged row, when its page came
/// damaged again both times that it was asked for anew, or with other rows before that one: every row
/// before it has been given.
///
/// # Cost
/// As [`SearchPager`]: a request a page, and one more whenever a page comes damaged.
///
/// # Cancel safety
/// Dropping it loses the rows of the page that were not taken, and abandons the request in flight;
/// [`resume_point`](Self::resume_point) tells where to go on.
#[must_use = "streams do nothing unless polled"]
pub struct SearchRows<'c, C> {
    state: State<'c, C>,
    page: Option<PageRows>,
    names: NameCache,
    /// What is wrong with that page, while it is asked for again.
    damage: Option<Error>,
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
        Self {
            next: pager.resume_point(),
            state: State::AtHand(Box::new(pager)),
            page: None,
            names: NameCache::default(),
            damage: None,
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
        let page = self.page.as_ref();
        page.map_or_else(|| self.next.clone(), PageRows::next_place)
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
            if let (Some(page), None) = (&mut self.page, &self.damage) {
                match page.next_row(&mut self.names) {
                    Ok(Some(row)) => {
                        self.delivered += 1;
                        return Poll::Ready(Ok(Some(row)));
                    }
                    Ok(None) => self.page = None,
                    Err(damage) => self.ask_again(damage)?,
                }
            }
            let page = ready!(self.poll_page(cx))?;
            match (self.damage.take(), page) {
                (None, Some(page)) => {
                    self.page = Some(PageRows::new(page));
                }
                (None, None) => return Poll::Ready(Ok(None)),
                (Some(error), page) => self.came_again(error, page)?,
            }
        }
    }

    /// The page is damaged where it is read: steps back before it, unless that was done too often.
    #[cold]
    fn ask_again(&mut self, damage: plainbuffer::Error) -> Result<(), Error> {
        let error = Error::from(damage);
        let (State::AtHand(pager), Some(page)) = (&mut self.state, &mut self.page) else {
            return Err(error);
        };
        let error = error.asked(pager.asked_from(page.next_place().row()));
        if !page.may_be_asked_again() {
            return Err(error);
        }
        pager.back_to(page.place(), page.count());
        self.damage = Some(error);
        Ok(())
    }

    /// A page that was damaged came again, or doesn't exist any more.
    #[cold]
    fn came_again(&mut self, error: Error, page: Option<SearchPage>) -> Result<(), Error> {
        let Some((before, page)) = self.page.as_mut().zip(page) else {
            return Err(error);
        };
        match before.go_on_in(page) {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(damage) => self.ask_again(damage),
        }
    }
}

impl<'c, C: Call<operation::Search> + 'c> Stream for SearchRows<'c, C> {
    type Item = Result<Row, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.is_terminated() {
            return Poll::Ready(None);
        }
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
        matches!(self.state, State::Over)
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
