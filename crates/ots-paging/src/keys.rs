//! The least that must be read of every row to know which rows there are.

use ots_proto::PrimaryKey;
use ots_proto::filter::{Filter, FilterRef, ReadFilter};
use ots_proto::messages::GetRangeRequest;

/// A request that gives a row for each row that `message` gives, with as few columns as possible.
///
/// Key columns that are asked for by name keep a row that has no other column asked for. So they are
/// enough where every row comes; a filter needs its own columns besides. But where only some columns
/// are asked for, and no key column among them, a row without any of them is left out, which shows only
/// when they are read: that request stays as it is.
pub(crate) fn keys_only(message: &GetRangeRequest, key: &PrimaryKey) -> GetRangeRequest {
    let mut request = message.clone();
    let keys: Vec<String> = key.columns().iter().map(|c| c.name.to_string()).collect();
    let asked = &message.columns_to_get;
    if !asked.is_empty() && !asked.iter().any(|name| keys.contains(name)) {
        return request;
    }
    let mut columns = keys;
    match message.filter.clone().map(ReadFilter::decode) {
        None => {}
        Some(Ok(ReadFilter::Rows(filter))) => add_columns(&filter, &mut columns, asked),
        // Positions of columns, or a filter that a later version of this library made.
        Some(Ok(ReadFilter::Columns(_)) | Err(_)) => return request,
    }
    request.columns_to_get = columns;
    request
}

/// Whether rows may be left out of what such a request reads.
pub(crate) fn leaves_rows_out(message: &GetRangeRequest, key: &PrimaryKey) -> bool {
    let is_key = |name: &String| key.get(name).is_some();
    let columns = &message.columns_to_get;
    message.filter.is_some() || (!columns.is_empty() && !columns.iter().any(is_key))
}

/// The columns a filter looks at. Of columns that aren't asked for it sees nothing, and so it must stay.
fn add_columns(filter: &Filter, columns: &mut Vec<String>, asked: &[String]) {
    match filter.as_ref() {
        FilterRef::Column(filter) => {
            let name = &filter.column;
            if !columns.contains(name) && (asked.is_empty() || asked.contains(name)) {
                columns.push(name.clone());
            }
        }
        FilterRef::Not(filter) => add_columns(filter, columns, asked),
        FilterRef::And(filters) | FilterRef::Or(filters) => {
            for filter in filters {
                add_columns(filter, columns, asked);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use ots_core::filter::Filter;
    use ots_core::request::{GetRange, Request as _};

    use super::*;

    fn columns(change: impl FnOnce(GetRange) -> GetRange) -> Vec<String> {
        let (start, end) = (PrimaryKey::min(["c", "id"]), PrimaryKey::max(["c", "id"]));
        let message = change(GetRange::new("t", start.clone(), end)).into_message();
        keys_only(&message.unwrap(), &start).columns_to_get
    }

    #[test]
    fn keys_are_enough_where_every_row_comes() {
        assert_eq!(columns(|range| range), ["c", "id"]);
        assert_eq!(columns(|range| range.columns(["a", "id"])), ["c", "id"]);
    }

    #[test]
    fn a_filter_keeps_its_columns_as_far_as_it_saw_them() {
        let filter = || Filter::column("a").gt(1).and(Filter::column("b").exists());
        let filtered = columns(|range| range.filter(filter()));
        assert_eq!(filtered, ["c", "id", "a", "b"]);
        let filtered = columns(|range| range.filter(filter()).columns(["id", "b", "z"]));
        assert_eq!(filtered, ["c", "id", "b"]);
    }

    #[test]
    fn columns_that_decide_which_rows_come_stay() {
        assert_eq!(columns(|range| range.columns(["a", "z"])), ["a", "z"]);
    }
}
