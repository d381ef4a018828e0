//! What a failure knows of its call: filled in on the way up, each part by who knows it.

use std::time::{Duration, SystemTime};

use super::Error;

/// Which call failed, and after how much trying.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub(super) operation: Option<&'static str>,
    pub(super) table: Option<String>,
    pub(super) instance: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) attempts: u32,
    pub(super) throttled: u32,
    pub(super) is_out_of_budget: bool,
    /// At an attempt before the last: what the last met doesn't tell.
    pub(super) may_have_run: bool,
    pub(super) elapsed: Duration,
    /// The service's time, where the refusal is about ours.
    pub(super) service_date: Option<SystemTime>,
}

impl Error {
    /// Which operation failed, after how many attempts and how long.
    pub(crate) fn with_call(
        mut self,
        operation: &'static str,
        attempts: u32,
        elapsed: Duration,
    ) -> Self {
        let context = &mut self.0.context;
        if context.operation.is_none() {
            context.operation = Some(operation);
            context.attempts = attempts;
            context.elapsed = elapsed;
        }
        self
    }

    /// How many of the attempts the service throttled, and whether the client had no retries left.
    pub(crate) fn with_retries(mut self, throttled: u32, is_out_of_budget: bool) -> Self {
        self.0.context.throttled = throttled;
        self.0.context.is_out_of_budget = is_out_of_budget;
        self
    }

    /// Whether what was asked may have been done at an attempt before the last.
    pub(crate) fn with_may_have_run(mut self, may_have_run: bool) -> Self {
        self.0.context.may_have_run |= may_have_run;
        self
    }

    /// The client had no retries left.
    pub(crate) fn with_no_budget(mut self) -> Self {
        self.0.context.is_out_of_budget = true;
        self
    }

    /// The service's time, by a refusal that can be believed.
    pub(crate) fn with_service_date(mut self, date: SystemTime) -> Self {
        self.0.context.service_date = Some(date);
        self
    }

    pub(crate) fn service_date(&self) -> Option<SystemTime> {
        self.0.context.service_date
    }

    pub(crate) fn with_instance(mut self, instance: &str) -> Self {
        let known = &mut self.0.context.instance;
        known.get_or_insert_with(|| instance.to_owned());
        self
    }

    pub(crate) fn with_table(mut self, table: Option<String>) -> Self {
        let known = &mut self.0.context.table;
        *known = known.take().or(table);
        self
    }

    pub(crate) fn with_request_id(mut self, request_id: String) -> Self {
        if self.request_id().is_none() && !request_id.is_empty() {
            self.0.context.request_id = Some(request_id);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_innermost_context_is_kept() {
        let error = Error::body("no such tag").with_request_id("first".to_owned());
        let error = error.with_call("GetRow", 2, Duration::from_secs(3));
        let error = error.with_call("Search", 1, Duration::ZERO);
        let error = error
            .with_request_id("second".to_owned())
            .with_instance("a")
            .with_instance("b");
        assert_eq!(
            error.to_string(),
            "GetRow on instance \"a\" failed after 2 attempts in 3.00 s: the response's body can't \
             be decoded (request id first)"
        );
        assert_eq!(error.source().unwrap().to_string(), "no such tag");
    }
}
