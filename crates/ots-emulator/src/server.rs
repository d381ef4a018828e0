//! The emulator behind a socket: HTTP/1.1 with keep-alive.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::emulator::Emulator;

impl Emulator {
    /// Serves connections until `shutdown` is done; requests under way are answered first, to the last
    /// byte, and those that have not come whole are not waited for. It needs a runtime with I/O and time.
    ///
    /// `GET /healthz` answers 200 to anyone, so that a script can wait for the server. `/admin/...`
    /// answers programs on the same computer; `docs/guides/emulator.md` shows it.
    ///
    /// A connection holds at most 64 KiB of a request's head, one body of
    /// [`Settings::request_body_bytes`](crate::Settings::request_body_bytes), and one answer. How many
    /// there may be, and how long they may take, is in the settings, too.
    ///
    /// # Errors
    /// When the listener can be reached from other computers while the built-in access key is in
    /// use (see [`check_exposure`](Self::check_exposure)), and when the listener has no address.
    ///
    /// # Cancel safety
    /// Dropping the future closes every connection at once.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), ServeError> {
        let address = listener.local_addr().map_err(ServeError::Listener)?;
        self.check_exposure(address.ip())
            .map_err(ServeError::ExposedKeys)?;

        let mut shutdown = pin!(shutdown);
        let (closing, closed) = watch::channel(());
        let served = Arc::new(Semaphore::new(self.settings().max_connections));
        let refused = Arc::new(Semaphore::new(REFUSED_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, peer)) => {
                            let places = [&served, &refused].map(Arc::clone);
                            let [served, refused] = places.map(|all| all.try_acquire_owned().ok());
                            let connection =
                                Connection::new(self.clone(), peer.ip(), served.is_some());
                            // Beyond both there is nothing but an end.
                            if let Some(place) = served.or(refused) {
                                let closed = closed.clone();
                                connections.spawn(async move {
                                    connection.serve(stream, closed).await;
                                    drop(place);
                                });
                            }
                        }
                        // A connection that died before it was accepted, or a lack of file handles:
                        // the next one may fare better, after a while.
                        Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                    }
                }
                // Finished connections are forgotten one by one, lest the set grow for ever.
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        drop(closing);
        while connections.join_next().await.is_some() {}
        Ok(())
    }
}

/// Why the emulator can't serve.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener can be reached from other computers, and the built-in access key is in use.
    ExposedKeys(ExposedKeysError),
    /// The listener has no address.
    Listener(io::Error),
}

/// The built-in access key must not open a door to other computers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExposedKeysError {
    address: IpAddr,
}

impl ExposedKeysError {
    pub(crate) const fn new(address: IpAddr) -> Self {
        Self { address }
    }

    /// The address that was refused.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }
}

impl fmt::Display for ExposedKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address } = self;
        write!(
            f,
            "the built-in access key is public knowledge, and {address} can be reached from other \
             computers: listen on 127.0.0.1, or choose an access key of your own"
        )
    }
}

impl std::error::Error for ExposedKeysError {}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExposedKeys(error) => error.fmt(f),
            Self::Listener(_) => f.write_str("the listener has no address"),
        }
    }
}

impl std::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Its sentence is this error's own.
            Self::ExposedKeys(_) => None,
            Self::Listener(error) => Some(error),
        }
    }
}

/// Beyond the connections that are served, so many are told that there are too many.
const REFUSED_CONNECTIONS: usize = 64;
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
