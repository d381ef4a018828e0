//! Which proxy a connection goes through, if any.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use crate::error::Error;

/// The HTTP proxies to go through, and the hosts that are reached without one.
///
/// A request to an `https://` endpoint goes through a tunnel (`CONNECT`): the proxy learns the host and
/// nothing else. A request to an `http://` endpoint is handed to the proxy, which can read it.
///
/// ```
/// use ots_core::transport::{HyperTransport, Proxy};
///
/// let proxy = Proxy::new("http://proxy.example:3128")?
///     .basic_auth("me", "my password")
///     .except("localhost, 10.0.0.0/8, .internal");
/// let transport = HyperTransport::builder().proxy(proxy).build()?;
/// # Ok::<(), ots_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Proxy {
    http: Option<Address>,
    https: Option<Address>,
    except: String,
    authorization: Option<HeaderValue>,
}

#[derive(Clone)]
enum Address {
    Usable(String),
    /// The variable whose value is none.
    Unusable(&'static str),
}

impl Address {
    /// For the matcher, which has to be asked about hosts in any case.
    fn text(&self) -> &str {
        match self {
            Self::Usable(address) => address,
            Self::Unusable(_) => "http://unusable.invalid",
        }
    }

    const fn unusable(address: Option<&Self>) -> Option<&'static str> {
        match address {
            Some(Self::Unusable(variable)) => Some(variable),
            Some(Self::Usable(_)) | None => None,
        }
    }
}

impl Proxy {
    /// One proxy for every connection: `http://HOST:PORT`, with `USER:PASSWORD@` before the host if it
    /// wants them, percent-encoded.
    ///
    /// # Errors
    /// When the text is no address of an HTTP proxy. It is not repeated: it may hold a password.
    pub fn new(address: &str) -> Result<Self, Error> {
        check(address, "the proxy")?;
        Ok(Self {
            http: Some(Address::Usable(address.to_owned())),
            https: Some(Address::Usable(address.to_owned())),
            ..Self::default()
        })
    }

    /// No proxy, whatever the environment says.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The proxies that the environment names, as other programs read it.
    ///
    /// `HTTPS_PROXY` for `https://` endpoints, `HTTP_PROXY` for `http://` ones, `ALL_PROXY` for those of
    /// the two that are missing, and `NO_PROXY` with the hosts that need none: names with all below
    /// them, addresses, networks as `10.0.0.0/8`, or `*`. Names in lower case count where the others are
    /// not set. The computer itself (`localhost`, `127.0.0.0/8`, `::1`) is always reached without a
    /// proxy: an emulator lives there.
    ///
    /// A variable may be set to something that is no address of an HTTP proxy, `socks5://` for one.
    /// Going without it would send requests where they are not meant to go: those that it is for fail,
    /// and name the variable. Others are none the worse.
    #[must_use]
    pub fn from_env() -> Self {
        // What isn't Unicode is no address, but set all the same.
        Self::from_variables(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    /// As [`from_env`](Self::from_env), with variables from elsewhere.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| {
            let found = variable(name).or_else(|| variable(&name.to_lowercase()));
            found.filter(|value| !value.trim().is_empty())
        };
        let address = |name: &'static str| {
            let value = variable(name)?;
            Some(match check(&value, name) {
                Ok(()) => Address::Usable(value),
                Err(_) => Address::Unusable(name),
            })
        };
        // A web server hands the header `Proxy` of a request to its programs as HTTP_PROXY.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let http = address("HTTP_PROXY").filter(|_| !is_cgi);
        let all = address("ALL_PROXY");
        Self {
            http: http.or_else(|| all.clone()),
            https: address("HTTPS_PROXY").or(all),
            except: variable("NO_PROXY").unwrap_or_default(),
            authorization: None,
        }
        .except(THIS_COMPUTER)
    }

    /// Credentials for every proxy, in place of those in its address.
    ///
    /// They travel in `Proxy-Authorization`, over an unencrypted connection to the proxy.
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        self.authorization = HeaderValue::from_str(&text).ok().map(sensitive);
        self
    }

    /// Hosts that need no proxy, besides those named before, separated by commas: names with all below
    /// them, addresses, networks as `10.0.0.0/8`, or `*`.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        if !self.except.is_empty() {
            self.except.push(',');
        }
        self.except.push_str(hosts);
        self
    }

    pub(super) fn matcher(&self) -> ProxyMatcher {
        let mut builder = Matcher::builder().no(self.except.as_str());
        if let Some(address) = &self.http {
            builder = builder.http(address.text());
        }
        if let Some(address) = &self.https {
            builder = builder.https(address.text());
        }
        ProxyMatcher {
            matcher: Arc::new(builder.build()),
            authorization: self.authorization.clone(),
            unusable_http: Address::unusable(self.http.as_ref()),
            unusable_https: Address::unusable(self.https.as_ref()),
        }
    }
}

