//! A cursor told answers by hand.

use ots_core::Reply;
use ots_core::filter::Filter;
use ots_core::request::{GetRangeReply, Request as _};
use ots_proto::messages::GetRangeResponse;
use ots_proto::plainbuffer::Writer;
use ots_proto::{NameCache, Row};

use super::*;

fn key(id: i64) -> PrimaryKey {
    PrimaryKey::new().column("id", id)
}

fn range() -> GetRange {
    GetRange::new("orders", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]))
}

fn backward() -> GetRange {
    GetRange::new("orders", PrimaryKey::max(["id"]), PrimaryKey::min(["id"]))
        .direction(Direction::Backward)
}

fn cursor(request: GetRange) -> RangeCursor {
    RangeCursor::new(request).unwrap()
}

fn reply(ids: impl IntoIterator<Item = i64>, next: Option<PrimaryKey>) -> GetRangeReply {
    let mut writer = Writer::new();
    for id in ids {
        writer.row(&Row::new(key(id)).cell("a", id));
    }
    let rows = if writer.len_bytes() == 4 {
        Bytes::new()
    } else {
        writer.finish()
    };
    let next_start_primary_key = next.as_ref().map(write_primary_key);
    let response = GetRangeResponse {
        rows,
        next_start_primary_key,
        ..Default::default()
    };
    GetRange::read(Reply::new(response)).unwrap()
}

fn ids(page: &Page) -> Vec<i64> {
    let rows = page.rows().unwrap();
    rows.iter()
        .map(|row| row.primary_key.get("id").unwrap().as_integer().unwrap())
        .collect()
}

fn start(cursor: &RangeCursor) -> PrimaryKey {
    let request = cursor.next_request().unwrap();
    read_primary_key(&request.inclusive_start_primary_key).unwrap()
}

fn limit(cursor: &RangeCursor) -> Option<i32> {
    cursor.next_request().unwrap().limit
}

#[test]
fn empty_page_with_next_key_is_not_the_end() {
    let mut cursor = cursor(range());
    let page = cursor.absorb(reply([], Some(key(7)))).unwrap();
    assert!(ids(&page).is_empty());
    assert_eq!(page.next(), &NextPage::From(key(7)));
    assert_eq!(start(&cursor), key(7));
    let page = cursor.absorb(reply([7, 8], None)).unwrap();
    assert_eq!(ids(&page), [7, 8]);
    assert_eq!(page.start(), &key(7));
    assert_eq!(page.next(), &NextPage::Done);
    assert!(cursor.next_request().is_none());
    assert_eq!(
        cursor.absorb(reply([], None)).unwrap_err().kind(),
        ErrorKind::NotAsked
    );
}

#[test]
fn empty_page_without_next_key_is_the_end() {
    let mut cursor = cursor(range());
    let page = cursor.absorb(reply([], None)).unwrap();
    assert!(page.next().is_done());
    assert!(page.reader().unwrap().next_row().unwrap().is_none());
    assert!(cursor.is_done());
}

#[test]
fn a_next_key_that_does_not_advance_is_refused_both_ways() {
    for (request, first, before) in [(range(), 7, 6), (backward(), 7, 8)] {
        let mut cursor = cursor(request);
        let _ = cursor.absorb(reply([], Some(key(first)))).unwrap();
        for stuck in [
            reply([], Some(key(before))),
            reply([first], Some(key(before))),
            reply([first], Some(key(first))),
        ] {
            let error = cursor.absorb(stuck).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotAdvancing);
            assert_eq!(
                (error.page(), error.stopped_at()),
                (Some(2), Some(&key(first)))
            );
            assert_eq!(start(&cursor), key(first));
        }
    }
}

#[test]
fn pages_without_rows_may_end_where_they_began_but_not_for_ever() {
    let mut cursor = cursor(range());
    for place in [7, 8] {
        let _ = cursor.absorb(reply([], Some(key(place)))).unwrap();
        let asked = cursor.next_request();
        for _ in 0..99 {
            let page = cursor.absorb(reply([], Some(key(place)))).unwrap();
            assert!(ids(&page).is_empty());
            assert_eq!(page.next(), &NextPage::From(key(place)));
            assert_eq!(cursor.next_request(), asked);
        }
    }
    assert_eq!(cursor.pages(), 200);
    let error = cursor.absorb(reply([], Some(key(8)))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdvancing);
}

