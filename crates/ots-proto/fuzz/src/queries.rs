//! Queries of a search index.

use ots_proto::messages;
use ots_proto::search::Query;
use prost::Message as _;

/// A query as a message.
pub(crate) fn query(data: &[u8]) {
    if let Ok(message) = messages::Query::decode(data) {
        query_message(&message);
    }
}

pub(crate) fn query_message(message: &messages::Query) {
    let Ok(query) = Query::from_message(message) else {
        return;
    };
    let bytes = query.to_message().encode_to_vec();
    let message = messages::Query::decode(&*bytes).expect("a message that was written");
    let again = Query::from_message(&message).expect("a query that was written");
    // By their bytes, because NaN isn't equal to itself.
    assert_eq!(again.to_message().encode_to_vec(), bytes);
}

/// A query as JSON.
pub(crate) fn query_json(data: &[u8]) {
    let Ok(json) = serde_json::from_slice(data) else {
        return;
    };
    let Ok(query) = Query::from_json(&json) else {
        return;
    };
    let again = Query::from_json(&query.to_json()).expect("a query that was written");
    assert_eq!(again, query);
    query_message(&query.to_message());
}
