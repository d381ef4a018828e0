//! A table in memory that misbehaves within its rights, changes while it is read, and remembers
//! everything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_proto::messages::{
    BulkExportRequest, BulkExportResponse, ComputeSplitPointsBySizeRequest,
    ComputeSplitPointsBySizeResponse, ConsumedCapacity, DataBlockType, GetRangeRequest,
    GetRangeResponse,
};
use ots_proto::plainbuffer::{Writer, read_primary_key, write_primary_key};
use ots_proto::simple_row_matrix::MatrixWriter;
use ots_proto::{PrimaryKey, Row, TableSplits, operation};

use super::key_schema;

/// What may happen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Of each request, in hundredths.
    pub(crate) lost: u8,
    pub(crate) throttled: u8,
    pub(crate) damaged: u8,
    /// Nothing is read, and the same is to be asked again.
    pub(crate) stands: u8,
    /// Of each request, that a row goes, comes or changes before it.
    pub(crate) changes: u8,
    /// A row that is damaged for ever.
    pub(crate) poisoned: Option<PrimaryKey>,
    /// Requests that fail, retries and all, by number.
    pub(crate) fails_at: Vec<u64>,
    /// The request from which on BulkExport is refused.
    pub(crate) refuses_export_from: Option<u64>,
    pub(crate) delay_ms: u64,
}

/// Cheap to clone: the clones are the same service.
#[derive(Clone)]
pub(crate) struct Model(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    faults: Faults,
    points: Vec<PrimaryKey>,
    /// Rows, by their version and how many cells they have; and keys that had one.
    entries: BTreeMap<PrimaryKey, Option<(i64, usize)>>,
    /// The most that a page looks at.
    most_rows: usize,
    next_version: i64,
    seen: Seen,
}

/// What the service has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) refused_exports: u64,
    pub(crate) in_flight: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) failed: u64,
    pub(crate) damaged: u64,
    /// Rows that were there all the time.
    pub(crate) lasting: BTreeSet<PrimaryKey>,
    /// Every row that ever was.
    pub(crate) versions: BTreeSet<(PrimaryKey, i64)>,
    /// What no client should ever do.
    pub(crate) wrong: Vec<String>,
}

/// Cells beyond which a row is cut by GetRange, and never changes.
const NARROW: usize = 2;

impl Model {
    pub(crate) fn new(
        rng: Rng,
        faults: Faults,
        points: Vec<PrimaryKey>,
        rows: impl IntoIterator<Item = (PrimaryKey, Option<usize>)>,
        most_rows: usize,
    ) -> Self {
        let entries: BTreeMap<_, _> = rows
            .into_iter()
            .map(|(key, cells)| (key, cells.map(|cells| (0, cells))))
            .collect();
        let mut seen = Seen::default();
        for (key, row) in &entries {
            if row.is_some() {
                seen.lasting.insert(key.clone());
                seen.versions.insert((key.clone(), 0));
            }
        }
        Self(Arc::new(Mutex::new(State {
            rng,
            faults,
            points,
            entries,
            most_rows,
            next_version: 1,
            seen,
        })))
    }

    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap().seen.clone()
    }

    fn in_flight(&self) -> InFlight {
        let mut state = self.0.lock().unwrap();
        state.seen.in_flight += 1;
        state.seen.max_in_flight = state.seen.max_in_flight.max(state.seen.in_flight);
        InFlight(self.clone())
    }

    /// With the retries of the client: what is lost is sent again.
    async fn send(
        &self,
        request: GetRangeRequest,
        by: By,
    ) -> Result<Reply<GetRangeResponse>, Error> {
        let _in_flight = self.in_flight();
        let (mut attempts, mut throttled) = (0, 0);
        loop {
            attempts += 1;
            let delay = self.0.lock().unwrap().delay();
            tokio::time::sleep(delay).await;
            let response = {
                let mut state = self.0.lock().unwrap();
                let (lost, busy) = (state.faults.lost, state.faults.throttled);
                if attempts < 4 && state.chance(busy) {
                    throttled += 1;
                    continue;
                }
                let lost = attempts < 4 && state.chance(lost);
                if lost && state.rng.bool() {
                    // Before the service saw it.
                    continue;
                }
                let response = state.answer(&request, by)?;
                if lost {
                    // After it did.
                    continue;
                }
                response
            };
            let mut reply = Reply::new(response);
            (reply.attempts, reply.throttled) = (attempts, throttled);
            return Ok(reply);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    GetRange,
    BulkExport,
}

struct InFlight(Model);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().seen.in_flight -= 1;
    }
}