#[test]
fn a_page_that_is_nothing_but_a_header_is_one_without_rows() {
    let mut cursor = cursor(range());
    let _ = cursor.absorb(reply([], Some(key(7)))).unwrap();
    let header = |next| {
        let mut header = reply([], Some(key(next)));
        header.rows = Writer::new().finish();
        header
    };
    let asked = cursor.next_request();
    for _ in 0..99 {
        let page = cursor.absorb(header(7)).unwrap();
        assert!(ids(&page).is_empty());
        assert_eq!(page.next(), &NextPage::From(key(7)));
        assert_eq!(cursor.next_request(), asked);
    }
    let error = cursor.absorb(header(7)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdvancing);
    let page = cursor.absorb(header(8)).unwrap();
    assert!(ids(&page).is_empty());
    assert_eq!(start(&cursor), key(8));

    // Four other bytes may be anything.
    let mut damaged = reply([], Some(key(8)));
    damaged.rows = Bytes::from_static(b"rows");
    let error = cursor.absorb(damaged).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdvancing);
}

#[test]
fn a_page_that_ends_where_it_began_leaves_the_parts_of_a_row() {
    let mut cursor = cursor(range());
    let _ = cursor.absorb(part(1, &[("a", 1)], Some(b"b"))).unwrap();
    let asked = cursor.next_request();
    for token in [None, Some(Bytes::from_static(b"b"))] {
        let mut nothing = reply([], Some(key(1)));
        nothing.next_token = token;
        let _ = cursor.absorb(nothing).unwrap();
        assert_eq!(cursor.next_request(), asked);
    }
    let page = cursor.absorb(part(1, &[("b", 2)], None)).unwrap();
    assert_eq!(page.rows().unwrap()[0].cells.len(), 2);
}

#[test]
fn a_next_key_at_or_past_the_end_leaves_nothing() {
    for next in [9, 10] {
        let mut cursor = cursor(GetRange::new("orders", key(0), key(9)));
        let page = cursor.absorb(reply([1], Some(key(next)))).unwrap();
        assert!(page.next().is_done() && cursor.is_done());
    }
}

#[test]
fn a_next_key_with_other_columns_is_refused() {
    for next in [
        PrimaryKey::new().column("other", 1),
        key(1).column("more", 2),
    ] {
        let error = cursor(range()).absorb(reply([], Some(next))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NextKey);
    }
}

fn part(id: i64, cells: &[(&str, i64)], token: Option<&'static [u8]>) -> GetRangeReply {
    let mut row = Row::new(key(id));
    for (name, value) in cells {
        row = row.cell(*name, *value);
    }
    let mut part = reply([], token.map(|_| key(id)));
    part.rows = ots_proto::plainbuffer::write_row(&row);
    part.next_token = token.map(Bytes::from_static);
    part
}

