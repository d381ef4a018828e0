//! The seam above the client: something that performs one operation.

use std::future::Future;
use std::ops::{Deref, DerefMut};
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
///
/// It stands for the answer: fields and methods of `T` are reached through it, because what the
/// answer says is what nearly every caller wants, and the circumstances are there when something must
/// be reported or measured.
///
/// ```
/// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
/// use ots_core::PrimaryKey;
/// use ots_core::request::GetRow;
///
/// let reply = client.send(GetRow::new("cities", PrimaryKey::new().column("id", 7))).await?;
/// println!("request {} cost {} read units", reply.request_id, reply.consumed.read);
/// if let Some(row) = reply.into_inner().row {
///     println!("{row:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reply<T> {
    /// The message, or what it means.
    pub response: T,
    /// The id under which the service knows the request; the last one where several were needed.
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

    /// The answer alone.
    pub fn into_inner(self) -> T {
        self.response
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

    /// The circumstances alone.
    pub(crate) fn circumstances(&self) -> Reply<()> {
        Reply {
            response: (),
            request_id: self.request_id.clone(),
            attempts: self.attempts,
            throttled: self.throttled,
            body_bytes: self.body_bytes,
            elapsed: self.elapsed,
        }
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.response
    }
}

impl<T> DerefMut for Reply<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.response
    }
}

/// The elements of an answer that has some: the names of a list, the results of a batch.
impl<T: IntoIterator> IntoIterator for Reply<T> {
    type Item = T::Item;
    type IntoIter = T::IntoIter;

    fn into_iter(self) -> T::IntoIter {
        self.response.into_iter()
    }
}
