//! Columns of text or bytes.
//!
//! They grow in arrow's builders. The walk has checked all text already, and without `unsafe` only
//! these make a column of text without checking it once more.

use arrow_array::builder::GenericByteBuilder;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, ArrayRef, GenericByteArray};
use arrow_buffer::OffsetBuffer;

use crate::column::Refused;

/// The rows so far.
#[inline(always)]
pub(crate) fn len<T: Type>(builder: &GenericByteBuilder<T>) -> usize {
    builder.offsets_slice().len().saturating_sub(1)
}

/// Puts a value in `row`, and nulls in the rows before that have none. Nothing if it has one.
#[inline(always)]
pub(crate) fn put<T: Type>(
    builder: &mut GenericByteBuilder<T>,
    row: usize,
    value: &T::Native,
) -> Result<bool, Refused> {
    let filled = len(builder);
    if filled > row {
        return Ok(false);
    }
    let bytes: &[u8] = value.as_ref();
    fits(builder.values_slice(), bytes.len())?;
    if filled < row {
        builder.append_nulls(row - filled);
    }
    builder.append_value(value);
    Ok(true)
}

/// Nulls in all rows before `rows` that have nothing.
#[cold]
pub(crate) fn put_nulls<T: Type>(builder: &mut GenericByteBuilder<T>, rows: usize) {
    let filled = len(builder);
    if filled < rows {
        builder.append_nulls(rows - filled);
    }
}

/// Makes room for `rows` values like those it has, which should be few: arrow's builders take their
/// room when they are made, so this makes a new one.
pub(crate) fn reserve<T: Type>(builder: &mut GenericByteBuilder<T>, rows: usize) {
    let filled = len(builder).max(1);
    let bytes = (builder.values_slice().len() / filled).saturating_mul(rows);
    if builder.values_capacity() < bytes || builder.offsets_capacity() <= rows {
        let room = GenericByteBuilder::with_capacity(rows, bytes);
        let values = std::mem::replace(builder, room).finish();
        // It can't fail where the same values stood before.
        builder.append_array(&values).ok();
    }
}

/// Takes back everything after the first `rows` values.
///
/// Arrow's builders only grow, so this copies what stays: it is meant for the rare bad page.
#[cold]
pub(crate) fn truncate<T: Type>(builder: &mut GenericByteBuilder<T>, rows: usize) {
    if len(builder) > rows {
        let kept = builder.finish().slice(0, rows);
        // Appending a part of what the same builder held can't overflow its offsets. If it did, the
        // column would come out too short, and `finish` would refuse the batch.
        builder.append_array(&kept).ok();
    }
}

pub(crate) fn memory_bytes<T: Type>(builder: &GenericByteBuilder<T>) -> usize {
    builder.values_capacity() + builder.offsets_capacity() * 4 + builder.validity_capacity()
}

pub(crate) fn filled_bytes<T: Type>(builder: &GenericByteBuilder<T>) -> usize {
    let validity = builder.validity_slice().map_or(0, <[u8]>::len);
    builder.values_slice().len() + builder.offsets_slice().len() * 4 + validity
}

/// Takes the memory of an array that nobody else holds.
pub(crate) fn recycle<T: Type>(builder: &mut GenericByteBuilder<T>, array: ArrayRef) {
    let Some(array_of_bytes) = array.as_any().downcast_ref::<GenericByteArray<T>>() else {
        return;
    };
    let (offsets, values, _) = array_of_bytes.clone().into_parts();
    drop(array);
    // An array of no rows at the beginning of the same memory.
    let offsets = OffsetBuffer::new(offsets.into_inner().slice(0, 1));
    let empty = values.slice_with_length(0, 0);
    drop(values);
    let empty = GenericByteArray::<T>::try_new(offsets, empty, None);
    if let Ok(empty) = empty
        && let Ok(emptied) = empty.into_builder()
    {
        *builder = emptied;
    }
}

/// What has 32-bit offsets: `Utf8` and `Binary`.
pub(crate) trait Type: ByteArrayType<Offset = i32> {}

impl<T: ByteArrayType<Offset = i32>> Type for T {}

/// Whether the 32-bit offsets of the column can still reach the end of one more value; arrow's
/// builders panic otherwise.
#[inline]
fn fits(values: &[u8], more_bytes: usize) -> Result<(), Refused> {
    match i32::try_from(values.len().saturating_add(more_bytes)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_reach_two_gibibytes() {
        let limit = usize::try_from(i32::MAX).unwrap();
        assert_eq!(fits(b"", limit), Ok(()));
        assert_eq!(fits(b"a", limit - 1), Ok(()));
        assert_eq!(fits(b"a", limit), Err(Refused::TooLarge));
        assert_eq!(fits(b"a", usize::MAX), Err(Refused::TooLarge));
    }
}
