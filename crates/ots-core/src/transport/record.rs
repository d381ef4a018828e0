//! A transport that keeps what passes through it, for [`Replay`](super::Replay).

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::recording::{Exchange, Key, Outcome};
use super::{Transport, TransportError};
use crate::error::Error;

/// Writes every exchange of a transport, one JSON object a line: the operation, the bodies of request
/// and answer in base64, the answer's status and headers; or why no answer came.
///
/// A request that is abandoned before its answer comes, because an attempt's time has passed for one, is
/// kept as a timeout.
///
/// Keys, tokens, signatures and the endpoint are not kept. **Bodies are**: a recording holds the data
/// that was written and read.
///
/// Played by [`Replay`](super::Replay). After a run, [`finish`](Self::finish) says whether everything
/// was written.
pub struct Recorder<T> {
    inner: T,
    output: Mutex<Output>,
}

struct Output {
    writer: Box<dyn Write + Send>,
    failed: Option<std::io::Error>,
}

impl<T: Transport> Recorder<T> {
    /// Records into a new file.
    ///
    /// # Errors
    /// When the file can't be created, because it exists for one.
    pub fn create(inner: T, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let file = File::create_new(path).map_err(|source| {
            let text = format!("the recording {} can't be created", path.display());
            Error::configuration(text).with_source(source)
        })?;
        Ok(Self::new(inner, BufWriter::new(file)))
    }

    /// Records into anything that takes bytes.
    pub fn new(inner: T, writer: impl Write + Send + 'static) -> Self {
        let writer = Box::new(writer);
        let output = Output {
            writer,
            failed: None,
        };
        Self {
            inner,
            output: Mutex::new(output),
        }
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// When this, or any exchange before, could not be written. The calls went on regardless: the
    /// recording is incomplete, not they.
    pub fn finish(&self) -> Result<(), Error> {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let flushed = output.writer.flush();
        match output.failed.take().map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(source) => {
                let error = Error::configuration("the recording is incomplete: writing failed");
                Err(error.with_source(source))
            }
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Recorder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recorder").field(&self.inner).finish()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl<T: Transport> Transport for Recorder<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut kept = Kept {
            output: &self.output,
            exchange: Exchange {
                key: Key::of(&request),
                request_body: request.body().clone(),
                outcome: Outcome::abandoned(),
            },
        };
        let outcome = self.inner.send(request).await;
        kept.exchange.outcome = Outcome::of(&outcome);
        outcome
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// An exchange that is written when it is over, however it ends.
struct Kept<'a> {
    output: &'a Mutex<Output>,
    exchange: Exchange,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let line = self.exchange.to_line() + "\n";
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = output.writer.write_all(line.as_bytes()) {
            output.failed.get_or_insert(error);
        }
    }
}