impl State {
    fn chance(&mut self, hundredths: u8) -> bool {
        self.rng.u8(0..100) < hundredths
    }

    fn delay(&mut self) -> Duration {
        Duration::from_millis(self.rng.u64(0..=self.faults.delay_ms))
    }

    /// A row goes, comes or changes. Those that come in parts don't: whose the parts are would be a
    /// question of its own.
    fn change(&mut self) {
        let narrow = |entry: &(&PrimaryKey, &Option<(i64, usize)>)| {
            entry.1.is_none_or(|(_, cells)| cells <= NARROW)
        };
        let keys: Vec<_> = self
            .entries
            .iter()
            .filter(narrow)
            .map(|it| it.0.clone())
            .collect();
        let Some(key) = self.rng.choice(&keys) else {
            return;
        };
        if self.rng.u8(0..3) == 0 {
            self.entries.insert(key.clone(), None);
            self.seen.lasting.remove(key);
        } else {
            let version = self.next_version;
            self.next_version += 1;
            self.entries.insert(key.clone(), Some((version, 1)));
            self.seen.versions.insert((key.clone(), version));
        }
    }

    fn answer(&mut self, request: &GetRangeRequest, by: By) -> Result<GetRangeResponse, Error> {
        self.seen.requests += 1;
        let number = self.seen.requests;
        let from = self.faults.refuses_export_from;
        if by == By::BulkExport && from.is_some_and(|from| number >= from) {
            self.seen.refused_exports += 1;
            return Err(refusal(ErrorCode::ParameterInvalid, 400));
        }
        if self.faults.fails_at.contains(&number) {
            self.seen.failed += 1;
            return Err(refusal(ErrorCode::ServerBusy, 503));
        }
        let changes = self.faults.changes;
        if self.chance(changes) {
            self.change();
        }
        let start = read_primary_key(&request.inclusive_start_primary_key).unwrap();
        let end = read_primary_key(&request.exclusive_end_primary_key).unwrap();
        if start >= end {
            self.seen.wrong.push(format!("from {start:?} to {end:?}"));
        }
        let stands = self.faults.stands;
        if self.chance(stands) {
            return Ok(GetRangeResponse {
                consumed: one_unit(),
                next_start_primary_key: Some(request.inclusive_start_primary_key.clone()),
                next_token: request.token.clone(),
                ..GetRangeResponse::default()
            });
        }
        let (mut response, poisoned) = self.page(request, by, &start, end);
        let damaged = self.faults.damaged;
        if poisoned || self.chance(damaged) {
            self.seen.damaged += 1;
            let kind = if poisoned { 0 } else { self.rng.u8(0..5) };
            damage(&mut response, kind, &start);
        }
        Ok(response)
    }

    /// A page, and whether a row is in it that is damaged for ever.
    fn page(
        &mut self,
        request: &GetRangeRequest,
        by: By,
        start: &PrimaryKey,
        end: PrimaryKey,
    ) -> (GetRangeResponse, bool) {
        let most = self.rng.usize(1..=self.most_rows);
        let limit = request.limit.map_or(usize::MAX, |limit| limit as usize);
        let most_cells = match by {
            By::GetRange => self.rng.usize(1..=NARROW),
            By::BulkExport => usize::MAX,
        };
        let mut before = request
            .token
            .as_ref()
            .map_or(0, |token| usize::from(token[0]));
        let (mut rows, mut poisoned) = (Vec::new(), false);
        let (mut next, mut token) = (None, None);
        let range = (Bound::Included(start.clone()), Bound::Excluded(end));
        for (scanned, (key, row)) in self.entries.range(range).enumerate() {
            if scanned >= most || rows.len() >= limit {
                next = Some(key);
                break;
            }
            let Some((version, cells)) = *row else {
                continue;
            };
            poisoned |= self.faults.poisoned.as_ref() == Some(key);
            let first = std::mem::take(&mut before);
            let last = cells.min(first.saturating_add(most_cells));
            let mut part = Row::new(key.clone());
            for cell in first..if cells <= NARROW { cells } else { last } {
                part = part.cell(format!("{cell}"), version);
            }
            rows.push(part);
            if cells > NARROW && last < cells {
                (next, token) = (Some(key), Some(vec![u8::try_from(last).unwrap()].into()));
                break;
            }
        }
        let response = GetRangeResponse {
            consumed: one_unit(),
            data_block_type: request.data_block_type_hint,
            rows: encode(&rows, request.data_block_type_hint()),
            next_start_primary_key: next.map(write_primary_key),
            next_token: token,
            ..GetRangeResponse::default()
        };
        (response, poisoned)
    }
}

