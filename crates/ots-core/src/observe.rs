//! What a call shows to the outside: a span, an event for each attempt, counters, metrics.
//!
//! Names are those of OpenTelemetry's conventions for databases where there is one, and `ots.` for the
//! rest. Neither keys nor values of rows are among them, and no credentials.

use std::error::Error as StdError;
use std::time::Duration;

use ots_proto::operation::Operation;
use tracing::Span;
use tracing::field::Empty;

use crate::call::Reply;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::usage::{self, UsageCounters};

/// Watches the calls of one client.
#[derive(Debug)]
pub(crate) struct Observer {
    host: String,
    port: u16,
    instance: String,
    pub(crate) usage: UsageCounters,
}

/// One call under watch.
pub(crate) struct Watch {
    pub(crate) span: Span,
    #[cfg(feature = "metrics")]
    table: Option<String>,
}

impl Observer {
    pub(crate) fn new(endpoint: &Endpoint, instance: &str) -> Self {
        Self {
            host: endpoint.host().to_owned(),
            port: endpoint.port(),
            instance: instance.to_owned(),
            usage: UsageCounters::default(),
        }
    }

    /// A call begins.
    pub(crate) fn begin<O: Operation>(&self, request: &O::Request) -> Watch {
        self.usage.calls.add(1);
        let table = O::table(request);
        let span = tracing::debug_span!(
            "ots",
            otel.name = Empty,
            otel.kind = "client",
            db.system.name = SYSTEM,
            db.namespace = self.instance,
            db.operation.name = O::NAME,
            db.collection.name = table,
            server.address = self.host,
            server.port = self.port,
            "error.type" = Empty,
            ots.request_id = Empty,
            ots.retries = Empty,
        );
        if !span.is_disabled() {
            match table {
                Some(table) => span.record("otel.name", format!("{} {table}", O::NAME)),
                None => span.record("otel.name", O::NAME),
            };
        }
        Watch {
            span,
            #[cfg(feature = "metrics")]
            table: table.map(str::to_owned),
        }
    }

    /// A request is about to be sent.
    pub(crate) fn attempt(&self, attempts: u32, body_bytes: usize) {
        self.usage.attempts.add(1);
        self.usage.retries.add(u64::from(attempts > 1));
        self.usage.bytes_sent.add(wide(body_bytes));
    }

    /// An answer came, good or bad.
    pub(crate) fn received(&self, body_bytes: usize) {
        self.usage.bytes_received.add(wide(body_bytes));
    }

    /// The call has ended.
    pub(crate) fn end<O: Operation>(
        &self,
        watch: &Watch,
        outcome: &Result<Reply<O::Response>, Error>,
    ) {
        let (attempts, request_id) = match outcome {
            Ok(reply) => (reply.attempts, Some(reply.request_id.as_str())),
            Err(error) => (error.attempts(), error.request_id()),
        };
        match outcome {
            Ok(reply) => {
                let consumed = usage::consumed::<O>(&reply.response);
                self.usage.read_units.add(consumed.read);
                self.usage.write_units.add(consumed.write);
            }
            Err(error) => {
                self.usage.failed_calls.add(1);
                watch.span.record("error.type", error.error_type());
            }
        }
        if let Some(request_id) = request_id {
            watch.span.record("ots.request_id", request_id);
        }
        watch.span.record("ots.retries", attempts.saturating_sub(1));
        #[cfg(feature = "metrics")]
        self.measure::<O>(watch, outcome, attempts);
    }

    /// Numbers for the `metrics` facade.
    #[cfg(feature = "metrics")]
    fn measure<O: Operation>(
        &self,
        watch: &Watch,
        outcome: &Result<Reply<O::Response>, Error>,
        attempts: u32,
    ) {
        use metrics::{Label, counter, histogram};

        let mut labels = vec![
            Label::from_static_parts("db.system.name", SYSTEM),
            Label::from_static_parts("db.operation.name", O::NAME),
            Label::new("db.namespace", self.instance.clone()),
            Label::new("server.address", self.host.clone()),
        ];
        labels.extend(
            watch
                .table
                .clone()
                .map(|table| Label::new("db.collection.name", table)),
        );
        let count = |name: &'static str, count: u64| counter!(name, labels.iter()).increment(count);
        count("ots.client.attempts", u64::from(attempts));
        count("ots.client.retries", u64::from(attempts.saturating_sub(1)));
        let elapsed = match outcome {
            Ok(reply) => {
                let consumed = usage::consumed::<O>(&reply.response);
                count("ots.client.consumed.read_units", consumed.read);
                count("ots.client.consumed.write_units", consumed.write);
                reply.elapsed
            }
            Err(error) => {
                labels.push(Label::new("error.type", error.error_type().to_owned()));
                error.elapsed()
            }
        };
        histogram!("db.client.operation.duration", labels.iter()).record(elapsed.as_secs_f64());
    }
}

/// The event of an attempt that was answered.
pub(crate) fn answered(attempts: u32, request_id: &str, body_bytes: usize) {
    tracing::debug!(
        ots.attempt = attempts,
        ots.request_id = request_id,
        ots.received_bytes = body_bytes,
        "answered"
    );
}

/// The event of an attempt that will be repeated.
pub(crate) fn trying_again(operation: &str, attempts: u32, pause: Duration, error: &Error) {
    // As an `Error`, not as text: its text leaves the cause to its sources.
    tracing::info!(
        operation,
        ots.attempt = attempts,
        ?pause,
        "error.type" = error.error_type(),
        error = error as &(dyn StdError + 'static),
        "trying again"
    );
}

/// The event of an attempt that was the last. The caller learns of it, so nobody else needs to.
pub(crate) fn gave_up(operation: &str, attempts: u32, error: &Error) {
    tracing::debug!(
        operation,
        ots.attempt = attempts,
        "error.type" = error.error_type(),
        error = error as &(dyn StdError + 'static),
        "giving up"
    );
}

const SYSTEM: &str = "alibabacloud.tablestore";

/// No body is longer than 2^64 bytes.
fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
