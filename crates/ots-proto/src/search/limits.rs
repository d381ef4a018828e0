//! What the service takes, as far as it says so: asked before a search is sent, by whoever wants to know.
//!
//! Sending doesn't ask, because the service's limits have changed before, and differ between instances.

use super::aggregation::Aggregations;
use super::error::{SearchError, SearchErrorKind};
use super::group_by::{GroupBy, GroupByKind, GroupBys};
use super::highlight::Highlight;
use super::query::Query;
use super::scan_query::ScanQuery;
use super::search_query::SearchQuery;

impl SearchQuery {
    /// Whether the service takes this search, by the limits of its documentation. Sending doesn't ask:
    /// they change, and an instance may have others.
    ///
    /// ```
    /// use ots_proto::search::{Query, SearchQuery};
    ///
    /// let ids = Query::terms("id", 0..2_000);
    /// let search = SearchQuery::new(Query::exists("city").and(ids)).limit(100);
    /// let error = search.check_limits().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "query > bool > terms: 2000 values, the service takes at most 1024"
    /// );
    /// ```
    ///
    /// # Errors
    /// When something is too long, too large or too many, with its place; when rows are asked for by a
    /// token and in another way.
    ///
    /// Source: the service's documentation of the limits of search indexes.
    pub fn check_limits(&self) -> Result<(), SearchError> {
        let queries = [("query", &self.query), ("filter", &self.filter)];
        for (part, query) in queries {
            if let Some(query) = query {
                check_query(query).map_err(|error| error.within(part))?;
            }
        }
        let (offset, limit) = (self.offset.unwrap_or(0), self.limit.unwrap_or(0));
        at_most("rows in a page", limit as usize, 1_000)?;
        let last = (offset as usize).saturating_add(limit as usize);
        at_most("rows by offset and limit", last, 100_000)?;
        if self.token.is_some() {
            let other = [
                (
                    self.sort.is_some(),
                    "a token carries the sort: leave it out",
                ),
                (
                    self.offset.is_some(),
                    "a token carries the place: leave out the offset",
                ),
                (
                    self.collapse.is_some(),
                    "pages of collapsed rows go by offset, not by token",
                ),
            ];
            if let Some((_, rule)) = other.into_iter().find(|(given, _)| *given) {
                return Err(SearchError::invalid(rule));
            }
        }
        if let Some(highlight) = &self.highlight {
            check_highlight(highlight)?;
        }
        check_aggregations(&self.aggregations)?;
        check_group_bys(&self.group_bys, 1)
    }
}

impl ScanQuery {
    /// As [`SearchQuery::check_limits`], for a scan.
    ///
    /// # Errors
    /// When something is too long, too large or too many, with its place.
    pub fn check_limits(&self) -> Result<(), SearchError> {
        match &self.query {
            Some(query) => check_query(query).map_err(|error| error.within("query")),
            None => Ok(()),
        }
    }
}

fn check_query(query: &Query) -> Result<(), SearchError> {
    at_most("queries", count(query), 1_024)?;
    check_each(query)
}

/// This query and those inside it, each on its own.
fn check_each(query: &Query) -> Result<(), SearchError> {
    let itself = match query {
        Query::Terms(terms) => at_most("values", terms.values.len(), 1_024),
        Query::Prefix(prefix) => at_most("bytes", prefix.prefix.len(), 1_000),
        Query::Wildcard(wildcard) => at_most("characters", wildcard.pattern.chars().count(), 32),
        Query::KnnVector(vector) => at_most("rows by top_k", vector.top_k as usize, 1_000),
        Query::GeoPolygon(polygon) if polygon.points.len() < 3 => {
            Err(SearchError::invalid("a polygon has three points or more"))
        }
        Query::Nested(nested) => {
            let hits = nested.inner_hits.as_deref();
            hits.and_then(|hits| hits.highlight.as_ref())
                .map_or(Ok(()), check_highlight)
        }
        _ => Ok(()),
    };
    let mut children = query.children().into_iter();
    itself
        .and_then(|()| children.try_for_each(check_each))
        .map_err(|error| error.within(query.kind()))
}

fn count(query: &Query) -> usize {
    1 + query.children().into_iter().map(count).sum::<usize>()
}

fn check_highlight(highlight: &Highlight) -> Result<(), SearchError> {
    let check = || {
        at_most("fields", highlight.parameters.len(), 10)?;
        highlight.parameters.iter().try_for_each(|parameter| {
            let fragments = parameter.number_of_fragments.unwrap_or(0);
            at_most("fragments", fragments as usize, 500)
                .map_err(|error| error.within(parameter.field.as_str()))
        })
    };
    check().map_err(|error: SearchError| error.within("highlight"))
}

fn check_aggregations(aggregations: &Aggregations) -> Result<(), SearchError> {
    at_most("aggregations of a level", aggregations.len(), 5)
}

fn check_group_bys(group_bys: &GroupBys, depth: usize) -> Result<(), SearchError> {
    if group_bys.is_empty() {
        return Ok(());
    }
    at_most("levels of group-bys", depth, 3)?;
    at_most("group-bys of a level", group_bys.len(), 5)?;
    group_bys.iter().try_for_each(|(name, group_by)| {
        check_group_by(group_by, depth).map_err(|error| error.within(format!("group-by {name:?}")))
    })
}

