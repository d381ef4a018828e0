//! What a walk remembers about columns, so that a name is read once a page and not once a cell.

use std::collections::HashMap;

/// The distinct columns of a page, numbered in the order in which they first came.
///
/// Cells come in the same order in row after row, so the column after this one is nearly always the
/// column that came after it last time: one comparison of the bytes that begin the cell, and the name
/// is known to be text, its number and its checksum are known. A wrong guess costs a look into a
/// small table, a new name an entry.
#[derive(Debug, Default)]
pub(super) struct Columns<'buf> {
    known: Vec<Known<'buf>>,
    /// The column that began a row last.
    first: usize,
    /// From some bits of a name to a column that may be it; empty while there are few columns.
    slots: Vec<u32>,
    /// From a name to its column; empty while there are few columns. The standard hasher, because
    /// names come from outside.
    numbers: HashMap<&'buf [u8], usize>,
}

/// A place between two cells of a row. It goes from call to call by value: in memory it would cost
/// more than what it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trail {
    /// The column before it, or [`START`].
    previous: usize,
    /// The column after it, if this row is like the one before.
    guess: usize,
}

/// A column that has been seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'buf> {
    /// The bytes that begin its cells: two tags, the length of the name, the name.
    pub(super) head: &'buf [u8],
    pub(super) name: &'buf str,
    /// The checksum of the name.
    pub(super) name_crc: u8,
    /// The column that followed it last.
    next: usize,
}

impl Known<'_> {
    /// The place after a cell of this column, whose number is `column`.
    #[inline(always)]
    pub(super) const fn trail(&self, column: usize) -> Trail {
        Trail {
            previous: column,
            guess: self.next,
        }
    }
}

impl<'buf> Columns<'buf> {
    /// The place before the first cell of a row.
    #[inline(always)]
    pub(super) const fn start_row(&self) -> Trail {
        Trail {
            previous: START,
            guess: self.first,
        }
    }

    /// The place after a cell of this column.
    pub(super) fn trail(&self, column: usize) -> Trail {
        let known = self.known.get(column);
        known.map_or_else(|| self.start_row(), |known| known.trail(column))
    }

    /// The column whose cell begins here, if it has been seen, and what follows the name.
    #[inline(always)]
    pub(super) fn find<'cell>(
        &mut self,
        trail: Trail,
        cell: &'cell [u8],
    ) -> Option<(usize, Known<'buf>, &'cell [u8])> {
        if let Some(known) = self.known.get(trail.guess)
            && let Some(after_name) = strip_head(cell, known.head)
        {
            return Some((trail.guess, *known, after_name));
        }
        let column = self.search(trail, cell)?;
        let known = self.known.get(column)?;
        Some((column, *known, cell.get(known.head.len()..)?))
    }

    /// Gives a number to a column that wasn't found.
    pub(super) fn add(
        &mut self,
        trail: Trail,
        head: &'buf [u8],
        name: &'buf str,
        name_crc: u8,
    ) -> usize {
        let column = self.known.len();
        self.known.push(Known {
            head,
            name,
            name_crc,
            next: column + 1,
        });
        if self.known.len() > FEW {
            self.slots.resize(SLOTS, u32::MAX);
            let from = if self.numbers.is_empty() { 0 } else { column };
            for (number, known) in self.known.iter().enumerate().skip(from) {
                self.numbers.insert(known.name.as_bytes(), number);
            }
        }
        self.follow(trail, column);
        column
    }

    #[inline(never)]
    fn search(&mut self, trail: Trail, cell: &[u8]) -> Option<usize> {
        let (head, rest) = cell.split_first_chunk::<HEAD>()?;
        let [_, _, length @ ..] = head;
        let length = usize::try_from(i32::from_le_bytes(*length)).ok()?;
        let name = rest.get(..length)?;
        let is_it = |known: &Known<'_>| strip_head(cell, known.head).is_some();

        let column = if self.slots.is_empty() {
            self.known.iter().position(is_it)?
        } else {
            let slot = self.slots.get_mut(slot_of(name))?;
            let candidate = usize::try_from(*slot).ok()?;
            if self.known.get(candidate).is_some_and(is_it) {
                candidate
            } else {
                // The name is known; that it stands behind the right tags isn't yet.
                let number = *self.numbers.get(name)?;
                self.known.get(number).filter(|known| is_it(known))?;
                *slot = u32::try_from(number).unwrap_or(u32::MAX);
                number
            }
        };
        self.follow(trail, column);
        Some(column)
    }

    /// Notes that `column` came after the one before it.
    fn follow(&mut self, trail: Trail, column: usize) {
        match self.known.get_mut(trail.previous) {
            Some(previous) => previous.next = column,
            None => self.first = column,
        }
    }
}

/// Before the first cell of a row there is no column: a number that none has.
const START: usize = usize::MAX;

/// Two tags and a length.
const HEAD: usize = 6;

/// Up to here looking at every column is as fast as anything cleverer.
const FEW: usize = 16;

const SLOTS: usize = 1 << 10;

/// A place in the table of slots: any function of the name will do, names that meet in a slot only
/// take turns in it.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "ten bits are left")]
fn slot_of(name: &[u8]) -> usize {
    let end = name.last_chunk::<8>().map_or_else(
        || {
            name.iter()
                .fold(0, |bits, byte| bits << 8 | u64::from(*byte))
        },
        |chunk| u64::from_le_bytes(*chunk),
    );
    let mixed = (end ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOTS.trailing_zeros())) as usize
}

