//! Rows handed to a visitor, value by value.

use std::collections::HashMap;

use super::error::Error;
use super::reader::{Matrix, MatrixRows, cell, key_value};
use crate::plainbuffer::Visitor;
use crate::row::KeyCellRef;

impl<'buf> MatrixRows<'_, 'buf> {
    /// Hands the rows that are left to a visitor, and says how many they were: the same visitor that
    /// takes the rows of a PlainBuffer, so that columns are filled from either.
    ///
    /// A row is verified whole before any of it is handed over. What it doesn't have isn't.
    ///
    /// # Errors
    /// As [`next_row`](Self::next_row), and when the visitor refuses something.
    ///
    /// # Cost
    /// Nothing is allocated per row. Names are numbered once.
    pub fn visit<V>(&mut self, visitor: &mut V) -> Result<usize, V::Error>
    where
        V: Visitor<'buf>,
        V::Error: From<Error>,
    {
        let matrix = self.matrix;
        let mut numbers = Numbers::new(matrix);
        let mut rows = 0;
        while self.advance()? {
            visitor.begin_row()?;
            let columns = matrix.names().iter().zip(&self.values).enumerate();
            for (index, (name, value)) in columns {
                let Some(present) = *value else { continue };
                let number = numbers.number(index, name);
                match key_value(*value) {
                    Some(value) if index < matrix.key_columns => {
                        visitor.key(number, KeyCellRef { name, value })?;
                    }
                    _ => visitor.cell(number, cell(name, present))?,
                }
            }
            visitor.end_row(false)?;
            rows += 1;
        }
        Ok(rows)
    }
}

/// The numbers of columns, in the order in which a row first has them: not that of the block, which
/// also lists columns that no row has.
struct Numbers<'buf> {
    of_columns: Vec<Option<usize>>,
    /// Nothing forbids two columns of one name; they have one number.
    of_names: HashMap<&'buf str, usize>,
}

impl<'buf> Numbers<'buf> {
    fn new(matrix: &Matrix<'buf>) -> Self {
        Self {
            of_columns: vec![None; matrix.names().len()],
            of_names: HashMap::new(),
        }
    }

    #[inline]
    fn number(&mut self, index: usize, name: &'buf str) -> usize {
        match self.of_columns.get(index) {
            Some(Some(number)) => *number,
            _ => self.first(index, name),
        }
    }

    #[cold]
    fn first(&mut self, index: usize, name: &'buf str) -> usize {
        let next = self.of_names.len();
        let number = *self.of_names.entry(name).or_insert(next);
        if let Some(column) = self.of_columns.get_mut(index) {
            *column = Some(number);
        }
        number
    }
}
