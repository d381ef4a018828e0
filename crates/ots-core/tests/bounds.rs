//! What the types promise: threads may share them, tasks may be spawned, seams are object-safe.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use ots_core::request::{self, GetRange, GetRow, ListTable, Request};
use ots_core::retry::{Decision, DefaultRetryPolicy, NoRetry, RetryPolicy};
use ots_core::transport::{InProcess, Scripted, TransportError};
use ots_core::{
    Call, Client, ClientBuilder, Clock, Credentials, CredentialsProvider, Endpoint, Error,
    ManualClock, PrimaryKey, Reply, SystemClock, Transport,
};
use ots_proto::messages::{ListTableRequest, ListTableResponse};
use ots_proto::operation;

mod common;

const fn shared<T: Send + Sync + 'static>() {}
const fn error<T: std::error::Error + Send + Sync + 'static>() {}
fn sendable<T: Send>(value: T) -> T {
    value
}

const _: () = {
    shared::<Client>();
    shared::<ClientBuilder>();
    shared::<Credentials>();
    shared::<Endpoint>();
    shared::<SystemClock>();
    shared::<ManualClock>();
    shared::<Scripted>();
    shared::<DefaultRetryPolicy>();
    shared::<NoRetry>();
    shared::<Decision>();
    shared::<Reply<ListTableResponse>>();
    shared::<InProcess<fn(http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes>>>();
    shared::<GetRange>();
    shared::<Arc<dyn Transport>>();
    shared::<Arc<dyn CredentialsProvider>>();
    shared::<Arc<dyn RetryPolicy>>();
    shared::<Arc<dyn Clock>>();
    error::<Error>();
    error::<TransportError>();
};

#[cfg(feature = "hyper")]
const _: () = shared::<ots_core::transport::HyperTransport>();

#[test]
fn calls_can_be_spawned() {
    let client = common::client(Scripted::new([]), &common::clock());
    let key = PrimaryKey::new().column("id", 7);
    drop(sendable(client.send(GetRow::new("t", key.clone()))));
    drop(sendable(Call::<operation::ListTable>::call(
        &client,
        ListTableRequest {},
    )));
    drop(sendable(request::send(&client, ListTable::new())));
    drop(sendable(generic(&client, request::BatchGetRow::new())));
    drop(sendable(generic(&Arc::new(client), GetRow::new("t", key))));
}

/// The promise must hold where only the trait is known.
async fn generic<C: Call<R::Operation>, R: Request>(
    call: &C,
    request: R,
) -> Option<Reply<R::Output>> {
    request::send(call, request).await.ok()
}

#[test]
fn an_error_is_one_pointer_wide() {
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}

#[tokio::test]
async fn shared_and_boxed_transports_are_transports() {
    let transport: Arc<dyn Transport> = Arc::new(Scripted::new([]));
    let client = common::client(Arc::clone(&transport), &common::clock());
    client.send(ListTable::new()).await.unwrap_err();
}

#[test]
fn futures_are_small_enough_for_a_task_each() {
    let client = common::client(Scripted::new([]), &common::clock());
    let future = Call::<operation::GetRow>::call(&client, Default::default());
    assert!(
        size_of_val(&future) < 4096,
        "{} bytes",
        size_of_val(&future)
    );
}
