use bytes::Bytes;
use ots_proto::ColumnValue;
use ots_proto::messages::{
    ColumnReturnType, ColumnsToGet, FieldSort, PrimaryKeySort, SearchQuery, SearchRequest,
    SearchResponse, Sort, SortMode, SortOrder, Sorter,
};
use ots_proto::search::Query;
use proptest::prelude::*;
use prost::Message;

use super::super::*;
use crate::search::testing::{Bench, ids, row};

fn query(query: impl Into<Query>) -> SearchQuery {
    SearchQuery {
        query: Some(query.into().to_message()),
        ..SearchQuery::default()
    }
}

fn request(query: &SearchQuery) -> SearchRequest {
    SearchRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        search_query: Some(query.encode_to_vec().into()),
        ..SearchRequest::default()
    }
}

#[test]
fn routing_values_change_nothing() {
    let bench = Bench::counting(5);
    let routed = SearchRequest {
        routing_values: vec![Bytes::from_static(b"anything")],
        ..request(&query(Query::MatchAll))
    };
    let found = bench.unlocked(search, routed).unwrap();
    assert_eq!(found, run(&bench, &query(Query::MatchAll)));
    assert_eq!(ids(&found.rows), [0, 1, 2, 3, 4]);
}

#[test]
fn pages_agree_however_many_batches_they_take() {
    let bench = Bench::counting(3000);
    let ids_of = |order, count| {
        let page = SearchQuery {
            limit: Some(3),
            get_total_count: Some(count),
            sort: Some(sort(vec![Sorter {
                pk_sort: Some(PrimaryKeySort { order: Some(order) }),
                ..Sorter::default()
            }])),
            ..query(Query::range("l").gte(1400).lt(1600))
        };
        let response = run(&bench, &page);
        (ids(&response.rows), response.total_hits)
    };
    let (asc, desc) = (SortOrder::Asc.into(), SortOrder::Desc.into());
    assert_eq!(ids_of(asc, false), (vec![1400, 1401, 1402], Some(-1)));
    assert_eq!(ids_of(asc, true), (vec![1400, 1401, 1402], Some(200)));
    assert_eq!(ids_of(desc, false), (vec![1599, 1598, 1597], Some(-1)));
    assert_eq!(ids_of(desc, true), (vec![1599, 1598, 1597], Some(200)));
}

fn run(bench: &Bench, query: &SearchQuery) -> SearchResponse {
    bench.unlocked(search, request(query)).unwrap()
}

fn refusal(bench: &Bench, query: &SearchQuery) -> String {
    let error = bench.unlocked(search, request(query)).unwrap_err();
    assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
    error.message
}

fn by_field(name: &str, order: SortOrder) -> FieldSort {
    FieldSort {
        field_name: Some(name.to_owned()),
        order: Some(order.into()),
        ..FieldSort::default()
    }
}

fn sort(sorters: Vec<Sorter>) -> Sort {
    Sort {
        sorter: sorters,
        disable_default_pk_sorter: None,
    }
}

fn field_sorter(field_sort: FieldSort) -> Sorter {
    Sorter {
        field_sort: Some(Box::new(field_sort)),
        ..Sorter::default()
    }
}

fn key_sorter(order: SortOrder) -> Sorter {
    Sorter {
        pk_sort: Some(PrimaryKeySort {
            order: Some(order.into()),
        }),
        ..Sorter::default()
    }
}

/// Every page of a search, the first with the query's sort, the others by token alone.
fn pages(bench: &Bench, mut query: SearchQuery) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    loop {
        let page = run(bench, &query);
        pages.push(ids(&page.rows));
        query.token = page.next_token;
        query.sort = None;
        query.offset = None;
        if query.token.is_none() {
            return pages;
        }
    }
}

#[test]
fn a_plain_search_gives_ten_rows_in_key_order_and_no_count() {
    let page = run(&Bench::counting(30), &query(Query::MatchAll));
    assert_eq!(ids(&page.rows), (0..10).collect::<Vec<_>>());
    assert_eq!(page.total_hits, Some(-1));
    assert_eq!(page.is_all_succeeded, Some(true));
    assert!(page.next_token.is_some());
    assert!(page.search_hits.is_empty());
}

