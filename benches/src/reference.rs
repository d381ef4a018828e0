//! The yardstick: the least that a decoder of rows can do, and that as fast as we know how.
//!
//! It takes one buffer or many, verifies every checksum and all text, and hands each value to a
//! closure; that is all. No operations, no delete markers, no extensions, no key without a value, no
//! word about what is wrong or where, no memory beyond one entry per column. What the decoder of
//! `ots-proto` does beyond it is what the ratio of both times shows.
//!
//! Nothing of `ots-proto` is used but its checksum of long texts.

use ots_proto::plainbuffer::Crc8;

/// A value as it lies in the buffer.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "the types of a column")]
pub enum Value<'buf> {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A 64-bit float.
    Double(f64),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    String(&'buf str),
    /// Any bytes.
    Binary(&'buf [u8]),
}

/// What is remembered of the column at one place of a row.
#[derive(Clone, Copy, Debug)]
struct Place<'buf> {
    /// From the tag of the cell to the end of the name.
    head: &'buf [u8],
    name: &'buf str,
    crc: u8,
}

/// The decoder.
#[derive(Debug, Default)]
pub struct Reference<'buf> {
    places: Vec<Place<'buf>>,
    timestamp: [u8; 8],
    timestamp_crc: u8,
}

impl<'buf> Reference<'buf> {
    /// Hands every value of a buffer to `each`, with its name; none if anything is wrong.
    #[inline]
    pub fn decode(
        &mut self,
        buffer: &'buf [u8],
        each: &mut impl FnMut(&'buf str, Value<'buf>),
    ) -> Option<usize> {
        let mut rest = buffer.strip_prefix(&[0x75, 0, 0, 0])?;
        let mut rows = 0;
        while let [0x01, row @ ..] = rest {
            rest = row;
            let mut place = 0;
            let mut row_crc = 0;
            loop {
                match rest.first()? {
                    0x03 => {}
                    0x02 => {
                        rest = rest.get(1..)?;
                        continue;
                    }
                    0x09 => break,
                    _ => return None,
                }
                let crc;
                (rest, crc) = self.cell(rest, place, each)?;
                row_crc = next(row_crc, crc);
                place += 1;
            }
            let (&[_, stored], next_row) = rest.split_first_chunk::<2>()?;
            if stored != next(row_crc, 0) {
                return None;
            }
            rest = next_row;
            rows += 1;
        }
        rest.is_empty().then_some(rows)
    }

    #[inline(always)]
    fn cell(
        &mut self,
        cell: &'buf [u8],
        place: usize,
        each: &mut impl FnMut(&'buf str, Value<'buf>),
    ) -> Option<(&'buf [u8], u8)> {
        let known = match self.places.get(place) {
            Some(known) if starts_with(cell, known.head) => *known,
            _ => {
                self.learn(cell, place)?;
                *self.places.get(place)?
            }
        };
        let bytes = cell.get(known.head.len()..)?;
        let start = u64::from_le_bytes(*bytes.first_chunk()?) & 0xffff_ffff_ffff;
        let (value, mut crc, rest) = match start {
            0x0000_0000_0905 => {
                let (data, rest) = bytes.get(6..)?.split_first_chunk::<8>()?;
                let crc = at(8, known.crc) ^ eight(*data);
                (Value::Integer(i64::from_le_bytes(*data)), crc, rest)
            }
            0x0100_0000_0905 => {
                let (data, rest) = bytes.get(6..)?.split_first_chunk::<8>()?;
                let crc = at(8, known.crc ^ 1) ^ eight(*data);
                (Value::Double(f64::from_le_bytes(*data)), crc, rest)
            }
            0x0200_0000_0205 => {
                let (&data, rest) = bytes.get(6..)?.split_first()?;
                let crc = at(1, known.crc ^ 2) ^ at(0, data);
                (Value::Boolean(data == 1), crc, rest)
            }
            _ => {
                let (head, rest) = bytes.split_first_chunk::<10>()?;
                let [0x05, outer @ .., kind, l0, l1, l2, l3] = *head else {
                    return None;
                };
                let inner = u32::from_le_bytes([l0, l1, l2, l3]);
                if inner > 1 << 30 || u32::from_le_bytes(outer) != inner + 5 {
                    return None;
                }
                let (data, rest) = rest.split_at_checked(inner as usize)?;
                let value = match kind {
                    0x03 => Value::String(simdutf8::basic::from_utf8(data).ok()?),
                    0x07 => Value::Binary(data),
                    _ => return None,
                };
                let crc = at(4, known.crc ^ kind) ^ at(3, l0) ^ at(2, l1) ^ at(1, l2) ^ at(0, l3);
                let mut long = Crc8::resume(crc);
                long.update(data);
                (value, long.finish(), rest)
            }
        };
        let trailer = match *rest.first()? {
            0x07 => {
                let (timestamp, trailer) = rest.get(1..)?.split_first_chunk::<8>()?;
                if *timestamp != self.timestamp {
                    self.timestamp = *timestamp;
                    self.timestamp_crc = eight(*timestamp);
                }
                crc = at(7, crc) ^ self.timestamp_crc;
                trailer
            }
            _ => rest,
        };
        let (&[tag, stored], rest) = trailer.split_first_chunk::<2>()?;
        if tag != 0x0a || stored != crc {
            return None;
        }
        each(known.name, value);
        Some((rest, crc))
    }

