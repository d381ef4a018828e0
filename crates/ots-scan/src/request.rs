//! The request of a page.

use ots_core::request::{ParallelScan, Request};
use ots_core::{Error, Reply};
use ots_proto::messages::{ParallelScanRequest, ParallelScanResponse, ScanQuery};
use ots_proto::operation;
use prost::Message as _;

use crate::framing::fnv;
use crate::plan::Ask;
use crate::session::ScanSession;

/// The request of a scan's pages: built once, then filled in with the split and the token of each.
///
/// No `Debug`: it holds the query, and the session.
#[derive(Clone)]
pub(crate) struct PageRequest(ParallelScanRequest);

impl PageRequest {
    /// What is wrong with the request of a page is wrong before there is a session for it.
    pub(crate) fn new(scan: ParallelScan) -> Result<Self, Error> {
        scan.into_message().map(Self)
    }

    /// A hash of everything that a token depends on, and of what the rows are made of: table, index,
    /// query and columns.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut request = self.0.clone();
        request.session_id = None;
        request.timeout_ms = None;
        let query = request.scan_query.take().and_then(|scan| scan.query);
        request.scan_query = Some(ScanQuery {
            query,
            ..ScanQuery::default()
        });
        fnv(&request.encode_to_vec())
    }

    /// Without one, the service reads the data of the moment.
    pub(crate) fn in_session(&self, session: Option<&ScanSession>) -> Self {
        let mut request = self.clone();
        request.0.session_id = session.map(|session| session.id().clone());
        request
    }

    pub(crate) const fn has_session(&self) -> bool {
        self.0.session_id.is_some()
    }

    /// The request of this page: a copy, of which query, session and token are not copied.
    pub(crate) fn page(&self, ask: &Ask) -> Self {
        let mut page = self.clone();
        let scan = page.0.scan_query.get_or_insert_default();
        // No split has a number with the bit that is the sign's.
        scan.current_parallel_id = Some(ask.split().id().cast_signed());
        scan.max_parallel = Some(ask.split().of().cast_signed());
        scan.token = ask.token().cloned();
        page
    }

    /// The same request, for one row.
    pub(crate) fn one_row(mut self) -> Self {
        self.0.scan_query.get_or_insert_default().limit = Some(1);
        self
    }
}

impl Request for PageRequest {
    type Operation = operation::ParallelScan;
    type Output = ParallelScanResponse;

    fn table(&self) -> Option<&str> {
        self.0.table_name.as_deref()
    }

    fn into_message(self) -> Result<ParallelScanRequest, Error> {
        Ok(self.0)
    }

    fn read(reply: Reply<ParallelScanResponse>) -> Result<Self::Output, Error> {
        Ok(reply.into_inner())
    }
}
