//! The quick way to read a value: the forms that responses are made of, and nothing else.
//!
//! Nothing here makes an error. Whatever isn't quite as expected gives nothing, and the cell is read
//! again the careful way, which takes it after all or says what is wrong with it.

use super::crc8::Crc8;
use super::tag;
use super::walk::Checksums;
use crate::value::ColumnValueRef;

/// A value that was put, with what follows it in its cell.
pub(super) struct QuickCell<'buf> {
    pub(super) value: ColumnValueRef<'buf>,
    pub(super) timestamp_ms: Option<i64>,
    pub(super) checksum: u8,
    /// What follows the cell.
    pub(super) rest: &'buf [u8],
}

/// Reads the values of cells one after another.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuickReader {
    checksums: Checksums,
    /// The timestamp met last and the checksum of its eight bytes: one write gives all its cells the
    /// same.
    timestamp_ms: i64,
    timestamp_crc: u8,
}

impl QuickReader {
    pub(super) const fn new(checksums: Checksums) -> Self {
        // Eight zero bytes have the checksum zero.
        Self {
            checksums,
            timestamp_ms: 0,
            timestamp_crc: 0,
        }
    }

    /// Reads what follows the name in a cell, the checksum of the name being known.
    #[inline(always)]
    pub(super) fn read<'buf>(
        &mut self,
        after_name: &'buf [u8],
        name_crc: u8,
    ) -> Option<QuickCell<'buf>> {
        let mut crc = Crc8::resume(name_crc);
        let (value, rest) = self.value(after_name, &mut crc)?;
        let (timestamp_ms, checksum, rest) = match rest.split_first_chunk::<11>() {
            Some((
                &[
                    tag::CELL_TIMESTAMP,
                    t0,
                    t1,
                    t2,
                    t3,
                    t4,
                    t5,
                    t6,
                    t7,
                    tag,
                    checksum,
                ],
                rest,
            )) => {
                let timestamp = [t0, t1, t2, t3, t4, t5, t6, t7];
                let timestamp_ms = i64::from_le_bytes(timestamp);
                if tag != tag::CELL_CHECKSUM || timestamp_ms < 0 {
                    return None;
                }
                if self.checksums == Checksums::Verify {
                    if timestamp_ms != self.timestamp_ms {
                        let mut alone = Crc8::default();
                        alone.update_8(timestamp);
                        self.timestamp_ms = timestamp_ms;
                        self.timestamp_crc = alone.finish();
                    }
                    crc.update_8_known(self.timestamp_crc);
                }
                (Some(timestamp_ms), checksum, rest)
            }
            _ => {
                let (&[tag, checksum], rest) = rest.split_first_chunk::<2>()?;
                if tag != tag::CELL_CHECKSUM {
                    return None;
                }
                (None, checksum, rest)
            }
        };
        if self.checksums == Checksums::Verify && crc.finish() != checksum {
            return None;
        }
        Some(QuickCell {
            value,
            timestamp_ms,
            checksum,
            rest,
        })
    }

    /// Reads a value from its tag on, and feeds the checksum.
    #[inline(always)]
    fn value<'buf>(
        &self,
        bytes: &'buf [u8],
        crc: &mut Crc8,
    ) -> Option<(ColumnValueRef<'buf>, &'buf [u8])> {
        let verify = self.checksums == Checksums::Verify;
        // The tag, the outer length, the type, and two bytes more. Every cell has them: what follows
        // the shortest value is two bytes long.
        let start = u64::from_le_bytes(*bytes.first_chunk()?) & 0xffff_ffff_ffff;
        match start {
            INTEGER => {
                let (&[_, _, _, _, _, _, ref data @ ..], rest) = bytes.split_first_chunk::<14>()?;
                if verify {
                    crc.update_typed(tag::VARIANT_INTEGER, *data);
                }
                Some((ColumnValueRef::Integer(i64::from_le_bytes(*data)), rest))
            }
            DOUBLE => {
                let (&[_, _, _, _, _, _, ref data @ ..], rest) = bytes.split_first_chunk::<14>()?;
                if verify {
                    crc.update_typed(tag::VARIANT_DOUBLE, *data);
                }
                Some((ColumnValueRef::Double(f64::from_le_bytes(*data)), rest))
            }
            BOOLEAN => {
                let (&[.., data], rest) = bytes.split_first_chunk::<7>()?;
                if data > 1 {
                    return None;
                }
                if verify {
                    crc.update(&[tag::VARIANT_BOOLEAN, data]);
                }
                Some((ColumnValueRef::Boolean(data == 1), rest))
            }
            _ => {
                let (head, rest) = bytes.split_first_chunk::<10>()?;
                let [value_tag, outer @ .., type_byte, l0, l1, l2, l3] = *head;
                let inner = u32::from_le_bytes([l0, l1, l2, l3]);
                let sound = value_tag == tag::CELL_VALUE
                    && inner <= LONGEST
                    && u32::from_le_bytes(outer) == inner + 5;
                if !sound {
                    return None;
                }
                let (data, rest) = rest.split_at_checked(usize::try_from(inner).ok()?)?;
                let value = match type_byte {
                    tag::VARIANT_STRING => {
                        ColumnValueRef::String(simdutf8::basic::from_utf8(data).ok()?)
                    }
                    tag::VARIANT_BLOB => ColumnValueRef::Binary(data),
                    _ => return None,
                };
                if verify {
                    crc.update_5([type_byte, l0, l1, l2, l3]);
                    crc.update(data);
                }
                Some((value, rest))
            }
        }
    }
}

/// The longest text whose lengths, inner and outer, aren't negative.
const LONGEST: u32 = i32::MAX as u32 - 5;

const INTEGER: u64 = start_of(9, tag::VARIANT_INTEGER);
const DOUBLE: u64 = start_of(9, tag::VARIANT_DOUBLE);
const BOOLEAN: u64 = start_of(2, tag::VARIANT_BOOLEAN);

/// The six bytes that begin a value of a fixed length, in a number.
const fn start_of(length: u8, type_byte: u8) -> u64 {
    u64::from_le_bytes([tag::CELL_VALUE, length, 0, 0, 0, type_byte, 0, 0])
}
