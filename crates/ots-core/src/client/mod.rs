//! The client: one call is a loop of attempts, each signed, sent, checked and decoded.

mod attempt;
mod builder;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ots_proto::operation::Operation;
use prost::Message as _;
use tracing::Instrument as _;

pub use self::builder::ClientBuilder;
use crate::call::{Call, Reply};
use crate::clock::Clock;
use crate::compression::Codec;
use crate::credentials::CredentialsProvider;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::in_flight::InFlight;
use crate::observe::Observer;
use crate::request::batch::{Pace, Rows as _, Settled, by_table, settle};
use crate::request::{BatchRequest, Request};
use crate::response::Verification;
use crate::retry::{Bucket, RetryPolicy, Turn};
use crate::sign::Keys;
use crate::skew::Skew;
use crate::time_limits::{Stopwatch, TimeLimits};
use crate::transport::Transport;
use crate::usage::Usage;
use crate::writer::{BatchWriter, BatchWriterBuilder};

/// A client of one instance. Clones are cheap and share the connections.
///
/// Calls must run inside a tokio runtime with its timer. When the last clone is dropped, so are the
/// connections; to wait for the calls under way, [`close`](Self::close) it.
///
/// Every call is a `tracing` span, and every attempt an event in it, under the names that
/// OpenTelemetry gives to such things.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    instance: String,
    credentials: Arc<dyn CredentialsProvider>,
    keys: Keys,
    skew: Skew,
    corrects_clock: bool,
    transport: Arc<dyn Transport>,
    retry: Arc<dyn RetryPolicy>,
    retries: Bucket,
    clock: Arc<dyn Clock>,
    random: Random,
    verification: Verification,
    limits: TimeLimits,
    codec: Codec,
    observer: Observer,
    in_flight: InFlight,
}

/// A source of numbers uniform in 0..1.
struct Random(Box<dyn Fn() -> f64 + Send + Sync>);

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

impl Client {
    /// A client of the instance at this endpoint, as in
    /// `https://INSTANCE.cn-hangzhou.ots.aliyuncs.com`.
    ///
    /// What can be set, and what holds where it isn't:
    ///
    /// | setter | without it |
    /// |---|---|
    /// | [`instance`](ClientBuilder::instance) | the first part of the endpoint's host |
    /// | [`region`](ClientBuilder::region) | signature V2; V4 with it |
    /// | [`credentials`](ClientBuilder::credentials) | a key from the environment |
    /// | [`transport`](ClientBuilder::transport) | a pool of HTTP connections, with TLS, through the environment's proxies |
    /// | [`verification`](ClientBuilder::verification) | the MD5 of large bodies over plain HTTP only |
    /// | [`attempt_timeout`](ClientBuilder::attempt_timeout) | 30 s |
    /// | [`call_timeout`](ClientBuilder::call_timeout) | none: the retry policy's deadline, and one attempt |
    /// | [`retry`](ClientBuilder::retry) | twenty attempts within 60 s |
    /// | [`retry_budget`](ClientBuilder::retry_budget) | 100 retries at once, 10 a second, a tenth of what is answered |
    /// | `compression` (with the feature) | none |
    /// | [`clock`](ClientBuilder::clock) | the computer's |
    /// | [`clock_correction`](ClientBuilder::clock_correction) | on |
    /// | [`random`](ClientBuilder::random) | `fastrand` |
    ///
    /// How long making a connection may take, how long an unused one is kept, proxies and certificates
    /// are settings of the transport: [`HyperTransport::builder`](crate::transport::HyperTransport).
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use ots_core::{Client, Credentials};
    ///
    /// # fn main() -> Result<(), ots_core::Error> {
    /// let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::from_env()?)
    ///     .call_timeout(Duration::from_secs(5))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// Performs a typed request.
    ///
    /// The reply is what the answer means, with the id of the request and the number of attempts.
    ///
    /// # Errors
    /// When the request is wrong, the service refuses it, or no answer that can be trusted came in
    /// the time and the number of attempts that the retry policy allows.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the call. A write that was sent may still happen.
    pub async fn send<R: Request>(&self, request: R) -> Result<Reply<R::Output>, Error> {
        let reply = crate::request::send(self, request).await;
        // An answer that can't be understood is found above the call, which knows the instance.
        reply.map_err(|error| error.with_instance(&self.0.instance))
    }

