//! Which rows of a column have a value.

use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};

/// A bit for each row so far, set where there is a value; nothing at all before the first null.
#[derive(Debug, Default)]
pub(crate) struct Validity {
    bits: Vec<u8>,
}

impl Validity {
    /// Whether no row was null so far.
    #[inline(always)]
    pub(crate) const fn is_whole(&self) -> bool {
        self.bits.is_empty()
    }

    /// Notes that `row` has a value, and that the rows from `filled` up to it have none.
    #[inline(always)]
    pub(crate) fn set(&mut self, row: usize, filled: usize) {
        if self.is_whole() {
            self.begin(filled);
        }
        set_bit(&mut self.bits, row);
    }

    /// Notes that the rows from `filled` up to `rows` have no value.
    pub(crate) fn put_nulls(&mut self, rows: usize, filled: usize) {
        self.begin(filled);
        if self.bits.len() < rows.div_ceil(8) {
            self.bits.resize(rows.div_ceil(8), 0);
        }
    }

    /// Forgets every row after the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        truncate_bits(&mut self.bits, rows);
    }

    pub(crate) fn reserve(&mut self, rows: usize) {
        if !self.is_whole() {
            reserve(&mut self.bits, rows.div_ceil(8));
        }
    }

    pub(crate) const fn memory_bytes(&self) -> usize {
        self.bits.capacity()
    }

    pub(crate) const fn filled_bytes(&self, rows: usize) -> usize {
        if self.is_whole() { 0 } else { rows / 8 }
    }

    /// The bitmap of `rows` rows of which those after the first `filled` have no value.
    pub(crate) fn finish(&mut self, rows: usize, filled: usize) -> Option<NullBuffer> {
        if self.is_whole() && filled == rows {
            return None;
        }
        self.put_nulls(rows, filled);
        let bits = std::mem::take(&mut self.bits);
        Some(NullBuffer::new(bits_to_arrow(bits, rows)))
    }

    /// Takes the memory of a bitmap that nobody else holds.
    pub(crate) fn recycle(&mut self, nulls: Option<NullBuffer>) {
        if let Some(nulls) = nulls
            && let Some(bits) = bits_from_arrow(nulls.into_inner())
        {
            self.bits = bits;
        }
    }

    /// Writes down that so far every one of the `filled` rows has a value, if it wasn't.
    #[cold]
    fn begin(&mut self, filled: usize) {
        if self.is_whole() {
            self.bits.resize(filled / 8, 0xff);
            if !filled.is_multiple_of(8) {
                self.bits.push((1 << (filled % 8)) - 1);
            }
        }
    }
}

/// Sets a bit of which it is known that it is zero, or past the end.
#[inline(always)]
pub(crate) fn set_bit(bits: &mut Vec<u8>, place: usize) {
    if bits.len() <= place / 8 {
        extend(bits, place / 8);
    }
    if let Some(byte) = bits.get_mut(place / 8) {
        *byte |= 1 << (place % 8);
    }
}

/// Appends zeros until there is something at `place`, and some more: a column of few values is
/// zeroed by the piece and not by the gap.
#[cold]
pub(crate) fn extend<T: Copy + Default>(values: &mut Vec<T>, place: usize) {
    values.resize(place + PIECE, T::default());
}

/// At least one.
const PIECE: usize = 256;

/// Leaves the first `count` bits, and zeros in the rest of the last byte.
pub(crate) fn truncate_bits(bits: &mut Vec<u8>, count: usize) {
    bits.truncate(count.div_ceil(8));
    if !count.is_multiple_of(8)
        && let Some(byte) = bits.get_mut(count / 8)
    {
        *byte &= (1 << (count % 8)) - 1;
    }
}

/// The first `count` bits, those that were never set being zero.
pub(crate) fn bits_to_arrow(mut bits: Vec<u8>, count: usize) -> BooleanBuffer {
    bits.resize(count.div_ceil(8), 0);
    BooleanBuffer::new(Buffer::from_vec(bits), 0, count)
}

/// The memory of bits that nobody else holds, emptied.
pub(crate) fn bits_from_arrow(bits: BooleanBuffer) -> Option<Vec<u8>> {
    let mut bits = bits.into_inner().into_vec::<u8>().ok()?;
    bits.clear();
    Some(bits)
}

/// Makes room for `count` things altogether.
pub(crate) fn reserve<T>(values: &mut Vec<T>, count: usize) {
    values.reserve_exact(count.saturating_sub(values.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The validity of a column whose rows are these.
    fn of(rows: &[bool]) -> (Validity, usize) {
        let mut validity = Validity::default();
        let mut filled = 0;
        for (row, _) in rows.iter().enumerate().filter(|(_, set)| **set) {
            if filled < row || !validity.is_whole() {
                validity.set(row, filled);
            }
            filled = row + 1;
        }
        (validity, filled)
    }

    #[test]
    fn nothing_is_kept_before_the_first_null() {
        let (mut validity, filled) = of(&[true; 20]);
        assert!(validity.is_whole());
        assert_eq!(validity.finish(20, filled), None);
    }

    #[test]
    fn bits_are_those_of_the_rows_whatever_their_number() {
        for count in 1..40_usize {
            for step in 1..9_usize {
                let rows: Vec<bool> = (0..count).map(|row| row % step == step - 1).collect();
                let expected = rows
                    .iter()
                    .any(|set| !set)
                    .then(|| NullBuffer::from(rows.clone()));
                let (mut validity, filled) = of(&rows);
                assert_eq!(validity.finish(count, filled), expected, "{rows:?}");

                // As if the rows after `kept` had never been.
                let kept = count / 2;
                let (mut validity, filled) = of(&rows);
                validity.truncate(kept);
                let some = rows[..kept].iter().any(|set| !set);
                let finished = validity.finish(kept, filled.min(kept));
                let finished = finished.filter(|nulls| nulls.null_count() > 0);
                let expected = some.then(|| NullBuffer::from(rows[..kept].to_vec()));
                assert_eq!(finished, expected, "{rows:?}, {kept}");
            }
        }
    }
}
