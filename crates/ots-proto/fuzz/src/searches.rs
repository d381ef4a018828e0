//! Searches, scans and their answers, as values.

use std::error::Error;
use std::iter::successors;

use ots_proto::messages;
use ots_proto::operation::MessageError;
use ots_proto::search::{ScanQuery, SearchQuery, SearchResponse};
use prost::Message as _;

pub(crate) fn search(message: &messages::SearchQuery) {
    if let Ok(search) = SearchQuery::from_message(message)
        && let Ok(written) = search.to_message()
    {
        let again = SearchQuery::from_message(&written).expect("a search that was written");
        let again = again.to_message().expect("once more");
        assert_eq!(again.encode_to_vec(), written.encode_to_vec());
    }
}

pub(crate) fn scan(message: &messages::ScanQuery) {
    let _ = ScanQuery::from_message(message);
}

pub(crate) fn response(message: &messages::SearchResponse) {
    if let Ok(response) = SearchResponse::from_message(message)
        && let Ok(written) = response.to_message()
    {
        let again = match SearchResponse::from_message(&written) {
            // Without the fields that nobody knows it is shorter, and may take no more memory than that.
            Err(error) if is_too_large(&error) => return,
            again => again.expect("a response that was written"),
        };
        let again = again.to_message().expect("once more");
        assert_eq!(again.encode_to_vec(), written.encode_to_vec());
    }
}

fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |error| (*error).source()).any(|error| {
        matches!(
            error.downcast_ref::<MessageError>(),
            Some(MessageError::TooLarge { .. })
        )
    })
}