// Addresses may hold passwords.
impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("http", &self.http.as_ref().map(|_| "..."))
            .field("https", &self.https.as_ref().map(|_| "..."))
            .field("except", &self.except)
            .finish_non_exhaustive()
    }
}

const THIS_COMPUTER: &str = "localhost,127.0.0.0/8,::1";

/// Answers which proxy a request goes through.
#[derive(Clone)]
pub(super) struct ProxyMatcher {
    matcher: Arc<Matcher>,
    authorization: Option<HeaderValue>,
    /// Variables that name no HTTP proxy.
    unusable_http: Option<&'static str>,
    unusable_https: Option<&'static str>,
}

/// A proxy on the way to one destination.
pub(super) struct Hop {
    pub(super) address: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl ProxyMatcher {
    /// The proxy on the way, if there is one.
    pub(super) fn hop(&self, destination: &Uri) -> Result<Option<Hop>, UnusableProxy> {
        let Some(found) = self.matcher.intercept(destination) else {
            return Ok(None);
        };
        let unusable = if is_tls(destination) {
            self.unusable_https
        } else {
            self.unusable_http
        };
        if let Some(variable) = unusable {
            return Err(UnusableProxy { variable });
        }
        let own = || found.basic_auth().cloned();
        Ok(Some(Hop {
            authorization: self.authorization.clone().or_else(own),
            address: found.uri().clone(),
        }))
    }
}

pub(super) fn is_tls(destination: &Uri) -> bool {
    destination.scheme() == Some(&http::uri::Scheme::HTTPS)
}

/// The environment names a proxy that we can't use.
#[derive(Debug)]
pub(super) struct UnusableProxy {
    variable: &'static str,
}

impl std::error::Error for UnusableProxy {}

impl fmt::Display for UnusableProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {NO_ADDRESS}", self.variable)
    }
}

const NO_ADDRESS: &str =
    "has no address of an HTTP proxy; expected something like http://proxy.example:3128";

