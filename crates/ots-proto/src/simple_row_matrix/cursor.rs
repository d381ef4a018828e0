//! A position in a block, and the few ways to step over it.

use super::error::{Error, ErrorKind};

#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'buf> {
    buffer: &'buf [u8],
    position: usize,
}

impl<'buf> Cursor<'buf> {
    /// From `start` on, if the buffer goes that far.
    pub(super) const fn new(buffer: &'buf [u8], start: usize) -> Self {
        Self {
            buffer,
            position: start,
        }
    }

    pub(super) const fn position(&self) -> usize {
        self.position
    }

    pub(super) const fn left(&self) -> usize {
        self.buffer.len().saturating_sub(self.position)
    }

    /// Everything from here on.
    #[inline]
    pub(super) fn rest(&self) -> &'buf [u8] {
        self.buffer.get(self.position..).unwrap_or_default()
    }

    /// Steps to where `left` bytes are left.
    #[inline]
    pub(super) const fn skip_to_last(&mut self, left: usize) {
        self.position = self.buffer.len().saturating_sub(left);
    }

    #[inline]
    pub(super) fn bytes(
        &mut self,
        count: usize,
        reading: &'static str,
    ) -> Result<&'buf [u8], Error> {
        let end = self.position.checked_add(count);
        match end.and_then(|end| self.buffer.get(self.position..end)) {
            Some(bytes) => {
                self.position += count;
                Ok(bytes)
            }
            None => Err(self.truncated(count, reading)),
        }
    }

    #[inline]
    pub(super) fn array<const N: usize>(
        &mut self,
        reading: &'static str,
    ) -> Result<[u8; N], Error> {
        let rest = self.buffer.get(self.position..);
        match rest.and_then(|rest| rest.first_chunk::<N>()) {
            Some(array) => {
                self.position += N;
                Ok(*array)
            }
            None => Err(self.truncated(N, reading)),
        }
    }

    #[inline]
    pub(super) fn byte(&mut self, reading: &'static str) -> Result<u8, Error> {
        self.array::<1>(reading).map(|[byte]| byte)
    }

    /// A tag that must stand here; `expected` describes it.
    #[inline]
    pub(super) fn tag(&mut self, tag: u8, expected: &'static str) -> Result<(), Error> {
        match self.byte(expected)? {
            found if found == tag => Ok(()),
            found => {
                let kind = ErrorKind::UnexpectedTag { expected, found };
                Err(Error::new(kind, self.position - 1))
            }
        }
    }

    /// A flag or a boolean.
    #[inline]
    pub(super) fn boolean(&mut self, reading: &'static str) -> Result<bool, Error> {
        match self.byte(reading)? {
            0 => Ok(false),
            1 => Ok(true),
            found => {
                let kind = ErrorKind::Boolean { reading, found };
                Err(Error::new(kind, self.position - 1))
            }
        }
    }

    /// A count or an offset of four bytes.
    #[inline]
    pub(super) fn count(&mut self, reading: &'static str) -> Result<usize, Error> {
        let start = self.position;
        usize::try_from(i32::from_le_bytes(self.array(reading)?))
            .map_err(|_| Error::new(ErrorKind::Negative { reading }, start))
    }

    /// The bytes after a length of four bytes.
    #[inline]
    pub(super) fn counted(
        &mut self,
        length: &'static str,
        reading: &'static str,
    ) -> Result<&'buf [u8], Error> {
        let count = self.count(length)?;
        self.bytes(count, reading)
    }

    /// The text after a length of four bytes.
    #[inline]
    pub(super) fn text(
        &mut self,
        length: &'static str,
        reading: &'static str,
    ) -> Result<&'buf str, Error> {
        let bytes = self.counted(length, reading)?;
        self.utf8(bytes, reading)
    }

    /// The text after a length of two bytes. It is signed in the official SDKs.
    pub(super) fn name(&mut self) -> Result<&'buf str, Error> {
        const READING: &str = "a column name";
        let start = self.position;
        let length = usize::try_from(i16::from_le_bytes(
            self.array("the length of a column name")?,
        ));
        let length = length.map_err(|_| {
            let reading = "the length of a column name";
            Error::new(ErrorKind::Negative { reading }, start)
        })?;
        let bytes = self.bytes(length, READING)?;
        self.utf8(bytes, READING)
    }

    /// Bytes that were just stepped over, as text.
    #[inline]
    fn utf8(&self, bytes: &'buf [u8], reading: &'static str) -> Result<&'buf str, Error> {
        simdutf8::basic::from_utf8(bytes).map_err(|_| self.not_utf8(bytes, reading))
    }

    /// The fast check doesn't say where; the standard one does.
    #[cold]
    fn not_utf8(&self, bytes: &[u8], reading: &'static str) -> Error {
        let start = self.position - bytes.len();
        let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
        Error::new(ErrorKind::NotUtf8 { reading }, start + valid)
    }

    #[cold]
    fn truncated(&self, needed_bytes: usize, reading: &'static str) -> Error {
        let kind = ErrorKind::Truncated {
            reading,
            needed_bytes,
            left_bytes: self.left(),
        };
        Error::new(kind, self.position.min(self.buffer.len()))
    }
}
