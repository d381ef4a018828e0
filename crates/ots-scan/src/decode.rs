//! What the tasks of a scan make of a page before they hand it over.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use ots_proto::plainbuffer::Checksums;

use crate::page::ScanPage;

/// Why a page can't be decoded.
pub(crate) type DecodeError = Box<dyn StdError + Send + Sync>;

/// What a page becomes, in the task of its split: so that pages are decoded side by side, and one that
/// is damaged can be asked for again.
pub(crate) struct Decoder<T>(Arc<Decode<T>>);

type Decode<T> = dyn Fn(ScanPage, Checksums) -> Result<Decoded<T>, DecodeError> + Send + Sync;

/// What became of a page.
pub(crate) struct Decoded<T> {
    pub(crate) value: T,
    /// What it takes in memory, where that isn't what the page takes.
    pub(crate) held_bytes: Option<usize>,
}

impl<T> Decoder<T> {
    fn new(
        decode: impl Fn(ScanPage, Checksums) -> Result<Decoded<T>, DecodeError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(decode))
    }

    /// Something of the caller's. It compares checksums itself, as every reader does.
    pub(crate) fn with<E>(
        decode: impl Fn(&ScanPage) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<DecodeError>,
    {
        Self::new(move |page, _| {
            Ok(Decoded {
                value: decode(&page).map_err(Into::into)?,
                held_bytes: None,
            })
        })
    }

    /// The same, of which the caller says how large it is.
    pub(crate) fn sized<E>(
        decode: impl Fn(&ScanPage) -> Result<(T, usize), E> + Send + Sync + 'static,
    ) -> Self
    where
        E: Into<DecodeError>,
    {
        Self::new(move |page, _| {
            let (value, held_bytes) = decode(&page).map_err(Into::into)?;
            let held_bytes = Some(held_bytes);
            Ok(Decoded { value, held_bytes })
        })
    }

    /// `checksums` says whether they have been compared before.
    pub(crate) fn decode(
        &self,
        page: ScanPage,
        checksums: Checksums,
    ) -> Result<Decoded<T>, DecodeError> {
        (self.0)(page, checksums)
    }
}

impl Decoder<ScanPage> {
    /// The page as it came, its rows walked first or not.
    pub(crate) fn pages(verify: bool) -> Self {
        Self::new(move |page, checksums| {
            if verify && checksums == Checksums::Verify {
                page.verify()?;
            }
            Ok(Decoded {
                value: page,
                held_bytes: None,
            })
        })
    }
}

impl<T> Clone for Decoder<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Decoder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decoder")
    }
}
