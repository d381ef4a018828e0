//! Orders, scores, inner hits, highlights and collapsed rows.

use ots_proto::ColumnValue;
use ots_proto::messages;
use ots_proto::search::{
    FieldSort, GeoDistanceSort, GeoPoint, Highlight, HighlightEncoder, HighlightParameter,
    InnerHits, MissingValue, NestedFilter, Query, SearchQuery, SearchResponse, Sort, SortMode,
    SortOrder, Sorter, TotalCount,
};

use super::super::search;
use crate::error::ServiceError;
use crate::search::testing::{Bench, ids, row};

fn run(bench: &Bench, query: &SearchQuery) -> Result<SearchResponse, ServiceError> {
    let request = messages::SearchRequest {
        table_name: Some("t".to_owned()),
        index_name: Some("i".to_owned()),
        search_query: Some(query.to_bytes().unwrap()),
        ..messages::SearchRequest::default()
    };
    let response = bench.unlocked(search, request)?;
    Ok(SearchResponse::from_message(&response).unwrap())
}

fn refusal(bench: &Bench, query: &SearchQuery) -> String {
    let error = run(bench, query).unwrap_err();
    assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
    error.message
}

/// The ids of all pages.
fn paged(bench: &Bench, mut query: SearchQuery) -> Vec<i64> {
    let mut all = Vec::new();
    loop {
        let page = run(bench, &query).unwrap();
        all.extend(ids(&page.rows));
        let Some(token) = page.next_token else {
            return all;
        };
        query.sort = None;
        query = query.token(token);
    }
}

fn sorted(sort: impl Into<Sort>) -> SearchQuery {
    SearchQuery::new(Query::MatchAll).sort(sort)
}

fn point(text: &str) -> GeoPoint {
    text.parse().unwrap()
}

