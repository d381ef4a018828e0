//! What a search is, as a number: so that a place of one isn't taken for a place of another.

use ots_proto::messages::SearchRequest;
use ots_proto::search::{SearchError, SearchQuery};

use crate::resume::Fnv;

/// A hash of everything that decides which rows come, and in which order.
///
/// It is written down by programs, so it must stay the same over versions of this crate. It is over the
/// encoded message, in which a field that a search doesn't set leaves no trace: fields that the service
/// is given later change nothing.
pub(super) fn fingerprint(
    mut message: SearchRequest,
    query: &SearchQuery,
) -> Result<u64, SearchError> {
    let mut query = query.clone();
    (query.offset, query.limit, query.token, query.total) = (None, None, None, None);
    message.search_query = Some(query.to_bytes()?);
    message.timeout_ms = None;
    Ok(Fnv::of(&prost::Message::encode_to_vec(&message)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ots_core::request::{Columns, Request as _, Search};
    use ots_proto::PrimaryKey;
    use ots_proto::search::{Aggregation, FieldSort, Query, TotalCount};

    use super::*;

    fn of(search: Search) -> u64 {
        let message = search.into_message().unwrap();
        let query = SearchQuery::from_bytes(message.search_query.as_ref().unwrap()).unwrap();
        fingerprint(message, &query).unwrap()
    }

    fn search_in(table: &str, index: &str, query: Query) -> Search {
        Search::new(table, index, query)
            .columns(Columns::AllFromIndex)
            .sort(FieldSort::asc("price"))
    }

    fn search() -> Search {
        search_in("orders", "by_city", Query::MatchAll)
    }

    #[test]
    fn it_stays_the_same_over_versions() {
        // Written down by programs: if this changes, the version of a SearchPoint must too. Computed
        // apart from this code, in Python, over a message written byte by byte.
        assert_eq!(of(search()), FINGERPRINT);
    }

    #[test]
    fn it_tells_searches_apart_and_ignores_what_does_not_matter() {
        let all = of(search());
        let key = PrimaryKey::new().column("city", "Hangzhou");
        for (name, other) in [
            ("table", search_in("order", "by_city", Query::MatchAll)),
            ("index", search_in("orders", "by_date", Query::MatchAll)),
            (
                "table and index apart",
                search_in("ordersb", "y_city", Query::MatchAll),
            ),
            (
                "query",
                search_in("orders", "by_city", Query::exists("price")),
            ),
            ("filter", search().filter(Query::exists("price"))),
            ("columns", search().columns(Columns::PrimaryKey)),
            ("column names", {
                search().columns(Columns::Specified(vec!["price".to_owned()]))
            }),
            ("order", search().sort(FieldSort::desc("price"))),
            ("field of the order", search().sort(FieldSort::asc("city"))),
            ("collapse", search().collapse("city")),
            ("routing", search().routing([key])),
            ("aggregation", {
                search().aggregation("most", Aggregation::max("price"))
            }),
        ] {
            assert_ne!(of(other), all, "{name}");
        }
        for (name, same) in [
            ("limit", search().limit(7)),
            ("offset", search().offset(7)),
            ("count", search().count_all()),
            ("count up to", search().total(TotalCount::UpTo(9))),
            ("timeout", search().timeout(Duration::from_secs(5))),
            ("parts", search().allow_partial()),
        ] {
            assert_eq!(of(same), all, "{name}");
        }
    }

    const FINGERPRINT: u64 = 0x0e64_5299_12a7_5353;
}
