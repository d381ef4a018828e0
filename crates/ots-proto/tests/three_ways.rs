//! Rows are lent, handed to a visitor, or shared: three ways to read a page, and one answer. Sound
//! or hostile, the same rows come and the same damage is named; also by a reader that holds its page,
//! by who takes owned rows, and by who only counts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::plainbuffer::{
    Accept, Checksums, Error, ErrorKind, OwningReader, OwningSeparateRows, Reader, SeparateRows,
    SharedRow, SharedRows, Visitor, Writer, write_change, write_row,
};
use ots_proto::{CellRef, KeyCellRef, NameCache, Row, RowRef, strategy};
use proptest::collection::vec;
use proptest::prelude::*;

/// Where and what a page is damaged.
type Damage = (ErrorKind, usize, Option<usize>);

/// The rows before the damage, as text so that NaN equals itself, and the damage.
type Answer = (Vec<String>, Option<Damage>);

fn damage(error: &Error) -> Damage {
    (error.kind().clone(), error.offset(), error.row())
}

fn text(row: RowRef<'_, '_>) -> String {
    let (key, cells) = (row.primary_key(), row.cells());
    format!("{key:?} {cells:?} {}", row.is_deleted())
}

fn lent(mut next: impl FnMut() -> Result<Option<String>, Error>) -> Answer {
    let mut rows = Vec::new();
    loop {
        match next() {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => return (rows, None),
            Err(error) => return (rows, Some(damage(&error))),
        }
    }
}

/// Takes rows as a visitor, and holds the walk to its promises.
#[derive(Default)]
struct Collector<'buf> {
    names: Vec<&'buf str>,
    rows: Vec<String>,
    open: Option<(Vec<KeyCellRef<'buf>>, Vec<CellRef<'buf>>)>,
}

impl<'buf> Collector<'buf> {
    /// Numbers are given in order, and stand for one name each.
    fn check(&mut self, number: usize, name: &'buf str) {
        assert!(number <= self.names.len());
        if number == self.names.len() {
            assert!(!self.names.contains(&name), "{name:?} has two numbers");
            self.names.push(name);
        }
        assert_eq!(self.names[number], name);
    }
}

impl<'buf> Visitor<'buf> for Collector<'buf> {
    type Error = Error;

    fn begin_row(&mut self) -> Result<(), Error> {
        assert!(self.open.replace((Vec::new(), Vec::new())).is_none());
        Ok(())
    }

    fn key(&mut self, column: usize, cell: KeyCellRef<'buf>) -> Result<(), Error> {
        self.check(column, cell.name);
        self.open.as_mut().unwrap().0.push(cell);
        Ok(())
    }

    fn cell(&mut self, column: usize, cell: CellRef<'buf>) -> Result<(), Error> {
        self.check(column, cell.name);
        self.open.as_mut().unwrap().1.push(cell);
        Ok(())
    }

    fn end_row(&mut self, deleted: bool) -> Result<(), Error> {
        let (key, cells) = self.open.take().unwrap();
        self.rows.push(format!("{key:?} {cells:?} {deleted}"));
        Ok(())
    }
}

fn visited<'buf>(visit: impl FnOnce(&mut Collector<'buf>) -> Result<usize, Error>) -> Answer {
    let mut collector = Collector::default();
    let result = visit(&mut collector);
    if let Ok(rows) = result {
        assert_eq!(rows, collector.rows.len());
    }
    (collector.rows, result.err().map(|error| damage(&error)))
}

/// Shared rows come whole or not at all.
fn shared(rows: Result<SharedRows, Error>) -> Result<Vec<String>, Damage> {
    let rows = rows.map_err(|error| damage(&error))?;
    let handles: Vec<SharedRow> = rows.iter().collect();
    assert_eq!(handles.len(), rows.len());
    // The handles keep the page alive by themselves.
    drop(rows);
    Ok(handles.iter().map(|row| text(row.as_ref())).collect())
}

/// Rows that own their values.
fn copied(mut next: impl FnMut(&mut NameCache) -> Result<Option<Row>, Error>) -> Answer {
    let mut names = NameCache::default();
    lent(move || Ok(next(&mut names)?.map(|row| format!("{row:?}"))))
}

/// What counting says of the same page.
fn count((rows, damage): &Answer) -> Result<usize, Damage> {
    damage.clone().map_or(Ok(rows.len()), Err)
}

