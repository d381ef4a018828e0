//! What the pages of a scan have.

use super::*;

#[test]
fn a_scan_ends_with_one_empty_page_without_a_token() {
    let bench = Bench::counting(100);
    let id = session(&bench);
    for session_id in [Some(&id), None] {
        let sizes = |limit| {
            let first = with(request(session_id, Query::MatchAll), |query| {
                query.limit = limit;
            });
            let pages = share(&bench, &first);
            assert_eq!(pages.concat(), (0..100).collect::<Vec<_>>());
            pages.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(sizes(Some(70)), [70, 30, 0]);
        assert_eq!(sizes(Some(50)), [50, 50, 0]);
        assert_eq!(sizes(Some(100_000)), [100, 0]);
        assert_eq!(sizes(None), [100, 0]);
        let nothing = share(&bench, &request(session_id, Query::exists("d")));
        assert_eq!(nothing, [Vec::<i64>::new()]);
    }
}

#[test]
fn a_page_has_at_most_as_many_rows_as_the_settings_allow() {
    let mut bench = Bench::counting(5);
    bench.settings.scan_page_rows = 2;
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(2000);
    });
    assert_eq!(
        share(&bench, &first),
        [vec![0, 1], vec![2, 3], vec![4], vec![]]
    );
}

#[test]
fn the_same_request_gives_the_same_page() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    let first = with(request(Some(&id), Query::MatchAll), |query| {
        query.limit = Some(4)
    });
    let mut request = first;
    loop {
        let page = scan(&bench, &request).unwrap();
        assert_eq!(scan(&bench, &request).unwrap(), page);
        // Also the last one, whose answer may be lost after the task has ended.
        if page.next_token.is_none() {
            break;
        }
        request = next(&request, &page);
    }
}

#[test]
fn a_session_sees_the_rows_of_its_first_scan() {
    let bench = Bench::counting(10);
    let id = session(&bench);
    // Written after ComputeSplits, but before the first scan.
    bench.put(row(10, &[("l", 10.into())]));
    let first = with(request(Some(&id), Query::range("l").gte(8)), |query| {
        query.limit = Some(2);
    });
    let page = scan(&bench, &first).unwrap();
    bench.clear();
    bench.put(row(11, &[("l", 11.into())]));
    assert_eq!(ids(&page.rows), [8, 9]);
    assert_eq!(share(&bench, &next(&first, &page)), [vec![10], vec![]]);
}

#[test]
fn without_a_session_a_scan_sees_the_rows_of_the_moment() {
    let bench = Bench::counting(4);
    let first = with(request(None, Query::MatchAll), |query| {
        query.limit = Some(2)
    });
    let page = scan(&bench, &first).unwrap();
    bench.clear();
    bench.put(row(0, &[]));
    bench.put(row(7, &[]));
    assert_eq!(share(&bench, &next(&first, &page)), [vec![7], vec![]]);
}
