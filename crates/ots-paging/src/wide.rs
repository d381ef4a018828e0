//! A row that doesn't fit in one answer, put together from its parts.

use bytes::{Bytes, BytesMut};
use ots_proto::plainbuffer::{self, Accept, Reader, Writer, write_row};
use ots_proto::{Cell, NameCache, PrimaryKey, Row};

use crate::error::ErrorKind;
use crate::page::whole_key;

/// The part of a row that has come so far.
#[derive(Clone, Debug)]
pub(crate) struct OpenRow {
    row: Row,
    /// Size of the parts as they came.
    bytes: usize,
    /// Where the service goes on.
    token: Bytes,
}

/// Where an answer was cut inside a row.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The row's key.
    pub(crate) key: PrimaryKey,
    pub(crate) token: Bytes,
}

/// Whole rows, and the part of one that is not whole yet.
#[derive(Debug)]
pub(crate) struct Stitched {
    pub(crate) buffer: Bytes,
    pub(crate) open: Option<OpenRow>,
}

/// What the service was seen to begin a row's parts with.
struct First {
    /// Where the rows behind the open one begin.
    rest: usize,
    row: Row,
    bytes: usize,
}

impl OpenRow {
    pub(crate) const fn token(&self) -> &Bytes {
        &self.token
    }
}

/// Joins the open row with what came of it, and takes off the row that is cut now.
///
/// `start` has the columns of a whole key. Damage is left in the buffer, for who reads it to find.
pub(crate) fn stitch(
    open: Option<&OpenRow>,
    buffer: Bytes,
    cut: Option<Cut>,
    start: &PrimaryKey,
    most_bytes: usize,
) -> Result<Stitched, ErrorKind> {
    if open.is_none() && cut.is_none() {
        return Ok(Stitched { buffer, open: None });
    }
    let Ok(first) = first(open, &buffer, start) else {
        return Ok(Stitched { buffer, open: None });
    };
    if let (Some(open), Some(first)) = (open, &first) {
        if !continues(&open.row.cells, &first.row.cells) {
            return Err(ErrorKind::NotAdvancing);
        }
        if first.bytes > most_bytes {
            return Err(ErrorKind::RowTooLarge);
        }
    }
    let Some(Cut { key, token }) = cut else {
        return Ok(Stitched {
            buffer: joined(first.as_ref(), &buffer, buffer.len()),
            open: None,
        });
    };
    let from = first.as_ref().map_or(0, |first| first.rest);
    let Ok(last) = last(&buffer, from, start) else {
        // The reader of the page will stop at the damage; nobody comes to the cut row.
        return Ok(Stitched {
            buffer: joined(first.as_ref(), &buffer, buffer.len()),
            open: None,
        });
    };
    match (last, first) {
        (Some((offset, row)), first) => {
            if row.primary_key != key {
                return Err(ErrorKind::WideRow);
            }
            let bytes = buffer.len().saturating_sub(offset);
            if bytes > most_bytes {
                return Err(ErrorKind::RowTooLarge);
            }
            Ok(Stitched {
                buffer: joined(first.as_ref(), &buffer, offset),
                open: Some(OpenRow { row, bytes, token }),
            })
        }
        // Nothing but another part of the same row.
        (None, Some(First { row, bytes, .. })) if row.primary_key == key => {
            let before = open.map(|open| (open.row.cells.len(), &open.token));
            if before == Some((row.cells.len(), &token)) {
                return Err(ErrorKind::NotAdvancing);
            }
            Ok(Stitched {
                buffer: Writer::new().finish(),
                open: Some(OpenRow { row, bytes, token }),
            })
        }
        // The row was cut before the first column that is returned.
        (None, first) => Ok(Stitched {
            buffer: joined(first.as_ref(), &buffer, buffer.len()),
            open: Some(OpenRow {
                row: Row::new(key),
                bytes: 0,
                token,
            }),
        }),
    }
}

