//! A service in memory that misbehaves within its rights, and remembers everything.
//!
//! Its tokens can be asked twice, as the service's must be for any retry; but the answers need not be
//! alike: the second may hold fewer rows, or more. Unless it is told to be another service, with a
//! cursor that moves with each request.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use http::StatusCode;
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};
use ots_scan::{Position, Split};
use tokio::time::Instant;

/// A table: keys, and which version each row has.
pub(crate) type Table = BTreeMap<i64, i64>;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tokens {
    /// A place, as the service's are.
    Places,
    /// The name of a cursor that moves with each request.
    Cursor,
    /// The same, under another name each time.
    FreshCursor,
}

/// What may happen.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    /// Of each request, in hundredths.
    pub(crate) empty_page: u8,
    pub(crate) lost: u8,
    pub(crate) throttled: u8,
    pub(crate) damaged: u8,
    /// Whether what is damaged is so for ever.
    pub(crate) damaged_for_ever: bool,
    /// Requests after which one fails, retries and all.
    pub(crate) fails_at: Option<u64>,
    /// Requests after which each session ends, one after another; those beyond are not ended so.
    pub(crate) expires_at: Vec<u64>,
    /// Whether no more sessions are to be had after so many.
    pub(crate) sessions: Option<usize>,
    /// What happens to the table between two sessions, in hundredths of its rows.
    pub(crate) changes: u8,
    pub(crate) delay_ms: u64,
    pub(crate) tokens: Tokens,
}

/// Cheap to clone: the clones are the same service.
#[derive(Clone)]
pub(crate) struct Model(Arc<Mutex<State>>);

struct State {
    rng: Rng,
    faults: Faults,
    splits_size: i32,
    limit: i32,
    alive: Duration,
    table: Table,
    next_key: i64,
    sessions: Vec<Session>,
    seen: Seen,
}

struct Session {
    /// The table as the first request found it.
    snapshot: Option<Table>,
    requests: u64,
    last_request: Instant,
    /// When the token of each split was given.
    tokens: HashMap<i32, Instant>,
    /// Where the cursor of each split stands, where tokens are cursors.
    cursors: HashMap<i32, usize>,
    of: Option<i32>,
    is_over: bool,
}

/// What the service has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) pings: u64,
    pub(crate) in_flight: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) failed: bool,
    pub(crate) damaged: u64,
    /// Pages without rows that need not have been so.
    pub(crate) empty: u64,
    /// Answers that were lost on their way.
    pub(crate) lost: u64,
    /// Sessions that ended because nothing was asked for too long.
    pub(crate) grew_old: u32,
    pub(crate) expired: BTreeSet<usize>,
    pub(crate) refused_session: bool,
    pub(crate) resumed: bool,
    /// Rows of splits whose cursors stood at the end when a scan went on in the middle: it is told
    /// what any service says of a split that ends there.
    pub(crate) unseen: BTreeSet<i64>,
    /// What no client should ever do.
    pub(crate) wrong: Vec<String>,
}

