//! Sources of temporary credentials on Alibaba Cloud, and the chain that finds the right one.
//!
//! Each asks one party: a role's metadata server, the security token service (STS), a local address, a
//! program, a profile in a file. What they may see of the machine is a [`Machine`], so that a test, or
//! a sandbox, decides which variables, files and servers there are.
//!
//! They are [`CredentialsSource`]s: wrap one in a [`CachedCredentials`](super::CachedCredentials), or
//! use [`CredentialsChain`], which does that itself.

mod answer;
mod chain;
mod command;
mod ecs;
mod machine;
mod profile;
mod sts;
mod uri;

use async_trait::async_trait;

pub use self::chain::{ChainReport, CredentialsChain, Link, LinkOutcome};
pub use self::command::CredentialsCommand;
pub use self::ecs::EcsRamRole;
pub use self::machine::Machine;
pub use self::profile::{ConfigFile, CredentialsFile};
pub use self::sts::{AssumeRole, AssumeRoleWithOidc};
pub use self::uri::CredentialsUri;
use super::{Credentials, CredentialsSource};
use crate::error::Error;

/// A key that stands in a file or a variable.
#[derive(Debug)]
struct Fixed(Credentials);

#[async_trait]
impl CredentialsSource for Fixed {
    async fn fetch(&self) -> Result<Credentials, Error> {
        Ok(self.0.clone())
    }
}
