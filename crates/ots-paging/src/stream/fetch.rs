//! The calls of a stream, without their type.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ots_core::Call;
use ots_core::request::{GetRange, GetRangeReply, Request as _};
use ots_proto::messages::GetRangeRequest;
use ots_proto::operation;

// A box for each page is nothing beside its round trip, and spares the streams a type parameter.
pub(crate) type InFlight<'c> =
    Pin<Box<dyn Future<Output = Result<GetRangeReply, ots_core::Error>> + Send + 'c>>;
pub(crate) type Fetch<'c> = Arc<dyn Fn(GetRangeRequest) -> InFlight<'c> + Send + Sync + 'c>;

/// What asks for a page.
pub(crate) fn fetch<'c, C: Call<operation::GetRange> + 'c>(call: C) -> Fetch<'c> {
    let call = Arc::new(call);
    Arc::new(move |message| {
        let call = Arc::clone(&call);
        Box::pin(async move { GetRange::read(call.call(message).await?) })
    })
}
