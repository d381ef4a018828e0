//! Columns of values of one size: numbers, and truth values in bits.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::ScalarBuffer;
use arrow_schema::ArrowError;

use crate::validity::{
    Validity, bits_from_arrow, bits_to_arrow, extend, reserve, set_bit, truncate_bits,
};

/// Numbers. A null has a zero in its place.
///
/// As long as there is no null, values are pushed. From then on there are zeros ahead of the rows, and
/// values are written over them.
#[derive(Debug)]
pub(crate) struct Numbers<T: ArrowPrimitiveType> {
    filled: usize,
    values: Vec<T::Native>,
    validity: Validity,
}

/// Truth values, a bit each.
#[derive(Debug, Default)]
pub(crate) struct Booleans {
    bits: Vec<u8>,
    filled: usize,
    validity: Validity,
}

// Derived, it would ask for a default of the type, which is a name only.
impl<T: ArrowPrimitiveType> Default for Numbers<T> {
    fn default() -> Self {
        Self {
            filled: 0,
            values: Vec::new(),
            validity: Validity::default(),
        }
    }
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(crate) const fn len(&self) -> usize {
        self.filled
    }

    /// Puts a value in `row`, and nulls in the rows before that have none. Nothing if it has one.
    #[inline(always)]
    pub(crate) fn put(&mut self, row: usize, value: T::Native) -> bool {
        let filled = self.filled;
        if filled == row && self.validity.is_whole() {
            self.values.push(value);
        } else if filled <= row {
            self.validity.set(row, filled);
            if self.values.len() <= row {
                extend(&mut self.values, row);
            }
            if let Some(place) = self.values.get_mut(row) {
                *place = value;
            }
        } else {
            return false;
        }
        self.filled = row + 1;
        true
    }

    /// Nulls in all rows before `rows` that have nothing.
    #[cold]
    pub(crate) fn put_nulls(&mut self, rows: usize) {
        if self.filled < rows {
            self.validity.put_nulls(rows, self.filled);
            self.filled = rows;
        }
    }

    pub(crate) fn reserve(&mut self, rows: usize) {
        reserve(&mut self.values, rows);
        self.validity.reserve(rows);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.validity.truncate(rows);
        self.filled = self.filled.min(rows);
    }

    pub(crate) const fn memory_bytes(&self) -> usize {
        self.values.capacity() * size_of::<T::Native>() + self.validity.memory_bytes()
    }

    pub(crate) const fn filled_bytes(&self) -> usize {
        self.filled * size_of::<T::Native>() + self.validity.filled_bytes(self.filled)
    }

    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish(rows, self.filled);
        self.filled = 0;
        let mut values = std::mem::take(&mut self.values);
        values.resize(rows, T::Native::default());
        let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(values), nulls)?;
        Ok(Arc::new(array))
    }

    /// Takes the memory of an array that nobody else holds.
    pub(crate) fn recycle(&mut self, array: ArrayRef) {
        if let Some(numbers) = array.as_primitive_opt::<T>().cloned() {
            drop(array);
            let (_, values, nulls) = numbers.into_parts();
            if let Ok(mut values) = values.into_inner().into_vec::<T::Native>() {
                values.clear();
                self.values = values;
            }
            self.validity.recycle(nulls);
        }
    }
}

impl Booleans {
    pub(crate) const fn len(&self) -> usize {
        self.filled
    }

    /// As [`Numbers::put`].
    #[inline(always)]
    pub(crate) fn put(&mut self, row: usize, value: bool) -> bool {
        let filled = self.filled;
        if filled > row {
            return false;
        }
        if filled < row || !self.validity.is_whole() {
            self.validity.set(row, filled);
        }
        if value {
            set_bit(&mut self.bits, row);
        }
        self.filled = row + 1;
        true
    }

    /// As [`Numbers::put_nulls`].
    #[cold]
    pub(crate) fn put_nulls(&mut self, rows: usize) {
        if self.filled < rows {
            self.validity.put_nulls(rows, self.filled);
            self.filled = rows;
        }
    }

    pub(crate) fn reserve(&mut self, rows: usize) {
        reserve(&mut self.bits, rows.div_ceil(8));
        self.validity.reserve(rows);
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        truncate_bits(&mut self.bits, rows);
        self.validity.truncate(rows);
        self.filled = self.filled.min(rows);
    }

    pub(crate) const fn memory_bytes(&self) -> usize {
        self.bits.capacity() + self.validity.memory_bytes()
    }

    pub(crate) const fn filled_bytes(&self) -> usize {
        self.filled / 8 + self.validity.filled_bytes(self.filled)
    }

    pub(crate) fn finish(&mut self, rows: usize) -> ArrayRef {
        let nulls = self.validity.finish(rows, self.filled);
        self.filled = 0;
        let bits = std::mem::take(&mut self.bits);
        Arc::new(BooleanArray::new(bits_to_arrow(bits, rows), nulls))
    }

    /// As [`Numbers::recycle`].
    pub(crate) fn recycle(&mut self, array: ArrayRef) {
        if let Some(booleans) = array.as_boolean_opt().cloned() {
            drop(array);
            let (bits, nulls) = booleans.into_parts();
            if let Some(bits) = bits_from_arrow(bits) {
                self.bits = bits;
            }
            self.validity.recycle(nulls);
        }
    }
}
