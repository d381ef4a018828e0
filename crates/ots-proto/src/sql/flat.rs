//! FlatBuffers, as far as needed: tables, vectors and texts, each checked before it is followed.

use super::error::{Error, ErrorKind};

/// A buffer, and how much of it has been visited.
#[derive(Debug)]
pub(super) struct Flat<'buf> {
    bytes: &'buf [u8],
    apparent_bytes: usize,
}

/// A table whose description has been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'buf> {
    position: usize,
    size: usize,
    /// The part of the vtable that holds the places of fields.
    slots: &'buf [u8],
}

/// A vector that lies inside the buffer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vector<'buf> {
    /// Where its elements begin.
    pub(super) position: usize,
    pub(super) elements: &'buf [u8],
}

/// How many times its own size a buffer may appear to have. Honest ones share the descriptions of
/// tables, and now and then a text.
const REPETITION: usize = 8;
/// So that the smallest buffers may have some too.
const REPETITION_SLACK_BYTES: usize = 1024;

impl Table<'_> {
    /// Where it lies, for error messages.
    pub(super) const fn position(self) -> usize {
        self.position
    }
}

impl<'buf> Flat<'buf> {
    pub(super) const fn new(bytes: &'buf [u8]) -> Self {
        Self {
            bytes,
            apparent_bytes: 0,
        }
    }

    /// The table whose offset stands at the start.
    pub(super) fn root(&mut self, table: &'static str) -> Result<Table<'buf>, Error> {
        self.table_at(0, table)
    }

    /// The table that a field refers to.
    pub(super) fn table(
        &mut self,
        of: Table<'buf>,
        id: usize,
        field: &'static str,
    ) -> Result<Option<Table<'buf>>, Error> {
        match self.place(of, id, 4, field)? {
            Some(place) => self.table_at(place, field).map(Some),
            None => Ok(None),
        }
    }

