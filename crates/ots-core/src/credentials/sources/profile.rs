//! Profiles in files: what the official command line, and the other SDKs, were told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::command::CredentialsCommand;
use super::ecs::EcsRamRole;
use super::machine::Machine;
use super::sts::{AssumeRole, AssumeRoleWithOidc};
use super::uri::CredentialsUri;
use super::{Credentials, CredentialsSource, Fixed};
use crate::credentials::{CachedCredentials, CredentialsProvider};
use crate::error::Error;

/// Where a profile leads.
pub(super) type Source = Arc<dyn CredentialsSource>;

/// The configuration of the official command line, `~/.aliyun/config.json`.
///
/// Profiles of the modes `AK`, `StsToken`, `RamRoleArn`, `ChainableRamRoleArn`, `EcsRamRole`,
/// `RamRoleArnWithRoleName`, `OIDC`, `External` and `CredentialsURI` can be used. Others are refused
/// by name: they need a browser, or a kind of key that is no longer given out.
pub struct ConfigFile {
    machine: Machine,
    profiles: BTreeMap<String, Profile>,
    current: Option<String>,
}

/// The credentials file of the SDKs, `~/.alibabacloud/credentials`: profiles as INI sections.
///
/// Profiles of the types `access_key`, `sts`, `ram_role_arn`, `ecs_ram_role`, `oidc_role_arn` and
/// `credentials_uri` can be used.
pub struct CredentialsFile {
    machine: Machine,
    profiles: BTreeMap<String, Profile>,
}

