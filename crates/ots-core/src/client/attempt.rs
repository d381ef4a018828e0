//! One call: attempts until one is answered, or none may follow.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;
use http::header::{HeaderName, USER_AGENT};
use ots_proto::operation::Operation;

use super::Inner;
use crate::call::Reply;
use crate::compression::Outgoing;
use crate::credentials::Credentials;
use crate::date;
use crate::error::{Error, ResponseProblem};
use crate::observe;
use crate::response::{self, Expected, Trusted};
use crate::retry::{Decision, Failure, Turn};
use crate::sign::SigningKey;
use crate::skew;
use crate::time_limits::{AttemptLimit, Stopwatch};
use crate::transport::TransportError;

impl Inner {
    /// The loop of attempts. `whole` runs since what the caller asked for began: it may be more than
    /// this call.
    pub(super) async fn run<O: Operation>(
        &self,
        body: &Outgoing,
        whole: &Stopwatch<'_>,
    ) -> Result<Reply<O::Response>, Error> {
        let call = Stopwatch::start(&*self.clock);
        let (mut attempts, mut throttled) = (0, 0);
        let (mut clock_corrected, mut may_have_run) = (false, false);
        loop {
            attempts += 1;
            self.observer.attempt(attempts, body.bytes.len());
            let limit = self.limits.attempt_after(whole.spent());
            let outcome = self.attempt::<O>(body, limit).await;
            let elapsed = call.elapsed();
            let error = match outcome {
                Ok((response, trusted)) => {
                    let Trusted { body, request_id } = trusted;
                    self.retries.answered();
                    let body_bytes = body.len();
                    observe::answered(attempts, &request_id, body_bytes);
                    return Ok(Reply {
                        response,
                        request_id,
                        attempts,
                        throttled,
                        body_bytes,
                        elapsed,
                    });
                }
                Err(error) => error,
            };
            throttled += u32::from(error.is_throttling());
            may_have_run |= error.may_have_run();
            let has_time = self.limits.longest_pause(whole.spent()).is_some();
            if !clock_corrected && has_time && self.learn_time(&error) {
                // Refused before anything ran, and not again for this reason: no pause, no policy.
                clock_corrected = true;
                continue;
            }
            let failure = Failure::new(&error, O::IDEMPOTENCY, attempts, elapsed);
            let mut is_out_of_budget = false;
            if let Decision::RetryAfter(pause) = self.retry.decide(&failure, (self.random.0)()) {
                match self.turn(pause, elapsed, whole) {
                    Turn::After(pause) => {
                        observe::trying_again(O::NAME, attempts, pause, &error);
                        self.clock.sleep(pause).await;
                        continue;
                    }
                    Turn::NoTime => {}
                    Turn::NoBudget => is_out_of_budget = true,
                }
            }
            observe::gave_up(O::NAME, attempts, &error);
            let error = error.with_call(O::NAME, attempts, elapsed);
            let error = error.with_retries(throttled, is_out_of_budget);
            let error = error.with_may_have_run(may_have_run);
            return Err(error.with_instance(&self.instance));
        }
    }

    /// When a retry may begin that would pause so long. The budget is asked last: a retry that can't be
    /// made takes nothing from it.
    pub(super) fn turn(&self, pause: Duration, elapsed: Duration, whole: &Stopwatch<'_>) -> Turn {
        let longest_pause = self.limits.longest_pause(whole.spent());
        let Some(longest_pause) = longest_pause.filter(|longest| pause <= *longest) else {
            return Turn::NoTime;
        };
        let time_left = self.retry.deadline().saturating_sub(elapsed);
        // What the policy itself allows is never too late.
        self.turn_within(pause, time_left.max(pause).min(longest_pause))
    }

    /// When a retry may begin that would pause so long, and may wait so much longer for its turn.
    pub(super) fn turn_within(&self, pause: Duration, longest: Duration) -> Turn {
        match self.retries.take(self.clock.elapsed(), pause, longest) {
            Some(pause) => Turn::After(pause),
            None => Turn::NoBudget,
        }
    }

    /// The service's time, as far as it is known.
    fn now(&self) -> SystemTime {
        self.skew.correct(self.clock.now())
    }

    /// Whether a refusal taught us that our clock is wrong, and by how much.
    fn learn_time(&self, error: &Error) -> bool {
        let Some(theirs) = error.service_date().filter(|_| self.corrects_clock) else {
            return false;
        };
        let ours = self.clock.now();
        let learned = self.skew.learn(ours, theirs);
        if learned {
            let off = skew::distance(ours, theirs);
            tracing::warn!(
                ?off,
                "this computer's clock is wrong: the service's is used instead"
            );
        }
        learned
    }

