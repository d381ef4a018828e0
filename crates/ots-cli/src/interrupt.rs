//! Ctrl-C and requests to terminate: the first stops the work in good order, the second at once.

use std::io;

use tokio::sync::watch;

use crate::console::say;
use crate::failure::{Exit, Failure};

/// Tells when the work should stop. Clones hear the same.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Option<Exit>>);

impl Interrupt {
    /// Begins to listen. Must be called inside the runtime.
    ///
    /// Where signals can't be listened to they keep their usual effect, the end of the process.
    pub fn listen() -> Self {
        let (sender, receiver) = watch::channel(None);
        // Registered here and not in the task, so that no signal falls between the two.
        if let Ok(mut signals) = Signals::register() {
            tokio::spawn(async move {
                let first = signals.next().await;
                // Nobody listens any more once the work is done.
                sender.send(Some(first)).ok();
                let second = signals.next().await;
                say(
                    "ots: stopped at once: an export may leave a hidden folder .ots-export behind, with \
                     what --resume goes on with, or what the next export there takes away; nobody knows \
                     how many rows of a load are written",
                );
                std::process::exit(second as i32);
            });
        }
        Self(receiver)
    }

    /// One that never comes, for work that nobody interrupts.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(None).1)
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

    /// The signal, if it has come.
    #[must_use]
    pub fn signal(&self) -> Option<Exit> {
        *self.0.borrow()
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
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn register() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self {
            interrupt,
            terminate,
        })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Exit::Interrupted,
            Some(()) = self.terminate.recv() => Exit::Terminated,
            else => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn register() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Exit {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Exit::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_the_work_and_is_remembered() {
        let (sender, receiver) = watch::channel(None);
        let mut interrupt = Interrupt(receiver);
        assert_eq!(interrupt.signal(), None);
        sender.send(Some(Exit::Terminated)).unwrap();
        let work = std::future::pending::<Result<(), Failure>>();
        let failure = interrupt.or(work, || "the work".to_owned()).await;
        let failure = failure.unwrap_err();
        assert_eq!(
            (failure.exit(), failure.to_string()),
            (Exit::Terminated, "the work".to_owned())
        );
        assert_eq!(interrupt.wait().await, Exit::Terminated);
        assert_eq!(interrupt.signal(), Some(Exit::Terminated));
    }

    #[tokio::test]
    async fn work_that_nobody_interrupts_is_done() {
        let work = async {
            tokio::task::yield_now().await;
            Ok(7)
        };
        let done = Interrupt::never().or(work, String::new).await;
        assert_eq!(done.unwrap(), 7);
    }
}
