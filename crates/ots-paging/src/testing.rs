//! A table in memory that answers GetRange in any pages a test wants.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Poll;

use ots_core::{Call, Error, Reply};
use ots_proto::filter::ReadFilter;
use ots_proto::messages::{
    CapacityUnit, ConsumedCapacity, Direction, GetRangeRequest, GetRangeResponse, GetRowRequest,
    GetRowResponse,
};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key, write_row};
use ots_proto::{PrimaryKey, Row, operation};

/// A table that performs GetRange, and GetRow for the columns of a row.
///
/// Where it splits a range is the test's choice: pages that scan any number of rows, and tombstones
/// that a page steps over, so that empty pages with a next key come without a filter too.
///
/// ```
/// use ots_core::request::GetRange;
/// use ots_paging::RangeExt as _;
/// use ots_paging::testing::FakeTable;
/// use ots_proto::{PrimaryKey, Row};
///
/// let table = FakeTable::new((0..10).map(|id| Row::new(PrimaryKey::new().column("id", id))))
///     .scan_caps([3, 1]);
/// let range = GetRange::new("numbers", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
/// let rows: Vec<_> = futures::executor::block_on_stream(range.rows(&table)).collect();
/// assert_eq!(rows.len(), 10);
/// assert_eq!(table.requests().len(), 5);
/// ```
///
/// It knows `columns_to_get`, bounds, direction and limit. A filter is a function, applied when the
/// request carries any filter; versions are not looked at.
#[must_use]
pub struct FakeTable {
    entries: BTreeMap<PrimaryKey, Option<Row>>,
    scan_caps: Vec<usize>,
    cell_caps: Vec<usize>,
    limit_counts: LimitCounts,
    filter: Box<dyn Fn(&Row) -> bool + Send + Sync>,
    answer: Box<Answer>,
    requests: Mutex<Vec<GetRangeRequest>>,
    row_reads: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

type Answer = dyn Fn(usize, GetRangeResponse) -> Result<GetRangeResponse, Error> + Send + Sync;

/// What `limit` counts: the service's documentation leaves it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete by nature")]
pub enum LimitCounts {
    /// Rows that passed the filter and have a wanted column.
    #[default]
    Returned,
    /// Rows before the filter.
    Scanned,
}

impl FakeTable {
    /// A table with these rows, which returns all of a range in one page.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        Self {
            entries: rows
                .into_iter()
                .map(|row| (row.primary_key.clone(), Some(row)))
                .collect(),
            scan_caps: Vec::new(),
            cell_caps: Vec::new(),
            limit_counts: LimitCounts::default(),
            filter: Box::new(|_| true),
            answer: Box::new(|_, response| Ok(response)),
            requests: Mutex::default(),
            row_reads: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    /// Keys without rows, which are scanned like rows.
    pub fn tombstones(mut self, keys: impl IntoIterator<Item = PrimaryKey>) -> Self {
        self.entries.extend(keys.into_iter().map(|key| (key, None)));
        self
    }

    /// How much each page scans at most, over and over; at least one row or tombstone.
    pub fn scan_caps(mut self, caps: impl IntoIterator<Item = usize>) -> Self {
        self.scan_caps = caps.into_iter().collect();
        self
    }

    /// How many cells of a row fit in an answer, over and over; a row with more is cut. At least one.
    pub fn cell_caps(mut self, caps: impl IntoIterator<Item = usize>) -> Self {
        self.cell_caps = caps.into_iter().collect();
        self
    }

    /// What `limit` counts.
    pub const fn limit_counts(mut self, limit_counts: LimitCounts) -> Self {
        self.limit_counts = limit_counts;
        self
    }

    /// The filter of requests that carry one.
    pub fn filter(mut self, filter: impl Fn(&Row) -> bool + Send + Sync + 'static) -> Self {
        self.filter = Box::new(filter);
        self
    }

