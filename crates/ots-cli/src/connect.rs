//! From the command line and the environment to a client.

use clap::Args;
use ots_core::transport::HyperTransport;
use ots_core::{Client, Credentials, Endpoint, Error};
use ots_emulator::Emulator;

use crate::failure::{Exit, Failure};
use crate::first_contact::FirstContact;

/// Where the service is. Every command that talks to it takes these.
#[derive(Args, Clone, Debug, Default)]
pub struct Connection {
    /// URL of the service, or of an emulator.
    #[arg(
        long,
        env = "OTS_ENDPOINT",
        value_name = "URL",
        help = "URL of the service, as in https://INSTANCE.cn-hangzhou.ots.aliyuncs.com, or of an emulator",
        global = true,
        help_heading = "Options of every command"
    )]
    pub endpoint: Option<String>,

    /// Name of the instance, where the endpoint doesn't say it
    #[arg(
        long,
        env = "OTS_INSTANCE",
        value_name = "NAME",
        global = true,
        help_heading = "Options of every command"
    )]
    pub instance: Option<String>,
}

/// Clients of one instance, which share their connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connected {
    /// For the first calls: gives up within seconds where nothing answers.
    pub first: Client,
    /// For all the others.
    pub client: Client,
    /// The name of the instance.
    pub instance: String,
}

impl Connected {
    /// A client that needs no patience: what answers is in this process.
    #[must_use]
    pub fn embedded(client: Client) -> Self {
        let first = client.clone();
        Self {
            first,
            client,
            instance: LOCAL_INSTANCE.to_owned(),
        }
    }
}

impl Connection {
    /// Clients of the instance. Nothing is sent yet.
    ///
    /// An emulator on this computer needs no configuration: without credentials in the environment
    /// its built-in access key is used, and the instance is `local`. Neither leaves the computer.
    pub fn connect(&self) -> Result<Connected, Failure> {
        let Some(endpoint) = self.endpoint() else {
            let failure = Failure::new(Exit::Usage, "no endpoint is given");
            return Err(failure.advise("pass --endpoint URL or set OTS_ENDPOINT"));
        };
        let wrong = |error: Error| Failure::of_call("the connection can't be set up", error);
        let parsed = Endpoint::parse(endpoint).map_err(wrong)?;
        let is_local = is_loopback(&parsed);
        let credentials = match Credentials::from_env() {
            Ok(credentials) => credentials,
            // A half-set environment is a mistake even here.
            Err(_) if is_local && !half_set() => {
                Credentials::new(Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET)
            }
            Err(error) => return Err(wrong(error)),
        };
        // Set to nothing is not set, as scripts have it.
        let instance = self.instance.as_deref().filter(|name| !name.is_empty());
        let instance = instance.or(parsed.instance());
        let Some(instance) = instance.or(is_local.then_some(LOCAL_INSTANCE)) else {
            let doing = format!("endpoint {parsed} doesn't name an instance");
            let failure = Failure::new(Exit::Usage, doing);
            return Err(failure.advise("pass --instance NAME or set OTS_INSTANCE"));
        };
        let transport = HyperTransport::builder().build().map_err(wrong)?;
        let builder = || {
            Client::builder(endpoint)
                .instance(instance)
                .credentials(credentials.clone())
                .transport(transport.clone())
        };
        let first = builder()
            .retry(FirstContact::new())
            .attempt_timeout(FirstContact::ATTEMPT_TIMEOUT);
        Ok(Connected {
            first: first.build().map_err(wrong)?,
            client: builder().build().map_err(wrong)?,
            instance: instance.to_owned(),
        })
    }

    /// The endpoint, if one is given. Set to nothing is not set, as scripts have it.
    #[must_use]
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref().filter(|text| !text.is_empty())
    }
}

/// The instance that an emulator is asked for when nobody names one.
pub const LOCAL_INSTANCE: &str = "local";

fn half_set() -> bool {
    KEYS.into_iter().any(|[id, _]| variable(id).is_some())
}

/// The access key of the environment, id and secret, for an emulator to ask for; none when none is
/// set.
pub fn key_from_env() -> Result<Option<(String, String)>, Failure> {
    if !half_set() {
        return Ok(None);
    }
    // Refuses what a client would refuse.
    Credentials::from_env()
        .map_err(|error| Failure::of_call("the emulator's access key can't be set", error))?;
    let mut keys = KEYS.into_iter();
    Ok(keys.find_map(|[id, secret]| Some((variable(id)?, variable(secret)?))))
}

fn variable(name: &str) -> Option<String> {
    // Set to nothing is not set, as scripts have it.
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// In the order in which [`Credentials::from_env`] takes them.
const KEYS: [[&str; 2]; 2] = [
    ["TABLESTORE_ACCESS_KEY_ID", "TABLESTORE_ACCESS_KEY_SECRET"],
    [
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    ],
];

fn is_loopback(endpoint: &Endpoint) -> bool {
    let text = endpoint.to_string();
    let authority = text
        .split_once("://")
        .map_or("", |(_, authority)| authority);
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(host, _)| host),
        None => authority
            .split_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_loopback() {
        for (endpoint, local) in [
            ("http://127.0.0.1:80", true),
            ("http://127.9.9.9", true),
            ("http://localhost:8080", true),
            ("http://[::1]:80", true),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:80", false),
            ("https://shop.cn-hangzhou.ots.aliyuncs.com", false),
        ] {
            assert_eq!(
                is_loopback(&Endpoint::parse(endpoint).unwrap()),
                local,
                "{endpoint}"
            );
        }
    }

    #[test]
    fn a_missing_endpoint_says_how_to_give_one() {
        let failure = Connection::default().connect().unwrap_err();
        assert_eq!(failure.exit(), Exit::Usage);
        let text = "no endpoint is given; pass --endpoint URL or set OTS_ENDPOINT";
        assert_eq!(failure.to_string(), text);
    }
}
