//! The client: one call is a loop of attempts, each signed, sent, checked and decoded.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{HeaderName, USER_AGENT};
use ots_proto::operation::Operation;
use prost::Message as _;
use tracing::Instrument as _;

use crate::call::{Call, Reply};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{Credentials, CredentialsProvider};
use crate::endpoint::Endpoint;
use crate::error::{CallContext, Error, ErrorKind, ResponseProblem};
use crate::request::Request;
use crate::response::{self, Expected, Trusted, Verification};
use crate::retry::{Decision, DefaultRetryPolicy, Failure, RetryPolicy};
use crate::transport::{Transport, TransportError};
use crate::{date, sign};

/// A client of one instance. Clones are cheap and share the connections.
#[derive(Clone, Debug)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    instance: String,
    credentials: Arc<dyn CredentialsProvider>,
    transport: Arc<dyn Transport>,
    retry: Arc<dyn RetryPolicy>,
    clock: Arc<dyn Clock>,
    random: Random,
    verification: Verification,
    attempt_timeout: Duration,
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
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            endpoint: endpoint.into(),
            instance: None,
            credentials: None,
            transport: None,
            retry: Arc::new(DefaultRetryPolicy::new()),
            clock: Arc::new(SystemClock::new()),
            random: Random(Box::new(fastrand::f64)),
            verification: Verification::default(),
            attempt_timeout: Duration::from_secs(30),
        }
    }

    /// Performs a typed request.
    ///
    /// # Errors
    /// When the request is wrong, the service refuses it, or no answer that can be trusted came in
    /// the time and the number of attempts that the retry policy allows.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the call. A write that was sent may still happen.
    pub async fn send<R: Request>(&self, request: R) -> Result<R::Output, Error> {
        crate::request::send(self, request).await
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
        let span = tracing::debug_span!("ots", operation = O::NAME, instance = self.0.instance);
        self.0
            .run::<O>(request.encode_to_vec().into())
            .instrument(span)
            .await
    }
}

impl Inner {
    /// The loop of attempts.
    async fn run<O: Operation>(&self, body: Bytes) -> Result<Reply<O::Response>, Error> {
        let body_md5 = sign::content_md5(&body);
        let start = self.clock.elapsed();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let outcome = self.attempt::<O>(body.clone(), &body_md5).await;
            let elapsed = self.clock.elapsed().saturating_sub(start);
            let error = match outcome {
                Ok((response, trusted)) => {
                    let Trusted { body, request_id } = trusted;
                    tracing::debug!(attempts, request_id, "answered");
                    let body_bytes = body.len();
                    return Ok(Reply {
                        response,
                        request_id,
                        attempts,
                        body_bytes,
                        elapsed,
                    });
                }
                Err(error) => error,
            };
            let failure = Failure::new(&error, O::IDEMPOTENCY, attempts, elapsed);
            match self.retry.decide(&failure, (self.random.0)()) {
                Decision::RetryAfter(pause) => {
                    tracing::info!(operation = O::NAME, attempts, ?pause, %error, "trying again");
                    self.clock.sleep(pause).await;
                }
                Decision::GiveUp => {
                    let (operation, instance) = (O::NAME, self.instance.clone());
                    let call = CallContext {
                        operation,
                        instance,
                        attempts,
                        elapsed,
                    };
                    return Err(error.with_call(call));
                }
            }
        }
    }

    /// One attempt: a fresh date and signature, one request, one checked and decoded answer.
    async fn attempt<O: Operation>(
        &self,
        body: Bytes,
        body_md5: &str,
    ) -> Result<(O::Response, Trusted), Error> {
        let credentials = self.credentials.credentials().await?;
        let request = self.signed_request(O::NAME, body, body_md5, &credentials)?;
        let send = self.transport.send(request);
        let answer = match tokio::time::timeout(self.attempt_timeout, send).await {
            Ok(answer) => answer,
            Err(_) => {
                let seconds = self.attempt_timeout.as_secs_f64();
                Err(TransportError::unknown(format!(
                    "no answer within {seconds} s"
                )))
            }
        };
        let answer = answer.map_err(|error| Error::new(ErrorKind::Transport).with_source(error))?;
        let expected = Expected {
            operation: O::NAME,
            credentials: &credentials,
            now: self.clock.now(),
            check_body: self.verification.checks_body(self.endpoint.is_tls()),
        };
        let trusted = response::check(answer, &expected)?;
        let message = O::Response::decode(trusted.body.clone()).map_err(|source| {
            Error::new(ErrorKind::Response(ResponseProblem::Body)).with_source(source)
        })?;
        Ok((message, trusted))
    }

    fn signed_request(
        &self,
        operation: &str,
        body: Bytes,
        body_md5: &str,
        credentials: &Credentials,
    ) -> Result<http::Request<Bytes>, Error> {
        let date = date::format(self.clock.now());
        let mut headers = vec![
            ("x-ots-accesskeyid", credentials.id()),
            ("x-ots-apiversion", API_VERSION),
            ("x-ots-contentmd5", body_md5),
            ("x-ots-date", &date),
            ("x-ots-instancename", &self.instance),
        ];
        headers.extend(
            credentials
                .security_token()
                .map(|token| ("x-ots-ststoken", token)),
        );
        let signature = sign::sign(credentials.secret(), operation, headers.iter().copied());
        headers.push(("x-ots-signature", &signature));

        let mut request = http::Request::post(self.endpoint.url(operation))
            .header(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Error::configuration(format!("{name} has characters that a header can't carry"))
            })?;
            request = request.header(HeaderName::from_static(name), value);
        }
        request
            .body(body)
            .map_err(|error| Error::configuration("the request can't be built").with_source(error))
    }
}

