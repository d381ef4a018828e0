//! What a client is built of.

use std::sync::Arc;
use std::time::Duration;

use super::{Client, Inner, Random};
use crate::clock::{Clock, SystemClock};
use crate::compression::Codec;
use crate::credentials::CredentialsProvider;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::in_flight::InFlight;
use crate::observe::Observer;
use crate::response::Verification;
use crate::retry::{Bucket, DefaultRetryPolicy, RetryBudget, RetryPolicy};
use crate::sign::Keys;
use crate::skew::Skew;
use crate::time_limits::TimeLimits;
use crate::transport::Transport;

/// Builds a [`Client`].
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    endpoint: String,
    instance: Option<String>,
    region: Option<String>,
    credentials: Option<Arc<dyn CredentialsProvider>>,
    transport: Option<Arc<dyn Transport>>,
    retry: Arc<dyn RetryPolicy>,
    retry_budget: RetryBudget,
    clock: Arc<dyn Clock>,
    corrects_clock: bool,
    random: Random,
    verification: Verification,
    limits: TimeLimits,
    codec: Codec,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            instance: None,
            region: None,
            credentials: None,
            transport: None,
            retry: Arc::new(DefaultRetryPolicy::new()),
            retry_budget: RetryBudget::new(),
            clock: Arc::new(SystemClock::new()),
            corrects_clock: true,
            random: Random(Box::new(fastrand::f64)),
            verification: Verification::default(),
            limits: TimeLimits {
                attempt: Duration::from_secs(30),
                call: None,
            },
            codec: Codec::default(),
        }
    }

    /// The instance, where the endpoint's host doesn't name it.
    pub fn instance(mut self, name: impl Into<String>) -> Self {
        self.instance = Some(name.into());
        self
    }

    /// The region, as in `cn-hangzhou`: requests are then signed by signature V4, with a key that is
    /// good for one day in this region. By V2, with the secret itself, when never called.
    pub fn region(mut self, id: impl Into<String>) -> Self {
        self.region = Some(id.into());
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

    /// How many retries all calls of the client may make together; [`RetryBudget::new`] when never
    /// called.
    pub const fn retry_budget(mut self, budget: RetryBudget) -> Self {
        self.retry_budget = budget;
        self
    }

    /// Where the time comes from; the computer's clock when never called.
    ///
    /// A clock that is wrong is put right, unless [`clock_correction`](Self::clock_correction) is off: when the service refuses a request because of its date, the
    /// client keeps the difference and asks once more. It believes a refusal that is signed by its own
    /// key or came over TLS, and a difference of a day at most.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whether a clock that is wrong is put right; yes, when never called.
    ///
    /// Without it a refusal because of the date reaches the caller: for who would rather have such a
    /// clock noticed and mended.
    pub const fn clock_correction(mut self, is_on: bool) -> Self {
        self.corrects_clock = is_on;
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

    /// How long one attempt may take; 30 s when never called. Measured by tokio's timer.
    ///
    /// The retry policy decides when the last attempt begins, so a call takes at most the policy's
    /// deadline and one attempt, unless [`call_timeout`](Self::call_timeout) ends it before.
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.limits.attempt = timeout;
        self
    }

    /// How long a call may take with all its attempts and pauses; no limit of its own when never
    /// called. An attempt under way is cut off, and a pause that the limit would cut is not begun: the
    /// call then fails at once, with what the last attempt met.
    ///
    /// A write that was cut off may still happen: [`may_have_run`](Error::may_have_run) tells.
    pub const fn call_timeout(mut self, timeout: Duration) -> Self {
        self.limits.call = Some(timeout);
        self
    }

    /// Which bodies travel compressed; none when never called.
    #[cfg(feature = "compression")]
    pub const fn compression(mut self, compression: crate::Compression) -> Self {
        self.codec.settings = Some(compression);
        self
    }

    /// The client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the endpoint can't be read, the instance is unknown or no name, no credentials are given or found,
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
        check_name("instance", &instance)?;
        if let Some(region) = &self.region {
            check_name("region", region)?;
        }
        let credentials = match self.credentials {
            Some(credentials) => credentials,
            None => Arc::new(crate::credentials::Credentials::from_env()?),
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport(&endpoint)?,
        };
        let observer = Observer::new(&endpoint, &instance);
        Ok(Client(Arc::new(Inner {
            endpoint,
            instance,
            credentials,
            keys: Keys::new(self.region),
            skew: Skew::default(),
            corrects_clock: self.corrects_clock,
            transport,
            retry: self.retry,
            retries: Bucket::new(self.retry_budget),
            clock: self.clock,
            random: self.random,
            verification: self.verification,
            limits: self.limits,
            codec: self.codec,
            observer,
            in_flight: InFlight::default(),
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

/// Names go into headers, and into what is signed.
fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if !name.is_empty() && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Error::configuration(format!(
        "{what} {name:?} must have one or more letters, digits, `-` and `_`, and nothing else"
    )))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::clock::ManualClock;
    use crate::credentials::Credentials;
    use crate::transport::Scripted;

    #[test]
    fn instances_have_names_that_a_header_and_a_host_can_carry() {
        let build = |instance: &str| {
            Client::builder("http://localhost:1")
                .instance(instance)
                .credentials(Credentials::new("id", "secret"))
                .clock(ManualClock::new(UNIX_EPOCH))
                .transport(Scripted::new([]))
                .build()
        };
        for good in ["shop", "my-inst_01", "A"] {
            assert_eq!(build(good).unwrap().instance(), good);
        }
        for bad in ["", "my inst", "shop\n", "商店", "a.b"] {
            let error = build(bad).unwrap_err();
            let text = format!(
                "instance {bad:?} must have one or more letters, digits, `-` and `_`, and nothing else"
            );
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn regions_have_names_that_a_header_can_carry() {
        for bad in ["", "cn hangzhou", "cn-hangzhou\n", "杭州"] {
            let builder = Client::builder("http://localhost:1").instance("shop");
            let builder = builder.credentials(Credentials::new("id", "secret"));
            let error = builder.region(bad).build().unwrap_err();
            let text = format!(
                "region {bad:?} must have one or more letters, digits, `-` and `_`, and nothing else"
            );
            assert_eq!(error.to_string(), text);
        }
    }
}
