//! Filters and conditions.

use bytes::Bytes;
use ots_proto::filter::{Condition, Filter, FilterErrorKind, ReadFilter};
use ots_proto::messages;

/// A filter of a read, and the same as the condition of a write.
pub(crate) fn filter(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let read = ReadFilter::decode(bytes.clone());
    match (&read, Filter::decode(bytes)) {
        (Ok(ReadFilter::Rows(read)), Ok(condition)) => {
            assert_eq!(format!("{read:?}"), format!("{condition:?}"));
        }
        (Ok(ReadFilter::Columns(_)), Err(error)) => {
            assert!(matches!(error.kind(), FilterErrorKind::MisplacedPagination));
        }
        (Err(_), Err(_)) => {}
        (read, condition) => panic!("{read:?} against {condition:?}"),
    }
    let Ok(filter) = read else { return };
    match filter.encode() {
        Ok(bytes) => {
            assert_eq!(bytes.len(), filter.encode().expect("once more").len());
            let again = ReadFilter::decode(bytes.clone()).expect("a filter that was written");
            // By their bytes, because NaN isn't equal to itself.
            assert_eq!(again.encode().expect("once more"), bytes);
        }
        // What can be understood but never hold, or isn't taken by the service.
        Err(error) => assert!(
            matches!(
                error.kind(),
                FilterErrorKind::RegexLength { .. } | FilterErrorKind::CastType { .. }
            ),
            "{error} in what was read: {filter:?}"
        ),
    }
}

pub(crate) fn condition(message: &messages::Condition) {
    if let Ok(condition) = Condition::from_message(message)
        && let Ok(written) = condition.to_message()
    {
        let again = Condition::from_message(&written).expect("a condition that was written");
        assert_eq!(again.to_message().expect("once more"), written);
    }
}