/// Reads a buffer in all three ways, which must agree.
fn read(buffer: &Bytes, accept: Accept) -> Answer {
    let by_lending = match Reader::new(buffer, accept) {
        Ok(mut reader) => lent(move || Ok(reader.next_row()?.map(text))),
        Err(error) => (Vec::new(), Some(damage(&error))),
    };
    let by_visiting = visited(|visitor| Reader::new(buffer, accept)?.visit(visitor));
    assert_eq!(by_visiting, by_lending);

    let by_holding = match OwningReader::new(buffer.clone(), accept) {
        Ok(mut reader) => lent(move || Ok(reader.next_row()?.map(text))),
        Err(error) => (Vec::new(), Some(damage(&error))),
    };
    assert_eq!(by_holding, by_lending);
    let by_copying = match Reader::new(buffer, accept) {
        Ok(mut reader) => copied(move |names| Ok(reader.next_row()?.map(|row| row.to_row(names)))),
        Err(error) => (Vec::new(), Some(damage(&error))),
    };
    let by_owning = match OwningReader::new(buffer.clone(), accept) {
        Ok(mut reader) => copied(move |names| reader.next_owned(names)),
        Err(error) => (Vec::new(), Some(damage(&error))),
    };
    assert_eq!(by_owning, by_copying);
    let counted = Reader::new(buffer, accept).and_then(|mut reader| reader.count_rows());
    assert_eq!(counted.map_err(|error| damage(&error)), count(&by_lending));

    let by_sharing = shared(SharedRows::read(buffer.clone(), accept));
    let whole = by_lending.1.clone().map_or(Ok(by_lending.0.clone()), Err);
    assert_eq!(by_sharing, whole);
    by_lending
}

/// Reads buffers of one row each in all three ways, which must agree.
fn read_separate(buffers: &[Bytes]) -> Answer {
    let mut rows = SeparateRows::new(buffers);
    let by_lending = lent(move || Ok(rows.next_row()?.map(text)));
    let by_visiting = visited(|visitor| SeparateRows::new(buffers).visit(visitor));
    assert_eq!(by_visiting, by_lending);

    let mut rows = OwningSeparateRows::new(buffers.to_vec());
    let by_holding = lent(move || Ok(rows.next_row()?.map(text)));
    assert_eq!(by_holding, by_lending);
    let mut rows = SeparateRows::new(buffers);
    let by_copying = copied(move |names| Ok(rows.next_row()?.map(|row| row.to_row(names))));
    let mut rows = OwningSeparateRows::new(buffers.to_vec());
    let by_owning = copied(move |names| rows.next_owned(names));
    assert_eq!(by_owning, by_copying);
    let counted = SeparateRows::new(buffers).count_rows();
    assert_eq!(counted.map_err(|error| damage(&error)), count(&by_lending));

    let by_sharing = shared(SharedRows::read_separate(buffers.to_vec()));
    let whole = by_lending.1.clone().map_or(Ok(by_lending.0.clone()), Err);
    assert_eq!(by_sharing, whole);
    by_lending
}

fn page(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

const ACCEPTS: [Accept; 3] = [Accept::Rows, Accept::PartialRows, Accept::Changes];

/// Changes some bytes, then cuts.
fn harmed(buffer: &[u8], wounds: &[(prop::sample::Index, u8)], cut: Option<usize>) -> Bytes {
    let mut buffer = buffer.to_vec();
    for (place, bits) in wounds {
        let place = place.index(buffer.len());
        buffer[place] ^= bits;
    }
    buffer.truncate(cut.map_or(buffer.len(), |cut| buffer.len().saturating_sub(cut)));
    buffer.into()
}

fn wounds() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_three_ways_agree_on_sound_and_on_harmed_pages(
        rows in vec(strategy::row(), 0..5),
        repeats in 1..3_usize,
        wounds in wounds(),
        cut in prop::option::of(0..20_usize),
    ) {
        // The same columns again and again, so that the quick way is taken as well.
        let rows: Vec<Row> = std::iter::repeat_n(rows, repeats).flatten().collect();
        let sound = page(&rows);
        let (read_rows, damage) = read(&sound, Accept::Rows);
        prop_assert_eq!(damage, None);
        prop_assert_eq!(read_rows.len(), rows.len());

        let harmed = harmed(&sound, &wounds, cut);
        for accept in ACCEPTS {
            read(&harmed, accept);
        }
    }

    #[test]
    fn the_three_ways_agree_on_rows_in_buffers_of_their_own(
        rows in vec(strategy::row(), 0..4),
        wounds in wounds(),
        harmed_one in any::<prop::sample::Index>(),
    ) {
        let mut buffers: Vec<Bytes> = rows.iter().chain(&rows).map(write_row).collect();
        let (read_rows, damage) = read_separate(&buffers);
        prop_assert_eq!(damage, None);
        prop_assert_eq!(read_rows.len(), buffers.len());
        if !buffers.is_empty() {
            let buffer = harmed_one.get_mut(&mut buffers);
            *buffer = harmed(buffer, &wounds, None);
            read_separate(&buffers);
        }
    }

    #[test]
    fn the_three_ways_agree_on_changes(change in strategy::row_change(), wounds in wounds()) {
        let buffer = write_change(&change);
        prop_assert_eq!(read(&buffer, Accept::Changes).1, None);
        for accept in ACCEPTS {
            read(&harmed(&buffer, &wounds, None), accept);
        }
    }

    // The first row of a walk is read the careful way, because no column is known; a row after it
    // the quick way, if it has the same columns.
    #[test]
    fn a_row_reads_the_same_whether_its_columns_were_met_before_or_not(
        row in strategy::row(),
        wounds in wounds(),
        cut in prop::option::of(0..20_usize),
    ) {
        let sound = write_row(&row);
        let harmed = harmed(&sound[4..], &wounds, cut);
        for accept in ACCEPTS {
            let alone = read(&[&sound[..4], &harmed].concat().into(), accept);
            let (rows, damage) = read(&[&sound[..], &harmed].concat().into(), accept);
            prop_assert_eq!(&rows[1..], &alone.0[..]);
            let shift = sound.len() - 4;
            let expected = alone.1.map(|(kind, offset, row)| {
                (kind, offset + shift, row.map(|row| row + 1))
            });
            prop_assert_eq!(damage, expected);
        }
    }

    #[test]
    fn pages_joined_give_the_rows_of_both(
        a in vec(strategy::row(), 0..4),
        b in vec(strategy::row(), 0..4),
    ) {
        let (first, second) = (page(&a), page(&b));
        let joined = Bytes::from([&first[..], &second[4..]].concat());
        let mut expected = read(&first, Accept::Rows).0;
        expected.extend(read(&second, Accept::Rows).0);
        prop_assert_eq!(read(&joined, Accept::Rows), (expected, None));
    }

    // Without checksums a wounded page may read as another one, but it reads or is refused.
    #[test]
    fn trust_changes_nothing_but_the_comparison(
        rows in vec(strategy::row(), 0..4),
        wounds in wounds(),
    ) {
        let sound = page(&rows);
        for buffer in [sound.clone(), harmed(&sound, &wounds, None)] {
            let (trusted, refused) = match Reader::new(&buffer, Accept::Rows) {
                Ok(reader) => {
                    let mut reader = reader.checksums(Checksums::Trust);
                    lent(move || Ok(reader.next_row()?.map(text)))
                }
                Err(error) => (Vec::new(), Some(damage(&error))),
            };
            let (verified, damage) = read(&buffer, Accept::Rows);
            // What verification lets through trust lets through alike.
            prop_assert_eq!(&trusted[..verified.len()], &verified[..]);
            let sums_only = matches!(
                damage,
                Some((ErrorKind::CellChecksum { .. } | ErrorKind::RowChecksum { .. }, ..))
            );
            if !sums_only {
                prop_assert_eq!(refused, damage);
            }
        }
    }
}

