//! Ctrl-C and requests to terminate: the first stops the work in good order, the second at once.

use tokio::sync::watch;

use crate::failure::{Exit, Failure};

/// Tells when the work should stop. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Option<Exit>>);

impl Interrupt {
    /// Begins to listen. Must be called inside the runtime.
    pub fn listen() -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            let first = signal().await;
            // Nobody listens any more once the work is done.
            sender.send(Some(first)).ok();
            let second = signal().await;
            std::process::exit(second as i32);
        });
        Self(receiver)
    }

    /// Waits for the signal. Never ends without one.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing: the signal is remembered.
    pub async fn wait(&mut self) -> Exit {
        match self.0.wait_for(Option::is_some).await.map(|exit| *exit) {
            Ok(Some(exit)) => exit,
            _ => std::future::pending().await,
        }
    }

    /// Does the work unless the signal comes first; the work is dropped then, and `doing` says what
    /// was asked and where it stopped.
    pub async fn or<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
        doing: impl FnOnce() -> String,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            exit = self.wait() => Err(Failure::new(exit, doing())),
        }
    }
}

#[cfg(unix)]
async fn signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        tokio::signal::ctrl_c().await.ok();
        return Exit::Interrupted;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

#[cfg(not(unix))]
async fn signal() -> Exit {
    tokio::signal::ctrl_c().await.ok();
    Exit::Interrupted
}
