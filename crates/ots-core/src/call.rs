//! The seam above the client: something that performs one operation.

use std::future::Future;
use std::time::Duration;

use ots_proto::operation::Operation;

use crate::error::Error;

/// Performs one operation, retries included.
///
/// Pagers and scans know only this, so that a map in memory can stand in for the service:
///
/// ```
/// use ots_core::{Call, Error, Reply};
/// use ots_proto::messages::{ListTableRequest, ListTableResponse};
/// use ots_proto::operation::ListTable;
///
/// struct TwoTables;
///
/// impl Call<ListTable> for TwoTables {
///     async fn call(&self, _: ListTableRequest) -> Result<Reply<ListTableResponse>, Error> {
///         let table_names = vec!["flights".to_owned(), "orders".to_owned()];
///         Ok(Reply::new(ListTableResponse { table_names }))
///     }
/// }
/// ```
pub trait Call<O: Operation>: Send + Sync {
    /// Performs the operation.
    ///
    /// # Errors
    /// As the implementation documents; [`Client`](crate::Client) has retried what it may.
    fn call(
        &self,
        request: O::Request,
    ) -> impl Future<Output = Result<Reply<O::Response>, Error>> + Send;
}

impl<O: Operation, C: Call<O>> Call<O> for &C {
    async fn call(&self, request: O::Request) -> Result<Reply<O::Response>, Error> {
        (**self).call(request).await
    }
}

impl<O: Operation, C: Call<O>> Call<O> for std::sync::Arc<C> {
    async fn call(&self, request: O::Request) -> Result<Reply<O::Response>, Error> {
        (**self).call(request).await
    }
}

/// An answer of the service, and what it took to get it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The message.
    pub response: T,
    /// The id under which the service knows the request.
    pub request_id: String,
    /// How often the request was sent; 1 when the first attempt succeeded.
    pub attempts: u32,
    /// How many of them the service throttled: for a [`Limiter`](crate::limiter::Limiter).
    pub throttled: u32,
    /// Size of the answer's body, in bytes.
    pub body_bytes: usize,
    /// From the call to the answer, retries and pauses included.
    pub elapsed: Duration,
}

impl<T> Reply<T> {
    /// An answer that took nothing: for stand-ins.
    pub const fn new(response: T) -> Self {
        Self {
            response,
            request_id: String::new(),
            attempts: 1,
            throttled: 0,
            body_bytes: 0,
            elapsed: Duration::ZERO,
        }
    }

    /// The same circumstances around another message.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Reply<U> {
        let Self {
            response,
            request_id,
            attempts,
            throttled,
            body_bytes,
            elapsed,
        } = self;
        Reply {
            response: convert(response),
            request_id,
            attempts,
            throttled,
            body_bytes,
            elapsed,
        }
    }
}
