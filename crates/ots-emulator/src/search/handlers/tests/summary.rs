//! Aggregations and group-bys.

use ots_proto::ColumnValue;
use ots_proto::messages;
use ots_proto::search::{
    Aggregation, DateTimeUnit, DateTimeValue, FieldSort, GeoHashPrecision, GroupBy, GroupBySorter,
    GroupRange, Query, SearchQuery, SearchResponse, SortOrder,
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

/// `l` counts to 99, `la` is `[-1, l]`, `ka` is `["a", "b", l]`, `k` is even or odd, `t` are days.
fn hundred() -> Bench {
    Bench::with_rows((0..100).map(|n| {
        row(
            n,
            &[
                ("l", n.into()),
                ("d", (n as f64 / 2.0).into()),
                ("la", format!("[-1,{n}]").as_str().into()),
                ("ka", format!(r#"["a","b","{n}"]"#).as_str().into()),
                ("k", if n % 2 == 0 { "even" } else { "odd" }.into()),
                ("b", (n < 10).into()),
                ("t", (n * 86_400).into()),
                ("g", format!("0,{n}").as_str().into()),
            ],
        )
    }))
}

fn all() -> SearchQuery {
    SearchQuery::new(Query::MatchAll).limit(0)
}

fn aggregated(aggregation: impl Into<Aggregation>) -> SearchResponse {
    run(&hundred(), &all().aggregation("a", aggregation)).unwrap()
}

#[test]
fn metrics_are_exact() {
    let results = |aggregation: ots_proto::search::Metric| aggregated(aggregation).aggregations;
    assert_eq!(
        results(Aggregation::sum("la")).sum("a").unwrap(),
        Some(4850.0)
    );
    assert_eq!(
        results(Aggregation::avg("la")).avg("a").unwrap(),
        Some(24.25)
    );
    assert_eq!(
        results(Aggregation::min("la")).min("a").unwrap(),
        Some(-1.0)
    );
    assert_eq!(results(Aggregation::max("d")).max("a").unwrap(), Some(49.5));
    assert_eq!(
        results(Aggregation::max("t")).max("a").unwrap(),
        Some(99.0 * 86_400_000.0)
    );
    let distinct = |field: &str| {
        results(Aggregation::distinct_count(field))
            .distinct_count("a")
            .unwrap()
    };
    assert_eq!(
        (distinct("ka"), distinct("la"), distinct("k")),
        (102, 101, 2)
    );
    let count = |field: &str| {
        aggregated(Aggregation::count(field))
            .aggregations
            .count("a")
            .unwrap()
    };
    assert_eq!((count("ka"), count("la"), count("ga")), (300, 200, 0));
}

#[test]
fn a_missing_value_stands_for_rows_without_one() {
    let bench = Bench::with_rows((0..4).map(|n| {
        let cells: Vec<_> = (n > 1)
            .then(|| ("l", ColumnValue::from(n)))
            .into_iter()
            .collect();
        row(n, &cells)
    }));
    let search = all()
        .aggregation("min", Aggregation::min("l").missing(-100))
        .aggregation("distinct", Aggregation::distinct_count("l").missing(-100))
        .aggregation("sum", Aggregation::sum("l"))
        .aggregation("max", Aggregation::max("d"))
        .aggregation("none", Aggregation::sum("d"));
    let results = run(&bench, &search).unwrap().aggregations;
    assert_eq!(results.min("min").unwrap(), Some(-100.0));
    assert_eq!(results.distinct_count("distinct").unwrap(), 3);
    assert_eq!(results.sum("sum").unwrap(), Some(5.0));
    assert_eq!(results.max("max").unwrap(), None);
    assert_eq!(results.sum("none").unwrap(), Some(0.0));
}

#[test]
fn percentiles_lie_between_values() {
    let of = |field: &str, percents: [f64; 2]| -> Vec<_> {
        let found = aggregated(Aggregation::percentiles(field, percents)).aggregations;
        let found = found.percentiles("a").unwrap().iter();
        found.map(|found| found.value.clone().unwrap()).collect()
    };
    assert_eq!(of("l", [50.0, 100.0]), [49.into(), 99.into()]);
    assert_eq!(of("d", [0.0, 50.0]), [0.0.into(), 24.75.into()]);
}

#[test]
fn top_rows_come_in_their_order() {
    let top = Aggregation::top_rows().limit(2).sort(FieldSort::desc("l"));
    let results = aggregated(top).aggregations;
    assert_eq!(ids(results.top_rows("a").unwrap()), [99, 98]);
}

#[test]
fn groups_by_field_come_largest_first() {
    let groups = |group_by: ots_proto::search::GroupByField| {
        let found = run(&hundred(), &all().group_by("g", group_by))
            .unwrap()
            .group_bys;
        let found = found.field("g").unwrap().iter();
        found
            .map(|group| (group.key.clone(), group.row_count))
            .collect::<Vec<_>>()
    };
    let group = |key: &str, rows| (key.to_owned(), rows);
    assert_eq!(
        groups(GroupBy::field("k")),
        [group("even", 50), group("odd", 50)]
    );
    assert_eq!(
        groups(GroupBy::field("b")),
        [group("false", 90), group("true", 10)]
    );
    assert_eq!(
        groups(GroupBy::field("ka").size(3)),
        [group("a", 100), group("b", 100), group("0", 1)]
    );
    assert_eq!(groups(GroupBy::field("ka").min_doc_count(2)).len(), 2);
    let by_key = GroupBySorter::key(SortOrder::Desc);
    assert_eq!(
        groups(GroupBy::field("l").sort(by_key).size(1)),
        [group("99", 1)]
    );
}

#[test]
fn groups_hold_aggregations_and_groups_and_are_sorted_by_them() {
    let inner = GroupBy::field("b").aggregation("sum", Aggregation::sum("l"));
    let outer = GroupBy::field("k")
        .sort(GroupBySorter::sub_aggregation("max", SortOrder::Desc))
        .aggregation("max", Aggregation::max("l"))
        .group_by("small", inner);
    let found = run(&hundred(), &all().group_by("g", outer))
        .unwrap()
        .group_bys;
    let groups = found.field("g").unwrap();
    let keys: Vec<_> = groups.iter().map(|group| group.key.as_str()).collect();
    assert_eq!(keys, ["odd", "even"]);
    assert_eq!(groups[0].aggregations.max("max").unwrap(), Some(99.0));
    let small = &groups[1].group_bys.field("small").unwrap()[1];
    assert_eq!((small.key.as_str(), small.row_count), ("true", 5));
    assert_eq!(small.aggregations.sum("sum").unwrap(), Some(20.0));
}

#[test]
fn ranges_filters_and_distances_keep_empty_groups() {
    let origin = "0,0".parse().unwrap();
    let search = all()
        .group_by(
            "range",
            GroupBy::range("la")
                .range(50.0..60.0)
                .range(..0.0)
                .range(1000.0..),
        )
        .group_by(
            "filter",
            GroupBy::filter([Query::term("l", 3), Query::term("l", -3), Query::MatchAll]),
        )
        .group_by(
            "distance",
            GroupBy::geo_distance("g", origin)
                .range(1e9..2e9)
                .range(..200_000.0)
                .aggregation("sum", Aggregation::sum("l")),
        );
    let found = run(&hundred(), &search).unwrap().group_bys;
    let range = |from: f64, to: f64| GroupRange::from(from..to);
    let ranges: Vec<_> = found
        .range("range")
        .unwrap()
        .iter()
        .map(|group| (group.key, group.row_count))
        .collect();
    let end = f64::INFINITY;
    assert_eq!(
        ranges,
        [
            (range(-end, 0.0), 100),
            (range(50.0, 60.0), 10),
            (range(1000.0, end), 0)
        ]
    );
    let filters: Vec<_> = found
        .filter("filter")
        .unwrap()
        .iter()
        .map(|group| group.row_count)
        .collect();
    assert_eq!(filters, [1, 0, 100]);
    let distances: Vec<_> = found
        .geo_distance("distance")
        .unwrap()
        .iter()
        .map(|group| {
            (
                group.key,
                group.row_count,
                group.aggregations.sum("sum").unwrap(),
            )
        })
        .collect();
    assert_eq!(
        distances,
        [
            (range(1e9, 2e9), 0, Some(0.0)),
            (range(0.0, 200_000.0), 2, Some(1.0))
        ]
    );
}

#[test]
fn histograms_cut_numbers_and_days() {
    let search = all()
        .group_by("l", GroupBy::histogram("l", 30).field_range(30, 90))
        .group_by("la", GroupBy::histogram("la", 100).offset(-1))
        .group_by("d", GroupBy::histogram("d", 24.75))
        .group_by(
            "month",
            GroupBy::date_histogram("t", DateTimeValue::new(1, DateTimeUnit::Month))
                .time_zone("+08:00"),
        )
        .group_by("cell", GroupBy::geo_grid("g", GeoHashPrecision::Level1));
    let found = run(&hundred(), &search).unwrap().group_bys;
    let histogram = |name: &str| -> Vec<_> {
        let groups = found.histogram(name).unwrap().iter();
        groups
            .map(|group| (group.key.clone(), group.row_count))
            .collect()
    };
    assert_eq!(
        histogram("l"),
        [(30.into(), 30), (60.into(), 30), (90.into(), 10)]
    );
    assert_eq!(histogram("la"), [((-1).into(), 100), (99.into(), 1)]);
    assert_eq!(
        histogram("d"),
        [(0.0.into(), 50), (24.75.into(), 49), (49.5.into(), 1)]
    );
    let hours = |hours: i64| hours * 3_600_000;
    let months: Vec<_> = found
        .date_histogram("month")
        .unwrap()
        .iter()
        .map(|group| (group.key, group.row_count))
        .collect();
    assert_eq!(
        months,
        [
            (hours(-8), 31),
            (hours(31 * 24 - 8), 28),
            (hours(59 * 24 - 8), 31),
            (hours(90 * 24 - 8), 10),
        ]
    );
    let cells = found.geo_grid("cell").unwrap();
    let cells: Vec<_> = cells
        .iter()
        .map(|group| (group.key.hash.as_str(), group.row_count))
        .collect();
    // A cell of this level is 45 degrees wide.
    assert_eq!(cells, [("s", 45), ("t", 45), ("w", 10)]);
}

#[test]
fn a_composite_reaches_every_group_page_by_page() {
    let bench = hundred();
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let mut composite = GroupBy::composite()
            .source("k", GroupBy::field("k"))
            .source("l", GroupBy::histogram("l", 50))
            .size(3);
        composite.next_token = token;
        let found = run(&bench, &all().group_by("c", composite))
            .unwrap()
            .group_bys;
        let page = found.composite("c").unwrap();
        assert_eq!(page.source_names, ["k", "l"]);
        keys.extend(page.groups.iter().map(|group| {
            let texts: Vec<_> = group.key.iter().flatten().map(String::as_str).collect();
            (texts.join(" "), group.row_count)
        }));
        token = page.next_token.clone();
        if token.is_none() {
            break;
        }
    }
    let group = |key: &str| (key.to_owned(), 25);
    assert_eq!(
        keys,
        [
            group("even 0"),
            group("even 50"),
            group("odd 0"),
            group("odd 50")
        ]
    );
}

#[test]
fn misuse_is_refused_with_its_reason() {
    let refusal = |search: SearchQuery| {
        let error = run(&hundred(), &search).unwrap_err();
        assert_eq!((error.status, error.code), (400, "OTSParameterInvalid"));
        error.message
    };
    let aggregation = |aggregation: Aggregation| refusal(all().aggregation("a", aggregation));
    let group_by = |group_by: GroupBy| refusal(all().group_by("g", group_by));
    for (found, expected) in [
        (
            aggregation(Aggregation::sum("k").into()),
            "[sum agg] field_name:k type:keyword is invalid, allow [long, double]",
        ),
        (
            aggregation(Aggregation::avg("nope").into()),
            "[avg agg] field: nope does not exist",
        ),
        (
            aggregation(Aggregation::distinct_count("nope").into()),
            "[distinct count agg] field: nope does not exist",
        ),
        (
            aggregation(Aggregation::top_rows().limit(10_000).into()),
            "[top rows agg] limit is from 1 to 100, not 10000",
        ),
        (
            group_by(GroupBy::field("k").size(2001).into()),
            "the size of a group-by is from 1 to 2000, not 2001",
        ),
        (
            group_by(
                GroupBy::composite()
                    .source("k", GroupBy::field("k"))
                    .size(3000)
                    .into(),
            ),
            "the size of a group-by is from 1 to 2000, not 3000",
        ),
        (
            group_by(GroupBy::histogram("l", 0).into()),
            "the interval of a histogram must be positive",
        ),
        (
            group_by(
                GroupBy::field("k")
                    .sort(GroupBySorter::sub_aggregation("x", SortOrder::Asc))
                    .into(),
            ),
            "groups can't be sorted by [x]: no aggregation inside that is a number has the name",
        ),
    ] {
        assert_eq!(found, expected);
    }
    let level = |inner: GroupBy| GroupBy::field("k").group_by("g", inner);
    let deep = level(level(level(GroupBy::field("k").into())));
    assert_eq!(group_by(deep), "group-bys may be nested 3 levels deep");
    let many = (0..6).fold(all(), |search, n| {
        search.aggregation(format!("a{n}"), Aggregation::count("l"))
    });
    assert_eq!(
        refusal(many),
        "at most 5 aggregations may stand on a level, not 6"
    );
}

#[test]
fn groups_without_rows_inside_of_each_other_cannot_fill_the_memory() {
    let ranges = || {
        (0..100).fold(GroupBy::range("l"), |group_by, n| {
            group_by.range(f64::from(n)..0.0)
        })
    };
    let search = all().group_by(
        "g",
        ranges().group_by("g", ranges().group_by("g", ranges())),
    );
    let error = run(&hundred(), &search).unwrap_err();
    assert_eq!(error.message, "a search gives at most 100000 groups in all");
}
