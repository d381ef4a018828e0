//! Search indexes and Search.

use ots_core::request::{
    CreateSearchIndex, DeleteSearchIndex, DescribeSearchIndex, ListSearchIndex, ScanColumns, Search,
};
use ots_core::{ErrorCode, Query};
use ots_proto::search::{FieldSort, FieldType, Open};

use super::{INDEX, Place, canonical};
use crate::canonical::Row;
use crate::{expectation, own_client};

/// Created, listed, described, deleted; and then it is gone.
pub async fn an_index_lives_from_its_creation_to_its_deletion(place: &Place) {
    let table = place.numbered("searched", 1).await;
    let client = place.client();
    let create = || {
        CreateSearchIndex::new(&table, "passing")
            .field("n", FieldType::Long)
            .field("note", FieldType::Text)
    };
    client.send(create()).await.unwrap();
    let error = client.send(create()).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ObjectAlreadyExist));

    let own = client.send(ListSearchIndex::new().table(&table)).await;
    let own = own.unwrap();
    assert_eq!(own.len(), 1);
    assert_eq!((&own[0].table, own[0].index.as_str()), (&table, "passing"));
    let everywhere = client.send(ListSearchIndex::new()).await.unwrap();
    assert!(everywhere.contains(&own[0]));

    let described = client.send(DescribeSearchIndex::new(&table, "passing"));
    let schema = described.await.unwrap().into_inner().schema.unwrap();
    let fields: Vec<_> = schema
        .fields
        .iter()
        .map(|field| (&field.name[..], field.field_type, field.sort_and_agg))
        .collect();
    let expected = [
        ("n", Open::Known(FieldType::Long), Some(true)),
        ("note", Open::Known(FieldType::Text), Some(false)),
    ];
    assert_eq!(fields, expected);

    let delete = || client.send(DeleteSearchIndex::new(&table, "passing"));
    delete().await.unwrap();
    let own = client.send(ListSearchIndex::new().table(&table)).await;
    assert_eq!(*own.unwrap(), []);
    let error = delete().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist));
}

/// The token of a page leads to the next one, and its absence ends the search.
pub async fn pages_by_token_give_every_match_once(place: &Place) {
    let rows = place.load_index().await;
    let search = || Search::new(&place.table("bulk").name, INDEX, Query::MatchAll).limit(60);
    let mut read = Vec::new();
    let mut token = None;
    loop {
        let request = match token {
            None => search().count_all(),
            Some(token) => search().count_all().token(token),
        };
        let reply = place.client().send(request).await.unwrap();
        assert!(reply.rows.len() <= 60);
        assert_eq!(reply.total(), Some(250));
        read.extend(reply.rows().unwrap().iter().map(canonical));
        token = reply.into_inner().response.next_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(read, rows);
}

/// The token carries the order and the place, so the same request can go on with it.
pub async fn pages_by_token_keep_the_order_of_the_first(place: &Place) {
    let rows = place.load_index().await;
    let search = || {
        Search::new(&place.table("bulk").name, INDEX, Query::MatchAll)
            .sort(FieldSort::desc("n"))
            .offset(3)
            .limit(40)
    };
    let mut read = Vec::new();
    let mut request = search();
    loop {
        let reply = place.client().send(request).await.unwrap();
        read.extend(reply.rows().unwrap().iter().map(canonical));
        let Some(token) = reply.into_inner().response.next_token else {
            break;
        };
        request = search().token(token);
    }
    read.reverse();
    assert_eq!(read, rows[..247]);
}

/// Every query that the client has a word for finds the rows that it should.
pub async fn queries_find_what_they_say(place: &Place) {
    let rows = place.load_index().await;
    for (name, query) in own_client::queries() {
        let columns = ScanColumns::Specified(vec!["n".to_owned()]);
        let search = Search::new(&place.table("bulk").name, INDEX, query);
        let search = search.columns(columns).limit(100).count_all();
        let reply = place.client().send(search).await.unwrap();
        let read: Vec<Row> = reply.rows().unwrap().iter().map(canonical).collect();
        let expected = found_by(rows, name, &["n"]);
        assert_eq!(reply.total(), u64::try_from(expected.len()).ok(), "{name}");
        assert_eq!(read, expected, "{name}");
    }
}

/// Sorted by a field, counted without rows, and read from an offset.
pub async fn a_search_sorts_counts_and_skips(place: &Place) {
    let rows = place.load_index().await;
    let search = || {
        let query = Query::range("n").gte(100);
        Search::new(&place.table("bulk").name, INDEX, query.into())
    };
    let counted = place.client().send(search().limit(0).count_all()).await;
    let counted = counted.unwrap();
    assert_eq!((counted.rows.len(), counted.total()), (0, Some(150)));

    let by_n = search().sort(FieldSort::desc("n"));
    let page = place
        .client()
        .send(by_n.offset(10).limit(20))
        .await
        .unwrap();
    assert_eq!(page.total(), None, "nobody asked for it");
    let mut read: Vec<Row> = page.rows().unwrap().iter().map(canonical).collect();
    read.reverse();
    assert_eq!(read, rows[220..240]);
}

/// No index is an error, an index without matches is not.
pub async fn an_absent_index_is_told_from_an_empty_one(place: &Place) {
    place.load_index().await;
    let search = |index: &str| {
        let query = Query::term("kw", "nowhere");
        place
            .client()
            .send(Search::new(&place.table("bulk").name, index, query).count_all())
    };
    let reply = search(INDEX).await.unwrap();
    assert_eq!((reply.rows.len(), reply.total()), (0, Some(0)));
    let error = search("nowhere").await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::MetaNotMatch));
}

/// The rows that a named query must find, with some of their columns.
pub(super) fn found_by(rows: &[Row], name: &str, columns: &[&str]) -> Vec<Row> {
    let queries = expectation::queries::queries(rows);
    let (_, found) = queries
        .into_iter()
        .find(|(query, _)| *query == name)
        .unwrap();
    let found = found.into_iter();
    found.map(|row| row.with_columns(columns)).collect()
}
