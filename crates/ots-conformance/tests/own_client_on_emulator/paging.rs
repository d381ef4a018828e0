//! Pages of a range, and rows in parts.

use super::*;

/// The whole table, one way or the other, only rows whose `n` equals one of few values.
fn sparse(place: &Place, direction: Direction) -> GetRange {
    let names = ["g", "i"];
    let (low, high) = (PrimaryKey::min(names), PrimaryKey::max(names));
    let (start, end) = match direction {
        Direction::Forward => (low, high),
        Direction::Backward => (high, low),
    };
    let filter = Filter::column("note").eq("alpha beta").only_if_present();
    GetRange::new(&place.table("bulk").name, start, end)
        .direction(direction)
        .filter(filter)
}

/// Ten rows of 250 pass: every 25th.
fn passing(rows: &[Row], direction: Direction) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.iter().step_by(25).cloned().collect();
    if direction == Direction::Backward {
        rows.reverse();
    }
    rows
}

const BOTH: [LimitCounts; 2] = [LimitCounts::Returned, LimitCounts::Scanned];

#[tokio::test]
async fn pages_without_rows_are_given_and_end_nothing() {
    for (counts, direction) in [
        (LimitCounts::Returned, Direction::Forward),
        (LimitCounts::Returned, Direction::Backward),
        (LimitCounts::Scanned, Direction::Forward),
        (LimitCounts::Scanned, Direction::Backward),
    ] {
        let (place, _) = place_with(|settings| {
            settings.range_page_rows = 3;
            settings.limit_counts = counts;
        });
        let rows = place.load("bulk").await;
        let expected = passing(rows, direction);

        let mut pages = sparse(&place, direction).pages(place.client());
        let mut read = Vec::new();
        let (mut all, mut empty) = (0, 0);
        while let Some(page) = pages.next().await {
            let page_rows = page.unwrap().rows().unwrap();
            all += 1;
            empty += usize::from(page_rows.is_empty());
            read.extend(page_rows.iter().map(canonical));
        }
        assert_eq!(read, expected, "{counts:?} {direction:?}");
        assert_eq!(all, 84, "250 rows by 3");
        assert_eq!(empty, 84 - expected.len());
    }
}

#[tokio::test]
async fn an_empty_page_can_be_resumed_from() {
    let (place, _) = place_with(|settings| settings.range_page_rows = 3);
    let rows = place.load("bulk").await;
    let range = || sparse(&place, Direction::Forward);
    let mut read = Vec::new();
    let mut kept = range().cursor().unwrap().resume_point().to_bytes();
    loop {
        let cursor = range().resume(&ResumePoint::from_bytes(&kept).unwrap());
        let mut pages = cursor.unwrap().pages(place.client());
        let Some(page) = pages.next().await else {
            break;
        };
        let page = page.unwrap();
        read.extend(page.rows().unwrap().iter().map(canonical));
        kept = page.resume_point().to_bytes();
    }
    assert_eq!(read, passing(rows, Direction::Forward));
}

/// Each row of "bulk" comes in several parts.
#[tokio::test]
async fn rows_that_come_in_parts_are_read_whole() {
    for bytes in [1, 20, 40] {
        let (place, _) = place_with(|settings| settings.wide_row_bytes = bytes);
        let expected = place.load("bulk").await;
        let table = place.table("bulk").name.clone();
        let names = ["g", "i"];
        let range = || GetRange::new(&table, PrimaryKey::min(names), PrimaryKey::max(names));
        let owned: Vec<_> = range().rows(place.client()).try_collect().await.unwrap();
        let rows: Vec<_> = owned.iter().map(canonical).collect();
        assert_eq!(rows, expected, "{bytes} bytes");

        let last = owned.last().unwrap();
        let request = GetRow::new(&table, last.primary_key.clone());
        let mut pager = ColumnPager::new(request, place.client()).unwrap();
        let (mut cells, mut pages) = (0, 0);
        while let Some(page) = pager.next_page().await.unwrap() {
            cells += page.cells.len();
            pages += 1;
        }
        assert_eq!(cells, last.cells.len());
        assert!(pages > 1, "{pages} pages of {bytes} bytes");
    }
}

#[tokio::test]
async fn what_a_limit_counts_changes_the_pages_and_not_the_range() {
    let mut shapes = Vec::new();
    for counts in BOTH {
        let (place, _) = place_with(|settings| settings.limit_counts = counts);
        let rows = place.load("bulk").await;
        let expected = passing(rows, Direction::Forward);
        let range = || sparse(&place, Direction::Forward).limit(4);

        let mut pages = range().pages(place.client());
        let mut shape = Vec::new();
        let mut read = Vec::new();
        while let Some(page) = pages.next().await {
            let page_rows = page.unwrap().rows().unwrap();
            shape.push(page_rows.len());
            read.extend(page_rows.iter().map(canonical));
        }
        assert_eq!(read, expected, "{counts:?}");
        shapes.push(shape);

        for wanted in [1, 4, 5, 10, 11] {
            let first = range().rows(place.client()).take_rows(wanted);
            let first: Vec<OwnedRow> = first.try_collect().await.unwrap();
            let first: Vec<Row> = first.iter().map(canonical).collect();
            let taken = usize::try_from(wanted).unwrap().min(10);
            assert_eq!(first, expected[..taken], "{counts:?}: first {wanted}");
        }

        let size = NonZeroU32::new(3).unwrap();
        let mut pages = range().offset_pages(place.client(), 2, size);
        let mut slices = expected[2..].chunks(3);
        while let Some(page) = pages.next_page().await.unwrap() {
            let read: Vec<Row> = page.rows.iter().map(canonical).collect();
            assert_eq!(read, slices.next().unwrap_or_default(), "{counts:?}");
        }
        assert_eq!(slices.next(), None);
    }
    // The settings did differ: four rows that pass, or four that are read.
    assert_eq!(shapes[0], [4, 4, 2]);
    assert_eq!(shapes[1].len(), 63);
}

#[tokio::test]
async fn rows_that_stay_come_once_while_others_come_and_go() {
    let (place, _) = place_with(|settings| settings.range_page_rows = 3);
    let table = place.numbered("moving", 1).await;
    let client = place.client();
    let rows: Vec<_> = (0..60)
        .map(|id| OwnedRow::new(key(id * 10)).cell("n", id))
        .collect();
    client.send(insert_request(&table, &rows)).await.unwrap();

    let range = GetRange::new(&table, PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let mut pages = range.pages(client);
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        read.extend(
            page.rows()
                .unwrap()
                .iter()
                .map(|row| row.primary_key.clone()),
        );
        if let Some(next) = page.next().key() {
            // The very row that the range goes on from disappears, and one stands before it.
            let id = next.get("id").unwrap().as_integer().unwrap();
            client.send(DeleteRow::new(&table, key(id))).await.unwrap();
            for near in [id - 5, id + 5] {
                let row = OwnedRow::new(key(near)).cell("n", near);
                client.send(PutRow::new(&table, row)).await.unwrap();
            }
        }
    }
    assert!(read.is_sorted_by(|a, b| a < b), "none twice: {read:?}");
    let ids: Vec<i64> = read
        .iter()
        .map(|key| key.get("id").unwrap().as_integer().unwrap())
        .collect();
    for id in ids.windows(2) {
        assert!(id[1] - id[0] <= 20, "a row that stayed is missing: {id:?}");
    }
    let last = GetRow::new(&table, key(590));
    assert_eq!(
        client.send(last).await.unwrap().row.is_some(),
        ids.contains(&590)
    );
}
