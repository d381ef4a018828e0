//! A position in a buffer, and the few ways to step over it.

use super::error::{Error, ErrorKind};

#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'buf> {
    buffer: &'buf [u8],
    position: usize,
}

impl<'buf> Cursor<'buf> {
    #[inline]
    pub(super) const fn new(buffer: &'buf [u8]) -> Self {
        Self {
            buffer,
            position: 0,
        }
    }

    pub(super) const fn position(&self) -> usize {
        self.position
    }

    /// Another position in the same buffer.
    #[inline]
    pub(super) fn at(mut self, position: usize) -> Self {
        self.position = position.min(self.buffer.len());
        self
    }

    #[inline]
    pub(super) const fn left(&self) -> usize {
        self.buffer.len().saturating_sub(self.position)
    }

    /// The next byte, without stepping over it.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.buffer.get(self.position).copied()
    }

    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        self.position = self.position.saturating_add(bytes).min(self.buffer.len());
    }

    /// Everything from here on.
    #[inline]
    pub(super) fn rest(&self) -> &'buf [u8] {
        self.buffer.get(self.position..).unwrap_or_default()
    }

    /// Splits off the next `count` bytes, keeping their offsets, and steps over them.
    pub(super) fn take(&mut self, count: usize) -> Self {
        let end = self.position.saturating_add(count).min(self.buffer.len());
        let taken = Self {
            buffer: self.buffer.get(..end).unwrap_or_default(),
            position: self.position,
        };
        self.position = end;
        taken
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
        match self
            .buffer
            .get(self.position..)
            .and_then(|rest| rest.first_chunk::<N>())
        {
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

    /// A length of four bytes: checked against what is left before anyone acts on it.
    #[inline]
    pub(super) fn length(&mut self, reading: &'static str) -> Result<usize, Error> {
        let start = self.position;
        let length = i32::from_le_bytes(self.array(reading)?);
        let length = usize::try_from(length)
            .map_err(|_| Error::new(ErrorKind::NegativeLength { reading }, start))?;
        if length > self.left() {
            Err(self.truncated(length, reading))
        } else {
            Ok(length)
        }
    }

    /// Everything between an earlier position and this one.
    #[inline]
    pub(super) fn since(&self, start: usize) -> &'buf [u8] {
        self.buffer.get(start..self.position).unwrap_or_default()
    }

    #[cold]
    fn truncated(&self, needed_bytes: usize, reading: &'static str) -> Error {
        let left_bytes = self.left();
        Error::new(
            ErrorKind::Truncated {
                reading,
                needed_bytes,
                left_bytes,
            },
            self.position,
        )
    }
}
