//! Where credentials are looked for when nobody says where they are.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::machine::Machine;
use super::profile::{ConfigFile, CredentialsFile, Source};
use super::{AssumeRoleWithOidc, CredentialsUri, EcsRamRole, Fixed};
use crate::credentials::{
    CachedCredentials, Credentials, CredentialsProvider, CredentialsSource, FAMILIES,
};
use crate::error::{Error, ErrorKind};

/// Looks for credentials where the official SDKs do, and keeps to the place where it found some.
///
/// In this order:
/// 1. variables: `TABLESTORE_ACCESS_KEY_ID` and `ALIBABA_CLOUD_ACCESS_KEY_ID`, as
///    [`Credentials::from_env`];
/// 2. a role by an OpenID Connect token (RRSA): `ALIBABA_CLOUD_ROLE_ARN`,
///    `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` and `ALIBABA_CLOUD_OIDC_TOKEN_FILE`;
/// 3. the command line's `~/.aliyun/config.json` ([`ConfigFile`]);
/// 4. the SDKs' `~/.alibabacloud/credentials` ([`CredentialsFile`]);
/// 5. `ALIBABA_CLOUD_CREDENTIALS_URI` ([`CredentialsUri`]);
/// 6. the machine's role ([`EcsRamRole`]), unless `ALIBABA_CLOUD_ECS_METADATA_DISABLED` is set.
///
/// `ALIBABA_CLOUD_PROFILE` names the profile of 3 and 4. A place where nothing was set up is passed
/// over; one that was set up and doesn't work is an error, because the next would sign with another
/// key in silence. (The official SDKs ask 6 before 5: here, what somebody wrote down comes before what
/// happens to be there.)
///
/// ```
/// # #[cfg(feature = "rustls")]
/// # fn main() -> Result<(), ots_core::Error> {
/// use ots_core::Client;
/// use ots_core::credentials::sources::{CredentialsChain, Machine};
///
/// let chain = CredentialsChain::new(Machine::this()?);
/// let client = Client::builder("https://shop.cn-hangzhou.ots.aliyuncs.com")
///     .credentials(chain.clone())
///     .build()?;
/// // After the first call: which place it was, and why not the others.
/// println!("{}", chain.describe());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "rustls"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct CredentialsChain {
    links: Arc<Links>,
    cached: CachedCredentials,
}

#[derive(Debug)]
struct Links {
    machine: Machine,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    report: ChainReport,
    found: Option<Source>,
}

/// What became of every place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChainReport {
    /// In the order in which they are asked.
    pub links: Vec<Link>,
}

/// One place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// What it is.
    pub name: &'static str,
    /// What became of it.
    pub outcome: LinkOutcome,
}

/// What became of one place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkOutcome {
    /// Not asked: yet, or because one before it answered.
    NotAsked,
    /// Nothing is set up there, for this reason.
    Absent(String),
    /// It was set up, and failed.
    Failed(String),
    /// It gave credentials.
    Answered,
}

/// What a place has for us.
enum Found {
    Source(Source),
    Absent(String),
}

type Look = fn(&Machine) -> Result<Found, Error>;

const ROLE_OF_MACHINE: &str = "role of the machine (ECS)";

const LINKS: [(&str, Look); 6] = [
    ("variables", variables),
    ("OIDC token", oidc),
    ("command line's configuration", config_file),
    ("credentials file", credentials_file),
    ("credentials URI", uri),
    (ROLE_OF_MACHINE, ecs),
];

impl CredentialsChain {
    /// The chain on this machine. Nothing is looked for before the first request.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        let links = LINKS.iter().map(|(name, _)| Link {
            name,
            outcome: LinkOutcome::NotAsked,
        });
        let report = ChainReport {
            links: links.collect(),
        };
        let clock = Arc::clone(&machine.clock);
        let links = Arc::new(Links {
            machine,
            state: Mutex::new(State {
                report,
                found: None,
            }),
        });
        Self {
            cached: CachedCredentials::with_clock(Arc::clone(&links), clock),
            links,
        }
    }

    /// Which place answered, and why the others did not, as far as they were asked.
    #[must_use]
    pub fn describe(&self) -> ChainReport {
        self.links.lock().report.clone()
    }
}

#[async_trait]
impl CredentialsProvider for CredentialsChain {
    async fn credentials(&self) -> Result<Credentials, Error> {
        self.cached.credentials().await
    }
}

#[async_trait]
impl CredentialsSource for Links {
    async fn fetch(&self) -> Result<Credentials, Error> {
        let found = self.lock().found.clone();
        match found {
            Some(source) => source.fetch().await,
            None => self.search().await,
        }
    }
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, name: &str, outcome: LinkOutcome) {
        let mut state = self.lock();
        let link = state.report.links.iter_mut().find(|link| link.name == name);
        if let Some(link) = link {
            link.outcome = outcome;
        }
    }

    async fn search(&self) -> Result<Credentials, Error> {
        for (name, look) in LINKS {
            let failed = |error: Error| {
                self.note(name, LinkOutcome::Failed(report(&error)));
                error
            };
            let source = match look(&self.machine).map_err(failed)? {
                Found::Source(source) => source,
                Found::Absent(why) => {
                    self.note(name, LinkOutcome::Absent(why));
                    continue;
                }
            };
            match source.fetch().await {
                Ok(credentials) => {
                    self.note(name, LinkOutcome::Answered);
                    self.lock().found = Some(source);
                    return Ok(credentials);
                }
                // Nobody said that there is such a role: it is one more place where nothing was found.
                Err(error) if name == ROLE_OF_MACHINE && !self.names_role()? => {
                    failed(error);
                }
                Err(error) => return Err(failed(error)),
            }
        }
        let places = self.lock().report.to_string();
        Err(Error::configuration(format!(
            "no credentials anywhere: {places}"
        )))
    }

    fn names_role(&self) -> Result<bool, Error> {
        let name = self.machine.variable("ALIBABA_CLOUD_ECS_METADATA")?;
        Ok(name.is_some())
    }
}