#[test]
fn a_row_in_parts_comes_once_and_whole() {
    let mut cursor = cursor(range());
    let page = cursor
        .absorb(part(1, &[("a", 1), ("b", 2)], Some(b"c")))
        .unwrap();
    assert!(ids(&page).is_empty());
    assert_eq!(page.next(), &NextPage::From(key(1)));
    assert_eq!(
        cursor.next_request().unwrap().token.as_deref(),
        Some(&b"c"[..])
    );
    assert_eq!(start(&cursor), key(1));
    let page = cursor.absorb(part(1, &[("c", 3)], Some(b"d"))).unwrap();
    assert!(ids(&page).is_empty());
    let page = cursor.absorb(part(1, &[("d", 4)], None)).unwrap();
    let [row] = &*page.rows().unwrap() else {
        panic!("one row")
    };
    let names: Vec<&str> = row.cells.iter().map(|cell| cell.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert!(cursor.is_done());
}

#[test]
fn a_part_that_came_before_is_refused() {
    let mut cursor = cursor(range());
    let _ = cursor
        .absorb(part(1, &[("a", 1), ("b", 2)], Some(b"c")))
        .unwrap();
    for repeated in [("a", 1), ("b", 2)] {
        let error = cursor.absorb(part(1, &[repeated], None)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotAdvancing);
    }
    // Nor may the service answer the same for ever.
    let mut nothing = reply([], Some(key(1)));
    nothing.next_token = Some(Bytes::from_static(b"c"));
    for _ in 0..99 {
        let page = cursor.absorb(nothing.clone()).unwrap();
        assert!(ids(&page).is_empty());
    }
    assert_eq!(
        cursor.absorb(nothing).unwrap_err().kind(),
        ErrorKind::NotAdvancing
    );
}

#[test]
fn a_row_above_its_limit_is_refused() {
    let mut cursor = cursor(range()).row_bytes(60);
    let _ = cursor.absorb(part(1, &[("a", 1)], Some(b"b"))).unwrap();
    let error = cursor.absorb(part(1, &[("b", 1)], Some(b"c"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RowTooLarge);
    assert_eq!(error.stopped_at(), Some(&key(1)));
}

#[test]
fn a_cut_that_names_no_row_is_refused() {
    for next in [None, Some(key(2))] {
        let mut cursor = cursor(range());
        let mut cut = reply([1], next);
        cut.next_token = Some(Bytes::from_static(b"column 900"));
        assert_eq!(cursor.absorb(cut).unwrap_err().kind(), ErrorKind::WideRow);
        assert_eq!(start(&cursor), PrimaryKey::min(["id"]));
    }
}

#[test]
fn the_page_limit_is_the_smaller_of_both_limits() {
    assert_eq!(limit(&cursor(range())), None);
    assert_eq!(limit(&cursor(range().limit(10))), Some(10));
    assert_eq!(limit(&cursor(range()).take_rows(7)), Some(7));
    assert_eq!(limit(&cursor(range().limit(10)).take_rows(7)), Some(7));
    assert_eq!(limit(&cursor(range().limit(10)).take_rows(70)), Some(10));
    assert_eq!(limit(&cursor(range()).take_rows(u64::MAX)), Some(5_000));
    assert!(cursor(range()).take_rows(0).next_request().is_none());
}

#[test]
fn the_total_limit_counts_down_and_ends_before_the_range() {
    let mut cursor = cursor(range()).take_rows(5);
    let _ = cursor.absorb(reply([1, 2, 3], Some(key(4)))).unwrap();
    assert_eq!(limit(&cursor), Some(2));
    let page = cursor.absorb(reply([4, 5], Some(key(6)))).unwrap();
    assert_eq!(page.next(), &NextPage::From(key(6)));
    assert!(cursor.is_done());
    assert_eq!(cursor.position(), NextPage::From(key(6)));
}

#[test]
fn a_page_with_more_rows_than_wanted_is_cut() {
    let mut cursor = cursor(range()).take_rows(2);
    let page = cursor.absorb(reply([1, 2, 3, 4], None)).unwrap();
    assert_eq!(ids(&page), [1, 2]);
    assert_eq!(page.next(), &NextPage::From(key(3)));
    // Nor may the place of the cut lead back.
    let mut cursor = self::cursor(GetRange::new("orders", key(5), key(9))).take_rows(2);
    let error = cursor.absorb(reply([5, 6, 5], None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotAdvancing);
}

#[test]
fn a_row_without_its_key_is_damage_whatever_columns_are_asked_for() {
    let mut keyless = reply([], None);
    let mut writer = Writer::new();
    writer.row(&Row::new(key(0)).cell("a", 0));
    writer.row(&Row::new(PrimaryKey::new()).cell("a", 1));
    keyless.rows = writer.finish();
    for request in [range(), range().columns(["a"])] {
        let page = cursor(request).absorb(keyless.clone()).unwrap();
        let error = page.rows().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rows);
        assert_eq!(error.as_plain_buffer().unwrap().row(), Some(1));
    }
}

#[test]
fn a_page_is_not_cut_before_a_row_with_a_part_of_its_key() {
    let two = ["city", "id"];
    let request = GetRange::new("orders", PrimaryKey::min(two), PrimaryKey::max(two));
    let mut cursor = cursor(request).take_rows(2);
    let error = cursor.absorb(reply([1, 2, 3], None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NextKey);
    assert_eq!(start(&cursor), PrimaryKey::min(two));
}

#[test]
fn a_request_that_goes_on_inside_a_wide_row_is_refused() {
    let inside = range().token(Bytes::from_static(b"column 900"));
    let error = RangeCursor::new(inside).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WideRow);
    assert_eq!((error.table(), error.page()), (Some("orders"), Some(1)));
    // An empty token is none, and isn't sent either.
    let request = cursor(range().token(Bytes::new())).next_request().unwrap();
    assert_eq!(request.token, None);
}

#[test]
fn sparse_pages_make_the_next_one_larger_only_where_rows_may_be_left_out() {
    let mut plain = cursor(range()).take_rows(8);
    let _ = plain.absorb(reply([], Some(key(1)))).unwrap();
    assert_eq!(limit(&plain), Some(8));

    let mut filtered = cursor(range().filter(Filter::column("a").exists())).take_rows(8);
    let mut asked = Vec::new();
    for next in 1..12 {
        let _ = filtered.absorb(reply([], Some(key(next)))).unwrap();
        asked.push(limit(&filtered).unwrap());
    }
    let doubling = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 5000, 5000];
    assert_eq!(asked, doubling);
    let _ = filtered.clone().absorb(reply([12], Some(key(13)))).unwrap();
    // A dense page: back to what is left.
    let _ = filtered.absorb(reply(11..18, Some(key(18)))).unwrap();
    assert_eq!(limit(&filtered), Some(5_000));
}

#[test]
fn a_damaged_row_is_left_to_the_reader_of_the_page() {
    let mut damaged = reply([1, 2], Some(key(3)));
    let mut bytes = damaged.rows.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    damaged.rows = bytes.into();
    let mut cursor = cursor(range()).take_rows(9);
    let page = cursor.absorb(damaged).unwrap();
    let mut reader = page.reader().unwrap();
    let first = reader.next_row().unwrap().unwrap();
    assert_eq!(first.to_primary_key(&mut NameCache::default()), key(1));
    assert_eq!(reader.next_row().unwrap_err().row(), Some(1));
    assert_eq!(page.rows().unwrap_err().kind(), ErrorKind::Rows);
}

#[test]
fn a_wrong_request_is_told_at_once() {
    let error = RangeCursor::new(GetRange::new("orders", key(2), key(1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Call);
    assert!(matches!(
        error.as_call().unwrap().kind(),
        ots_core::ErrorKind::Request(_)
    ));
}

#[test]
fn only_the_same_range_can_be_resumed() {
    let mut reached = cursor(range());
    let _ = reached.absorb(reply([], Some(key(7)))).unwrap();
    let point = reached.resume_point();
    let resume = |request| cursor(request).resume(&point);
    assert_eq!(start(&resume(range()).unwrap()), key(7));
    assert_eq!(start(&resume(range().limit(3)).unwrap()), key(7));

    let other_table = GetRange::new("order", PrimaryKey::min(["id"]), PrimaryKey::max(["id"]));
    let other_end = GetRange::new("orders", PrimaryKey::min(["id"]), key(100));
    let later_start = GetRange::new("orders", key(8), PrimaryKey::max(["id"]));
    let others = [
        other_table,
        other_end,
        later_start,
        backward(),
        range().columns(["a"]),
        range().filter(Filter::column("a").exists()),
    ];
    for request in others {
        let error = resume(request).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherRange);
    }
}

#[test]
fn a_place_that_no_page_of_the_range_can_have_is_refused() {
    // A token without a secret can be made by anybody.
    let request = || GetRange::new("orders", key(5), key(9));
    let point = cursor(request()).resume_point();
    assert_eq!(start(&cursor(request()).resume(&point).unwrap()), key(5));
    let whole = PrimaryKey::min(["id"]);
    for place in [key(4), key(9), key(10), whole, key(6).column("more", 1)] {
        let forged = point.clone().moved_to(place);
        let error = cursor(request()).resume(&forged).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumePointOfOtherRange);
    }
}

#[test]
fn a_finished_range_resumes_to_nothing() {
    let mut reached = cursor(range());
    let _ = reached.absorb(reply([1], None)).unwrap();
    let resumed = cursor(range()).resume(&reached.resume_point()).unwrap();
    assert!(resumed.is_done());
    assert!(resumed.next_request().is_none());
}