    /// One attempt: a fresh date and signature, one request, one checked and decoded answer.
    async fn attempt<O: Operation>(
        &self,
        body: &Outgoing,
        limit: AttemptLimit,
    ) -> Result<(O::Response, Trusted), Error> {
        // One limit for both waits: the provider's may be a request of its own.
        let deadline = limit.deadline();
        let credentials = self.credentials.credentials();
        let credentials = match tokio::time::timeout_at(deadline, credentials).await {
            Ok(credentials) => credentials?,
            Err(_) => {
                let error = TransportError::not_sent(limit.passed("credentials")).timed_out();
                return Err(Error::transport(error));
            }
        };
        let now = self.now();
        let key = self.keys.key(&credentials, now);
        let request = self.signed_request(O::NAME, body, &credentials, &key, now)?;
        let send = self.transport.send(request);
        let answer = match tokio::time::timeout_at(deadline, send).await {
            Ok(answer) => answer,
            Err(_) => Err(TransportError::unknown(limit.passed("answer")).timed_out()),
        };
        let answer = answer.map_err(Error::transport)?;
        self.observer.received(answer.body().len());
        let expected = Expected {
            operation: O::NAME,
            key_id: credentials.id(),
            key: &key,
            now: self.now(),
            is_tls: self.endpoint.is_tls(),
            verification: self.verification,
            codec: self.codec,
        };
        let trusted = response::check(answer, &expected)?;
        match O::decode_response(trusted.body.clone()) {
            Ok(message) => Ok((message, trusted)),
            Err(source) => {
                let error = Error::response(ResponseProblem::Body).with_source(source);
                Err(error.with_request_id(trusted.request_id))
            }
        }
    }

    fn signed_request(
        &self,
        operation: &str,
        body: &Outgoing,
        credentials: &Credentials,
        key: &SigningKey,
        now: SystemTime,
    ) -> Result<http::Request<Bytes>, Error> {
        let date = date::format(now);
        let mut headers = vec![
            ("x-ots-accesskeyid", credentials.id()),
            ("x-ots-apiversion", API_VERSION),
            ("x-ots-date", &date),
            ("x-ots-instancename", &self.instance),
        ];
        headers.extend(
            credentials
                .security_token()
                .map(|token| ("x-ots-ststoken", token)),
        );
        headers.extend(body.headers());
        headers.extend(key.scope());
        let (name, signature) = key.sign(operation, headers.iter().copied());
        headers.push((name, &signature));

        let mut request = http::Request::post(self.endpoint.url(operation))
            .header(USER_AGENT, HeaderValue::from_static(AGENT));
        for (name, value) in headers {
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                Error::configuration(format!("{name} has characters that a header can't carry"))
            })?;
            // Shown as `Sensitive` by whoever prints the request, a logging transport for one.
            value.set_sensitive(SECRET_HEADERS.contains(&name));
            request = request.header(HeaderName::from_static(name), value);
        }
        request
            .body(body.bytes.clone())
            .map_err(|error| Error::configuration("the request can't be built").with_source(error))
    }
}

/// With the token and a signature, others could repeat the request for a quarter of an hour.
const SECRET_HEADERS: [&str; 3] = ["x-ots-signature", "x-ots-signaturev4", "x-ots-ststoken"];
const API_VERSION: &str = "2015-12-31";
const AGENT: &str = concat!("ots-rust/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::client::Client;
    use crate::clock::ManualClock;
    use crate::transport::Scripted;

    #[test]
    fn requests_carry_the_headers_that_the_official_sdk_sends() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../vectors/signing.json")).unwrap();
        let mut checked = 0;
        for case in vectors["cases"].as_array().unwrap() {
            let extra = case["extra_headers"].as_object();
            if extra.is_none_or(|extra| !extra.is_empty()) {
                continue;
            }
            // A key derived beforehand for another day: not how a client comes by its key.
            if case["name"] == "v4_fixed_sign_date_differs_from_clock" {
                continue;
            }
            let text = |field: &str| case[field].as_str().unwrap();
            let mut credentials =
                Credentials::new(text("access_key_id"), text("access_key_secret"));
            if let Some(token) = case["sts_token"].as_str() {
                credentials = credentials.with_security_token(token);
            }
            let now = date::parse(text("clock_utc")).unwrap();
            let mut builder = Client::builder("http://localhost:1")
                .instance(text("instance"))
                .credentials(credentials.clone())
                .clock(ManualClock::new(now))
                .transport(Scripted::new([]));
            if let Some(region) = case["region"].as_str() {
                builder = builder.region(region);
            }
            let client = builder.build().unwrap();
            let key = client.0.keys.key(&credentials, now);
            let body = Bytes::from(hex::decode(text("body_hex")).unwrap());
            let body = client.0.codec.outgoing(body);
            let request = client
                .0
                .signed_request(text("api"), &body, &credentials, &key, now)
                .unwrap();
            let mut sent: BTreeMap<_, _> = request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
                .collect();
            assert_eq!(sent.remove("user-agent"), Some(AGENT));
            let wanted = case["headers"].as_object().unwrap().iter();
            let wanted: BTreeMap<_, _> = wanted
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
                .collect();
            assert_eq!(sent, wanted, "{}", text("name"));
            assert_eq!(request.uri().path(), text("path"));
            assert_eq!(request.method().as_str(), text("method"));
            checked += 1;
        }
        assert_eq!(checked, 12);
    }
}