#[test]
fn a_shared_row_goes_anywhere_and_a_detached_one_lets_its_page_go() {
    fn anywhere<T: Send + Sync + 'static>(_: &T) {}

    let row = Row::new(ots_proto::PrimaryKey::new().column("id", 1)).cell("city", "杭州");
    let page = write_row(&row);
    let rows = SharedRows::read(page.clone(), Accept::Rows).unwrap();
    let shared = rows.get(0).unwrap();
    assert!(rows.get(1).is_none());
    anywhere(&shared);
    anywhere(&rows);
    drop(rows);
    assert!(!page.is_unique());
    assert_eq!(shared.clone(), shared);

    let detached = shared.detach();
    drop(shared);
    assert!(page.is_unique());
    assert_eq!(detached, row);
}

/// Refuses the second row.
#[derive(Debug, PartialEq)]
enum Refusal {
    Damage(ErrorKind),
    Own,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Damage(error.kind().clone())
    }
}

#[derive(Default)]
struct Fussy {
    rows: usize,
}

impl<'buf> Visitor<'buf> for Fussy {
    type Error = Refusal;

    fn key(&mut self, _: usize, _: KeyCellRef<'buf>) -> Result<(), Refusal> {
        if self.rows == 1 {
            Err(Refusal::Own)
        } else {
            Ok(())
        }
    }

    fn cell(&mut self, _: usize, _: CellRef<'buf>) -> Result<(), Refusal> {
        Ok(())
    }

    fn end_row(&mut self, _: bool) -> Result<(), Refusal> {
        self.rows += 1;
        Ok(())
    }
}

#[test]
fn a_visitor_ends_the_walk_but_damage_of_the_row_goes_first() {
    let row = |id| Row::new(ots_proto::PrimaryKey::new().column("id", id)).cell("n", id);
    let sound = page(&[row(1), row(2), row(3)]);
    let mut reader = Reader::new(&sound, Accept::Rows).unwrap();
    let mut visitor = Fussy::default();
    assert_eq!(reader.visit(&mut visitor), Err(Refusal::Own));
    // There is no going on.
    assert_eq!(reader.visit(&mut visitor), Ok(0));
    assert_eq!(visitor.rows, 1);

    // The checksum at the end of the row that the visitor refuses at its beginning.
    let mut damaged = page(&[row(1), row(2)]).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    let refusal = Reader::new(&damaged, Accept::Rows).unwrap();
    let refusal = { refusal }.visit(&mut Fussy::default()).unwrap_err();
    assert!(
        matches!(refusal, Refusal::Damage(ErrorKind::RowChecksum { .. })),
        "{refusal:?}"
    );
}
