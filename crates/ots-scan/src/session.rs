//! The session that a scan reads in.

use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use ots_core::request::{ComputeSplits, send};
use ots_core::{Call, Error};
use ots_proto::operation;

/// An open session over a search index: a snapshot that its splits share.
///
/// The snapshot is taken by the first request that reads. The session ends when nothing has been
/// asked for longer than its alive time, or when the service ends it: after a change of the
/// index's schema, a switch of indexes, a fault of a node. It can't be renewed, and the splits of two
/// sessions must not be mixed.
///
/// Source: the service's documentation of ParallelScan.
#[derive(Clone, PartialEq, Eq)]
pub struct ScanSession {
    table: String,
    index: String,
    id: Bytes,
    splits_size: NonZeroU32,
}

impl ScanSession {
    /// Opens a session over `index` of `table`.
    ///
    /// # Cost
    /// One request, ComputeSplits.
    ///
    /// # Errors
    /// When the call fails, or answers without a session or without splits.
    pub async fn open<C>(
        call: &C,
        table: impl Into<String> + Send,
        index: impl Into<String> + Send,
    ) -> Result<Self, Error>
    where
        C: Call<operation::ComputeSplits>,
    {
        let (table, index) = (table.into(), index.into());
        let reply = send(call, ComputeSplits::new(&table, &index)).await?;
        let reply = reply.into_inner();
        Ok(Self {
            table,
            index,
            id: reply.session_id,
            splits_size: reply.splits_size,
        })
    }

    /// A session that is open already, by whatever program: for
    /// [`ScanBuilder::in_session`](crate::ScanBuilder::in_session).
    #[must_use]
    pub fn known(
        table: impl Into<String>,
        index: impl Into<String>,
        id: impl Into<Bytes>,
        splits_size: NonZeroU32,
    ) -> Self {
        Self {
            table: table.into(),
            index: index.into(),
            id: id.into(),
            splits_size,
        }
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The search index.
    #[must_use]
    pub fn index(&self) -> &str {
        &self.index
    }

    /// The service's id of the session. Opaque bytes.
    #[must_use]
    pub const fn id(&self) -> &Bytes {
        &self.id
    }

    /// The most splits the session can be read in: the bound of `max_parallel`.
    #[must_use]
    pub const fn splits_size(&self) -> NonZeroU32 {
        self.splits_size
    }
}

impl fmt::Debug for ScanSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id admits to the data without naming a user: it has no place in logs.
        f.debug_struct("ScanSession")
            .field("table", &self.table)
            .field("index", &self.index)
            .field("splits_size", &self.splits_size)
            .finish_non_exhaustive()
    }
}