/// Settings by name, whichever file they are from.
#[derive(Default)]
struct Profile(BTreeMap<String, String>);

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or it isn't such a file. The error repeats nothing of it.
    pub fn read(machine: Machine, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = text(&machine, path)?;
        Self::parse(machine, &text).map_err(|problem| wrong(path, &problem))
    }

    fn parse(machine: Machine, text: &str) -> Result<Self, String> {
        let root: Value = serde_json::from_str(text).map_err(|error| {
            format!(
                "isn't JSON, line {} column {}",
                error.line(),
                error.column()
            )
        })?;
        let profiles = root.get("profiles").and_then(Value::as_array);
        let profiles = profiles.ok_or("has no list of profiles")?;
        let profiles = profiles.iter().filter_map(|profile| {
            let settings: BTreeMap<_, _> = profile
                .as_object()?
                .iter()
                .filter_map(|(name, value)| match value {
                    Value::String(text) => Some((name.clone(), text.clone())),
                    Value::Number(number) => Some((name.clone(), number.to_string())),
                    _ => None,
                })
                .collect();
            Some((settings.get("name")?.clone(), Profile(settings)))
        });
        let current = root.get("current").and_then(Value::as_str);
        Ok(Self {
            profiles: profiles.collect(),
            current: current.map(str::to_owned),
            machine,
        })
    }

    pub(super) fn contains(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// The profile in use; none where none was ever chosen, or it was never filled in.
    pub(super) fn current(&self) -> Option<&str> {
        let name = self.current.as_deref().filter(|name| !name.is_empty())?;
        let is_empty = self.profiles.get(name).is_some_and(Profile::is_unfilled);
        (!is_empty).then_some(name)
    }

    /// Where a profile leads.
    ///
    /// # Errors
    /// When there is no such profile, its mode isn't known, or something is missing in it.
    pub fn profile(&self, name: &str) -> Result<Arc<dyn CredentialsSource>, Error> {
        self.follow(name, &mut BTreeSet::new())
    }

    fn follow(&self, name: &str, seen: &mut BTreeSet<String>) -> Result<Source, Error> {
        let place = format!("profile {name:?}");
        let profile = self
            .profiles
            .get(name)
            .ok_or_else(|| Error::configuration(format!("there is no {place}")))?;
        if !seen.insert(name.to_owned()) {
            return Err(Error::configuration(format!("{place} is based on itself")));
        }
        let required = |setting: &str| profile.required(setting, &place);
        let machine = || self.machine.clone();
        let role = |base: Arc<dyn CredentialsProvider>| -> Result<Source, Error> {
            let mut role = AssumeRole::new(machine(), base, required("ram_role_arn")?);
            if let Some(name) = profile.get("ram_session_name") {
                role = role.session_name(name);
            }
            if let Some(seconds) = profile.seconds("expired_seconds", &place)? {
                role = role.duration(seconds);
            }
            if let Some(region) = profile.get("sts_region") {
                role = role.sts_region(region);
            }
            if let Some(id) = profile.get("external_id") {
                role = role.external_id(id);
            }
            Ok(Arc::new(role))
        };
        let ecs = || -> EcsRamRole {
            let ecs = EcsRamRole::new(machine());
            match profile.get("ram_role_name") {
                Some(name) => ecs.role(name),
                None => ecs,
            }
        };
        match required("mode")? {
            "AK" => Ok(Arc::new(Fixed(profile.key(&place)?))),
            "StsToken" => {
                let key = profile.key(&place)?;
                Ok(Arc::new(Fixed(
                    key.with_security_token(required("sts_token")?),
                )))
            }
            "RamRoleArn" => {
                let key = profile.key(&place)?;
                role(Arc::new(match profile.get("sts_token") {
                    Some(token) => key.with_security_token(token),
                    None => key,
                }))
            }
            "ChainableRamRoleArn" => {
                let base = self.follow(required("source_profile")?, seen)?;
                role(cached(&self.machine, base))
            }
            "EcsRamRole" => Ok(Arc::new(ecs())),
            "RamRoleArnWithRoleName" => role(cached(&self.machine, Arc::new(ecs()))),
            "OIDC" => {
                let mut oidc = AssumeRoleWithOidc::new(
                    machine(),
                    required("ram_role_arn")?,
                    required("oidc_provider_arn")?,
                    required("oidc_token_file")?,
                );
                if let Some(name) = profile.get("ram_session_name") {
                    oidc = oidc.session_name(name);
                }
                if let Some(seconds) = profile.seconds("expired_seconds", &place)? {
                    oidc = oidc.duration(seconds);
                }
                if let Some(region) = profile.get("sts_region") {
                    oidc = oidc.sts_region(region);
                }
                Ok(Arc::new(oidc))
            }
            "External" => {
                let line = required("process_command")?;
                Ok(Arc::new(CredentialsCommand::new(machine(), line)))
            }
            "CredentialsURI" => {
                let uri = required("credentials_uri")?;
                Ok(Arc::new(CredentialsUri::new(machine(), uri)))
            }
            other => Err(unknown("mode", other, &place)),
        }
    }
}

