//! Keys in memory, and how much of it.

use allocation_counter::measure;

use super::super::log::LISTED_BYTES;
use super::*;

#[test]
fn what_was_given_is_left_out_and_nothing_else() {
    let mut delivered = in_memory();
    let mut record = |keys| delivered.record(keys, false).unwrap();
    record(keys(&page(&[key(1), key(2)])));
    record(keys(&[]));
    let first = freeze(&mut delivered);
    let mut rows = page(&[key(2), key(3), key(1), key(4)]);
    let (left, suppressed) = keys(&rows).leave_out(&first, &mut rows).unwrap();
    assert_eq!((suppressed, &rows), (2, &page(&[key(3), key(4)])));
    delivered.record(left, false).unwrap();
    let second = freeze(&mut delivered);
    let mut rows = page(&[key(1), key(3), key(5)]);
    assert_eq!(leave_out(&second, &mut rows), 2);
    assert_eq!(rows, page(&[key(5)]));
    assert!(!second.is_empty() && freeze(&mut in_memory()).is_empty());
}

#[test]
fn other_key_columns_are_refused_also_where_no_session_follows() {
    for is_last in [false, true] {
        let mut delivered = in_memory();
        let first = keys(&page(&[key(1)]));
        delivered.record(first, is_last).unwrap();
        assert_eq!(delivered.memory_bytes() == 0, is_last);
        let other = PrimaryKey::new().column("other", 1);
        let refused = delivered.record(keys(&page(&[other])), is_last);
        assert_eq!(refused, Err(DeliveredError::OtherKey));
    }
    for second in [
        PrimaryKey::new().column("other", 1),
        key(1).column("more", 2),
        PrimaryKey::new().column("more", 2),
    ] {
        let mixed = PageKeys::read(&page(&[key(1), second]));
        assert!(matches!(mixed, Err(KeysError::Mixed)), "{mixed:?}");
    }
    let fewer = PageKeys::read(&page(&[key(1).column("more", 2), key(1)]));
    assert!(matches!(fewer, Err(KeysError::Mixed)), "{fewer:?}");
}

#[test]
fn a_damaged_row_has_no_key() {
    let mut rows = page(&[key(1), key(2)]);
    let mut damaged = rows[1].to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    rows[1] = damaged.into();
    let Err(KeysError::Damage(error)) = PageKeys::read(&rows) else {
        panic!()
    };
    assert_eq!(error.row(), Some(1));
}

#[test]
fn the_limit_is_on_what_the_keys_take() {
    // A length, a type and eight bytes, in a chunk for so small a page; and eight for finding it.
    let held = 10 + LISTED_BYTES;
    let mut delivered = Delivered::new(3 * (held + 8), None);
    for rows in 1..=3 {
        delivered.record(keys(&page(&[key(0)])), false).unwrap();
        assert_eq!(delivered.memory_bytes(), held * rows);
    }
    let refused = delivered.record(keys(&page(&[key(3)])), false);
    assert_eq!(refused, Err(DeliveredError::Limit));
    let unsorted = delivered.take();
    let sorted = 3 * (held + 8);
    assert_eq!(delivered.memory_bytes(), sorted, "it is there meanwhile");
    let segment = block_on(unsorted.sort()).unwrap();
    let _ = delivered.add(segment);
    assert_eq!(delivered.memory_bytes(), sorted);
}

/// Pages of so many rows. A row alone has a key that is larger than a chunk.
fn pages_of(rows: i64) -> impl Iterator<Item = PageKeys> {
    let text = "x".repeat(if rows == 1 { 70_000 } else { 0 });
    (0_i64..).map(move |number| {
        let ids = number * rows..(number + 1) * rows;
        let key = |id| key(id).column("text", text.as_str());
        keys(&page(&ids.map(key).collect::<Vec<_>>()))
    })
}

fn bytes_of(page: &PageKeys) -> i64 {
    let names: usize = page.names.iter().map(String::capacity).sum();
    let listed = page.names.capacity() * size_of::<String>();
    (page.log.capacity() + listed + names).try_into().unwrap()
}

/// Counted by the allocator, to the byte: while keys are recorded, and while they are sorted.
#[test]
fn no_more_is_held_than_the_limit_and_no_more_than_is_said() {
    for (limit, rows) in [
        (20_000_i64, 7),
        (300_000, 2),
        (1 << 20, 100),
        (1 << 20, 1),
        (2 << 20, 11_000),
    ] {
        let case = format!("{limit} bytes, pages of {rows}");
        let mut delivered = Delivered::new(limit.try_into().unwrap(), None);
        let mut pages = pages_of(rows);
        // The names of the columns.
        delivered.record(pages.next().unwrap(), true).unwrap();
        let mut held = 0;
        for page in pages {
            let bytes = bytes_of(&page);
            let mut recorded = Ok(());
            let counted = measure(|| recorded = delivered.record(page, false));
            assert!(
                held + i64::try_from(counted.bytes_max).unwrap() <= limit,
                "{case}"
            );
            // The page is gone.
            held += bytes + counted.bytes_current;
            let said = i64::try_from(delivered.memory_bytes()).unwrap();
            assert!(held <= said, "{case}: {held}, not {said}");
            if recorded.is_err() {
                break;
            }
        }
        let log = std::mem::replace(&mut delivered.log, Log::new(0));
        let mut sorted = None;
        let counted = measure(|| sorted = Some(Sorted::new(log)));
        assert!(
            held + i64::try_from(counted.bytes_max).unwrap() <= limit,
            "{case}"
        );
        held += counted.bytes_current;
        let said = i64::try_from(sorted.unwrap().memory_bytes()).unwrap();
        assert!(held <= said && said <= limit, "{case}: {held}, not {said}");
        // And the room was used.
        assert!(held >= limit / 5 * 4, "{case}: only {held}");
    }
}

#[test]
fn a_key_is_found_in_whichever_chunk_it_stands() {
    // Small ones, and one that is larger than a chunk between them.
    let text = "x".repeat(70_000);
    let large = |id: i64| key(id).column("text", text.as_str());
    let small = |id: i64| key(id).column("text", "");
    for limit in [0, 10_000, usize::MAX] {
        let mut log = Log::new(limit);
        let mut all = Vec::new();
        for first in (0..12_000).step_by(1_000) {
            let mut page: Vec<_> = (first..first + 1_000).map(small).collect();
            page.insert(500, large(first));
            all.extend_from_slice(&page);
            log.push(&keys(&super::page(&page)).log);
        }
        assert_eq!((log.rows(), log.keys().count()), (all.len(), all.len()));
        let given = Given(vec![Arc::new(Segment::Memory(Sorted::new(log)))]);
        let mut rows = page(&all);
        assert_eq!(leave_out(&given, &mut rows), all.len() as u64);
        let others = [small(-1), large(1), small(12_000)];
        let mut rows = page(&others);
        assert_eq!(leave_out(&given, &mut rows), 0);
    }
}
