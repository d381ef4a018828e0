//! Faults by rule: which requests go wrong, how, and how often.
//!
//! A rule is a value, the same from a test, a JSON file and the admin API. Rules are asked in the
//! order they were added; the first that fits a request and is due decides its fate. Nothing but the
//! requests themselves and the emulator's seed decides, so a run can be repeated.

mod book;
mod damage;
mod parse;
mod request;

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use book::Decision;
pub use book::{FaultStatus, Faults};
pub(crate) use damage::{corrupt_rows, cut};
pub use parse::FaultRuleError;
pub(crate) use parse::sentence_of;
pub(crate) use request::Facts;

/// A fault, and the requests that meet it.
///
/// ```
/// use std::time::Duration;
///
/// use ots_emulator::{Emulator, FaultAction, FaultRule};
///
/// let emulator = Emulator::default();
/// // The second GetRange on `orders` is applied and its answer lost; afterwards all is well.
/// let rule = FaultRule::new(FaultAction::DropAfter).operation("GetRange").table("orders").nth(2);
/// emulator.faults().add(rule);
///
/// // The same as JSON, as the admin API takes it.
/// let json = r#"{"match": {"op": "GetRange", "table": "orders", "nth": 2}, "do": "drop_after"}"#;
/// let rule: FaultRule = serde_json::from_str(json)?;
/// assert_eq!(emulator.faults().list()[0].rule, rule);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// Which requests.
    #[serde(rename = "match", default)]
    pub matches: FaultMatch,
    /// What happens to them.
    #[serde(rename = "do")]
    pub action: FaultAction,
    /// How often at most; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

/// The requests that a rule is about: those that fit everything it names.
///
/// Only requests that pass the checks of signature and digest are looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FaultMatch {
    /// The operation, as `GetRange`.
    #[serde(rename = "op", skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The table; of a batch, any of its tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The search index.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The `current_parallel_id` of a ParallelScan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<i32>,
    /// Only the so-manieth of the requests that fit everything above, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// Each with this probability, from 0 to 1, drawn from the emulator's seed.
    #[serde(rename = "prob", skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FaultAction {
    /// The request is refused; nothing is applied.
    Error {
        /// The HTTP status.
        #[serde(rename = "http")]
        status: u16,
        /// The service's code, as `OTSServerBusy`.
        code: String,
        /// The service's sentence; that of the code when empty.
        #[serde(default)]
        message: String,
    },
    /// Refused with 403 `OTSNotEnoughCapacityUnit`; nothing is applied.
    Throttle,
    /// So many capacity units in a second of the emulator's time; when they are used up, requests
    /// are refused as by [`Throttle`](Self::Throttle) until the next second. The request that uses up
    /// the last one is answered. Of a second's units only those of requests that fit the rule count.
    LimitUnits {
        /// Read units a second, for the operations that only read; without end when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<u64>,
        /// Write units a second, for the operations that write; without end when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        write: Option<u64>,
    },
    /// The request is applied and its answer comes late.
    Delay {
        /// Milliseconds of real time.
        ms: u64,
    },
    /// The connection ends without an answer; nothing is applied.
    DropBefore,
    /// The request is applied, and the connection ends without an answer.
    DropAfter,
    /// The request is applied, and the connection ends in the middle of its answer.
    Truncate {
        /// Bytes of the body that still come.
        bytes: usize,
    },
    /// The answer's digest is that of something else.
    BadMd5,
    /// The answer's signature is that of something else.
    BadSignature,
    /// The answer is dated so many seconds ahead, or behind.
    SkewDate {
        /// Seconds, negative for the past.
        seconds: i64,
    },
    /// A byte of the last row's checksum is wrong, under a digest that is right. An answer without
    /// rows is left alone.
    CorruptChecksum,
    /// The session that a ParallelScan names expires before it is looked at. Other requests are left
    /// alone.
    ExpireSession,
    /// A partition moves. An operation on rows is refused with 503 `OTSPartitionUnavailable`, and
    /// nothing is applied; an operation on an index finds all open sessions of the index expired.
    MoveSplit {
        /// As many splits as ComputeSplits reports from now on; as many as before when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        splits: Option<NonZeroU32>,
    },
    /// From this request on all search indexes are so far behind their tables, as
    /// [`Settings::index_delay`](crate::Settings::index_delay) has it: 0 lets them catch up.
    DelayIndexSync {
        /// Milliseconds of the emulator's time.
        ms: u64,
    },
    /// A page of GetRange, or of ParallelScan within a session, has no rows, and says where to read
    /// on: at the same place. A page that would be empty anyway, and other requests, are left alone.
    EmptyPage,
}

impl FaultRule {
    /// A rule for all requests, without end.
    #[must_use]
    pub fn new(action: FaultAction) -> Self {
        Self {
            matches: FaultMatch::default(),
            action,
            times: None,
        }
    }

    /// Refuses requests with a status and a code of the service, and the service's sentence for it.
    #[must_use]
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(FaultAction::Error {
            status,
            code: code.to_owned(),
            message: sentence_of(code).to_owned(),
        })
    }

    /// Answers late.
    #[must_use]
    pub fn delay(by: Duration) -> Self {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        Self::new(FaultAction::Delay { ms })
    }

    /// Only for this operation.
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.matches.operation = Some(name.to_owned());
        self
    }

    /// Only for this table.
    #[must_use]
    pub fn table(mut self, name: &str) -> Self {
        self.matches.table = Some(name.to_owned());
        self
    }

    /// Only for this search index.
    #[must_use]
    pub fn index(mut self, name: &str) -> Self {
        self.matches.index = Some(name.to_owned());
        self
    }

    /// Only for this share of a parallel scan.
    #[must_use]
    pub fn split(mut self, current_parallel_id: i32) -> Self {
        self.matches.split = Some(current_parallel_id);
        self
    }

    /// Only for the so-manieth request that fits, counted from 1.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.matches.nth = Some(nth);
        self
    }

    /// For each request that fits with this probability.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.matches.probability = Some(probability);
        self
    }

    /// At most so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}