fn check_group_by(group_by: &GroupBy, depth: usize) -> Result<(), SearchError> {
    const SIZE: usize = 2_000;
    let size = |size: Option<u32>| at_most("groups by size", size.unwrap_or(0) as usize, SIZE);
    match &group_by.kind {
        GroupByKind::Field(by) => size(by.size)?,
        GroupByKind::Composite(by) => size(by.size)?,
        GroupByKind::Range(by) => at_most("ranges", by.ranges.len(), 100)?,
        GroupByKind::GeoDistance(by) => at_most("ranges", by.ranges.len(), 10)?,
        GroupByKind::Filter(by) => {
            at_most("filters", by.filters.len(), 10)?;
            by.filters.iter().try_for_each(check_query)?;
        }
        _ => {}
    }
    check_aggregations(&group_by.aggregations)?;
    check_group_bys(&group_by.group_bys, depth + 1)
}

fn at_most(what: &'static str, found: usize, most: usize) -> Result<(), SearchError> {
    if found <= most {
        return Ok(());
    }
    Err(SearchError::new(SearchErrorKind::Limit {
        what,
        found,
        most,
    }))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::{Aggregation, InnerHits, Sort, Sorter};
    use super::*;
    use crate::messages::SortOrder;

    fn refusal(search: &SearchQuery) -> String {
        search.check_limits().unwrap_err().to_string()
    }

    fn query(query: impl Into<Query>) -> String {
        refusal(&SearchQuery::new(query))
    }

    #[test]
    fn a_query_beyond_a_limit_is_named_with_its_place() {
        let values = |count| Query::terms("a", 0..count);
        assert!(SearchQuery::new(values(1_024)).check_limits().is_ok());
        let text = "query > bool > nested > terms: 1025 values, the service takes at most 1024";
        let nested = Query::nested("n", values(1_025));
        assert_eq!(query(Query::exists("b").or(nested)), text);
        for (query, expected) in [
            (
                Query::prefix("a", "x".repeat(1_001)),
                "prefix: 1001 bytes, the service takes at most 1000",
            ),
            (
                Query::wildcard("a", "杭".repeat(33)),
                "wildcard: 33 characters, the service takes at most 32",
            ),
            (
                Query::knn_vector("a", [0.5], 1_001).into(),
                "knn_vector: 1001 rows by top_k, the service takes at most 1000",
            ),
            (
                Query::geo_polygon("a", []),
                "geo_polygon: a polygon has three points or more",
            ),
        ] {
            let error = check_query(&query).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert!(ScanQuery::new(query).check_limits().is_err());
        }
        let many = (0..1_024).map(|id| Query::exists(format!("{id}")));
        let many = many.reduce(Query::or).unwrap();
        let text = "query: 1025 queries, the service takes at most 1024";
        assert_eq!(query(many), text);
        let highlight = (1..11).fold(Highlight::field("n.0"), |highlight, field| {
            highlight.and(format!("n.{field}"))
        });
        let nested = Query::nested("n", Query::MatchAll);
        let nested = nested.inner_hits(InnerHits::new().highlight(highlight));
        let text = "query > nested > highlight: 11 fields, the service takes at most 10";
        assert_eq!(query(nested), text);
    }

    #[test]
    fn pages_are_asked_for_in_one_way() {
        let search = || SearchQuery::new(Query::MatchAll);
        let token = || search().token(Bytes::from_static(b"there"));
        let order = || Sort::by(Sorter::primary_key(SortOrder::Asc));
        assert!(token().limit(1_000).check_limits().is_ok());
        assert!(search().offset(99_000).limit(1_000).check_limits().is_ok());
        for (search, expected) in [
            (
                search().limit(1_001),
                "1001 rows in a page, the service takes at most 1000",
            ),
            (
                search().offset(99_001).limit(1_000),
                "100001 rows by offset and limit, the service takes at most 100000",
            ),
            (
                token().sort(order()),
                "a token carries the sort: leave it out",
            ),
            (
                token().offset(0),
                "a token carries the place: leave out the offset",
            ),
            (
                token().collapse("a"),
                "pages of collapsed rows go by offset, not by token",
            ),
        ] {
            assert_eq!(refusal(&search), expected);
        }
    }

    #[test]
    fn groups_have_limits_on_every_level() {
        let search = |group_by: GroupBy| SearchQuery::new(Query::MatchAll).group_by("a", group_by);
        let by = || GroupBy::from(GroupBy::field("f"));
        let deep = |levels: usize| (1..levels).fold(by(), |inner, _| by().group_by("a", inner));
        assert!(search(deep(3)).check_limits().is_ok());
        let place = "group-by \"a\" > group-by \"a\" > group-by \"a\"";
        let text = format!("{place}: 4 levels of group-bys, the service takes at most 3");
        assert_eq!(refusal(&search(deep(4))), text);

        let six = (0..6).fold(by(), |by, name| {
            by.aggregation(format!("{name}"), Aggregation::count("f"))
        });
        let text = "group-by \"a\": 6 aggregations of a level, the service takes at most 5";
        assert_eq!(refusal(&search(six)), text);
        let filters = GroupBy::filter(vec![Query::MatchAll; 11]);
        let text = "group-by \"a\": 11 filters, the service takes at most 10";
        assert_eq!(refusal(&search(filters.into())), text);
        let size = GroupBy::composite().source("s", by()).size(2_001);
        let text = "group-by \"a\": 2001 groups by size, the service takes at most 2000";
        assert_eq!(refusal(&search(size.into())), text);
    }
}