const API_VERSION: &str = "2015-12-31";
const AGENT: &str = concat!("ots-rust/", env!("CARGO_PKG_VERSION"));

/// Builds a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    instance: Option<String>,
    credentials: Option<Arc<dyn CredentialsProvider>>,
    transport: Option<Arc<dyn Transport>>,
    retry: Arc<dyn RetryPolicy>,
    clock: Arc<dyn Clock>,
    random: Random,
    verification: Verification,
    attempt_timeout: Duration,
}

impl ClientBuilder {
    /// The instance, where the endpoint's host doesn't name it.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// Whose key signs the requests; from the environment when never called.
    pub fn credentials(mut self, provider: impl CredentialsProvider + 'static) -> Self {
        self.credentials = Some(Arc::new(provider));
        self
    }

    /// What moves the bytes; a pooled HTTP transport when never called.
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// When to try again; [`DefaultRetryPolicy`] when never called.
    pub fn retry(mut self, policy: impl RetryPolicy + 'static) -> Self {
        self.retry = Arc::new(policy);
        self
    }

    /// Where the time comes from; the computer's clock when never called.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where the jitter of pauses comes from: numbers uniform in 0..1.
    pub fn random(mut self, random: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.random = Random(Box::new(random));
        self
    }

    /// What is checked of every response.
    pub const fn verification(mut self, verification: Verification) -> Self {
        self.verification = verification;
        self
    }

    /// How long one attempt may take; 30 s when never called.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the endpoint can't be read, the instance is unknown, no credentials are given or found,
    /// or no transport is given and none is built in.
    pub fn build(self) -> Result<Client, Error> {
        let endpoint = Endpoint::parse(&self.endpoint)?;
        let instance = self
            .instance
            .or_else(|| endpoint.instance().map(str::to_owned));
        let Some(instance) = instance else {
            return Err(Error::configuration(format!(
                "endpoint {endpoint} doesn't name an instance: give its name"
            )));
        };
        let credentials = match self.credentials {
            Some(credentials) => credentials,
            None => Arc::new(crate::credentials::EnvironmentCredentials::load()?),
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&endpoint)?,
        };
        Ok(Client(Arc::new(Inner {
            endpoint,
            instance,
            credentials,
            transport,
            retry: self.retry,
            clock: self.clock,
            random: self.random,
            verification: self.verification,
            attempt_timeout: self.attempt_timeout,
        })))
    }
}

#[cfg(feature = "hyper")]
fn default_transport(endpoint: &Endpoint) -> Result<Arc<dyn Transport>, Error> {
    if endpoint.is_tls() && !cfg!(feature = "rustls") {
        return Err(Error::configuration(format!(
            "endpoint {endpoint} is https, but this build is without the feature `rustls`"
        )));
    }
    Ok(Arc::new(
        crate::transport::HyperTransport::builder().build()?,
    ))
}

#[cfg(not(feature = "hyper"))]
fn default_transport(_: &Endpoint) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::configuration(
        "no transport: give one, or build with the feature `hyper`",
    ))
}
