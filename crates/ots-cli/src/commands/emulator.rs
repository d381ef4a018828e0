//! `ots emulator`: a Tablestore on this computer, until it is stopped.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, io};

use ots_emulator::{AccessKey, Emulator, FaultRule, Settings};
use tokio::net::TcpListener;

use crate::args::{EmulatorArguments, Profile};
use crate::connect::key_from_env;
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// Serves until it is interrupted, which is how it is meant to end: no failure.
pub async fn run(arguments: EmulatorArguments, mut interrupt: Interrupt) -> Result<(), Failure> {
    let keys = Keys::find(arguments.credentials.as_deref())?;
    let emulator = set_up(&arguments, &keys)?;
    let listener = bind(&emulator, &arguments).await?;
    let address = listener.local_addr().map_err(|error| {
        Failure::new(Exit::Other, "the emulator's address is unknown").because(error)
    })?;
    // Held until the end: whoever finds the file can trust that the emulator runs.
    let _port_file = arguments
        .port_file
        .map(|path| PortFile::write(path, address.port()))
        .transpose()?;
    let kept = match &arguments.data_dir {
        None => "in memory".to_owned(),
        Some(directory) => format!("data in {}", directory.display()),
    };
    let splits = arguments.splits;
    say(format_args!(
        "ots emulator: listening on http://{address} ({kept}, {splits} splits); any instance, \
         {keys}; stop with Ctrl-C",
    ));
    let mut stopped = interrupt.clone();
    let stop = async move {
        interrupt.wait().await;
    };
    let overdue = async move {
        stopped.wait().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = emulator.serve(listener, stop) => served.map_err(|error| {
            Failure::new(Exit::Other, "the emulator stopped").because(error)
        }),
        () = overdue => Ok(()),
    }
}

/// The emulator with its data and its faults, before it listens.
fn set_up(arguments: &EmulatorArguments, keys: &Keys) -> Result<Emulator, Failure> {
    let rules = match &arguments.faults {
        None => Vec::new(),
        Some(path) => read(path, "the fault rules", FaultRule::list_from_json)?,
    };
    let mut settings = match arguments.profile {
        Profile::Lenient => Settings::default(),
        Profile::Strict => Settings::strict(),
    };
    if let Some(delay_ms) = arguments.index_delay {
        settings.index_delay = Duration::from_millis(delay_ms);
    }
    let mut builder = Emulator::builder()
        .settings(settings)
        .splits(arguments.splits.get());
    match keys {
        Keys::BuiltIn => {}
        Keys::OfEnvironment(id, secret) => builder = builder.credentials(id, secret),
        Keys::OfFile(_, keys) => builder = builder.access_keys(keys.iter().cloned()),
    }
    if let Some(seed) = arguments.seed {
        builder = builder.seed(seed);
    }
    let emulator = match &arguments.data_dir {
        None => builder.build(),
        Some(directory) => builder.open(directory).map_err(|error| {
            let doing = format!("the data in {} can't be used", directory.display());
            let advice = match error.is_in_use() {
                true => "choose a directory that no other emulator uses",
                false => "choose a directory that may be read and written",
            };
            Failure::new(Exit::Output, doing)
                .because(error)
                .advise(advice)
        })?,
    };
    if let Some(snapshot) = &arguments.restore {
        restore(&emulator, snapshot)?;
    }
    for rule in rules {
        emulator.faults().add(rule);
    }
    Ok(emulator)
}

/// Never over other data: the same command line may be run again.
fn restore(emulator: &Emulator, snapshot: &Path) -> Result<(), Failure> {
    let doing = format!("the snapshot {} can't be restored", snapshot.display());
    if !emulator.is_empty() {
        let failure = Failure::new(Exit::Usage, doing).because("the data directory holds tables");
        let advice = "leave --restore out to go on with them, or choose another --data-dir";
        return Err(failure.advise(advice));
    }
    // The command line is wrong then, and nothing is the matter with the data.
    let exit = match snapshot.exists() {
        true => Exit::Output,
        false => Exit::Usage,
    };
    let restored = emulator.restore(snapshot);
    restored.map_err(|error| Failure::new(exit, doing).because(error))
}