/// As [`stitch`] where rows are handed over in parts: the buffer stays as it is, and of a row that is cut
/// only its last cell is kept, to see that the next part goes on behind it.
pub(crate) fn follow(
    open: Option<&OpenRow>,
    buffer: &[u8],
    cut: Option<Cut>,
    start: &PrimaryKey,
) -> Result<Option<OpenRow>, ErrorKind> {
    if open.is_none() && cut.is_none() {
        return Ok(None);
    }
    // Damage is left in the buffer, for who reads it to find.
    let Ok(first) = first(open, buffer, start) else {
        return Ok(None);
    };
    if let (Some(open), Some(first)) = (open, &first)
        && !continues(&open.row.cells, &first.row.cells)
    {
        return Err(ErrorKind::NotAdvancing);
    }
    let Some(Cut { key, token }) = cut else {
        return Ok(None);
    };
    let Ok(last) = last(buffer, 0, start) else {
        return Ok(None);
    };
    let first = first.map(|first| first.row);
    let row = match last {
        Some((_, row)) if row.primary_key != key => return Err(ErrorKind::WideRow),
        last => first
            .filter(|row| row.primary_key == key)
            .or(last.map(|(_, row)| row)),
    };
    let mut row = row.unwrap_or_else(|| Row::new(key));
    let before = row.cells.len().saturating_sub(1);
    row.cells.drain(..before);
    let stays = |open: &OpenRow| open.token == token && open.row == row;
    if open.is_some_and(stays) {
        return Err(ErrorKind::NotAdvancing);
    }
    let bytes = 0;
    Ok(Some(OpenRow { row, bytes, token }))
}

/// The open row with what the buffer begins with of it.
///
/// A buffer that begins with another row has nothing more of it: it was cut behind its last column,
/// or the others were deleted since.
fn first(
    open: Option<&OpenRow>,
    buffer: &[u8],
    start: &PrimaryKey,
) -> Result<Option<First>, plainbuffer::Error> {
    let Some(open) = open else { return Ok(None) };
    let mut first = First {
        rest: plainbuffer_start(buffer)?,
        row: open.row.clone(),
        bytes: open.bytes,
    };
    let mut reader = Reader::new(buffer, Accept::Rows)?;
    if let Some(row) = reader.next_row()? {
        let row = row.to_row(&mut NameCache::default());
        if whole_key(&row.primary_key, start).as_ref() == Some(&first.row.primary_key) {
            let rest = reader.position().offset();
            first.bytes += rest.saturating_sub(first.rest);
            first.rest = rest;
            first.row.cells.extend(row.cells);
        }
    }
    Ok(Some(first))
}

/// The last row from an offset on, and where it begins.
fn last(
    buffer: &[u8],
    from: usize,
    start: &PrimaryKey,
) -> Result<Option<(usize, Row)>, plainbuffer::Error> {
    let mut reader = Reader::new(buffer, Accept::Rows)?;
    let mut position = reader.position();
    let mut last = None;
    while reader.next_row()?.is_some() {
        if position.offset() >= from {
            last = Some(position);
        }
        position = reader.position();
    }
    let Some(position) = last else {
        return Ok(None);
    };
    let mut reader = Reader::resume(buffer, Accept::Rows, position)?;
    let row = reader.next_row()?;
    Ok(row.map(|row| {
        let mut row = row.to_row(&mut NameCache::default());
        if let Some(key) = whole_key(&row.primary_key, start) {
            row.primary_key = key;
        }
        (position.offset(), row)
    }))
}

/// The open row, now whole, and the rows behind it up to an offset.
fn joined(first: Option<&First>, buffer: &Bytes, end: usize) -> Bytes {
    let Some(first) = first else {
        return buffer.slice(..end);
    };
    let mut joined = BytesMut::from(write_row(&first.row));
    joined.extend_from_slice(buffer.get(first.rest..end).unwrap_or_default());
    joined.freeze()
}

/// Where the first row begins.
fn plainbuffer_start(buffer: &[u8]) -> Result<usize, plainbuffer::Error> {
    Ok(Reader::new(buffer, Accept::Rows)?.position().offset())
}

/// Whether cells go on behind others: by name, versions of one name by falling time. A cell that came
/// before must not come again.
fn continues(before: &[Cell], after: &[Cell]) -> bool {
    match (before.last(), after.get(before.len())) {
        (Some(last), Some(next)) => {
            let (last_name, next_name) = (last.name.as_str(), next.name.as_str());
            last_name < next_name
                || (last_name == next_name && next.timestamp_ms < last.timestamp_ms)
        }
        _ => true,
    }
}
