//! Split points: the service's answer as ranges, and answers that would lose rows.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "the other vectors need the rest")]
mod common;

use std::error::Error as _;
use std::sync::Arc;

use bytes::Bytes;
use common::{cases, hex_of};
use ots_proto::messages::{
    ComputeSplitPointsBySizeResponse, PrimaryKeySchema, PrimaryKeyType, SplitLocation,
};
use ots_proto::plainbuffer::write_primary_key;
use ots_proto::{PrimaryKey, PrimaryKeyValue, SplitPointError, TableSplits, strategy};
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message as _;

fn key_column(name: &str, column_type: PrimaryKeyType) -> PrimaryKeySchema {
    PrimaryKeySchema {
        name: name.to_owned(),
        r#type: column_type.into(),
        option: None,
    }
}

fn schema() -> Vec<PrimaryKeySchema> {
    vec![
        key_column("gid", PrimaryKeyType::Integer),
        key_column("uid", PrimaryKeyType::String),
    ]
}

fn point(gid: impl Into<PrimaryKeyValue>) -> PrimaryKey {
    PrimaryKey::new().column("gid", gid)
}

fn message(points: &[PrimaryKey], runs: &[(&str, i64)]) -> ComputeSplitPointsBySizeResponse {
    ComputeSplitPointsBySizeResponse {
        schema: schema(),
        split_points: points.iter().map(write_primary_key).collect(),
        locations: runs
            .iter()
            .map(|(location, repeat)| SplitLocation {
                location: (*location).to_owned(),
                repeat: *repeat,
            })
            .collect(),
        ..ComputeSplitPointsBySizeResponse::default()
    }
}

fn refusal(message: &ComputeSplitPointsBySizeResponse) -> String {
    TableSplits::from_message(message).unwrap_err().to_string()
}

#[test]
fn the_answer_of_the_service_becomes_ranges_and_an_answer_again() {
    let text = include_str!("../vectors/responses.json");
    let cases = cases("responses.json", text, 42);
    let case = cases
        .iter()
        .find(|case| case["name"] == "compute_split_points");
    let body = Bytes::from(hex_of(&case.unwrap()["hex"]));
    let message = ComputeSplitPointsBySizeResponse::decode(body).unwrap();
    let splits = TableSplits::from_message(&message).unwrap();

    assert_eq!(splits.schema(), schema());
    let bounds = [
        PrimaryKey::min(["gid", "uid"]),
        point(10).column("uid", "m"),
        point(20).column("uid", PrimaryKeyValue::InfMin),
        PrimaryKey::max(["gid", "uid"]),
    ];
    assert_eq!(splits.splits().len(), 3);
    for (split, bounds) in splits.splits().iter().zip(bounds.windows(2)) {
        assert_eq!([split.start.clone(), split.end.clone()], bounds);
    }
    let located = splits
        .splits()
        .iter()
        .map(|split| split.location.as_deref());
    assert_eq!(located.collect::<Vec<_>>(), [Some("A"), Some("A"), None]);

    let consumed = message.consumed;
    let again = ComputeSplitPointsBySizeResponse {
        consumed,
        ..splits.to_message()
    };
    assert_eq!(again, message);
}

#[test]
fn without_points_the_table_is_one_split() {
    let splits = TableSplits::from_message(&message(&[], &[]))
        .unwrap()
        .into_splits();
    assert_eq!(splits.len(), 1);
    assert_eq!(splits[0].start, PrimaryKey::min(["gid", "uid"]));
    assert_eq!(splits[0].end, PrimaryKey::max(["gid", "uid"]));
    assert_eq!(splits[0].location, None);
}

#[test]
fn a_bound_that_is_infinite_in_part_is_an_ordinary_one() {
    let bound = point(10).column("uid", PrimaryKeyValue::InfMax);
    let splits = TableSplits::from_message(&message(std::slice::from_ref(&bound), &[])).unwrap();
    assert_eq!(splits.splits()[0].end, bound);
    assert_eq!(
        splits.to_message().split_points,
        [write_primary_key(&bound)]
    );
}

#[test]
fn points_that_would_lose_or_repeat_rows_are_refused() {
    let order = |point| format!("split point {point} is not after the one before it");
    assert_eq!(refusal(&message(&[point(2), point(1)], &[])), order(1));
    assert_eq!(refusal(&message(&[point(1), point(1)], &[])), order(1));
    // `(1)` and `(1, INF_MIN)` are one place.
    let same = point(1).column("uid", PrimaryKeyValue::InfMin);
    assert_eq!(refusal(&message(&[point(1), same], &[])), order(1));
    // At the very beginning, and at the very end.
    assert_eq!(
        refusal(&message(&[point(PrimaryKeyValue::InfMin)], &[])),
        order(0)
    );
    let end = PrimaryKey::max(["gid", "uid"]);
    assert_eq!(refusal(&message(&[point(1), end], &[])), order(2));
}