/// `bytes.strip_prefix(head)`, with a few comparisons of words in place of a call: most heads are
/// short.
#[inline(always)]
fn strip_head<'cell>(bytes: &'cell [u8], head: &[u8]) -> Option<&'cell [u8]> {
    let (bytes, rest) = bytes.split_at_checked(head.len())?;
    let equal = match head.len() {
        8..=16 => ends_equal::<8>(bytes, head),
        17..=32 => ends_equal::<16>(bytes, head),
        _ => bytes == head,
    };
    equal.then_some(rest)
}

/// Whether the first and the last `N` bytes are equal: all of them, if there are at most twice `N`.
#[inline(always)]
fn ends_equal<const N: usize>(a: &[u8], b: &[u8]) -> bool {
    a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str) -> Vec<u8> {
        let length = u32::try_from(name.len()).unwrap().to_le_bytes();
        [&[3, 4], &length[..], name.as_bytes()].concat()
    }

    /// The numbers that the names of these rows get; every name again and again the same.
    fn numbers(rows: &[Vec<String>]) -> Vec<Vec<usize>> {
        let heads: Vec<Vec<Vec<u8>>> = rows
            .iter()
            .map(|row| row.iter().map(|name| head(name)).collect())
            .collect();
        let mut columns = Columns::default();
        let mut numbers = Vec::new();
        for (row, heads) in rows.iter().zip(&heads) {
            let mut trail = columns.start_row();
            let numbered = row.iter().zip(heads).map(|(name, head)| {
                let column = match columns.find(trail, head) {
                    Some((column, known, [])) if known.name == name => column,
                    Some(found) => panic!("{found:?} for {name}"),
                    None => columns.add(trail, head, name, 0),
                };
                assert_eq!(columns.known[column].name, name);
                trail = columns.trail(column);
                column
            });
            numbers.push(numbered.collect());
        }
        numbers
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn columns_are_numbered_as_they_come_whatever_the_order_later() {
        let rows = [
            names(&["id", "city", "a name that is longer than sixteen", ""]),
            names(&["id", "", "city", "city", "age"]),
            names(&["", "age", "a name that is longer than sixteen", "id"]),
        ];
        let expected = [vec![0, 1, 2, 3], vec![0, 3, 1, 1, 4], vec![3, 4, 2, 0]];
        assert_eq!(numbers(&rows), expected);
    }

    #[test]
    fn many_columns_keep_their_numbers() {
        // More than there are slots, and sparse: most guesses are wrong.
        let all: Vec<String> = (0..3_000).map(|index| format!("column{index}")).collect();
        let every_seventh: Vec<String> = all.iter().step_by(7).cloned().collect();
        let backwards: Vec<String> = all.iter().rev().cloned().collect();
        let numbers = numbers(&[all, every_seventh, backwards]);
        assert!(numbers[0].iter().copied().eq(0..3_000));
        assert!(numbers[1].iter().copied().eq((0..3_000).step_by(7)));
        assert!(numbers[2].iter().copied().eq((0..3_000).rev()));
    }

    #[test]
    fn a_row_like_the_one_before_is_guessed() {
        let rows = ["id", "a", "b"].map(head);
        let mut columns = Columns::default();
        let mut trail = columns.start_row();
        for (head, name) in rows.iter().zip(["id", "a", "b"]) {
            let column = columns.add(trail, head, name, 0);
            trail = columns.trail(column);
        }
        let mut trail = columns.start_row();
        for (number, head) in rows.iter().enumerate() {
            assert_eq!(trail.guess, number);
            assert_eq!(columns.find(trail, head).unwrap().0, number);
            trail = columns.trail(number);
        }
    }

    #[test]
    fn nothing_is_found_in_what_is_not_a_cell() {
        let id = head("id");
        let mut columns = Columns::default();
        columns.add(columns.start_row(), &id, "id", 0);
        for cell in [
            &id[..7],
            &[],
            &[3, 4, 255, 255, 255, 255],
            &[9, 9, 2, 0, 0, 0, b'i', b'd'],
        ] {
            let trail = columns.start_row();
            assert!(columns.find(trail, cell).is_none(), "{cell:?}");
        }
    }

    #[test]
    fn a_known_name_behind_a_wrong_tag_is_not_found_however_many_columns_there_are() {
        for count in [1, FEW, FEW + 1, 3_000] {
            let names: Vec<String> = (0..count).map(|index| format!("column{index}")).collect();
            let heads: Vec<Vec<u8>> = names.iter().map(|name| head(name)).collect();
            let mut columns = Columns::default();
            let mut trail = columns.start_row();
            for (name, head) in names.iter().zip(&heads) {
                let column = columns.add(trail, head, name, 0);
                trail = columns.trail(column);
            }
            for head in &heads {
                let mut damaged = head.clone();
                damaged[1] ^= 1;
                let trail = columns.start_row();
                assert!(columns.find(trail, &damaged).is_none(), "{count}");
                assert!(columns.find(trail, head).is_some(), "{count}");
            }
        }
    }
}