#[test]
fn the_best_come_first_page_by_page() {
    let texts = ["tea", "tea tea", "house", "tea house tea tea"];
    let rows = (0..)
        .zip(texts)
        .map(|(id, text)| row(id, &[("x", text.into())]));
    let bench = Bench::with_rows(rows);
    let search = SearchQuery::new(Query::match_text("x", "tea")).sort(Sorter::Score(None));
    assert_eq!(paged(&bench, search.clone().limit(1)), [3, 1, 0]);
    let page = run(&bench, &search).unwrap();
    let scores: Vec<_> = page.hits().iter().map(|hit| hit.score.unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    let worst_first = search.sort(Sorter::score(SortOrder::Asc));
    assert_eq!(paged(&bench, worst_first.limit(2)), [0, 1, 3]);
    // Scores matter only where they are asked for.
    let plain = SearchQuery::new(Query::match_text("x", "tea"));
    let page = run(&bench, &plain).unwrap();
    assert_eq!(ids(&page.rows), [0, 1, 3]);
    assert!(page.hits().is_empty());
}

#[test]
fn places_are_sorted_by_their_distance() {
    let places = [Some("0,9"), Some("0,1"), None, Some("0,5")];
    let bench = Bench::with_rows((0..).zip(places).map(|(id, place)| {
        let cells: Vec<_> = place
            .map(|place| ("g", ColumnValue::from(place)))
            .into_iter()
            .collect();
        row(id, &cells)
    }));
    let from = |points: &[&str]| GeoDistanceSort::new("g", points.iter().map(|text| point(text)));
    assert_eq!(paged(&bench, sorted(from(&["0,0"])).limit(1)), [1, 3, 0, 2]);
    assert_eq!(
        paged(
            &bench,
            sorted(from(&["0,0"]).order(SortOrder::Desc)).limit(3)
        ),
        [0, 3, 1, 2]
    );
    let between = from(&["0,0", "0,8"]);
    assert_eq!(
        paged(&bench, sorted(between.clone()).limit(2)),
        [0, 1, 3, 2]
    );
    assert_eq!(
        paged(&bench, sorted(between.mode(SortMode::Max)).limit(2)),
        [3, 1, 0, 2]
    );
    assert_eq!(
        refusal(&bench, &sorted(GeoDistanceSort::new("l", [point("0,0")]))),
        "can't sort by the distance of field [l] of type LONG"
    );
}

#[test]
fn rows_without_a_value_go_where_they_are_told() {
    let values = [Some(3), None, Some(1)];
    let bench = Bench::with_rows((0..).zip(values).map(|(id, value)| {
        let mut cells = vec![("off", ColumnValue::from(2))];
        cells.extend(value.map(|value| ("l", ColumnValue::from(value))));
        row(id, &cells)
    }));
    let by = |sort: FieldSort| paged(&bench, sorted(sort).limit(1));
    assert_eq!(by(FieldSort::asc("l")), [2, 0, 1]);
    assert_eq!(
        by(FieldSort::asc("l").missing_value(MissingValue::First)),
        [1, 2, 0]
    );
    assert_eq!(
        by(FieldSort::desc("l").missing_value(MissingValue::First)),
        [1, 0, 2]
    );
    assert_eq!(
        by(FieldSort::desc("l").missing_value(MissingValue::Last)),
        [0, 2, 1]
    );
    assert_eq!(by(FieldSort::asc("l").missing_value(2)), [2, 1, 0]);
    assert_eq!(by(FieldSort::asc("l").missing_field("off")), [2, 1, 0]);
    assert_eq!(
        refusal(&bench, &sorted(FieldSort::asc("l").missing_value("x"))),
        "the STRING value of the query can't be compared with field [l] of type LONG"
    );
}

fn nested() -> Bench {
    Bench::with_nested_rows([
        row(
            0,
            &[(
                "n",
                r#"[{"k":"a","l":5,"x":"green tea"},{"k":"b","l":1,"x":"a house"}]"#.into(),
            )],
        ),
        row(
            1,
            &[(
                "n",
                r#"[{"k":"a","l":3,"x":"tea, black tea"},{"k":"a","l":4,"x":"no"}]"#.into(),
            )],
        ),
        row(2, &[("l", 1.into())]),
    ])
}

#[test]
fn inner_rows_sort_rows_and_filters_choose_them() {
    let bench = nested();
    let by = |sort: FieldSort| ids(&run(&bench, &sorted(sort)).unwrap().rows);
    assert_eq!(by(FieldSort::asc("n.l")), [0, 1, 2]);
    assert_eq!(
        by(FieldSort::asc("n.l").nested_filter(NestedFilter::new("n", Query::term("n.k", "a")))),
        [1, 0, 2]
    );
    assert_eq!(by(FieldSort::desc("n.l").mode(SortMode::Max)), [0, 1, 2]);
}

#[test]
fn an_index_with_nested_fields_gives_a_token_only_to_a_sorted_search() {
    let bench = nested();
    let search = SearchQuery::new(Query::MatchAll).limit(1);
    assert_eq!(run(&bench, &search).unwrap().next_token, None);
    let search = search.sort(Sorter::primary_key(SortOrder::Asc));
    assert_eq!(paged(&bench, search), [0, 1, 2]);
}

#[test]
fn inner_hits_tell_which_inner_rows_matched() {
    let hits = InnerHits::new()
        .sort(FieldSort::desc("n.l"))
        .highlight(Highlight::field("n.x"));
    let query = Query::nested("n", Query::match_text("n.x", "tea no")).inner_hits(hits);
    let page = run(&nested(), &SearchQuery::new(query)).unwrap();
    assert_eq!(ids(&page.rows), [0, 1]);
    let found: Vec<Vec<_>> = page
        .hits()
        .iter()
        .map(|hit| {
            let inner = hit.inner_hits("n").iter();
            inner
                .map(|inner| {
                    (
                        inner.nested_doc_offset.unwrap(),
                        inner.highlights("n.x").join("|"),
                    )
                })
                .collect()
        })
        .collect();
    let hit = |offset: u32, text: &str| (offset, text.to_owned());
    assert_eq!(
        found,
        [
            vec![hit(0, "green <em>tea</em>")],
            vec![
                hit(1, "<em>no</em>"),
                hit(0, "<em>tea</em>, black <em>tea</em>")
            ],
        ]
    );
}

#[test]
fn highlights_mark_what_was_found() {
    let text = "Tea & <b>tea house</b>, a long way from here to the next house of tea";
    let bench = Bench::with_rows([row(0, &[("h", text.into()), ("x", "tea".into())])]);
    let marked = |query: Query, parameter: HighlightParameter, encoder| {
        let highlight = Highlight::field(parameter).encoder(encoder);
        let search = SearchQuery::new(query).highlight(highlight);
        run(&bench, &search).unwrap().hits()[0]
            .highlights("h")
            .to_vec()
    };
    let plain = HighlightEncoder::Plain;
    let tea = || Query::match_text("h", "tea").into();
    assert_eq!(
        marked(tea(), HighlightParameter::new("h").tags("[", "]"), plain),
        ["[Tea] & <b>[tea] house</b>, a long way from here to the next house of [tea]"]
    );
    assert_eq!(
        marked(
            tea(),
            HighlightParameter::new("h").fragment_size(13),
            HighlightEncoder::Html
        ),
        ["<em>Tea</em> &amp; &lt;b&gt;<em>tea</em> ", " <em>tea</em>"]
    );
    assert_eq!(
        marked(
            Query::match_phrase("h", "tea house").into(),
            HighlightParameter::new("h").fragment_size(30),
            plain
        ),
        ["Tea & <b><em>tea</em> <em>house</em></b>, a long"]
    );
    let unmarked = SearchQuery::new(Query::match_text("x", "tea")).highlight(Highlight::field("x"));
    assert_eq!(
        refusal(&bench, &unmarked),
        "highlighting is not supported for field[x]"
    );
}

#[test]
fn collapsed_rows_are_the_first_of_their_value() {
    let cells = |k: Option<&str>| k.map(|k| ("k", ColumnValue::from(k)));
    let values = [Some("a"), Some("b"), Some("a"), None, Some("c"), None];
    let rows = (0..)
        .zip(values)
        .map(|(id, k)| row(id, &Vec::from_iter(cells(k))));
    let bench = Bench::with_rows(rows);
    let search = SearchQuery::new(Query::MatchAll)
        .collapse("k")
        .total(TotalCount::Exact);
    let page = run(&bench, &search).unwrap();
    assert_eq!(ids(&page.rows), [0, 1, 3, 4]);
    assert_eq!(page.total(), Some(6));
    let page = run(&bench, &search.clone().limit(2).offset(1)).unwrap();
    assert_eq!((ids(&page.rows), page.next_token), (vec![1, 3], None));
    let backwards = search.sort(Sorter::primary_key(SortOrder::Desc));
    assert_eq!(ids(&run(&bench, &backwards).unwrap().rows), [5, 4, 2, 1]);
}

#[test]
fn a_filter_beside_the_query_narrows_the_rows() {
    let bench = Bench::counting(10);
    let search = SearchQuery::new(Query::range("l").gte(3))
        .filter(Query::range("l").lt(5))
        .total(TotalCount::Exact);
    let page = run(&bench, &search).unwrap();
    assert_eq!((ids(&page.rows), page.total()), (vec![3, 4], Some(2)));
}

#[test]
fn the_nearest_rows_come_in_the_order_asked_for() {
    let rows = (0..50).map(|id| row(id, &[("v", format!("[{id},0]").as_str().into())]));
    let bench = Bench::with_rows(rows);
    let search = SearchQuery::new(Query::knn_vector("v", [20.2, 0.0], 3)).total(TotalCount::Exact);
    let page = run(&bench, &search).unwrap();
    assert_eq!((ids(&page.rows), page.total()), (vec![19, 20, 21], Some(3)));
    assert_eq!(
        paged(&bench, search.sort(Sorter::Score(None)).limit(1)),
        [20, 21, 19]
    );
}