async fn bind(emulator: &Emulator, arguments: &EmulatorArguments) -> Result<TcpListener, Failure> {
    let listen = &arguments.listen;
    let refused = |exit| Failure::new(exit, format!("the emulator can't listen on {listen}"));
    let cannot_bind = |error| {
        let failure = refused(Exit::Other).because(error);
        failure.advise("choose another address with --listen, or port 0 for any")
    };
    let found = tokio::net::lookup_host(listen).await;
    let mut addresses: Vec<_> = found.map_err(cannot_bind)?.collect();
    // A name of both kinds, as localhost is, stands for the one that everybody tries.
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    for address in addresses.iter().map(std::net::SocketAddr::ip) {
        if !arguments.allow_remote && !address.to_canonical().is_loopback() {
            let cause = format!("other computers can reach {address}");
            let failure = refused(Exit::Usage).because(cause);
            return Err(failure.advise("pass --allow-remote if they are meant to"));
        }
        emulator.check_exposure(address).map_err(|error| {
            refused(Exit::Usage).because(error).advise(
                "pass --credentials, or set TABLESTORE_ACCESS_KEY_ID and \
                 TABLESTORE_ACCESS_KEY_SECRET, here and for whoever connects",
            )
        })?;
    }
    TcpListener::bind(&*addresses).await.map_err(cannot_bind)
}

/// Whom the emulator lets in.
enum Keys {
    /// Whoever has read its documentation.
    BuiltIn,
    /// One access key, id and secret.
    OfEnvironment(String, String),
    /// The keys of a file.
    OfFile(PathBuf, Vec<AccessKey>),
}

impl Keys {
    /// What stands on the command line goes before the environment.
    fn find(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = file {
            let keys = read(path, "the access keys", AccessKey::list_from_json)?;
            return Ok(Self::OfFile(path.to_owned(), keys));
        }
        Ok(match key_from_env()? {
            Some((id, secret)) => Self::OfEnvironment(id, secret),
            None => Self::BuiltIn,
        })
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => {
                let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
                write!(f, "access key {id} with secret {secret}")
            }
            // The secret is one.
            Self::OfEnvironment(id, _) => {
                write!(f, "access key {id} with its secret from the environment")
            }
            Self::OfFile(path, keys) => {
                let ids: Vec<_> = keys.iter().map(|key| &*key.id).collect();
                let (ids, path) = (ids.join(", "), path.display());
                write!(f, "access keys of {path}: {ids}")
            }
        }
    }
}

/// Reads a file that the command line names.
fn read<T, E: Error + Send + Sync + 'static>(
    path: &Path,
    what: &str,
    parse: impl FnOnce(Vec<u8>) -> Result<T, E>,
) -> Result<T, Failure> {
    let unusable = || {
        let doing = format!("{what} in {} can't be used", path.display());
        Failure::new(Exit::Usage, doing)
    };
    let text = std::fs::read(path).map_err(|error| unusable().because(error))?;
    parse(text).map_err(|error| unusable().because(error))
}

/// How long requests under way may take after the signal: a client that never reads its answer must
/// not keep the emulator alive.
const GRACE: Duration = Duration::from_secs(10);

/// A file with the port, removed when the emulator ends.
struct PortFile(PathBuf);

impl PortFile {
    /// Writes the file at once: a reader never sees half a number.
    fn write(path: PathBuf, port: u16) -> Result<Self, Failure> {
        write_whole(&path, &port.to_string()).map_err(|error| {
            let doing = format!("the port can't be written to {}", path.display());
            Failure::new(Exit::Output, doing).because(error)
        })?;
        Ok(Self(path))
    }
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path)
}

impl Drop for PortFile {
    fn drop(&mut self) {
        // It may have been removed already; either way it is gone.
        std::fs::remove_file(&self.0).ok();
    }
}
