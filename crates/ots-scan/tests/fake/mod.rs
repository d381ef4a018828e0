//! A service in memory: rows cut into splits, splits into pages of any shape, with a log.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use ots_core::{Call, Error, ErrorCode, Reply};
use ots_proto::messages::{
    ComputeSplitsRequest, ComputeSplitsResponse, ParallelScanRequest, ParallelScanResponse,
    SearchRequest, SearchResponse,
};
use ots_proto::operation;
use ots_proto::plainbuffer::write_row;
use ots_proto::{PrimaryKey, Row};

/// Cheap to clone: the clones share the log.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Service>);

type Shape = dyn Fn(Asked) -> usize + Send + Sync;
type Delay = dyn Fn(Asked) -> Duration + Send + Sync;
type Throttled = dyn Fn(Asked) -> u32 + Send + Sync;
type Answer = dyn Fn(Asked) -> Option<Answered> + Send + Sync;

struct Service {
    rows: Vec<Bytes>,
    splits_size: i32,
    /// Rows of a page, at most.
    shape: Box<Shape>,
    delay: Box<Delay>,
    /// Something other than the page.
    answer: Box<Answer>,
    /// Whether the last rows come with a token, as they do from the service.
    ends_with_an_empty_page: bool,
    attempts: u32,
    throttled: Box<Throttled>,
    body_bytes: usize,
    log: Mutex<Vec<Asked>>,
    /// Of every page that was asked for.
    tokens: Mutex<HashMap<Asked, Bytes>>,
    cursors: Mutex<HashMap<u32, usize>>,
    max_parallel: Mutex<HashSet<i32>>,
    sessions: AtomicUsize,
    without_session: AtomicUsize,
    pings: AtomicUsize,
    in_flight: AtomicUsize,
    max_in_flight: AtomicUsize,
}

/// One request for a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Asked {
    pub(crate) split: u32,
    pub(crate) page: u64,
}

pub(crate) enum Answered {
    Error(ErrorCode),
    Panic,
    /// An empty page, with the token of the request.
    Again,
    /// A page of these rows, and the end.
    Rows(Vec<Bytes>),
    /// With the token of the request, the page to which a cursor has moved that all these answers move.
    SameToken,
    /// The page, with the token that an earlier one of its split was asked with.
    BackTo(u64),
}

pub(crate) fn row(id: i64) -> Row {
    Row::new(PrimaryKey::new().column("id", id)).cell("city", "Hangzhou")
}

impl Fake {
    /// Rows with ids from 0, in up to `splits_size` splits; pages of any size are full.
    pub(crate) fn new(rows: i64, splits_size: i32) -> Self {
        Self(Arc::new(Service {
            rows: (0..rows).map(|id| write_row(&row(id))).collect(),
            splits_size,
            shape: Box::new(|_| usize::MAX),
            delay: Box::new(|_| Duration::from_millis(1)),
            answer: Box::new(|_| None),
            ends_with_an_empty_page: true,
            attempts: 1,
            throttled: Box::new(|_| 0),
            body_bytes: 0,
            log: Mutex::default(),
            tokens: Mutex::default(),
            cursors: Mutex::default(),
            max_parallel: Mutex::default(),
            sessions: AtomicUsize::new(0),
            without_session: AtomicUsize::new(0),
            pings: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            max_in_flight: AtomicUsize::new(0),
        }))
    }

    fn set(mut self, set: impl FnOnce(&mut Service)) -> Self {
        set(Arc::get_mut(&mut self.0).expect("set up before it is shared"));
        self
    }

    /// The same rows, each with a text of this size.
    pub(crate) fn wide(self, bytes: usize) -> Self {
        let wide = |id| write_row(&row(id).cell("text", "x".repeat(bytes)));
        self.set(|service| service.rows = (0..).map(wide).take(service.rows.len()).collect())
    }

    pub(crate) fn shape(self, shape: impl Fn(Asked) -> usize + Send + Sync + 'static) -> Self {
        self.set(|service| service.shape = Box::new(shape))
    }

    pub(crate) fn delay(self, delay: impl Fn(Asked) -> Duration + Send + Sync + 'static) -> Self {
        self.set(|service| service.delay = Box::new(delay))
    }

    pub(crate) fn answer(
        self,
        answer: impl Fn(Asked) -> Option<Answered> + Send + Sync + 'static,
    ) -> Self {
        self.set(|service| service.answer = Box::new(answer))
    }

    pub(crate) fn ends_with_an_empty_page(self, ends: bool) -> Self {
        self.set(|service| service.ends_with_an_empty_page = ends)
    }

    pub(crate) fn attempts(self, attempts: u32) -> Self {
        self.set(|service| service.attempts = attempts)
    }

    pub(crate) fn throttled(self, times: impl Fn(Asked) -> u32 + Send + Sync + 'static) -> Self {
        self.set(|service| service.throttled = Box::new(times))
    }

    /// What every answer is said to have taken; 0, as of a stand-in, when never called.
    pub(crate) fn body_bytes(self, bytes: usize) -> Self {
        self.set(|service| service.body_bytes = bytes)
    }