#[test]
fn points_of_another_table_are_refused() {
    let wrong = |column| {
        format!("column {column} of split point 1 is not column {column} of the table's key")
    };
    let cases = [
        (PrimaryKey::new().column("id", 5), wrong(0)),
        (point("text"), wrong(0)),
        (point(PrimaryKeyValue::AutoIncrement), wrong(0)),
        (point(5).column("uid", 1), wrong(1)),
        (point(5).column("uid", "u").column("more", 1), wrong(2)),
    ];
    for (second, expected) in cases {
        assert_eq!(refusal(&message(&[point(1), second], &[])), expected);
    }
    let mut damaged = message(&[point(1)], &[]);
    damaged.split_points[0] = Bytes::from_static(&[0x75, 0, 0, 0]);
    let error = TableSplits::from_message(&damaged).unwrap_err();
    assert_eq!(error.to_string(), "split point 0 can't be read");
    assert_eq!(
        error.source().unwrap().to_string(),
        "expected one row, found none (byte 4)"
    );
}

#[test]
fn locations_are_counted_before_they_are_unrolled() {
    let refused = |runs| refusal(&message(&[point(1)], runs));
    assert_eq!(refused(&[("A", 1)]), "2 splits, but locations of 1");
    assert_eq!(refused(&[("A", 3)]), "2 splits, but locations of 3");
    assert_eq!(
        refused(&[("A", i64::MAX), ("B", i64::MAX), ("C", i64::MAX)]),
        format!("2 splits, but locations of {}", u64::MAX)
    );
    assert_eq!(
        refused(&[("A", 3), ("B", -1)]),
        "2 splits, and a location repeated a negative number of times"
    );
    // A run of none is a run.
    let splits = TableSplits::from_message(&message(&[point(1)], &[("A", 0), ("B", 2)])).unwrap();
    assert_eq!(splits.splits()[1].location.as_deref(), Some("B"));
}

#[test]
fn splits_of_one_place_share_its_text_however_many_they_are() {
    // 1,000 points, and a place of a kilobyte for all: copied for each it would be a megabyte, and
    // with larger numbers as much as there is.
    let points: Vec<PrimaryKey> = (0..1_000).map(point).collect();
    let place = "x".repeat(1_000);
    let splits = TableSplits::from_message(&message(&points, &[(&place, 1_001)])).unwrap();
    let first = splits.splits()[0].location.as_ref().unwrap();
    assert_eq!(**first, *place);
    for split in splits.splits() {
        assert!(Arc::ptr_eq(split.location.as_ref().unwrap(), first));
    }
}

#[test]
fn a_key_has_columns_but_not_thousands() {
    for key_columns in [0, 17, 100_000] {
        let message = ComputeSplitPointsBySizeResponse {
            schema: vec![PrimaryKeySchema::default(); key_columns],
            ..message(&[], &[])
        };
        let error = TableSplits::from_message(&message).unwrap_err();
        assert!(matches!(error, SplitPointError::Schema { .. }), "{error}");
    }
}

proptest! {
    #[test]
    fn splits_are_the_whole_table_without_gaps(
        points in btree_set((any::<i64>(), option::of(".{0,3}")), 0..8),
        located in any::<bool>(),
        places in vec(option::of("[AB]"), 9),
    ) {
        let points: Vec<PrimaryKey> = points
            .into_iter()
            .map(|(gid, uid)| match uid {
                Some(uid) => point(gid).column("uid", uid),
                None => point(gid),
            })
            .collect();
        let count = points.len() + 1;
        let places = places.into_iter().take(if located { count } else { 0 });
        let places = places.map(|place| place.map(Arc::from));
        let splits = TableSplits::new(schema(), points.clone(), places).unwrap();
        let all = splits.splits();
        prop_assert_eq!(all.len(), count);
        prop_assert_eq!(&all[0].start, &PrimaryKey::min(["gid", "uid"]));
        prop_assert_eq!(&all[count - 1].end, &PrimaryKey::max(["gid", "uid"]));
        for pair in all.windows(2) {
            prop_assert_eq!(&pair[0].end, &pair[1].start);
        }
        for split in all {
            prop_assert!(split.start < split.end);
            prop_assert_eq!(split.start.len(), 2);
        }
        let message = splits.to_message();
        prop_assert_eq!(TableSplits::from_message(&message).unwrap(), splits);
    }

    #[test]
    fn points_of_any_kind_are_taken_or_refused(points in vec(strategy::primary_key(), 0..4)) {
        let _ = TableSplits::from_message(&message(&points, &[]));
    }
}