#[test]
fn matches_are_counted_when_asked_either_way() {
    let bench = Bench::counting(30);
    for (get_total_count, track_total_count, expected) in [
        (None, None, -1),
        (Some(false), Some(-1), -1),
        (Some(true), None, 12),
        (None, Some(i32::MAX), 12),
        (None, Some(13), 12),
        (None, Some(12), 12),
        // There are at least three.
        (None, Some(3), 3),
        (Some(true), Some(3), 12),
    ] {
        let query = SearchQuery {
            limit: Some(5),
            get_total_count,
            track_total_count,
            ..query(Query::range("l").gte(18))
        };
        let page = run(&bench, &query);
        assert_eq!(page.total_hits, Some(expected));
        assert_eq!(ids(&page.rows), [18, 19, 20, 21, 22]);
        // The count is of the whole result on later pages, too.
        let next = SearchQuery {
            token: page.next_token,
            ..query
        };
        let page = run(&bench, &next);
        assert_eq!(page.total_hits, Some(expected));
        assert_eq!(ids(&page.rows), [23, 24, 25, 26, 27]);
    }
    let everything = SearchQuery {
        get_total_count: Some(true),
        limit: Some(0),
        ..query(Query::MatchAll)
    };
    let page = run(&bench, &everything);
    assert_eq!((page.total_hits, page.rows.len()), (Some(30), 0));
    assert_eq!(page.next_token, None);
}

#[test]
fn a_token_is_present_exactly_when_rows_remain() {
    let bench = Bench::counting(200);
    let limited = |limit| SearchQuery {
        limit: Some(limit),
        ..query(Query::MatchAll)
    };
    assert!(run(&bench, &limited(100)).next_token.is_some());
    assert!(run(&bench, &limited(199)).next_token.is_some());
    assert!(run(&bench, &limited(200)).next_token.is_none());
    assert!(run(&bench, &limited(201)).next_token.is_none());
    let sizes: Vec<_> = pages(&bench, limited(100)).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 100]);
}

#[test]
fn offset_skips_rows() {
    let bench = Bench::counting(30);
    for sorters in [vec![], vec![field_sorter(by_field("l", SortOrder::Asc))]] {
        let query = SearchQuery {
            offset: Some(25),
            limit: Some(3),
            sort: Some(sort(sorters)),
            ..query(Query::MatchAll)
        };
        assert_eq!(pages(&bench, query), [vec![25, 26, 27], vec![28, 29]]);
    }
}

#[test]
fn the_primary_key_sorts_both_ways_and_the_token_remembers() {
    let query = SearchQuery {
        limit: Some(4),
        sort: Some(sort(vec![key_sorter(SortOrder::Desc)])),
        ..query(Query::range("l").lt(6))
    };
    assert_eq!(
        pages(&Bench::counting(30), query),
        [vec![5, 4, 3, 2], vec![1, 0]]
    );
}

#[test]
fn fields_sort_rows_and_those_without_come_last() {
    let values = [Some(3), None, Some(1), Some(3), Some(2)];
    let bench = Bench::with_rows((0..).zip(values).map(|(id, value)| {
        let cells: Vec<_> = value
            .map(|value| ("l", ColumnValue::from(value)))
            .into_iter()
            .collect();
        row(id, &cells)
    }));
    let sorted = |sorters, limit| {
        let query = SearchQuery {
            limit: Some(limit),
            sort: Some(sort(sorters)),
            ..query(Query::MatchAll)
        };
        pages(&bench, query).concat()
    };
    for limit in 1..=5 {
        let field = |order| field_sorter(by_field("l", order));
        assert_eq!(sorted(vec![field(SortOrder::Asc)], limit), [2, 4, 0, 3, 1]);
        assert_eq!(sorted(vec![field(SortOrder::Desc)], limit), [0, 3, 4, 2, 1]);
        let both = vec![field(SortOrder::Desc), key_sorter(SortOrder::Desc)];
        assert_eq!(sorted(both, limit), [3, 0, 4, 2, 1]);
    }
}