    /// Every request for a page, in the order in which they came.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.0.log.lock().unwrap().clone()
    }

    pub(crate) fn has_asked(&self, asked: Asked) -> bool {
        self.0.log.lock().unwrap().contains(&asked)
    }

    /// The numbers of splits that were asked for.
    pub(crate) fn max_parallel(&self) -> Vec<i32> {
        self.0
            .max_parallel
            .lock()
            .unwrap()
            .iter()
            .copied()
            .collect()
    }

    pub(crate) fn sessions(&self) -> usize {
        self.0.sessions.load(Ordering::SeqCst)
    }

    /// Requests for pages outside of a session.
    pub(crate) fn without_session(&self) -> usize {
        self.0.without_session.load(Ordering::SeqCst)
    }

    /// Requests for one row, which are not in the log.
    pub(crate) fn pings(&self) -> usize {
        self.0.pings.load(Ordering::SeqCst)
    }

    /// Calls for a page that have begun and were neither answered nor given up.
    pub(crate) fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::SeqCst)
    }

    pub(crate) fn max_in_flight(&self) -> usize {
        self.0.max_in_flight.load(Ordering::SeqCst)
    }
}

impl Call<operation::ComputeSplits> for Fake {
    async fn call(&self, _: ComputeSplitsRequest) -> Result<Reply<ComputeSplitsResponse>, Error> {
        self.0.sessions.fetch_add(1, Ordering::SeqCst);
        let splits_size = Some(self.0.splits_size);
        Ok(Reply::new(ComputeSplitsResponse {
            session_id: Some(SESSION),
            splits_size,
        }))
    }
}

impl Call<operation::Search> for Fake {
    async fn call(&self, _: SearchRequest) -> Result<Reply<SearchResponse>, Error> {
        Ok(Reply::new(SearchResponse {
            total_hits: i64::try_from(self.0.rows.len()).ok(),
            is_all_succeeded: Some(true),
            ..SearchResponse::default()
        }))
    }
}

impl Call<operation::ParallelScan> for Fake {
    async fn call(
        &self,
        request: ParallelScanRequest,
    ) -> Result<Reply<ParallelScanResponse>, Error> {
        let service = &*self.0;
        let _guard = InFlight::new(service);
        if request.session_id.is_none() {
            service.without_session.fetch_add(1, Ordering::SeqCst);
        } else {
            assert_eq!(request.session_id, Some(SESSION));
        }
        let scan = request.scan_query.unwrap();
        let limit = scan.limit.unwrap();
        let (id, of) = (
            scan.current_parallel_id.unwrap(),
            scan.max_parallel.unwrap(),
        );
        assert!((0..of).contains(&id) && of <= service.splits_size);
        let (page, offset) = scan.token.as_deref().map_or((0, 0), read_token);
        let asked = Asked {
            split: u32::try_from(id).unwrap(),
            page,
        };
        if limit == 1 {
            service.pings.fetch_add(1, Ordering::SeqCst);
        } else {
            service.log.lock().unwrap().push(asked);
        }
        if let Some(token) = &scan.token {
            service.tokens.lock().unwrap().insert(asked, token.clone());
        }
        service.max_parallel.lock().unwrap().insert(of);

        match (service.delay)(asked) {
            // A sleep would wait for a tick of the clock.
            Duration::ZERO => tokio::task::yield_now().await,
            delay => tokio::time::sleep(delay).await,
        }

        let (id, of) = (usize::try_from(id).unwrap(), usize::try_from(of).unwrap());
        let mine = || service.rows.iter().skip(id).step_by(of);
        let limit = usize::try_from(limit).unwrap().min((service.shape)(asked));
        let mut rows: Vec<_> = mine().skip(offset).take(limit).cloned().collect();
        let end = offset + rows.len();
        let is_last = end == mine().len() && (!service.ends_with_an_empty_page || rows.is_empty());
        let mut next_token = (!is_last).then(|| format!("{} {end}", page + 1).into());
        match (service.answer)(asked) {
            None => {}
            Some(Answered::Error(code)) => {
                return Err(Error::service(
                    code,
                    StatusCode::BAD_REQUEST,
                    "as told",
                    "0005",
                ));
            }
            Some(Answered::Panic) => panic!("as told"),
            Some(Answered::Again) => (rows, next_token) = (Vec::new(), Some(scan.token.unwrap())),
            Some(Answered::SameToken) => {
                let mut cursors = service.cursors.lock().unwrap();
                let cursor = cursors.entry(asked.split).or_insert(offset);
                rows = mine().skip(*cursor).take(limit).cloned().collect();
                *cursor += rows.len();
                next_token = scan.token;
            }
            Some(Answered::BackTo(page)) => {
                let tokens = service.tokens.lock().unwrap();
                next_token = Some(tokens[&Asked { page, ..asked }].clone());
            }
            Some(Answered::Rows(other)) => (rows, next_token) = (other, None),
        }
        let mut reply = Reply::new(ParallelScanResponse { rows, next_token });
        reply.throttled = (service.throttled)(asked);
        reply.attempts = service.attempts + reply.throttled;
        reply.body_bytes = service.body_bytes;
        Ok(reply)
    }
}

fn read_token(token: &[u8]) -> (u64, usize) {
    let (page, offset) = std::str::from_utf8(token).unwrap().split_once(' ').unwrap();
    (page.parse().unwrap(), offset.parse().unwrap())
}

/// Counts down also when the call is given up.
struct InFlight<'a>(&'a Service);

impl<'a> InFlight<'a> {
    fn new(service: &'a Service) -> Self {
        let now = service.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        service.max_in_flight.fetch_max(now, Ordering::SeqCst);
        Self(service)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

const SESSION: Bytes = Bytes::from_static(b"a session");
