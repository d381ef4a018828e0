//! Pages of a list that whoever looks at it turns both ways, keeping nothing but a token.

use std::num::NonZeroU32;

use ots_core::Call;
use ots_core::request::Consumed;
use ots_proto::{NameCache, PrimaryKey, Row, operation};

use crate::cursor::RangeCursor;
use crate::error::Error;
use crate::page::{NextPage, Page, whole_key};
use crate::resume::ResumePoint;
use crate::stream::Pages;
use crate::turned::Turned;

/// Where a page of a list lies: what a link to it has to say. As text, see
/// [`PageTokens::write_place`](crate::PageTokens::write_place).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum PagePlace {
    /// The rows from a place on.
    From(ResumePoint),
    /// The rows that end before a place; before the end of the range, its last rows.
    Before(ResumePoint),
}

impl PagePlace {
    /// The end of the page that is fixed.
    pub const fn point(&self) -> &ResumePoint {
        let (Self::From(point) | Self::Before(point)) = self;
        point
    }
}

/// One page of a list, and the way to those beside it.
///
/// Pages meet at keys: turned forward and back again, whatever was written meanwhile, no row is passed
/// over and none comes twice but the rows of the page itself. Without writes it is the same page. Going
/// back ends in a page that may be short, at the start of the range; going forward from there meets the
/// pages that were seen before.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListPage {
    /// The rows, in the order of the range whichever way the page was reached.
    pub rows: Vec<Row>,
    /// This page, for a link that stays.
    pub place: PagePlace,
    /// The page before it; none at the start of the range.
    pub previous: Option<PagePlace>,
    /// The page after it; none at the end of the range.
    pub next: Option<PagePlace>,
    /// What it cost.
    pub consumed: Consumed,
    /// Requests that were answered.
    pub requests: u64,
}

/// The page at a place of the range of `whole`, a cursor before its first page.
pub(crate) async fn page_at<C: Call<operation::GetRange>>(
    whole: RangeCursor,
    call: C,
    place: &PagePlace,
    page_rows: NonZeroU32,
) -> Result<ListPage, Error> {
    match place {
        PagePlace::From(point) => from(whole, call, point, page_rows).await,
        PagePlace::Before(point) => {
            // Resumed only to be refused: a place of another range, or outside this one.
            let point = whole.clone().resume(point)?.resume_point();
            before(&whole, call, &point, page_rows).await
        }
    }
}

/// The last page of the range of `whole`.
pub(crate) async fn last_page<C: Call<operation::GetRange>>(
    whole: RangeCursor,
    call: C,
    page_rows: NonZeroU32,
) -> Result<ListPage, Error> {
    let end = whole.at(&NextPage::Done).resume_point();
    before(&whole, call, &end, page_rows).await
}

async fn from<C: Call<operation::GetRange>>(
    whole: RangeCursor,
    call: C,
    point: &ResumePoint,
    page_rows: NonZeroU32,
) -> Result<ListPage, Error> {
    let start = whole.resume_point();
    let cursor = whole.resume(point)?.take_rows(page_rows.get().into());
    let mut pages = Pages::new(cursor, call);
    let mut rows = Vec::new();
    let mut names = NameCache::default();
    while let Some(page) = pages.next().await {
        let page = page?;
        let read = each_row(&page, &mut names, |_, row| {
            rows.push(row);
            true
        });
        read.map_err(|error| pages.fail(error, &page))?;
    }
    let end = pages.resume_point();
    Ok(ListPage {
        rows,
        place: PagePlace::From(point.clone()),
        previous: (*point != start).then(|| PagePlace::Before(point.clone())),
        next: end.filter(|end| !end.next().is_done()).map(PagePlace::From),
        consumed: pages.consumed(),
        requests: pages.cursor().map_or(0, RangeCursor::pages),
    })
}

async fn before<C: Call<operation::GetRange>>(
    whole: &RangeCursor,
    call: C,
    point: &ResumePoint,
    page_rows: NonZeroU32,
) -> Result<ListPage, Error> {
    let start = whole.resume_point();
    let next = (!point.next().is_done()).then(|| PagePlace::From(point.clone()));
    let Some(turned) = Turned::new(whole, point.next()) else {
        return Ok(ListPage {
            rows: Vec::new(),
            place: PagePlace::From(start),
            previous: None,
            next,
            consumed: Consumed::default(),
            requests: 0,
        });
    };
    let Back {
        mut rows,
        mut keys,
        has_more,
        consumed,
        requests,
    } = rows_before(&turned, call, page_rows).await?;
    rows.reverse();
    let first = keys.pop();
    let place = match first.filter(|_| has_more) {
        Some(key) => start.moved_to(key),
        // Rows that are written before the first one later belong to this page.
        None => start,
    };
    Ok(ListPage {
        rows,
        previous: has_more.then(|| PagePlace::Before(place.clone())),
        place: PagePlace::From(place),
        next,
        consumed,
        requests,
    })
}

/// The rows before a place, the nearest first.
struct Back {
    rows: Vec<Row>,
    keys: Vec<PrimaryKey>,
    /// Whether there may be more.
    has_more: bool,
    consumed: Consumed,
    requests: u64,
}

async fn rows_before<C: Call<operation::GetRange>>(
    turned: &Turned,
    call: C,
    page_rows: NonZeroU32,
) -> Result<Back, Error> {
    let wanted = u64::from(page_rows.get());
    // The row that isn't meant may come first.
    let asked = wanted + u64::from(turned.skip.is_some());
    let mut pages = Pages::new(turned.cursor.clone().take_rows(asked), call);
    let mut names = NameCache::default();
    let (mut rows, mut keys) = (Vec::new(), Vec::new());
    let mut is_over = false;
    let mut has_more = false;
    while !is_over && let Some(page) = pages.next().await {
        let page = page?;
        let read = each_row(&page, &mut names, |key, row| {
            if turned.skip.as_ref() == Some(&key) {
                return true;
            }
            is_over = turned.is_beyond(&key);
            if is_over {
                return false;
            }
            // It didn't come, and one row more did.
            has_more = rows.len() as u64 == wanted;
            if !has_more {
                rows.push(row);
                keys.push(key);
            }
            !has_more
        });
        read.map_err(|error| pages.fail(error, &page))?;
        is_over |= page.next().key().is_some_and(|key| turned.is_beyond(key));
    }
    let goes_on = pages
        .cursor()
        .is_some_and(|cursor| !cursor.position().is_done());
    Ok(Back {
        rows,
        keys,
        has_more: has_more || (!is_over && goes_on),
        consumed: pages.consumed(),
        requests: pages.cursor().map_or(0, RangeCursor::pages),
    })
}

/// The last row of the range of `whole`.
pub(crate) async fn last_row<C: Call<operation::GetRange>>(
    whole: RangeCursor,
    call: C,
) -> Result<Option<Row>, Error> {
    let Some(turned) = Turned::new(&whole, &NextPage::Done) else {
        return Ok(None);
    };
    let back = rows_before(&turned, call, NonZeroU32::MIN).await?;
    Ok(back.rows.into_iter().next())
}

/// Every row of a page with its key, until one is enough.
fn each_row(
    page: &Page,
    names: &mut NameCache,
    mut each: impl FnMut(PrimaryKey, Row) -> bool,
) -> Result<(), Error> {
    let mut reader = page.reader()?;
    while let Some(row) = reader.next_row()? {
        let row = row.to_row(names);
        let key = whole_key(&row.primary_key, page.start());
        let key = key.ok_or_else(|| Error::new(crate::error::ErrorKind::NextKey))?;
        if !each(key, row) {
            break;
        }
    }
    Ok(())
}