#[test]
fn arrays_sort_by_one_of_their_elements() {
    let arrays = ["[1,2,3]", "[4,5,10]", "[-3,6,8]", "[4,7,10]"];
    let bench = Bench::with_rows(
        (1..)
            .zip(arrays)
            .map(|(id, array)| row(id, &[("la", array.into())])),
    );
    for (mode, order, expected) in [
        (None, SortOrder::Asc, [3, 1, 2, 4]),
        (Some(SortMode::Min), SortOrder::Asc, [3, 1, 2, 4]),
        (Some(SortMode::Max), SortOrder::Desc, [2, 4, 3, 1]),
        (Some(SortMode::Avg), SortOrder::Asc, [1, 3, 2, 4]),
    ] {
        let field_sort = FieldSort {
            mode: mode.map(Into::into),
            ..by_field("la", order)
        };
        let query = SearchQuery {
            limit: Some(1),
            sort: Some(sort(vec![field_sorter(field_sort)])),
            ..query(Query::MatchAll)
        };
        assert_eq!(pages(&bench, query).concat(), expected, "{mode:?}");
    }
}

#[test]
fn without_the_key_at_the_end_equal_rows_are_skipped() {
    let bench = Bench::with_rows((0..10).map(|id| row(id, &[("l", (id / 5).into())])));
    let paged = |disable| {
        let query = SearchQuery {
            limit: Some(3),
            sort: Some(Sort {
                sorter: vec![field_sorter(by_field("l", SortOrder::Asc))],
                disable_default_pk_sorter: Some(disable),
            }),
            ..query(Query::MatchAll)
        };
        pages(&bench, query).concat()
    };
    assert_eq!(paged(false), (0..10).collect::<Vec<_>>());
    assert_eq!(paged(true), [0, 1, 2, 5, 6, 7]);
}

#[test]
fn columns_decide_how_many_rows_a_page_may_have() {
    let bench = Bench::counting(1);
    let limited = |limit, kind: Option<ColumnReturnType>, names: &[&str]| {
        let query = SearchQuery {
            limit: Some(limit),
            ..query(Query::MatchAll)
        };
        let columns_to_get = kind.map(|kind| ColumnsToGet {
            return_type: Some(kind.into()),
            column_names: names.iter().map(|name| (*name).to_owned()).collect(),
        });
        let request = SearchRequest {
            columns_to_get,
            ..request(&query)
        };
        bench.unlocked(search, request).map(drop)
    };
    let refused = |max: usize, limit: usize| {
        Err(ServiceError::parameter(format!(
            "limit must be at most {max} for the columns asked for, it is {limit}"
        )))
    };
    assert_eq!(limited(1000, None, &[]), Ok(()));
    assert_eq!(limited(1001, None, &[]), refused(1000, 1001));
    let all = Some(ColumnReturnType::All);
    assert_eq!(limited(100, all, &[]), Ok(()));
    assert_eq!(limited(101, all, &[]), refused(100, 101));
    let specified = Some(ColumnReturnType::Specified);
    assert_eq!(limited(1000, specified, &["l"]), Ok(()));
    assert_eq!(limited(101, specified, &["l", "other"]), refused(100, 101));
    assert_eq!(
        limited(1000, Some(ColumnReturnType::AllFromIndex), &[]),
        Ok(())
    );
}

#[test]
fn an_empty_token_is_none() {
    let query = SearchQuery {
        token: Some(Bytes::new()),
        offset: Some(3),
        limit: Some(1),
        ..query(Query::MatchAll)
    };
    assert_eq!(ids(&run(&Bench::counting(5), &query).rows), [3]);
}