fn check(address: &str, what: &str) -> Result<(), Error> {
    let sample = Uri::from_static("http://db.example/");
    let found = Matcher::builder().http(address).build().intercept(&sample);
    let usable = found.is_some_and(|hop| {
        let uri = hop.uri();
        // A password with an `@` that isn't percent-encoded would be cut in two, and its end shown as
        // a part of the host.
        let is_cut = uri
            .authority()
            .is_some_and(|text| text.as_str().contains('@'));
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        uri.scheme_str() == Some("http") && has_host && !is_cut
    });
    if usable {
        return Ok(());
    }
    // Not repeated in the message: it may hold a password.
    Err(Error::configuration(format!("{what} {NO_ADDRESS}")))
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Proxy {
        Proxy::from_variables(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn host(proxy: &Proxy, destination: &'static str) -> Option<String> {
        let hop = proxy
            .matcher()
            .hop(&Uri::from_static(destination))
            .unwrap()?;
        hop.address.host().map(str::to_owned)
    }

    #[test]
    fn each_scheme_has_its_variable_and_all_fills_in() {
        let proxy = from(&[("HTTPS_PROXY", "http://s:1"), ("ALL_PROXY", "a:2")]);
        assert_eq!(host(&proxy, "https://db.example").as_deref(), Some("s"));
        assert_eq!(host(&proxy, "http://db.example").as_deref(), Some("a"));
        let proxy = from(&[("http_proxy", "http://h:1")]);
        assert_eq!(host(&proxy, "https://db.example"), None);
        assert_eq!(host(&proxy, "http://db.example").as_deref(), Some("h"));
        let both = from(&[
            ("HTTP_PROXY", "http://upper"),
            ("http_proxy", "http://lower"),
        ]);
        let chosen = host(&both, "http://db.example");
        assert_eq!(chosen.as_deref(), Some("upper"));
    }

    #[test]
    fn exempt_hosts_and_this_computer_are_reached_directly() {
        let proxy = from(&[
            ("ALL_PROXY", "http://p:1"),
            ("NO_PROXY", "aliyuncs.com, 10.0.0.0/8"),
        ]);
        for direct in [
            "https://shop.cn-hangzhou.ots.aliyuncs.com",
            "http://10.1.2.3:80",
            "http://localhost:8087",
            "http://127.0.0.1:8087",
            "http://127.8.8.8",
            "http://[::1]:8087",
        ] {
            assert_eq!(host(&proxy, direct), None, "{direct}");
        }
        for proxied in ["http://11.1.2.3", "https://notaliyuncs.com"] {
            assert_eq!(host(&proxy, proxied).as_deref(), Some("p"), "{proxied}");
        }
        // Who names a proxy in the program means it for every host.
        let proxy = Proxy::new("http://p:1").unwrap();
        assert_eq!(host(&proxy, "http://127.0.0.1:1").as_deref(), Some("p"));
        assert_eq!(host(&Proxy::none(), "http://db.example"), None);
    }

    #[test]
    fn a_program_behind_a_web_server_does_not_believe_a_request_header() {
        let proxy = from(&[("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil")]);
        assert_eq!(host(&proxy, "http://db.example"), None);
    }

    #[test]
    fn credentials_come_from_the_address_or_from_the_program() {
        let authorization = |proxy: Proxy| {
            let hop = proxy.matcher().hop(&Uri::from_static("https://db.example"));
            let value = hop.unwrap().unwrap().authorization.unwrap();
            assert!(value.is_sensitive());
            value.to_str().unwrap().to_owned()
        };
        let named = Proxy::new("http://me:p%40ss@p:1").unwrap();
        assert_eq!(authorization(named.clone()), "Basic bWU6cEBzcw==");
        let given = named.basic_auth("you", "p@ss");
        assert_eq!(authorization(given), "Basic eW91OnBAc3M=");
    }

    #[test]
    fn an_unusable_proxy_is_refused_and_not_repeated() {
        for bad in [
            "socks5://me:hush@p:1",
            "https://hush:1",
            "http://me:hush@",
            "hu sh",
            "ftp://hush",
            "http://me:hush@hush@p:1",
        ] {
            let error = Proxy::new(bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the proxy has no address of an HTTP proxy; expected something like \
                 http://proxy.example:3128"
            );
            // An error only for those who would go through it.
            let proxy = from(&[("ALL_PROXY", bad), ("HTTPS_PROXY", "s:1")]);
            let refused = proxy.matcher().hop(&Uri::from_static("http://db.example"));
            assert_eq!(
                refused.err().unwrap().to_string(),
                "ALL_PROXY has no address of an HTTP proxy; expected something like \
                 http://proxy.example:3128"
            );
            assert_eq!(host(&proxy, "http://127.0.0.1:8087"), None);
            assert_eq!(host(&proxy, "https://db.example").as_deref(), Some("s"));
            assert!(!format!("{proxy:?}").contains("hush"));
        }
        let shown = format!(
            "{:?}",
            Proxy::new("http://me:hush@p:1")
                .unwrap()
                .basic_auth("a", "hush")
        );
        assert!(!shown.contains("hush"), "{shown}");
    }
}
