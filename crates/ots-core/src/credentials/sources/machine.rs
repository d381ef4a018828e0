//! What credentials are looked for on: variables, files, servers.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::transport::Transport;

/// The machine as sources of credentials see it. Clones are cheap.
///
/// [`new`](Self::new) is an empty one, without variables and files; [`this`](Self::this) is the one
/// that the program runs on.
#[derive(Clone)]
pub struct Machine {
    variables: Arc<Variables>,
    files: Arc<Files>,
    pub(super) near: Arc<dyn Transport>,
    pub(super) far: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
}

type Variables = dyn Fn(&str) -> Option<OsString> + Send + Sync;
type Files = dyn Fn(&Path) -> io::Result<String> + Send + Sync;

impl Machine {
    /// A machine without variables and files, whose servers are all behind one transport.
    pub fn new(transport: impl Transport + 'static) -> Self {
        let transport: Arc<dyn Transport> = Arc::new(transport);
        Self {
            variables: Arc::new(|_| None),
            files: Arc::new(|_| Err(io::ErrorKind::NotFound.into())),
            near: Arc::clone(&transport),
            far: transport,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// The machine that this program runs on: its environment, its files, its network.
    ///
    /// A proxy that the environment names is used on the way to STS. The metadata server and a
    /// credentials URI are on the machine or beside it, and asked directly.
    ///
    /// # Errors
    /// When TLS or the proxy can't be set up.
    #[cfg(feature = "hyper")]
    pub fn this() -> Result<Self, Error> {
        use crate::transport::{HyperTransport, Proxy};
        use std::time::Duration;

        let builder = || {
            // Nobody is told credentials in more.
            HyperTransport::builder().max_response_bytes(64 * 1024)
        };
        let near = builder()
            .connect_timeout(Duration::from_secs(1))
            .proxy(Proxy::none());
        let machine = Self::new(near.build()?).far(builder().build()?);
        Ok(machine
            .variables(|name| std::env::var_os(name))
            .files(|path| std::fs::read_to_string(path)))
    }

    /// The variables there are.
    #[must_use]
    pub fn variables(
        mut self,
        variable: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static,
    ) -> Self {
        self.variables = Arc::new(variable);
        self
    }

    /// The files there are. They are small: reading one may block.
    #[must_use]
    pub fn files(
        mut self,
        read: impl Fn(&Path) -> io::Result<String> + Send + Sync + 'static,
    ) -> Self {
        self.files = Arc::new(read);
        self
    }

    /// Another way to servers far from the machine, which is STS.
    #[must_use]
    pub fn far(mut self, transport: impl Transport + 'static) -> Self {
        self.far = Arc::new(transport);
        self
    }

    /// Where the time comes from.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// A variable that is set, and to something.
    pub(super) fn variable(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(value) = (self.variables)(name).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        // Counting it as unset would fall through to another key.
        let value = value.into_string();
        value
            .map(Some)
            .map_err(|_| Error::configuration(format!("{name} isn't Unicode text")))
    }

    /// Whether a variable says yes.
    pub(super) fn is_set(&self, name: &str) -> Result<bool, Error> {
        let value = self.variable(name)?;
        Ok(
            value
                .is_some_and(|value| ["true", "1", "yes"].contains(&value.to_lowercase().as_str())),
        )
    }

    /// A file's text; none if there is no such file.
    pub(super) fn file(&self, path: &Path) -> Result<Option<String>, Error> {
        match (self.files)(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let shown = path.display();
                Err(Error::configuration(format!(
                    "{shown} can't be read: {error}"
                )))
            }
        }
    }

    /// A file named by a variable, or found under the home directory.
    pub(super) fn path(&self, variable: &str, in_home: &str) -> Result<Option<PathBuf>, Error> {
        if let Some(path) = self.variable(variable)? {
            return Ok(Some(path.into()));
        }
        let home = match self.variable("HOME")? {
            Some(home) => Some(home),
            None => self.variable("USERPROFILE")?,
        };
        Ok(home.map(|home| Path::new(&home).join(in_home)))
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}
