//! Tables cut into splits.

use ots_proto::TableSplits;
use ots_proto::messages::ComputeSplitPointsBySizeResponse;

pub(crate) fn splits(message: &ComputeSplitPointsBySizeResponse) {
    let Ok(splits) = TableSplits::from_message(message) else {
        return;
    };
    assert_eq!(splits.splits().len(), message.split_points.len() + 1);
    for pair in splits.splits().windows(2) {
        assert_eq!(pair[0].end, pair[1].start);
        assert!(pair[0].start < pair[0].end);
    }
    let again = TableSplits::from_message(&splits.to_message()).expect("splits that were written");
    assert_eq!(again, splits);
}