    /// Changes the answer to the n-th request, counted from zero, or makes it fail.
    pub fn answer(
        mut self,
        answer: impl Fn(usize, GetRangeResponse) -> Result<GetRangeResponse, Error>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.answer = Box::new(answer);
        self
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<GetRangeRequest> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many requests were in flight at once, at most.
    #[must_use]
    pub fn most_in_flight(&self) -> usize {
        self.most_in_flight.load(Ordering::SeqCst)
    }

    fn page(&self, number: usize, request: &GetRangeRequest) -> Result<GetRangeResponse, Error> {
        let start = read_primary_key(&request.inclusive_start_primary_key).map_err(Error::body)?;
        let end = read_primary_key(&request.exclusive_end_primary_key).map_err(Error::body)?;
        let forward = request.direction() == Direction::Forward;
        if if forward { start >= end } else { start <= end } {
            return Err(Error::request("begin and end the wrong way round"));
        }
        let (from, to) = (Bound::Included(start), Bound::Excluded(end));
        let range: Box<dyn Iterator<Item = _>> = if forward {
            Box::new(self.entries.range((from, to)))
        } else {
            Box::new(self.entries.range((to, from)).rev())
        };

        let cap = cap_of(&self.scan_caps, number);
        let limit = request
            .limit
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
        let mut writer = Writer::new();
        let (mut scanned, mut counted, mut returned) = (0, 0, 0);
        let cells = cap_of(&self.cell_caps, number);
        let mut before = cells_before(request.token.as_deref())?;
        let (mut next, mut next_token) = (None, None);
        for (key, row) in range {
            if scanned >= cap || counted >= limit {
                next = Some(write_primary_key(key));
                break;
            }
            scanned += 1;
            let Some(row) = row else { continue };
            let answer = self.selected(request, row);
            returned += usize::from(answer.is_some());
            counted += match self.limit_counts {
                LimitCounts::Returned => usize::from(answer.is_some()),
                LimitCounts::Scanned => 1,
            };
            if let Some(mut row) = answer {
                let seen = std::mem::take(&mut before);
                row.cells.drain(..seen.min(row.cells.len()));
                if row.cells.len() > cells {
                    row.cells.truncate(cells);
                    next = Some(write_primary_key(key));
                    next_token = Some(((seen + cells) as u64).to_be_bytes().to_vec().into());
                    writer.row(&row);
                    break;
                }
                writer.row(&row);
            }
        }
        Ok(GetRangeResponse {
            consumed: ConsumedCapacity {
                capacity_unit: CapacityUnit {
                    read: Some(1),
                    write: Some(0),
                },
                ..ConsumedCapacity::default()
            },
            rows: if returned == 0 {
                bytes::Bytes::new()
            } else {
                writer.finish()
            },
            next_start_primary_key: next,
            next_token,
            ..GetRangeResponse::default()
        })
    }

    /// The row as the request wants it, unless it isn't wanted.
    fn selected(&self, request: &GetRangeRequest, row: &Row) -> Option<Row> {
        let mut row = row.clone();
        if !request.columns_to_get.is_empty() {
            let wanted = |name: &str| request.columns_to_get.iter().any(|column| column == name);
            row.cells.retain(|cell| wanted(&cell.name));
            let mut keys = row.primary_key.columns().iter();
            if row.cells.is_empty() && !keys.any(|column| wanted(&column.name)) {
                return None;
            }
        }
        (request.filter.is_none() || (self.filter)(&row)).then_some(row)
    }
}

/// The cap of an answer, or none.
fn cap_of(caps: &[usize], number: usize) -> usize {
    match caps.len() {
        0 => usize::MAX,
        count => caps.get(number % count).map_or(1, |&cap| cap.max(1)),
    }
}

/// How many cells of the first row came before: what a token of this table says.
fn cells_before(token: Option<&[u8]>) -> Result<usize, Error> {
    let Some(token) = token else { return Ok(0) };
    let cells = token.try_into().map(u64::from_be_bytes);
    let cells = cells.ok().and_then(|cells| usize::try_from(cells).ok());
    cells.ok_or_else(|| Error::request("a token of another table"))
}

impl Call<operation::GetRange> for FakeTable {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        let in_flight = InFlight::new(self);
        let number = {
            let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
            requests.push(request.clone());
            requests.len() - 1
        };
        // As over a network, the answer isn't there at once.
        let mut waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        drop(in_flight);
        (self.answer)(number, self.page(number, &request)?).map(Reply::new)
    }
}

/// Columns of one row: windows by start column and pagination, and rows cut by [`FakeTable::cell_caps`].
impl Call<operation::GetRow> for FakeTable {
    async fn call(&self, request: GetRowRequest) -> Result<Reply<GetRowResponse>, Error> {
        let key = read_primary_key(&request.primary_key).map_err(Error::body)?;
        let number = self.row_reads.fetch_add(1, Ordering::SeqCst);
        let mut response = GetRowResponse::default();
        response.consumed.capacity_unit.read = Some(1);
        let Some(Some(row)) = self.entries.get(&key) else {
            return Ok(Reply::new(response));
        };
        let mut row = row.clone();
        if let Some(start) = &request.start_column {
            row.cells
                .retain(|cell| cell.name.as_str() >= start.as_str());
        }
        let filter = request.filter.map(ReadFilter::decode).transpose();
        if let Some(ReadFilter::Columns(window)) = filter.map_err(Error::body)? {
            let mut names: Vec<_> = row.cells.iter().map(|cell| cell.name.clone()).collect();
            names.dedup();
            let (offset, limit) = (window.offset as usize, window.limit as usize);
            let names: Vec<_> = names.into_iter().skip(offset).take(limit).collect();
            row.cells.retain(|cell| names.contains(&cell.name));
        }
        let before = cells_before(request.token.as_deref())?;
        let cells = cap_of(&self.cell_caps, number);
        row.cells.drain(..before.min(row.cells.len()));
        if row.cells.len() > cells {
            row.cells.truncate(cells);
            let before = (before + cells) as u64;
            response.next_token = Some(before.to_be_bytes().to_vec().into());
        }
        response.row = write_row(&row);
        Ok(Reply::new(response))
    }
}

struct InFlight<'a>(&'a FakeTable);

impl<'a> InFlight<'a> {
    fn new(table: &'a FakeTable) -> Self {
        let now = table.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        table.most_in_flight.fetch_max(now, Ordering::SeqCst);
        Self(table)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for FakeTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeTable")
            .field("entries", &self.entries.len())
            .field("scan_caps", &self.scan_caps)
            .field("limit_counts", &self.limit_counts)
            .field("requests", &self.requests)
            .finish_non_exhaustive()
    }
}
