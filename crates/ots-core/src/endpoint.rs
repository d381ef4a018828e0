//! Where the service is, parsed once.

use std::fmt;

use crate::error::Error;

/// The address of an instance: scheme, host, port.
///
/// ```
/// use ots_core::Endpoint;
///
/// let endpoint = Endpoint::parse("https://shop.cn-hangzhou.ots.aliyuncs.com/")?;
/// assert_eq!(endpoint.instance(), Some("shop"));
/// assert!(Endpoint::parse("shop.cn-hangzhou.ots.aliyuncs.com").is_err());
/// # Ok::<(), ots_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    instance: Option<String>,
    is_tls: bool,
}

impl Endpoint {
    /// Reads `http://` or `https://`, a host, and perhaps a port.
    ///
    /// # Errors
    /// When the text is anything else; the error says what to write instead.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |problem: &str| {
            Err(Error::configuration(format!(
                "endpoint {text:?} {problem}; expected something like \
                 https://INSTANCE.cn-hangzhou.ots.aliyuncs.com"
            )))
        };
        if text.contains('@') {
            // Not repeated in the message: it may hold a password.
            return Err(Error::configuration(
                "an endpoint must not contain a user or password",
            ));
        }
        let (is_tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return wrong("must start with http:// or https://"),
        };
        let authority = rest.trim_end_matches('/');
        if authority.contains(['/', '?', '#']) {
            return wrong("must not have a path");
        }
        let Ok(parsed) = authority.parse::<http::uri::Authority>() else {
            return wrong("has no valid host");
        };
        if parsed.host().is_empty() || (authority.contains(':') && has_bad_port(&parsed)) {
            return wrong("has no valid host or port");
        }
        let scheme = if is_tls { "https" } else { "http" };
        let instance = Self::instance_of(parsed.host());
        Ok(Self {
            base: format!("{scheme}://{authority}"),
            instance,
            is_tls,
        })
    }

    /// The instance named by the host, where it is one of the service's own hosts.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        self.instance.as_deref()
    }

    /// The host: a name or an address, one of IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host_and_port().0
    }

    /// The port, that of the scheme if none was given.
    #[must_use]
    pub fn port(&self) -> u16 {
        let default = if self.is_tls { 443 } else { 80 };
        self.host_and_port().1.unwrap_or(default)
    }

    fn host_and_port(&self) -> (&str, Option<u16>) {
        let (_, authority) = self.base.split_once("://").unwrap_or_default();
        // The colons of an address of IPv6 are inside its brackets.
        let port = authority
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match port {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    }

    /// Whether it is `https`.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The URL of an operation.
    pub(crate) fn url(&self, operation: &str) -> String {
        format!("{}/{operation}", self.base)
    }

    fn instance_of(host: &str) -> Option<String> {
        let (instance, rest) = host.split_once('.')?;
        let ours = [
            ".ots.aliyuncs.com",
            ".ots-internal.aliyuncs.com",
            ".tablestore.aliyuncs.com",
        ];
        ours.iter()
            .any(|suffix| rest.ends_with(suffix))
            .then(|| instance.to_owned())
    }
}

fn has_bad_port(authority: &http::uri::Authority) -> bool {
    let ipv6_without_port = authority.as_str().ends_with(']');
    authority.port_u16().is_none() && !ipv6_without_port
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_of_the_service_name_their_instance() {
        for host in [
            "shop.cn-hangzhou.ots.aliyuncs.com",
            "shop.cn-hangzhou.ots-internal.aliyuncs.com",
            "shop.cn-hangzhou.vpc.tablestore.aliyuncs.com",
        ] {
            let endpoint = Endpoint::parse(&format!("https://{host}")).unwrap();
            assert_eq!(endpoint.instance(), Some("shop"), "{host}");
            assert!(endpoint.is_tls());
        }
    }

    #[test]
    fn other_hosts_and_ports_are_taken_as_they_are() {
        for (text, url) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/GetRow"),
            ("http://localhost:1///", "http://localhost:1/GetRow"),
            ("http://[::1]:80/", "http://[::1]:80/GetRow"),
            ("https://[::1]", "https://[::1]/GetRow"),
            // One label before the service's domain is a region's endpoint, not an instance's.
            (
                "https://ots.aliyuncs.com",
                "https://ots.aliyuncs.com/GetRow",
            ),
            (
                "https://shop.ots.aliyuncs.com",
                "https://shop.ots.aliyuncs.com/GetRow",
            ),
            // Not the service's own domain, though it ends alike.
            (
                "https://shop.r.notots.aliyuncs.com",
                "https://shop.r.notots.aliyuncs.com/GetRow",
            ),
        ] {
            let endpoint = Endpoint::parse(text).unwrap();
            assert_eq!(endpoint.url("GetRow"), url);
            let shown = format!("{}:{}", endpoint.host(), endpoint.port());
            let uri: http::Uri = url.parse().unwrap();
            let port = uri.port_u16().unwrap_or(443);
            assert_eq!(shown, format!("{}:{port}", uri.host().unwrap()));
            assert_eq!(endpoint.instance(), None);
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, problem) in [
            (
                "shop.ots.aliyuncs.com",
                "must start with http:// or https://",
            ),
            ("https://", "has no valid host"),
            ("http://host:99999", "has no valid host or port"),
            ("http://host/path", "must not have a path"),
            ("http://me:hush@host", "must not contain a user or password"),
            ("me:hush@host", "must not contain a user or password"),
            ("ftp://me:hush@host", "must not contain a user or password"),
            ("", "must start with http:// or https://"),
            ("HTTPS://host", "must start with http:// or https://"),
            ("https:///", "has no valid host"),
            ("https://host:", "has no valid host or port"),
            ("https://:443", "has no valid host"),
            ("https://host:port", "has no valid host"),
            ("https://ho st", "has no valid host"),
            ("https://host\n", "has no valid host"),
            ("https://host?query", "must not have a path"),
            ("https://host#part", "must not have a path"),
            ("https://[::1", "has no valid host"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
            assert!(!error.contains("hush"));
        }
    }
}