impl Model {
    pub(crate) fn new(
        mut rng: Rng,
        faults: Faults,
        rows: i64,
        splits_size: i32,
        limit: i32,
        alive: Duration,
    ) -> Self {
        let rng = rng.fork();
        Self(Arc::new(Mutex::new(State {
            rng,
            faults,
            splits_size,
            limit,
            alive,
            table: (0..rows).map(|key| (key, 0)).collect(),
            next_key: rows,
            sessions: Vec::new(),
            seen: Seen::default(),
        })))
    }

    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap().seen.clone()
    }

    /// What each session could read; nothing of one that was never read.
    pub(crate) fn snapshots(&self) -> Vec<Table> {
        let state = self.0.lock().unwrap();
        let snapshots = state
            .sessions
            .iter()
            .map(|session| session.snapshot.clone());
        snapshots
            .map(|snapshot| snapshot.unwrap_or_else(|| state.table.clone()))
            .collect()
    }

    /// A scan goes on in these places, after one that was killed.
    pub(crate) fn resumed(&self, positions: impl Iterator<Item = (Split, Position)>) {
        let mut state = self.0.lock().unwrap();
        state.seen.resumed = true;
        let session = state.sessions.last().unwrap();
        let Some(table) = &session.snapshot else {
            return;
        };
        let mut unseen = BTreeSet::new();
        for (split, position) in positions {
            let mine = rows_of(table, split.id(), split.of());
            let cursor = session.cursors.get(&split.id().cast_signed());
            if matches!(position, Position::At(_)) && cursor.is_some_and(|it| *it == mine.len()) {
                unseen.extend(mine.into_iter().map(|(key, _)| key));
            }
        }
        if state.faults.tokens != Tokens::Places {
            state.seen.unseen = unseen;
        }
    }

    fn in_flight(&self) -> InFlight {
        let mut state = self.0.lock().unwrap();
        state.seen.in_flight += 1;
        state.seen.max_in_flight = state.seen.max_in_flight.max(state.seen.in_flight);
        InFlight(self.clone())
    }
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

    /// Rows go, come and change.
    fn change(&mut self) {
        let changes = self.faults.changes;
        let keys: Vec<i64> = self.table.keys().copied().collect();
        for key in keys {
            if self.chance(changes) {
                match self.rng.u8(0..3) {
                    0 => drop(self.table.remove(&key)),
                    1 => *self.table.get_mut(&key).unwrap() += 1,
                    _ => {
                        self.table.insert(self.next_key, 0);
                        self.next_key += 1;
                    }
                }
            }
        }
    }

    fn answer(&mut self, request: &ParallelScanRequest) -> Result<ParallelScanResponse, Error> {
        let scan = request.scan_query.as_ref().unwrap();
        let (id, of) = (
            scan.current_parallel_id.unwrap(),
            scan.max_parallel.unwrap(),
        );
        let limit = scan.limit.unwrap();
        let now = Instant::now();
        let number = number(request.session_id.as_ref().unwrap());
        let latest = self.sessions.len() - 1;
        self.seen.requests += 1;
        if limit != self.limit {
            self.seen.pings += 1;
        }
        if number != latest {
            self.seen.wrong.push(format!(
                "session {number} was asked after {latest} was open"
            ));
        }
        if !(0..of).contains(&id) || of > self.splits_size {
            self.seen.wrong.push(format!("split {id} of {of}"));
        }
        if self.faults.fails_at == Some(self.seen.requests) {
            self.seen.failed = true;
            return Err(refusal(ErrorCode::ServerBusy));
        }

        let expires_at = self.faults.expires_at.get(number).copied();
        let alive = self.alive;
        let session = &mut self.sessions[number];
        if *session.of.get_or_insert(of) != of {
            self.seen
                .wrong
                .push(format!("{of} splits of a session of {:?}", session.of));
        }
        session.requests += 1;
        let token_age = session
            .tokens
            .get(&id)
            .map_or(Duration::ZERO, |given| now - *given);
        session.is_over |= expires_at.is_some_and(|at| session.requests > at);
        if !session.is_over && (now - session.last_request >= alive || token_age >= alive) {
            session.is_over = true;
            self.seen.grew_old += 1;
        }
        if session.is_over {
            self.seen.expired.insert(number);
            return Err(refusal(ErrorCode::SessionExpired));
        }
        session.last_request = now;
        session.tokens.insert(id, now);
        let table = session.snapshot.get_or_insert_with(|| self.table.clone());
        let mine = rows_of(table, id.cast_unsigned(), of.cast_unsigned());
        let session_cursor = session.cursors.get(&id).copied().unwrap_or_default();
        let start = match &scan.token {
            None => 0,
            Some(token) => match read_token(token) {
                (session, split, start) if (session, split) == (number, id) => {
                    match self.faults.tokens {
                        Tokens::Places => start,
                        Tokens::Cursor | Tokens::FreshCursor => session_cursor,
                    }
                }
                other => {
                    self.seen
                        .wrong
                        .push(format!("the token of {other:?} was given to {id}"));
                    0
                }
            },
        };

        let wanted = usize::try_from(limit).unwrap();
        let rows = if self.chance(self.faults.empty_page) {
            self.seen.empty += 1;
            0
        } else {
            self.rng.usize(1..=wanted)
        };
        let page: Vec<_> = mine.iter().skip(start).take(rows).collect();
        let end = start + page.len();
        let is_last = start >= mine.len();
        self.sessions[number].cursors.insert(id, end);
        let named = match self.faults.tokens {
            Tokens::Places => end,
            Tokens::Cursor => 0,
            Tokens::FreshCursor => usize::try_from(self.seen.requests).unwrap(),
        };
        let mut rows: Vec<Bytes> = page
            .iter()
            .map(|(key, version)| row(*key, *version))
            .collect();
        let first_key = page.first().map_or(0, |(key, _)| *key);
        let damaged = if self.faults.damaged_for_ever {
            first_key % 7 == 3
        } else {
            self.chance(self.faults.damaged)
        };
        if self.faults.damaged > 0 && damaged && !rows.is_empty() {
            self.seen.damaged += 1;
            let which = self.rng.usize(..rows.len());
            rows[which] = self.damage(&rows[which]);
        }
        Ok(ParallelScanResponse {
            rows,
            next_token: (!is_last).then(|| token(number, id, named)),
        })
    }

    /// A bit of a value turned, or the end missing.
    fn damage(&mut self, row: &Bytes) -> Bytes {
        let mut row = row.to_vec();
        if self.rng.bool() {
            row.truncate(self.rng.usize(..row.len()));
        } else {
            let last = row.len() - 1;
            row[last] ^= 1 << self.rng.u8(0..8);
        }
        row.into()
    }
}