    #[cold]
    fn learn(&mut self, cell: &'buf [u8], place: usize) -> Option<()> {
        let (&[_, 0x04, l0, l1, l2, l3], rest) = cell.split_first_chunk::<6>()? else {
            return None;
        };
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let name = std::str::from_utf8(rest.get(..length)?).ok()?;
        let mut crc = Crc8::default();
        crc.update(name.as_bytes());
        let learnt = Place {
            head: cell.get(..6 + length)?,
            name,
            crc: crc.finish(),
        };
        match self.places.get_mut(place) {
            Some(known) => *known = learnt,
            None => self.places.push(learnt),
        }
        Some(())
    }
}

/// `cell.starts_with(head)`, by the first and the last bytes of a head of 8 to 32 bytes.
#[inline(always)]
fn starts_with(cell: &[u8], head: &[u8]) -> bool {
    let Some(cell) = cell.get(..head.len()) else {
        return false;
    };
    match head.len() {
        8..=16 => ends_equal::<8>(cell, head),
        17..=32 => ends_equal::<16>(cell, head),
        _ => cell == head,
    }
}

#[inline(always)]
fn ends_equal<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
}

#[inline(always)]
fn next(crc: u8, byte: u8) -> u8 {
    at(0, crc ^ byte)
}

/// The checksum of eight bytes.
#[inline(always)]
fn eight([a, b, c, d, e, f, g, h]: [u8; 8]) -> u8 {
    (at(7, a) ^ at(6, b)) ^ (at(5, c) ^ at(4, d)) ^ (at(3, e) ^ at(2, f)) ^ (at(1, g) ^ at(0, h))
}

/// The checksum of a byte and `zeros` zeros after it.
#[expect(
    clippy::indexing_slicing,
    reason = "a byte indexes a table of 256; every distance is a constant below 9"
)]
#[inline(always)]
fn at(zeros: usize, byte: u8) -> u8 {
    TABLES[zeros][byte as usize]
}

static TABLES: [[u8; 256]; 9] = tables();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated at compile time: every index is a loop counter below the length"
)]
const fn tables() -> [[u8; 256]; 9] {
    let mut tables = [[0; 256]; 9];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u8;
        let mut zeros = 0;
        while zeros < 9 {
            let mut bit = 0;
            while bit < 8 {
                crc = (crc << 1) ^ if crc & 0x80 == 0 { 0 } else { 0x07 };
                bit += 1;
            }
            tables[zeros][byte] = crc;
            zeros += 1;
        }
        byte += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use ots_proto::ColumnValueRef;
    use ots_proto::plainbuffer::{Accept, Reader, Writer};

    use super::*;
    use crate::Shape;

    fn page(shape: Shape) -> Vec<u8> {
        let mut writer = Writer::new();
        for row in shape.rows(50) {
            writer.row(&row);
        }
        writer.finish().to_vec()
    }

    #[test]
    fn the_yardstick_reads_the_same_values() {
        for shape in Shape::ALL {
            let page = page(shape);
            let mut read = Vec::new();
            let mut each = |name, value| read.push((name, value));
            assert_eq!(Reference::default().decode(&page, &mut each), Some(50));

            let mut attributes = read.iter();
            let mut reader = Reader::new(&page, Accept::Rows).unwrap();
            while let Some(row) = reader.next_row().unwrap() {
                for key in row.primary_key() {
                    assert_eq!(attributes.next().unwrap().0, key.name);
                }
                for cell in row.cells() {
                    let value = match cell.value.unwrap() {
                        ColumnValueRef::Integer(value) => Value::Integer(value),
                        ColumnValueRef::Double(value) => Value::Double(value),
                        ColumnValueRef::Boolean(value) => Value::Boolean(value),
                        ColumnValueRef::String(value) => Value::String(value),
                        ColumnValueRef::Binary(value) => Value::Binary(value),
                    };
                    assert_eq!(*attributes.next().unwrap(), (cell.name, value));
                }
            }
            assert!(attributes.next().is_none());
        }
    }

    #[test]
    fn the_yardstick_notices_every_flipped_bit_of_a_value() {
        let sound = page(Shape::Narrow);
        for place in 4..sound.len().min(400) {
            for bit in 0..8 {
                let mut page = sound.clone();
                *page.get_mut(place).unwrap() ^= 1 << bit;
                let read = Reference::default().decode(&page, &mut |_, _| {});
                assert_eq!(read, None, "{place}.{bit}");
            }
        }
    }
}
