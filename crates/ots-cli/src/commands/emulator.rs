//! `ots emulator`: a Tablestore on this computer, until it is stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ots_emulator::Emulator;
use tokio::net::TcpListener;

use crate::args::EmulatorArguments;
use crate::connect::key_from_env;
use crate::console::say;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;

/// Serves until it is interrupted, which is how it is meant to end: no failure.
pub async fn run(arguments: EmulatorArguments, mut interrupt: Interrupt) -> Result<(), Failure> {
    let EmulatorArguments {
        listen,
        port_file,
        splits,
        data_dir,
        seed,
    } = arguments;
    let mut builder = Emulator::builder().splits(splits.get());
    let own_key = key_from_env()?;
    if let Some((id, secret)) = &own_key {
        builder = builder.credentials(id, secret);
    }
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let emulator = match &data_dir {
        None => builder.build(),
        Some(directory) => builder.open(directory).map_err(|error| {
            let doing = format!("the data in {} can't be used", directory.display());
            let failure = Failure::new(Exit::Output, doing).because(error);
            failure.advise("choose a directory that no other emulator uses")
        })?,
    };
    let kept = match &data_dir {
        None => "in memory".to_owned(),
        Some(directory) => format!("data in {}", directory.display()),
    };
    let refused = |exit| Failure::new(exit, format!("the emulator can't listen on {listen}"));
    let cannot_bind = |error| {
        let failure = refused(Exit::Other).because(error);
        failure.advise("choose another address with --listen, or port 0 for any")
    };
    let found = tokio::net::lookup_host(&listen).await;
    let mut addresses: Vec<_> = found.map_err(cannot_bind)?.collect();
    // A name of both kinds, as localhost is, stands for the one that everybody tries.
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    for address in &addresses {
        emulator.check_exposure(address.ip()).map_err(|error| {
            refused(Exit::Usage).because(error).advise(
                "set TABLESTORE_ACCESS_KEY_ID and TABLESTORE_ACCESS_KEY_SECRET, here and for \
                 whoever connects",
            )
        })?;
    }
    let listener = TcpListener::bind(&*addresses).await.map_err(cannot_bind)?;
    let address = listener.local_addr().map_err(|error| {
        Failure::new(Exit::Other, "the emulator's address is unknown").because(error)
    })?;
    // Held until the end: whoever finds the file can trust that the emulator runs.
    let _port_file = port_file
        .map(|path| PortFile::write(path, address.port()))
        .transpose()?;
    let key = match &own_key {
        // Its secret is one.
        Some((id, _)) => format!("access key {id} with its secret from the environment"),
        None => {
            let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
            format!("access key {id} with secret {secret}")
        }
    };
    say(format_args!(
        "ots emulator: listening on http://{address} ({kept}, {splits} splits); any instance, \
         {key}; stop with Ctrl-C",
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

/// How long requests under way may take after the signal: a client that sends half a request and
/// falls silent must not keep the emulator alive.
const GRACE: Duration = Duration::from_secs(2);

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