#[test]
fn a_token_from_elsewhere_is_refused() {
    let bench = Bench::counting(30);
    let token = run(&bench, &query(Query::MatchAll)).next_token;
    let other = SearchQuery {
        token: token.clone(),
        ..query(Query::exists("l"))
    };
    let invalid = "the token is invalid: it belongs to no earlier page of this request";
    assert_eq!(refusal(&bench, &other), invalid);
    let garbage = SearchQuery {
        token: Some(Bytes::from_static(b"garbage")),
        ..query(Query::MatchAll)
    };
    assert_eq!(refusal(&bench, &garbage), invalid);
    let sorted = SearchQuery {
        token,
        sort: Some(sort(vec![key_sorter(SortOrder::Asc)])),
        ..query(Query::MatchAll)
    };
    assert_eq!(
        refusal(&bench, &sorted),
        "a request with a token has neither an offset nor a sort: the token carries them"
    );
}

#[test]
fn what_cannot_be_is_named() {
    let bench = Bench::counting(1);
    let base = || query(Query::MatchAll);
    let sorted = |sorter| SearchQuery {
        sort: Some(sort(vec![sorter])),
        ..base()
    };
    for (query, expected) in [
        (
            sorted(field_sorter(by_field("x", SortOrder::Asc))),
            "can't sort by field [x] of type TEXT: the type has no order",
        ),
        (
            sorted(field_sorter(by_field("nope", SortOrder::Asc))),
            "field [nope] does not exist in the search index",
        ),
        (
            sorted(field_sorter(FieldSort {
                mode: Some(SortMode::Avg.into()),
                ..by_field("ka", SortOrder::Asc)
            })),
            "can't sort by the average of field [ka] of type KEYWORD",
        ),
        (
            SearchQuery {
                offset: Some(99_999),
                limit: Some(2),
                ..base()
            },
            "offset + limit must be at most 100000, it is 100001; use a token to go further",
        ),
        (
            SearchQuery {
                offset: Some(-1),
                ..base()
            },
            "offset must not be negative, it is -1",
        ),
        (SearchQuery::default(), "the request has no query"),
    ] {
        assert_eq!(refusal(&bench, &query), expected);
    }
}

#[test]
fn absent_tables_and_indexes_are_reported_as_searches_do() {
    let bench = Bench::counting(1);
    let refusal = |table: &str, index: &str| {
        let request = SearchRequest {
            table_name: Some(table.to_owned()),
            index_name: Some(index.to_owned()),
            ..request(&query(Query::MatchAll))
        };
        bench.unlocked(search, request).unwrap_err()
    };
    assert_eq!(
        refusal("u", "i"),
        ServiceError::parameter("table [u] does not exist")
    );
    assert_eq!(
        refusal("t", "j"),
        ServiceError::new(400, "OTSMetaNotMatch", "search index [j] does not exist")
    );
}

proptest! {
    #[test]
    fn pages_of_any_size_give_the_sorted_result(
        values in prop::collection::vec(prop::option::of(-3..3_i64), 0..40),
        limit in 1..7_i32,
        offset in 0..5_i32,
        descending: bool,
        count: bool,
    ) {
        let bench = Bench::with_rows((0..).zip(&values).map(|(id, value)| {
            let cells: Vec<_> = value
                .map(|value| ("l", ColumnValue::from(value)))
                .into_iter()
                .collect();
            row(id, &cells)
        }));
        let mut expected: Vec<_> = (0_i64..).zip(&values).collect();
        expected.sort_by_key(|(_, value)| {
            let value = value.map(|value| if descending { -value } else { value });
            (value.is_none(), value)
        });
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(id, _)| id)
            .skip(offset as usize)
            .collect();
        let order = if descending { SortOrder::Desc } else { SortOrder::Asc };
        let query = SearchQuery {
            limit: Some(limit),
            offset: Some(offset),
            get_total_count: Some(count),
            sort: Some(sort(vec![field_sorter(by_field("l", order))])),
            ..query(Query::MatchAll)
        };
        prop_assert_eq!(pages(&bench, query).concat(), expected);
    }
}
