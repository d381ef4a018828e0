//! Sessions of parallel scans: how long they live, and the snapshots they hold.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use super::scan::{Share, Task};
use crate::error::ServiceError;
use crate::random::Random;

/// The open sessions of an instance.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<Bytes, Session>,
}

/// One session, opened by ComputeSplits.
#[derive(Debug)]
pub(crate) struct Session {
    /// The index it was opened for; see [`SearchIndex::identity`](super::SearchIndex::identity).
    index: u64,
    expires_ms: i64,
    tasks: HashMap<TaskKey, TaskState>,
}

/// Requests with the same query and the same number of shares are one task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TaskKey {
    /// The query's message.
    pub(crate) query: Bytes,
    pub(crate) max_parallel: u32,
}

/// How far a task has come.
#[derive(Debug)]
pub(crate) enum TaskState {
    Running {
        task: Arc<Task>,
        /// The shares whose end was reported.
        ended: BTreeSet<u32>,
    },
    /// Every share was read to its end and the snapshot is gone. What remains answers a request for
    /// an end once more: its first answer may have been lost on the way.
    Finished { identity: u64, rows: usize },
}

impl Sessions {
    /// Opens a session and returns its id.
    pub(crate) fn open(&mut self, random: &Random, index: u64, now_ms: i64) -> Bytes {
        // Text, because the official Python SDK takes a session id for UTF-8.
        let id = Bytes::from(format!("{:032x}", random.u128()));
        let session = Session {
            index,
            expires_ms: expiry(now_ms, DEFAULT_ALIVE_S),
            tasks: HashMap::new(),
        };
        self.by_id.insert(id.clone(), session);
        id
    }

    /// The session, its life prolonged. One that doesn't exist or belongs to another index is
    /// reported like one that has expired.
    pub(crate) fn refresh(
        &mut self,
        id: &Bytes,
        index: Option<u64>,
        now_ms: i64,
        alive_s: i32,
    ) -> Result<&mut Session, ServiceError> {
        let session = self
            .by_id
            .get_mut(id)
            .filter(|session| session.expires_ms > now_ms && Some(session.index) == index)
            .ok_or_else(expired)?;
        session.expires_ms = expiry(now_ms, alive_s);
        Ok(session)
    }

    /// Takes out what has expired, to be dropped when the database is unlocked: freeing a snapshot of
    /// millions of rows takes a while.
    #[must_use]
    pub(crate) fn take_expired(&mut self, now_ms: i64) -> Vec<Session> {
        self.by_id
            .extract_if(|_, session| session.expires_ms <= now_ms)
            .map(|(_, session)| session)
            .collect()
    }

    /// Ends the sessions of an index that is deleted. They are handed back, to be dropped when the
    /// database is unlocked.
    #[must_use]
    pub(crate) fn close_index(&mut self, index: u64) -> Vec<Session> {
        self.by_id
            .extract_if(|_, session| session.index == index)
            .map(|(_, session)| session)
            .collect()
    }

    /// Ends one session, as if its time had come. It is handed back, to be dropped when the database
    /// is unlocked.
    #[must_use]
    pub(crate) fn close(&mut self, id: &[u8]) -> Option<Session> {
        self.by_id.remove(id)
    }

    /// Ends all sessions. They are handed back, to be dropped when the database is unlocked.
    #[must_use]
    pub(crate) fn close_all(&mut self) -> HashMap<Bytes, Session> {
        std::mem::take(&mut self.by_id)
    }

    /// Tasks that hold a snapshot.
    pub(crate) fn running(&self) -> usize {
        let tasks = self
            .by_id
            .values()
            .flat_map(|session| session.tasks.values());
        tasks
            .filter(|task| matches!(task, TaskState::Running { .. }))
            .count()
    }

    /// Notes that the end of a share was reported. When it was the last one, the snapshot is handed
    /// back, to be dropped when the database is unlocked.
    #[must_use]
    pub(crate) fn end_share(
        &mut self,
        id: &Bytes,
        key: &TaskKey,
        identity: u64,
        share: Share,
    ) -> Option<TaskState> {
        let state = self.by_id.get_mut(id)?.tasks.get_mut(key)?;
        let TaskState::Running { task, ended } = state else {
            return None;
        };
        if task.identity != identity {
            return None;
        }
        ended.insert(share.current);
        // Only what is less than max_parallel is ever inserted.
        if ended.len() < usize::try_from(share.max_parallel).ok()? {
            return None;
        }
        let rows = task.matches().len();
        Some(std::mem::replace(
            state,
            TaskState::Finished { identity, rows },
        ))
    }

    /// Open sessions, those that expired unnoticed included.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl Session {
    pub(crate) fn task(&self, key: &TaskKey) -> Option<&TaskState> {
        self.tasks.get(key)
    }

    /// Begins a task, in place of an earlier one that has ended.
    pub(crate) fn begin(&mut self, key: TaskKey, task: Arc<Task>) {
        let ended = BTreeSet::new();
        self.tasks.insert(key, TaskState::Running { task, ended });
    }
}

/// When a session ends that is given some seconds now.
pub(crate) fn expiry(now_ms: i64, alive_s: i32) -> i64 {
    now_ms.saturating_add(i64::from(alive_s).saturating_mul(1000))
}

/// The text as the service sends it, seen in an official SDK's tests.
pub(crate) fn expired() -> ServiceError {
    ServiceError::new(
        400,
        "OTSSessionExpired",
        "ScanQuery'session is expired, please retry ComputeSplitsRequest and ScanQuery.",
    )
}

/// From the public documentation.
pub(crate) const DEFAULT_ALIVE_S: i32 = 60;
/// One day. The service's own bound is not public; without one, a snapshot could stay for decades.
pub(crate) const MAX_ALIVE_S: i32 = 86_400;