    /// The vector that a field refers to, of elements of so many bytes.
    pub(super) fn vector(
        &mut self,
        of: Table<'buf>,
        id: usize,
        element_bytes: usize,
        field: &'static str,
    ) -> Result<Option<Vector<'buf>>, Error> {
        match self.place(of, id, 4, field)? {
            Some(place) => self.vector_at(place, element_bytes, field).map(Some),
            None => Ok(None),
        }
    }

    /// The text that a field refers to.
    pub(super) fn text(
        &mut self,
        of: Table<'buf>,
        id: usize,
        field: &'static str,
    ) -> Result<Option<&'buf str>, Error> {
        match self.place(of, id, 4, field)? {
            Some(place) => self.text_at(place, field).map(Some),
            None => Ok(None),
        }
    }

    /// A field of one byte; zero if it isn't there.
    pub(super) fn byte(
        &self,
        of: Table<'buf>,
        id: usize,
        field: &'static str,
    ) -> Result<i8, Error> {
        match self.place(of, id, 1, field)? {
            Some(place) => self.array(place, field).map(i8::from_le_bytes),
            None => Ok(0),
        }
    }

    /// A field of eight bytes and where it stands; zero if it isn't there.
    pub(super) fn long(
        &self,
        of: Table<'buf>,
        id: usize,
        field: &'static str,
    ) -> Result<(i64, usize), Error> {
        match self.place(of, id, 8, field)? {
            Some(place) => Ok((i64::from_le_bytes(self.array(place, field)?), place)),
            None => Ok((0, of.position)),
        }
    }

    /// The table that the offset at `place` leads to.
    pub(super) fn table_at(
        &mut self,
        place: usize,
        table: &'static str,
    ) -> Result<Table<'buf>, Error> {
        let position = self.follow(place, table)?;
        let to_vtable = i32::from_le_bytes(self.array(position, table)?);
        let damaged = || Error::new(ErrorKind::Table { table }, position);
        let vtable = i64::try_from(position)
            .ok()
            .and_then(|position| usize::try_from(position - i64::from(to_vtable)).ok())
            .ok_or_else(damaged)?;
        let vtable_bytes = usize::from(u16::from_le_bytes(self.array(vtable, table)?));
        let size = usize::from(u16::from_le_bytes(self.array(vtable + 2, table)?));
        let slots = self
            .bytes
            .get(vtable..vtable.saturating_add(vtable_bytes))
            .and_then(|vtable| vtable.get(4..));
        let fits = self.bytes.len() - position >= size && size >= 4;
        let slots = slots.filter(|_| fits).ok_or_else(damaged)?;
        self.visit(size, position)?;
        Ok(Table {
            position,
            size,
            slots,
        })
    }

    /// The vector that the offset at `place` leads to.
    pub(super) fn vector_at(
        &mut self,
        place: usize,
        element_bytes: usize,
        field: &'static str,
    ) -> Result<Vector<'buf>, Error> {
        let start = self.follow(place, field)?;
        let count = u32::from_le_bytes(self.array(start, field)?);
        let position = start + 4;
        let rest = self.bytes.get(position..).unwrap_or_default();
        let needed_bytes = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .saturating_mul(element_bytes);
        let elements = rest.get(..needed_bytes).ok_or_else(|| {
            let kind = ErrorKind::Truncated {
                reading: field,
                needed_bytes,
                left_bytes: rest.len(),
            };
            Error::new(kind, position)
        })?;
        self.visit(4 + needed_bytes, start)?;
        Ok(Vector { position, elements })
    }

    /// The text that the offset at `place` leads to.
    pub(super) fn text_at(
        &mut self,
        place: usize,
        field: &'static str,
    ) -> Result<&'buf str, Error> {
        let Vector { position, elements } = self.vector_at(place, 1, field)?;
        std::str::from_utf8(elements).map_err(|error| {
            let kind = ErrorKind::NotUtf8 { field };
            Error::new(kind, position + error.valid_up_to())
        })
    }

    /// The position that the offset at `place` leads to: always forward, and inside the buffer.
    pub(super) fn follow(&self, place: usize, reading: &'static str) -> Result<usize, Error> {
        let offset = u32::from_le_bytes(self.array(place, reading)?);
        usize::try_from(offset)
            .ok()
            .and_then(|offset| place.checked_add(offset))
            .filter(|position| *position < self.bytes.len())
            .ok_or_else(|| {
                let kind = ErrorKind::Truncated {
                    reading,
                    needed_bytes: usize::try_from(offset).unwrap_or(usize::MAX),
                    left_bytes: self.bytes.len() - place,
                };
                Error::new(kind, place)
            })
    }

    /// Where a field of so many bytes stands, if it is there.
    fn place(
        &self,
        of: Table<'buf>,
        id: usize,
        bytes: usize,
        field: &'static str,
    ) -> Result<Option<usize>, Error> {
        let slot = of.slots.get(2 * id..).and_then(|slots| slots.first_chunk());
        let offset = slot.map_or(0, |slot| usize::from(u16::from_le_bytes(*slot)));
        if offset == 0 {
            Ok(None)
        } else if offset >= 4 && offset + bytes <= of.size {
            Ok(Some(of.position + offset))
        } else {
            Err(Error::new(ErrorKind::Field { field }, of.position))
        }
    }

    fn array<const N: usize>(
        &self,
        position: usize,
        reading: &'static str,
    ) -> Result<[u8; N], Error> {
        let rest = self.bytes.get(position..).unwrap_or_default();
        rest.first_chunk().copied().ok_or_else(|| {
            let kind = ErrorKind::Truncated {
                reading,
                needed_bytes: N,
                left_bytes: rest.len(),
            };
            Error::new(kind, position.min(self.bytes.len()))
        })
    }

    /// Counts what is visited: offsets may lead many times to the same place, and following them
    /// must not take more time than the buffer is worth.
    fn visit(&mut self, bytes: usize, position: usize) -> Result<(), Error> {
        self.apparent_bytes = self.apparent_bytes.saturating_add(bytes);
        let allowed_bytes = self
            .bytes
            .len()
            .saturating_mul(REPETITION)
            .saturating_add(REPETITION_SLACK_BYTES);
        if self.apparent_bytes <= allowed_bytes {
            return Ok(());
        }
        let kind = ErrorKind::Repetition {
            apparent_bytes: self.apparent_bytes,
            allowed_bytes,
        };
        Err(Error::new(kind, position))
    }
}
