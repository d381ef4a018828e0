//! What can't be understood, or can't be sent: by its name and its place.

use bytes::Bytes;
use ots_proto::filter::{
    CastType, ColumnPagination, Condition, Filter, FilterErrorKind, ReadFilter,
};
use ots_proto::messages::{
    self, ColumnPaginationFilter, ComparatorType, CompositeColumnValueFilter, FilterType,
    LogicalOperator, SingleColumnValueFilter, ValueTransferRule, VariantType,
};
use ots_proto::plainbuffer::VariantRef;
use prost::Message;

#[test]
fn an_error_says_where_in_the_filter_it_lies() {
    let good = || Filter::column("a").eq(1);
    let bad = || Filter::column("").eq(1);
    let read = good().or(good().and(good()).and(bad().not()));
    let error = read.encode().unwrap_err();
    assert_eq!(error.path(), "filter.or[1].and[2].not");
    assert!(matches!(error.kind(), FilterErrorKind::EmptyColumn));
    let write = Condition::ignore().columns(good().and(bad()));
    let error = write.to_message().unwrap_err();
    assert_eq!(error.path(), "column_condition.and[1]");

    let unknown = leaf(&SingleColumnValueFilter {
        comparator: 9,
        ..single()
    });
    let or = composite(LogicalOperator::Or.into(), vec![leaf(&single()), unknown]);
    let not = composite(LogicalOperator::Not.into(), vec![or]);
    let text = "filter.not.or[1]: comparator is 9, which is unknown";
    assert_eq!(refusal(&not), text);
    let condition = messages::Condition {
        row_existence: 0,
        column_condition: Some(not.encode_to_vec().into()),
    };
    let error = Condition::from_message(&condition).unwrap_err();
    assert_eq!(error.path(), "column_condition.not.or[1]");
}

pub(crate) fn single() -> SingleColumnValueFilter {
    SingleColumnValueFilter {
        comparator: ComparatorType::Equal.into(),
        column_name: "c".to_owned(),
        column_value: VariantRef::Integer(1).encode(),
        filter_if_missing: true,
        latest_version_only: true,
        value_trans_rule: None,
    }
}

fn of(kind: FilterType, message: &impl Message) -> messages::Filter {
    messages::Filter {
        r#type: kind.into(),
        filter: message.encode_to_vec().into(),
    }
}

pub(crate) fn leaf(message: &SingleColumnValueFilter) -> messages::Filter {
    of(FilterType::SingleColumnValue, message)
}

fn composite(combinator: i32, sub_filters: Vec<messages::Filter>) -> messages::Filter {
    let message = CompositeColumnValueFilter {
        combinator,
        sub_filters,
    };
    of(FilterType::CompositeColumnValue, &message)
}