impl CredentialsFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When there is none, or it isn't such a file. The error repeats nothing of it.
    pub fn read(machine: Machine, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = text(&machine, path)?;
        Self::parse(machine, &text).map_err(|problem| wrong(path, &problem))
    }

    fn parse(machine: Machine, text: &str) -> Result<Self, String> {
        let mut profiles: BTreeMap<String, Profile> = BTreeMap::new();
        let mut section = None;
        for (number, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), number + 1);
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[') {
                let name = name.strip_suffix(']');
                let name = name.ok_or(format!("has a section without an end on line {number}"))?;
                section = Some(profiles.entry(name.trim().to_owned()).or_default());
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err(format!(
                    "has neither a section nor a setting on line {number}"
                ));
            };
            let Some(profile) = &mut section else {
                return Err(format!(
                    "has a setting before the first section on line {number}"
                ));
            };
            let value = value.trim().trim_matches('"').to_owned();
            profile.0.insert(name.trim().to_lowercase(), value);
        }
        Ok(Self { machine, profiles })
    }

    pub(super) fn contains(&self, profile: &str) -> bool {
        self.profiles.contains_key(profile)
    }

    /// Where a profile leads.
    ///
    /// # Errors
    /// When there is no such profile, its type isn't known, or something is missing in it.
    pub fn profile(&self, name: &str) -> Result<Arc<dyn CredentialsSource>, Error> {
        let place = format!("profile {name:?}");
        let profile = self
            .profiles
            .get(name)
            .ok_or_else(|| Error::configuration(format!("there is no {place}")))?;
        let required = |setting: &str| profile.required(setting, &place);
        let machine = || self.machine.clone();
        match required("type")? {
            "access_key" => Ok(Arc::new(Fixed(profile.key(&place)?))),
            "sts" => {
                let key = profile.key(&place)?;
                Ok(Arc::new(Fixed(
                    key.with_security_token(required("security_token")?),
                )))
            }
            "ram_role_arn" => {
                let base = Arc::new(profile.key(&place)?);
                let mut role = AssumeRole::new(machine(), base, required("role_arn")?);
                if let Some(name) = profile.get("role_session_name") {
                    role = role.session_name(name);
                }
                if let Some(id) = profile.get("external_id") {
                    role = role.external_id(id);
                }
                Ok(Arc::new(role))
            }
            "ecs_ram_role" => {
                let ecs = EcsRamRole::new(machine());
                Ok(Arc::new(match profile.get("role_name") {
                    Some(name) => ecs.role(name),
                    None => ecs,
                }))
            }
            "oidc_role_arn" => {
                let oidc = AssumeRoleWithOidc::new(
                    machine(),
                    required("role_arn")?,
                    required("oidc_provider_arn")?,
                    required("oidc_token_file_path")?,
                );
                Ok(Arc::new(match profile.get("role_session_name") {
                    Some(name) => oidc.session_name(name),
                    None => oidc,
                }))
            }
            "credentials_uri" => {
                let uri = required("credentials_uri")?;
                Ok(Arc::new(CredentialsUri::new(machine(), uri)))
            }
            other => Err(unknown("type", other, &place)),
        }
    }
}

impl Profile {
    fn get(&self, setting: &str) -> Option<&str> {
        let value = self.0.get(setting).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    fn required(&self, setting: &str, place: &str) -> Result<&str, Error> {
        self.get(setting)
            .ok_or_else(|| Error::configuration(format!("{place} has no {setting}")))
    }

    fn key(&self, place: &str) -> Result<Credentials, Error> {
        let id = self.required("access_key_id", place)?;
        let secret = self.required("access_key_secret", place)?;
        Ok(Credentials::new(id, secret))
    }

    fn seconds(&self, setting: &str, place: &str) -> Result<Option<Duration>, Error> {
        let Some(text) = self.get(setting).filter(|text| *text != "0") else {
            return Ok(None);
        };
        let seconds = text.parse().map_err(|_| {
            Error::configuration(format!("{setting} of {place} isn't a number of seconds"))
        })?;
        Ok(Some(Duration::from_secs(seconds)))
    }

    /// As the command line leaves it before anybody was asked for a key.
    fn is_unfilled(&self) -> bool {
        let is_key = self.get("mode").is_none_or(|mode| mode == "AK");
        is_key && self.get("access_key_id").is_none() && self.get("access_key_secret").is_none()
    }
}

fn cached(machine: &Machine, source: Source) -> Arc<dyn CredentialsProvider> {
    let clock = Arc::clone(&machine.clock);
    Arc::new(CachedCredentials::with_clock(source, clock))
}

fn text(machine: &Machine, path: &Path) -> Result<String, Error> {
    let text = machine.file(path)?;
    text.ok_or_else(|| Error::configuration(format!("{} doesn't exist", path.display())))
}

fn wrong(path: &Path, problem: &str) -> Error {
    Error::configuration(format!("{} {problem}", path.display()))
}

fn unknown(what: &str, value: &str, place: &str) -> Error {
    let value = super::answer::plain(value);
    Error::configuration(format!(
        "{place} has the {what} {value}, which isn't supported"
    ))
}

// Names of profiles, and nothing that stands in them.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConfigFile")
            .field(&self.profiles.keys())
            .finish()
    }
}

impl fmt::Debug for CredentialsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialsFile")
            .field(&self.profiles.keys())
            .finish()
    }
}
