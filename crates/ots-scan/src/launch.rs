//! Sessions and tasks, without saying whose calls they make.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use ots_core::{Call, Error};
use ots_proto::operation;

use crate::outlet::Outlet;
use crate::plan::Ask;
use crate::request::PageRequest;
use crate::session::ScanSession;
use crate::worker::{Shared, Worker};

/// Opens sessions and reads their splits. It lets a scan be a plain type: what makes the calls is
/// known only in here.
pub(crate) trait Launch: Send + Sync {
    /// Opens a session.
    fn open(&self) -> BoxFuture<'static, Result<ScanSession, Error>>;

    /// The task of a split.
    fn read(
        &self,
        session: Option<&ScanSession>,
        first: Ask,
        outlet: Arc<dyn Outlet>,
    ) -> BoxFuture<'static, ()>;
}

pub(crate) struct Launcher<C> {
    pub(crate) shared: Arc<Shared<C>>,
    pub(crate) table: Arc<str>,
    pub(crate) index: Arc<str>,
    /// Without a session.
    pub(crate) request: PageRequest,
}

impl<C> Launch for Launcher<C>
where
    C: Call<operation::ComputeSplits> + Call<operation::ParallelScan> + 'static,
{
    fn open(&self) -> BoxFuture<'static, Result<ScanSession, Error>> {
        let call = Arc::clone(&self.shared.call);
        let (table, index) = (Arc::clone(&self.table), Arc::clone(&self.index));
        Box::pin(async move { ScanSession::open(&*call, &*table, &*index).await })
    }

    fn read(
        &self,
        session: Option<&ScanSession>,
        first: Ask,
        outlet: Arc<dyn Outlet>,
    ) -> BoxFuture<'static, ()> {
        let request = self.request.in_session(session);
        let worker = Worker::new(Arc::clone(&self.shared), request, outlet);
        Box::pin(worker.run(first))
    }
}