    /// What this client and its clones have used so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.observer.usage.snapshot()
    }

    /// Ends the client and all its clones in good order: calls that begin from now on are refused with
    /// [`ErrorKind::Closed`](crate::ErrorKind::Closed), those under way go on to their end, and then
    /// the transport lets go of its connections.
    ///
    /// # Cancel safety
    /// Dropping the future stops the waiting. The client stays closed to new calls.
    pub async fn close(&self) {
        self.0.in_flight.close().await;
        self.0.transport.close().await;
    }

    /// Sends a batch, and again those of its rows that failed for a moment, until each is settled.
    ///
    /// The reply has a result for each row, in the order and the tables in which they were given. The
    /// client's retry policy decides about each row: one that surely did not happen is sent again,
    /// whatever it is; one that may have happened, only if that
    /// [does no harm](crate::request::RowWrite::may_repeat). When the service refuses a request for
    /// what is in a row, the others are sent without it.
    ///
    /// A request that fails as a whole fails its rows: each then has the error. Every request after
    /// the first that repeats rows takes a retry of the client's budget, and
    /// [`call_timeout`](ClientBuilder::call_timeout) holds for all of them together.
    ///
    /// # Errors
    /// When the request is wrong; nothing is sent then.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the batch. Rows that were sent may still happen.
    ///
    /// ```no_run
    /// # async fn example(client: ots_core::Client) -> Result<(), ots_core::Error> {
    /// use ots_core::request::{BatchWriteRow, TableWrites};
    /// use ots_core::{PrimaryKey, Row};
    ///
    /// let rows = (0..100).map(|id| Row::new(PrimaryKey::new().column("id", id)));
    /// let batch = BatchWriteRow::new().table(TableWrites::new("cities").puts(rows));
    /// let reply = client.send_rows(batch).await?;
    /// let failed = reply.iter().flatten().filter(|row| row.is_err()).count();
    /// println!("{failed} rows failed, {} requests were sent", reply.attempts);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_rows<B: BatchRequest>(&self, batch: B) -> Result<Reply<B::Output>, Error> {
        let inner = &*self.0;
        let table = batch.table().map(str::to_owned);
        let rows = batch.into_rows().map_err(|error| error.with_table(table))?;
        let whole = Stopwatch::start(&*inner.clock);
        let turn = |pause, elapsed| inner.turn(pause, elapsed, &whole);
        let pace = Pace {
            policy: &*inner.retry,
            clock: &*inner.clock,
            random: &*inner.random.0,
            turn: &turn,
            limiter: None,
            abandoned: None,
        };
        let part = Part {
            client: self,
            whole: &whole,
        };
        let reply = settle(&part, &rows, &pace, None).await;
        let results = |settled: Vec<Settled<B::Row>>| {
            let results = settled.into_iter().map(|row| {
                let result = row.result;
                result.map_err(|error| error.with_instance(&inner.instance))
            });
            let table_of_row = (0..rows.len()).map(|row| rows.table_of(row));
            by_table(rows.tables().len(), table_of_row, results)
        };
        Ok(reply.map(results))
    }

    /// A writer of many rows of one table, which repeats as this client does: by its policy, and out of
    /// its [budget](ClientBuilder::retry_budget).
    ///
    /// ```no_run
    /// # async fn example(client: ots_core::Client, rows: Vec<ots_core::Row>) -> Result<(), ots_core::Error> {
    /// use ots_core::RowChange;
    ///
    /// let writer = client.batch_writer("cities").start(|settled| {
    ///     if !settled.outcome.is_written() {
    ///         eprintln!("line {}: {:?}", settled.tag, settled.outcome);
    ///     }
    /// })?;
    /// writer.write_all(rows.into_iter().map(RowChange::Put).zip(1_u64..)).await;
    /// println!("{:?}", writer.close().await);
    /// # Ok(())
    /// # }
    /// ```
    pub fn batch_writer(&self, table: impl Into<String>) -> BatchWriterBuilder<Self> {
        BatchWriter::builder(self.clone(), table).retries_of(self)
    }

    pub(crate) fn retry_policy(&self) -> &Arc<dyn RetryPolicy> {
        &self.0.retry
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    pub(crate) fn random(&self) -> f64 {
        (self.0.random.0)()
    }

    /// When a request that repeats rows may begin: it takes a retry of the budget.
    pub(crate) fn turn(&self, pause: Duration, longest: Duration) -> Turn {
        self.0.turn_within(pause, longest)
    }

    /// The instance.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.0.instance
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }
}

impl<O: Operation> Call<O> for Client {
    async fn call(&self, request: O::Request) -> Result<Reply<O::Response>, Error> {
        let whole = Stopwatch::start(&*self.0.clock);
        let client = self;
        let part = Part {
            client,
            whole: &whole,
        };
        Call::<O>::call(&part, request).await
    }
}

/// A client that makes one call of several, under one time limit.
struct Part<'a> {
    client: &'a Client,
    whole: &'a Stopwatch<'a>,
}

impl<O: Operation> Call<O> for Part<'_> {
    async fn call(&self, request: O::Request) -> Result<Reply<O::Response>, Error> {
        let client = &*self.client.0;
        let Some(_in_flight) = client.in_flight.enter() else {
            return Err(Error::closed().with_call(O::NAME, 0, Duration::ZERO));
        };
        let watch = client.observer.begin::<O>(&request);
        let body = client.codec.outgoing(request.encode_to_vec().into());
        drop(request);
        let call = client.run::<O>(&body, self.whole);
        let outcome = call.instrument(watch.span.clone()).await;
        client.observer.end::<O>(&watch, &outcome);
        outcome
    }
}