fn one_unit() -> ConsumedCapacity {
    let mut consumed = ConsumedCapacity::default();
    consumed.capacity_unit.read = Some(1);
    consumed
}

fn encode(rows: &[Row], form: DataBlockType) -> Bytes {
    if rows.is_empty() {
        return Bytes::new();
    }
    if form == DataBlockType::SimpleRowMatrix {
        let cells = rows.iter().flat_map(|row| &row.cells);
        let names: BTreeSet<_> = cells.map(|cell| cell.name.clone()).collect();
        let mut writer = MatrixWriter::new(["city", "id"], names).unwrap();
        rows.iter().for_each(|row| writer.row(row).unwrap());
        return writer.finish().unwrap();
    }
    let mut writer = Writer::new();
    rows.iter().for_each(|row| writer.row(row));
    writer.finish()
}

/// So that whoever looks finds it.
fn damage(response: &mut GetRangeResponse, kind: u8, start: &PrimaryKey) {
    let rows = response.rows.len();
    match kind {
        0 | 1 if rows > 8 => {
            let mut damaged = response.rows.to_vec();
            if kind == 0 {
                damaged[rows - 1] ^= 1;
            } else {
                damaged.truncate(rows - 1 - rows % 5);
            }
            response.rows = damaged.into();
        }
        // A token would make sense of it.
        2 if response.next_token.is_none() => {
            response.next_start_primary_key = Some(write_primary_key(start));
        }
        3 => {
            let other = PrimaryKey::new().column("other", 1);
            response.next_start_primary_key = Some(write_primary_key(&other));
        }
        _ => {
            let key = write_primary_key(start);
            response.next_start_primary_key = Some(key.slice(..key.len() - 1));
        }
    }
}

fn refusal(code: ErrorCode, status: u16) -> Error {
    let status = status.try_into().unwrap();
    Error::service(code, status, "as the world has it", "0005")
}

impl Call<operation::ComputeSplitPointsBySize> for Model {
    async fn call(
        &self,
        _: ComputeSplitPointsBySizeRequest,
    ) -> Result<Reply<ComputeSplitPointsBySizeResponse>, Error> {
        let points = self.0.lock().unwrap().points.clone();
        let splits = TableSplits::new(key_schema(), points, []).unwrap();
        Ok(Reply::new(splits.to_message()))
    }
}

impl Call<operation::GetRange> for Model {
    async fn call(&self, request: GetRangeRequest) -> Result<Reply<GetRangeResponse>, Error> {
        self.send(request, By::GetRange).await
    }
}

impl Call<operation::BulkExport> for Model {
    async fn call(&self, request: BulkExportRequest) -> Result<Reply<BulkExportResponse>, Error> {
        let request = GetRangeRequest {
            table_name: request.table_name,
            inclusive_start_primary_key: request.inclusive_start_primary_key,
            exclusive_end_primary_key: request.exclusive_end_primary_key,
            data_block_type_hint: request.data_block_type_hint,
            ..GetRangeRequest::default()
        };
        let reply = self.send(request, By::BulkExport).await?;
        Ok(reply.map(|response| BulkExportResponse {
            consumed: response.consumed,
            rows: response.rows,
            next_start_primary_key: response.next_start_primary_key,
            data_block_type: response.data_block_type,
        }))
    }
}