impl Call<operation::ComputeSplits> for Model {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        let delay = self.0.lock().unwrap().delay();
        tokio::time::sleep(delay).await;
        let mut state = self.0.lock().unwrap();
        let number = state.sessions.len();
        if state.faults.sessions.is_some_and(|most| number >= most) {
            state.seen.refused_session = true;
            return Err(refusal(ErrorCode::MetaNotMatch));
        }
        if number > 0 {
            state.change();
        }
        if state.seen.in_flight > 0 {
            let wrong = format!(
                "session {number} while {} are in flight",
                state.seen.in_flight
            );
            state.seen.wrong.push(wrong);
        }
        state.sessions.push(Session {
            snapshot: None,
            requests: 0,
            last_request: Instant::now(),
            tokens: HashMap::new(),
            cursors: HashMap::new(),
            of: None,
            is_over: false,
        });
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(format!("session {number}").into()),
            splits_size: Some(state.splits_size),
        }))
    }
}

impl Call<operation::ParallelScan> for Model {
    /// With the retries of the client: what is lost is sent again.
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
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
                let response = state.answer(&request)?;
                drop(state);
                if lost {
                    // After it did.
                    self.0.lock().unwrap().seen.lost += 1;
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

fn rows_of(table: &Table, split: u32, of: u32) -> Vec<(i64, i64)> {
    let mine = table
        .iter()
        .filter(|(key, _)| *key % i64::from(of) == i64::from(split));
    mine.map(|(key, version)| (*key, *version)).collect()
}

pub(crate) fn row(key: i64, version: i64) -> Bytes {
    write_row(&Row::new(PrimaryKey::new().column("id", key)).cell("version", version))
}

fn refusal(code: ErrorCode) -> Error {
    Error::service(code, StatusCode::BAD_REQUEST, "as the world has it", "0005")
}

fn number(session: &Bytes) -> usize {
    let text = std::str::from_utf8(session).unwrap();
    text.strip_prefix("session ").unwrap().parse().unwrap()
}

fn token(session: usize, split: i32, start: usize) -> Bytes {
    format!("{session} {split} {start}").into()
}

fn read_token(token: &[u8]) -> (usize, i32, usize) {
    let mut parts = std::str::from_utf8(token).unwrap().split(' ');
    let mut part = || parts.next().unwrap();
    (
        part().parse().unwrap(),
        part().parse().unwrap(),
        part().parse().unwrap(),
    )
}
