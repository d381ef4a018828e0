//! What a search says besides its rows: scores, groups, numbers; and the kinds of queries and orders
//! that go beyond equal and less.

use ots_core::request::Search;
use ots_core::{ErrorCode, Query};
use ots_proto::search::{
    Aggregation, FieldSort, GroupBy, GroupBySorter, QueryOperator, SearchQuery, SearchResponse,
    SortOrder, Sorter, TotalCount,
};

use super::{INDEX, Place};

async fn send(place: &Place, search: SearchQuery) -> SearchResponse {
    let search = Search::with(&place.table("bulk").name, INDEX, search);
    place
        .client()
        .send(search)
        .await
        .unwrap()
        .into_inner()
        .response
}

async fn count(place: &Place, query: impl Into<Query>) -> Option<u64> {
    let search = SearchQuery::new(query).limit(0).total(TotalCount::Exact);
    send(place, search).await.total()
}

/// Words, phrases, patterns and queries that hold others find as many rows as they should.
pub async fn queries_of_words_and_patterns_find_what_they_say(place: &Place) {
    place.load_index().await;
    let words = |text: &str| Query::match_text("note", text);
    let cases: Vec<(Query, u64)> = vec![
        (words("beta").into(), 20),
        (words("ALPHA gamma").into(), 20),
        (words("alpha beta").operator(QueryOperator::And).into(), 10),
        (words("alpha beta gamma").minimum_should_match(2).into(), 20),
        (Query::match_phrase("note", "beta gamma").into(), 10),
        (Query::match_phrase("note", "gamma beta").into(), 0),
        (Query::match_text("n", "28").into(), 1),
        (Query::wildcard("kw", "k?"), 219),
        (Query::wildcard("kw", "*1"), 32),
        (Query::const_score(Query::term("n", 3)), 1),
        (
            Query::dis_max([Query::term("n", 3), Query::term("n", 4)]).into(),
            2,
        ),
        (Query::function_score(Query::range("n").lt(7), "n"), 7),
    ];
    for (query, expected) in cases {
        let found = count(place, query.clone()).await;
        assert_eq!(found, Some(expected), "{query:?}");
    }
}

/// A score that is a field's value sorts as the field does.
pub async fn scores_decide_where_they_are_asked_to(place: &Place) {
    place.load_index().await;
    let query = Query::function_score(Query::const_score(Query::range("n").gt(0)), "n");
    let search = SearchQuery::new(query)
        .sort(Sorter::score(SortOrder::Desc))
        .limit(5);
    let by_score = send(place, search).await;
    let by_field = SearchQuery::new(Query::MatchAll)
        .sort(FieldSort::desc("n"))
        .limit(5);
    assert_eq!(by_score.rows, send(place, by_field).await.rows);
}

/// Numbers are about every match, whatever the page.
pub async fn aggregations_see_every_match(place: &Place) {
    place.load_index().await;
    let search = SearchQuery::new(Query::range("n").lt(100))
        .limit(1)
        .aggregation("sum", Aggregation::sum("n"))
        .aggregation("mean", Aggregation::avg("n"))
        .aggregation("least", Aggregation::min("n"))
        .aggregation("most", Aggregation::max("n"))
        .aggregation("kinds", Aggregation::distinct_count("kw"));
    let results = send(place, search).await.aggregations;
    assert_eq!(results.sum("sum").unwrap(), Some(4950.0));
    assert_eq!(results.avg("mean").unwrap(), Some(49.5));
    assert_eq!(results.min("least").unwrap(), Some(0.0));
    assert_eq!(results.max("most").unwrap(), Some(99.0));
    assert_eq!(results.distinct_count("kinds").unwrap(), 8);

    let search = SearchQuery::new(Query::range("n").lt(100))
        .limit(0)
        .aggregation("count", Aggregation::count("n"))
        .aggregation("half", Aggregation::percentiles("n", [50.0]))
        .aggregation(
            "top",
            Aggregation::top_rows().limit(2).sort(FieldSort::desc("n")),
        );
    let results = send(place, search).await.aggregations;
    assert_eq!(results.count("count").unwrap(), 100);
    assert_eq!(
        results.percentiles("half").unwrap()[0].value,
        Some(49.into())
    );
    assert_eq!(results.top_rows("top").unwrap().len(), 2);
}

/// Groups by value, range, query and interval, with numbers inside.
pub async fn group_bys_cut_the_matches(place: &Place) {
    place.load_index().await;
    let by_key = || GroupBySorter::key(SortOrder::Asc);
    let search = SearchQuery::new(Query::MatchAll)
        .limit(0)
        .group_by(
            "g",
            GroupBy::field("g")
                .sort(by_key())
                .aggregation("most", Aggregation::max("n")),
        )
        .group_by("range", GroupBy::range("n").range(..100.0).range(100.0..))
        .group_by(
            "filter",
            GroupBy::filter([Query::term("g", "g1"), Query::MatchAll]),
        )
        .group_by("histogram", GroupBy::histogram("n", 100));
    let results = send(place, search).await.group_bys;
    let groups: Vec<_> = results
        .field("g")
        .unwrap()
        .iter()
        .map(|group| {
            let most = group.aggregations.max("most").unwrap();
            (group.key.as_str(), group.row_count, most)
        })
        .collect();
    let expected = ["g0", "g1", "g2", "g3", "g4"]
        .into_iter()
        .zip([49.0, 99.0, 149.0, 199.0, 249.0]);
    let expected: Vec<_> = expected.map(|(key, most)| (key, 50, Some(most))).collect();
    assert_eq!(groups, expected);
    let counts = |counts: Vec<u64>| counts;
    let range = results
        .range("range")
        .unwrap()
        .iter()
        .map(|group| group.row_count)
        .collect();
    assert_eq!(counts(range), [100, 150]);
    let filter = results
        .filter("filter")
        .unwrap()
        .iter()
        .map(|group| group.row_count)
        .collect();
    assert_eq!(counts(filter), [50, 250]);
    let histogram = results
        .histogram("histogram")
        .unwrap()
        .iter()
        .map(|group| group.row_count);
    assert_eq!(counts(histogram.collect()), [100, 100, 50]);
}

/// Every combination comes once, whatever the size of a page.
pub async fn a_composite_is_paged_to_its_end(place: &Place) {
    place.load_index().await;
    let mut rows = 0;
    let mut pages = 0;
    let mut token: Option<String> = None;
    loop {
        let mut composite = GroupBy::composite()
            .source("g", GroupBy::field("g"))
            .source("flag", GroupBy::field("flag"))
            .size(4);
        if let Some(token) = token.take() {
            composite = composite.next_token(token);
        }
        let search = SearchQuery::new(Query::MatchAll)
            .limit(0)
            .group_by("c", composite);
        let results = send(place, search).await.group_bys;
        let page = results.composite("c").unwrap();
        rows += page.groups.iter().map(|group| group.row_count).sum::<u64>();
        pages += 1;
        token.clone_from(&page.next_token);
        if token.is_none() {
            break;
        }
        assert!(pages < 20, "the pages don't end");
    }
    assert_eq!(rows, 250);
}

/// A sum of texts is refused, and says so.
pub async fn a_sum_of_texts_is_refused(place: &Place) {
    place.load_index().await;
    let search = SearchQuery::new(Query::MatchAll).aggregation("sum", Aggregation::sum("kw"));
    let search = Search::with(&place.table("bulk").name, INDEX, search);
    let error = place.client().send(search).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ParameterInvalid));
}