fn refusal(message: &messages::Filter) -> String {
    Filter::decode(message.encode_to_vec())
        .unwrap_err()
        .to_string()
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    let page = |offset, limit| {
        of(
            FilterType::ColumnPagination,
            &ColumnPaginationFilter { offset, limit },
        )
    };
    let with_rule = |rule| {
        leaf(&SingleColumnValueFilter {
            value_trans_rule: Some(rule),
            ..single()
        })
    };
    let rule = |cast_type| ValueTransferRule {
        regex: "(.*)".to_owned(),
        cast_type: Some(cast_type),
    };
    let good = leaf(&single());
    let not = LogicalOperator::Not.into();
    let cases = [
        (
            messages::Filter {
                r#type: 4,
                ..good.clone()
            },
            "filter: type is 4, which is unknown",
        ),
        (
            leaf(&SingleColumnValueFilter {
                comparator: 9,
                ..single()
            }),
            "filter: comparator is 9, which is unknown",
        ),
        (
            leaf(&SingleColumnValueFilter {
                column_name: String::new(),
                ..single()
            }),
            "filter: column_name is empty",
        ),
        (
            leaf(&SingleColumnValueFilter {
                column_value: VariantRef::InfMax.encode(),
                ..single()
            }),
            "filter: column \"c\" can't be compared with a value of type INF_MAX",
        ),
        (
            leaf(&SingleColumnValueFilter {
                column_value: Bytes::from_static(&[0, 1]),
                ..single()
            }),
            "filter: the value to compare column \"c\" with can't be decoded",
        ),
        (
            with_rule(rule(VariantType::Blob.into())),
            "filter: cast_type is 7, which is unknown",
        ),
        (
            with_rule(rule(2)),
            "filter: cast_type is 2, which is unknown",
        ),
        (
            composite(4, vec![good.clone(), good.clone()]),
            "filter: combinator is 4, which is unknown",
        ),
        (
            composite(not, vec![]),
            "filter: NOT takes one filter, found 0",
        ),
        (
            composite(not, vec![good.clone(), good.clone()]),
            "filter: NOT takes one filter, found 2",
        ),
        (
            composite(LogicalOperator::And.into(), vec![good.clone()]),
            "filter: AND takes two filters or more, found 1",
        ),
        (
            composite(LogicalOperator::Or.into(), vec![]),
            "filter: OR takes two filters or more, found 0",
        ),
        (
            composite(LogicalOperator::And.into(), vec![page(0, 1), good.clone()]),
            "filter.and[0]: a column pagination filter can only be the whole filter of a read",
        ),
        (
            page(0, 1),
            "filter: a column pagination filter can only be the whole filter of a read",
        ),
        (
            messages::Filter {
                filter: Bytes::from_static(&[0xff]),
                ..good.clone()
            },
            "filter: a SingleColumnValueFilter can't be decoded",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(refusal(&message), expected);
    }
    for (offset, limit, expected) in [
        (
            -1,
            1,
            "filter: offset of a column pagination filter is from 0 to 2147483647, found -1",
        ),
        (
            0,
            0,
            "filter: limit of a column pagination filter is from 1 to 2147483647, found 0",
        ),
        (
            0,
            -5,
            "filter: limit of a column pagination filter is from 1 to 2147483647, found -5",
        ),
    ] {
        let error = ReadFilter::decode(page(offset, limit).encode_to_vec()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_field_that_is_missing_or_unknown_is_refused_at_every_level() {
    let bytes = |parts: &[&[u8]]| Bytes::from(parts.concat());
    let refusal = |bytes: Bytes| Filter::decode(bytes).unwrap_err().to_string();
    let column = single().encode_to_vec();
    let nested = |kind: i32, filter: Bytes| {
        let message = messages::Filter {
            r#type: kind,
            filter,
        };
        Bytes::from(message.encode_to_vec())
    };

    assert_eq!(refusal(Bytes::new()), "filter: a Filter has no type");
    assert_eq!(refusal(bytes(&[&[8, 1]])), "filter: a Filter has no filter");
    let extended = bytes(&[&nested(1, column.clone().into()), &[0x18, 1]]);
    assert_eq!(
        refusal(extended),
        "filter: a Filter has a field 3, which is unknown"
    );

    let extended = bytes(&[&column, &[0x38, 1]]);
    assert_eq!(
        refusal(nested(1, extended)),
        "filter: a SingleColumnValueFilter has a field 7, which is unknown"
    );
    // Without its last two bytes it has no latest_version_only: nothing says what the sender meant.
    let shortened = Bytes::copy_from_slice(&column[..column.len() - 2]);
    assert_eq!(
        refusal(nested(1, shortened)),
        "filter: a SingleColumnValueFilter has no latest_version_only"
    );

    let rule = [0x32, 2, 0x10, 3];
    assert_eq!(
        refusal(nested(1, bytes(&[&column, &rule]))),
        "filter: a ValueTransferRule has no regex"
    );
    let rule = [0x32, 4, 0x0a, 0, 0x18, 3];
    assert_eq!(
        refusal(nested(1, bytes(&[&column, &rule]))),
        "filter: a ValueTransferRule has a field 3, which is unknown"
    );

    let inner = bytes(&[&nested(1, column.clone().into()), &[0x18, 1]]);
    let mut not = vec![0x08, 1, 0x12, u8::try_from(inner.len()).unwrap()];
    not.extend(&inner);
    assert_eq!(
        refusal(nested(2, not.into())),
        "filter.not: a Filter has a field 3, which is unknown"
    );
    assert_eq!(
        refusal(nested(2, bytes(&[&[0x12, 0]]))),
        "filter: a CompositeColumnValueFilter has no combinator"
    );
    assert_eq!(
        ReadFilter::decode(nested(3, bytes(&[&[0x08, 0]])))
            .unwrap_err()
            .to_string(),
        "filter: a ColumnPaginationFilter has no limit"
    );
}

#[test]
fn what_the_service_cannot_take_is_refused_before_it_is_sent() {
    let refusal = |filter: Filter| filter.encode().unwrap_err().to_string();
    assert_eq!(
        refusal(Filter::column("").exists().into()),
        "filter: column_name is empty"
    );
    let long = "x".repeat(257);
    let operand = Filter::column("s").transfer(&long[1..], CastType::String);
    assert!(Filter::from(operand.eq("y")).encode().is_ok());
    let operand = Filter::column("s").transfer(long, CastType::String);
    assert_eq!(
        refusal(Filter::column("t").exists().and(operand.eq("y"))),
        "filter.and[1]: regex for column \"s\" has 257 bytes, the service takes 256"
    );
    let operand = Filter::column("s").transfer("(.)", CastType::Integer);
    assert_eq!(
        refusal(operand.eq(1.0).into()),
        "filter: cast_type for column \"s\" is INTEGER, but it is compared with a value of type DOUBLE: \
         no row could pass"
    );
    for (offset, limit, expected) in [
        (
            0,
            0,
            "filter: limit of a column pagination filter is from 1 to 2147483647, found 0",
        ),
        (
            u32::MAX,
            1,
            "filter: offset of a column pagination filter is from 0 to 2147483647, found 4294967295",
        ),
    ] {
        let filter = ReadFilter::from(ColumnPagination::new(offset, limit));
        assert_eq!(filter.encode().unwrap_err().to_string(), expected);
    }
}

#[test]
fn conditions_are_counted_with_their_combinations() {
    let some = |count: usize| Filter::all((0..count).map(|_| Filter::column("c").eq(1))).unwrap();
    assert!(some(31).check_limits().is_ok());
    let text = "filter: 33 conditions, the service takes at most 32";
    assert_eq!(some(32).check_limits().unwrap_err().to_string(), text);
    assert_eq!(some(31).not().check_limits().unwrap_err().to_string(), text);
}

#[test]
fn depth_is_bounded_both_ways() {
    let leaf_filter = || Filter::from(Filter::column("c").eq(1));
    let deep = |levels: usize| (1..levels).fold(leaf_filter(), |filter, _| filter.not());
    let deepest = deep(Filter::MAX_DEPTH);
    let bytes = deepest.encode().unwrap();
    assert_eq!(Filter::decode(bytes).unwrap(), deepest);
    let place = format!("filter{}", ".not".repeat(Filter::MAX_DEPTH));
    let text = format!("{place}: filters are nested more than 32 levels deep");
    let error = deep(Filter::MAX_DEPTH + 1).encode().unwrap_err();
    assert_eq!(error.to_string(), text);

    // Deep enough to overflow the stack of anyone who follows it down.
    let mut message = leaf(&single());
    for _ in 0..10_000 {
        message = composite(LogicalOperator::Not.into(), vec![message]);
    }
    assert_eq!(refusal(&message), text);
}