fn variables(machine: &Machine) -> Result<Found, Error> {
    let mut values = std::collections::BTreeMap::new();
    for name in FAMILIES.iter().flatten() {
        values.extend(machine.variable(name)?.map(|value| (*name, value)));
    }
    if !FAMILIES.iter().any(|[id, ..]| values.contains_key(id)) {
        let why = FAMILIES.map(|[id, ..]| id).join(" and ") + " aren't set";
        return Ok(Found::Absent(why));
    }
    let credentials = Credentials::from_variables(|name| values.get(name).cloned())?;
    Ok(Found::Source(Arc::new(Fixed(credentials))))
}

fn oidc(machine: &Machine) -> Result<Found, Error> {
    let names = [
        "ALIBABA_CLOUD_ROLE_ARN",
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    ];
    let mut values = Vec::new();
    for name in names {
        match machine.variable(name)? {
            Some(value) => values.push(value),
            // A role alone is of use elsewhere, so that a part is not yet a mistake.
            None => return Ok(Found::Absent(format!("{name} isn't set"))),
        }
    }
    let [role, provider, file] = <[String; 3]>::try_from(values).unwrap_or_default();
    let mut oidc = AssumeRoleWithOidc::new(machine.clone(), role, provider, file);
    if let Some(name) = machine.variable("ALIBABA_CLOUD_ROLE_SESSION_NAME")? {
        oidc = oidc.session_name(name);
    }
    if let Some(region) = machine.variable("ALIBABA_CLOUD_STS_REGION")? {
        oidc = oidc.sts_region(region);
    }
    Ok(Found::Source(Arc::new(oidc)))
}

const PROFILE: &str = "ALIBABA_CLOUD_PROFILE";

fn config_file(machine: &Machine) -> Result<Found, Error> {
    if machine.is_set("ALIBABA_CLOUD_CLI_PROFILE_DISABLED")? {
        let why = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED is set";
        return Ok(Found::Absent(why.to_owned()));
    }
    let path = machine.path("ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json")?;
    let Some(path) = path else {
        return Ok(Found::Absent("there is no home directory".to_owned()));
    };
    if machine.file(&path)?.is_none() {
        return Ok(Found::Absent(format!("{} doesn't exist", path.display())));
    }
    let file = ConfigFile::read(machine.clone(), &path)?;
    let name = match machine.variable(PROFILE)? {
        Some(name) if !file.contains(&name) => {
            let path = path.display();
            return Ok(Found::Absent(format!("{path} has no profile {name:?}")));
        }
        Some(name) => name,
        None => match file.current() {
            Some(name) => name.to_owned(),
            None => {
                let path = path.display();
                return Ok(Found::Absent(format!("{path} has no profile in use")));
            }
        },
    };
    file.profile(&name).map(Found::Source)
}

fn credentials_file(machine: &Machine) -> Result<Found, Error> {
    let wanted = machine.variable(PROFILE)?;
    let absent = |why: String| match &wanted {
        // Not in the other file either, or we were not here. Signing with some other key isn't what
        // somebody meant who named a profile.
        Some(name) => Err(Error::configuration(format!(
            "{PROFILE} names the profile {name:?}, which is in no file: {why}"
        ))),
        None => Ok(Found::Absent(why)),
    };
    let path = machine.path(
        "ALIBABA_CLOUD_CREDENTIALS_FILE",
        ".alibabacloud/credentials",
    )?;
    let Some(path) = path else {
        return absent("there is no home directory".to_owned());
    };
    if machine.file(&path)?.is_none() {
        return absent(format!("{} doesn't exist", path.display()));
    }
    let file = CredentialsFile::read(machine.clone(), &path)?;
    let name = wanted.as_deref().unwrap_or("default");
    if !file.contains(name) {
        return absent(format!("{} has no profile {name:?}", path.display()));
    }
    file.profile(name).map(Found::Source)
}

fn uri(machine: &Machine) -> Result<Found, Error> {
    const NAME: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";
    Ok(match machine.variable(NAME)? {
        Some(uri) => Found::Source(Arc::new(CredentialsUri::new(machine.clone(), uri))),
        None => Found::Absent(format!("{NAME} isn't set")),
    })
}

fn ecs(machine: &Machine) -> Result<Found, Error> {
    const NAME: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
    if machine.is_set(NAME)? {
        return Ok(Found::Absent(format!("{NAME} is set")));
    }
    Ok(Found::Source(Arc::new(EcsRamRole::new(machine.clone()))))
}

/// What an error says, all its causes included.
fn report(error: &Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    // That the service got no request is what the first two say of every failure to get a key.
    let generic = if matches!(error.kind(), ErrorKind::Transport) {
        2
    } else {
        0
    };
    texts.drain(..generic.min(texts.len().saturating_sub(1)));
    texts.join(": ")
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, link) in self.links.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(f, "{separator}{}: ", link.name)?;
            match &link.outcome {
                LinkOutcome::NotAsked => f.write_str("not asked")?,
                LinkOutcome::Absent(why) => f.write_str(why)?,
                LinkOutcome::Failed(why) => write!(f, "failed, {why}")?,
                LinkOutcome::Answered => f.write_str("answered")?,
            }
        }
        Ok(())
    }
}
