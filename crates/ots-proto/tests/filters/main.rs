//! Filters and conditions: what official SDKs write, both ways; and what is refused (`refused`).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

#[allow(dead_code, reason = "the other vectors need the rest")]
#[path = "../common/mod.rs"]
mod common;
mod refused;

use bytes::Bytes;
use common::{cases, text_of};
use ots_proto::filter::{CastType, Condition, Filter, FilterErrorKind, ReadFilter, RowExistence};
use ots_proto::messages::{
    self, BatchGetRowRequest, BulkExportRequest, GetRangeRequest, GetRowRequest, PutRowRequest,
    SingleColumnValueFilter, ValueTransferRule,
};
use ots_proto::plainbuffer::VariantRef;
use ots_proto::strategy;
use proptest::prelude::*;
use prost::Message;
use refused::{leaf, single};

/// The request of a vector.
fn request<M: Message + Default>(name: &str) -> M {
    let text = include_str!("../../vectors/requests.json");
    let cases = cases("requests.json", text, 109);
    let case = cases.iter().find(|case| text_of(&case["name"]) == name);
    let bytes = hex::decode(text_of(&case.unwrap()["hex"])).unwrap();
    M::decode(Bytes::from(bytes)).unwrap()
}

#[test]
fn filters_have_the_bytes_that_official_sdks_give_them() {
    let column = |name| Filter::column(name);
    let get_row = |name| request::<GetRowRequest>(name).filter;
    let batch: BatchGetRowRequest = request("batch_get_row");
    let c = column("c").ne(true);
    let d = column("d").le(vec![0x00, 0xff]);
    let nested = column("a")
        .eq("x")
        .and(column("b").lt(1.5))
        .or(c.not())
        .or(d);
    let cases: [(&str, Option<Bytes>, Filter); 6] = [
        (
            "get_row_filter_single",
            get_row("get_row_filter_single"),
            column("age").ge(18).only_if_present().any_version().into(),
        ),
        (
            "get_row_filter_nested",
            get_row("get_row_filter_nested"),
            nested,
        ),
        (
            "get_row_filter_regex_int",
            get_row("get_row_filter_regex_int"),
            column("s")
                .transfer("t:([0-9]+)", CastType::Integer)
                .gt(10)
                .into(),
        ),
        (
            "batch_get_row",
            batch.tables.iter().find_map(|table| table.filter.clone()),
            column("a").gt(0).into(),
        ),
        (
            "get_range_everything",
            request::<GetRangeRequest>("get_range_everything").filter,
            column("a").ne(1).into(),
        ),
        (
            "bulk_export",
            request::<BulkExportRequest>("bulk_export").filter,
            column("a").gt(5).only_if_present().into(),
        ),
    ];
    for (name, bytes, expected) in cases {
        let bytes = bytes.unwrap_or_else(|| panic!("{name} has no filter"));
        assert_eq!(Filter::decode(bytes.clone()).unwrap(), expected, "{name}");
        assert_eq!(expected.encode().unwrap(), bytes, "{name}");
    }
}

#[test]
fn existence_keeps_its_expression_and_carries_a_zero() {
    let bytes = request::<GetRowRequest>("get_row_filter_regex_exist")
        .filter
        .unwrap();
    let operand = Filter::column("s").transfer("(x+)", CastType::String);
    let expected = Filter::from(operand.exists().any_version());
    assert_eq!(Filter::decode(bytes.clone()).unwrap(), expected);
    assert_eq!(expected.encode().unwrap(), bytes);
}

#[test]
fn a_condition_has_the_bytes_that_official_sdks_give_it() {
    let message = request::<PutRowRequest>("put_row_condition_return_pk").condition;
    let existence = match message.row_existence {
        0 => RowExistence::Ignore,
        1 => RowExistence::Expect,
        _ => RowExistence::ExpectNot,
    };
    let filter = Filter::column("s").eq("old");
    let expected = Condition::row(existence).columns(filter);
    assert_eq!(Condition::from_message(&message).unwrap(), expected);
    assert_eq!(expected.to_message().unwrap(), message);
}

#[test]
fn a_row_without_the_column_passes_where_official_sdks_let_it() {
    let column = || Filter::column("a");
    assert!(column().eq(1).pass_if_missing);
    assert!(column().ne(1).pass_if_missing);
    assert!(!column().eq(1).only_if_present().pass_if_missing);
    // The class for these, in the SDKs, never lets it pass.
    assert!(!column().exists().pass_if_missing);
    assert!(!column().not_exists().pass_if_missing);
    let part = column().transfer("(.)", CastType::Integer).eq(1);
    assert!(!part.pass_if_missing);
    assert!(part.pass_if_missing().pass_if_missing);
}

/// An SDK lets one build this; the service's documentation has paginations stand alone.
#[test]
fn a_pagination_inside_a_combination_is_refused() {
    let bytes = request::<GetRowRequest>("get_row_pagination_filter")
        .filter
        .unwrap();
    let error = ReadFilter::decode(bytes).unwrap_err();
    assert!(
        matches!(error.kind(), FilterErrorKind::MisplacedPagination),
        "{error}"
    );
}

#[test]
fn an_absent_cast_leaves_the_text_as_it_is() {
    let message = SingleColumnValueFilter {
        column_value: VariantRef::String("x").encode(),
        value_trans_rule: Some(ValueTransferRule {
            regex: "a(.)".to_owned(),
            cast_type: None,
        }),
        ..single()
    };
    let filter = Filter::decode(leaf(&message).encode_to_vec()).unwrap();
    let expected = Filter::column("c")
        .transfer("a(.)", CastType::String)
        .eq("x");
    assert_eq!(filter, expected.into());
}

#[test]
fn a_condition_without_columns_says_only_what_it_expects() {
    for condition in [
        Condition::ignore(),
        Condition::expect_exist(),
        Condition::expect_not_exist(),
    ] {
        let message = condition.to_message().unwrap();
        assert_eq!(message.column_condition, None);
        assert_eq!(Condition::from_message(&message).unwrap(), condition);
    }
    let unknown = messages::Condition {
        row_existence: 3,
        column_condition: None,
    };
    let error = Condition::from_message(&unknown).unwrap_err();
    assert_eq!(error.to_string(), "row_existence is 3, which is unknown");
}

proptest! {
    #[test]
    fn filters_survive_the_wire(filter in strategy::read_filter()) {
        let bytes = filter.encode().unwrap();
        prop_assert_eq!(ReadFilter::decode(bytes).unwrap(), filter);
    }

    #[test]
    fn conditions_survive_the_wire(condition in strategy::condition()) {
        let message = condition.to_message().unwrap();
        prop_assert_eq!(Condition::from_message(&message).unwrap(), condition);
    }

    #[test]
    fn a_filter_that_was_cut_is_refused(filter in strategy::read_filter(), cut in any::<proptest::sample::Index>()) {
        let bytes = filter.encode().unwrap();
        let cut = bytes.slice(..cut.index(bytes.len()));
        prop_assert!(ReadFilter::decode(cut).is_err());
    }

    /// What can be understood can be said again, and means the same.
    #[test]
    fn damage_is_refused_or_is_another_filter(
        filter in strategy::read_filter(),
        at in any::<proptest::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut bytes = filter.encode().unwrap().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(read) = ReadFilter::decode(bytes)
            && let Ok(again) = read.encode()
        {
            // By their text, because NaN isn't equal to itself.
            let again = ReadFilter::decode(again).unwrap();
            prop_assert_eq!(format!("{again:?}"), format!("{read:?}"));
        }
    }
}
