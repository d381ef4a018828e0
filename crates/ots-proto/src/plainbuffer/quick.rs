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
        bytes: &'buf [u8],
        name_crc: u8,
    ) -> Option<QuickCell<'buf>> {
        let verify = self.checksums == Checksums::Verify;
        let mut crc = Crc8::resume(name_crc);
        // The tag, the outer length, the type, and two bytes more. Every cell has them: what follows
        // the shortest value is two bytes long.
        let start = u64::from_le_bytes(*bytes.first_chunk()?) & 0xffff_ffff_ffff;
        match start {
            INTEGER => {
                let (&[_, _, _, _, _, _, ref data @ ..], rest) = bytes.split_first_chunk::<14>()?;
                if verify {
                    crc.update_typed(tag::VARIANT_INTEGER, *data);
                }
                let value = i64::from_le_bytes(*data);
                self.end(ColumnValueRef::Integer(value), crc, rest)
            }
            DOUBLE => {
                let (&[_, _, _, _, _, _, ref data @ ..], rest) = bytes.split_first_chunk::<14>()?;
                if verify {
                    crc.update_typed(tag::VARIANT_DOUBLE, *data);
                }
                let value = f64::from_le_bytes(*data);
                self.end(ColumnValueRef::Double(value), crc, rest)
            }
            BOOLEAN => {
                let (&[.., data], rest) = bytes.split_first_chunk::<7>()?;
                if data > 1 {
                    return None;
                }
                if verify {
                    crc.update_2(tag::VARIANT_BOOLEAN, data);
                }
                self.end(ColumnValueRef::Boolean(data == 1), crc, rest)
            }
            _ => {
                let ([_, lengths @ ..], rest) = bytes.split_first_chunk::<10>()?;
                let ([outer @ .., type_byte], inner) = lengths.split_first_chunk::<5>()?;
                let length = *inner.first_chunk::<4>()?;
                let inner = u32::from_le_bytes(length);
                let sound = start.to_le_bytes().first() == Some(&tag::CELL_VALUE)
                    && inner <= LONGEST
                    && u32::from_le_bytes(*outer) == inner + 5;
                if !sound {
                    return None;
                }
                let (data, rest) = rest.split_at_checked(usize::try_from(inner).ok()?)?;
                let value = match *type_byte {
                    tag::VARIANT_STRING => {
                        ColumnValueRef::String(simdutf8::basic::from_utf8(data).ok()?)
                    }
                    tag::VARIANT_BLOB => ColumnValueRef::Binary(data),
                    _ => return None,
                };
                if verify {
                    crc.update_5(*type_byte, length);
                    crc.update(data);
                }
                self.end(value, crc, rest)
            }
        }
    }

    /// Reads what follows the value.
    #[inline(always)]
    fn end<'buf>(
        &mut self,
        value: ColumnValueRef<'buf>,
        mut crc: Crc8,
        rest: &'buf [u8],
    ) -> Option<QuickCell<'buf>> {
        let (timestamp_ms, stored, rest) = if let [tag::CELL_TIMESTAMP, ..] = rest {
            let ([_, end @ ..], rest) = rest.split_first_chunk::<11>()?;
            let (timestamp, stored) = end.split_first_chunk::<8>()?;
            let timestamp_ms = i64::from_le_bytes(*timestamp);
            if timestamp_ms != self.timestamp_ms {
                self.learn(timestamp_ms)?;
            }
            crc.update_8_known(self.timestamp_crc);
            let stored = u16::from_le_bytes(*stored.first_chunk()?);
            (Some(timestamp_ms), stored, rest)
        } else {
            let (stored, rest) = rest.split_first_chunk::<2>()?;
            (None, u16::from_le_bytes(*stored), rest)
        };
        // One comparison of both where everything is as it should be.
        let [found, checksum] = stored.to_le_bytes();
        let expected = u16::from_le_bytes([tag::CELL_CHECKSUM, crc.finish()]);
        if stored != expected
            && (self.checksums == Checksums::Verify || found != tag::CELL_CHECKSUM)
        {
            return None;
        }
        Some(QuickCell {
            value,
            timestamp_ms,
            checksum,
            rest,
        })
    }

    /// Another timestamp than the one before.
    #[inline(never)]
    fn learn(&mut self, timestamp_ms: i64) -> Option<()> {
        if timestamp_ms < 0 {
            return None;
        }
        let mut alone = Crc8::default();
        alone.update_8(timestamp_ms.to_le_bytes());
        self.timestamp_ms = timestamp_ms;
        self.timestamp_crc = alone.finish();
        Some(())
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
