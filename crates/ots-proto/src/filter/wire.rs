//! Filters as bytes.
//!
//! Every level is a message in a `bytes` field of the one above, next to a number that says which.

use bytes::Bytes;
use prost::Message;

use super::column::{CastType, ColumnFilter, Comparator, Test, ValueTransfer};
use super::error::{FilterError, FilterErrorKind};
use super::fields::{self, Fields};
use super::read::{ColumnPagination, ReadFilter};
use super::{Filter, Node};
use crate::bounded::{self, MessageError};
use crate::fields::Described as _;
use crate::messages::{
    self, ColumnPaginationFilter, ComparatorType, CompositeColumnValueFilter, FilterType,
    LogicalOperator, SingleColumnValueFilter, ValueTransferRule, VariantType,
};
use crate::plainbuffer::VariantRef;
use crate::value::ColumnValueRef;

const FILTER: Fields = &[(1, "type", true), (2, "filter", true)];
const COLUMN: Fields = &[
    (1, "comparator", true),
    (2, "column_name", true),
    (3, "column_value", true),
    (4, "filter_if_missing", true),
    (5, "latest_version_only", true),
    (6, "value_trans_rule", false),
];
const TRANSFER: Fields = &[(1, "regex", true), (2, "cast_type", false)];
const COMPOSITE: Fields = &[(1, "combinator", true), (2, "sub_filters", false)];
const PAGINATION: Fields = &[(1, "offset", true), (2, "limit", true)];

const MAX_REGEX_BYTES: usize = 256;

/// What places in a filter begin with: the field it stands in.
pub(super) const READ: &str = "filter";
pub(super) const CONDITION: &str = "column_condition";

pub(super) fn encode(root: &str, filter: &Filter) -> Result<Bytes, FilterError> {
    let message = to_message(filter, 0).map_err(|error| error.within(root))?;
    Ok(message.encode_to_vec().into())
}

pub(super) fn encode_pagination(pagination: ColumnPagination) -> Result<Bytes, FilterError> {
    let number = |field, value: u32, least| {
        i32::try_from(value)
            .ok()
            .filter(|number| *number >= least)
            .ok_or_else(|| out_of_range(field, value.into()).within(READ))
    };
    let message = ColumnPaginationFilter {
        offset: number("offset", pagination.offset, 0)?,
        limit: number("limit", pagination.limit, 1)?,
    };
    Ok(message_of(FilterType::ColumnPagination, &message)
        .encode_to_vec()
        .into())
}

pub(super) fn decode(root: &str, buffer: Bytes) -> Result<Filter, FilterError> {
    from_bytes(buffer, 0).map_err(|error| error.within(root))
}

pub(super) fn decode_read(buffer: Bytes) -> Result<ReadFilter, FilterError> {
    read_from_bytes(buffer).map_err(|error| error.within(READ))
}

fn read_from_bytes(buffer: Bytes) -> Result<ReadFilter, FilterError> {
    let message: messages::Filter = checked("Filter", FILTER, buffer)?;
    if message.r#type == FilterType::ColumnPagination as i32 {
        pagination(message.filter).map(ReadFilter::Columns)
    } else {
        from_message(message, 0).map(ReadFilter::Rows)
    }
}

fn to_message(filter: &Filter, depth: usize) -> Result<messages::Filter, FilterError> {
    check_depth(depth)?;
    let composite = |operator: LogicalOperator, filters: &[Filter]| {
        let sub_filters = filters.iter().enumerate().map(|(index, filter)| {
            to_message(filter, depth + 1).map_err(|error| step_out(error, operator, index))
        });
        let sub_filters = sub_filters.collect::<Result<_, _>>()?;
        let message = CompositeColumnValueFilter {
            combinator: operator.into(),
            sub_filters,
        };
        Ok(message_of(FilterType::CompositeColumnValue, &message))
    };
    match &filter.0 {
        Node::Column(filter) => {
            let message = column_to_message(filter)?;
            Ok(message_of(FilterType::SingleColumnValue, &message))
        }
        Node::Not(filter) => composite(LogicalOperator::Not, std::slice::from_ref(filter)),
        Node::And(filters) => composite(LogicalOperator::And, filters),
        Node::Or(filters) => composite(LogicalOperator::Or, filters),
    }
}

fn column_to_message(filter: &ColumnFilter) -> Result<SingleColumnValueFilter, FilterError> {
    if filter.column.is_empty() {
        return Err(FilterErrorKind::EmptyColumn.into());
    }
    let (comparator, value) = match &filter.test {
        Test::Compare(comparator, value) => {
            let comparator = match comparator {
                Comparator::Equal => ComparatorType::Equal,
                Comparator::NotEqual => ComparatorType::NotEqual,
                Comparator::GreaterThan => ComparatorType::GreaterThan,
                Comparator::GreaterEqual => ComparatorType::GreaterEqual,
                Comparator::LessThan => ComparatorType::LessThan,
                Comparator::LessEqual => ComparatorType::LessEqual,
            };
            (comparator, VariantRef::from(value.as_ref()))
        }
        // The field is required. The SDKs fill it with this.
        Test::Exists => (ComparatorType::Exist, VariantRef::Integer(0)),
        Test::NotExists => (ComparatorType::NotExist, VariantRef::Integer(0)),
    };
    let value_trans_rule = match &filter.transfer {
        Some(transfer) => Some(transfer_to_message(filter, transfer)?),
        None => None,
    };
    Ok(SingleColumnValueFilter {
        comparator: comparator.into(),
        column_name: filter.column.clone(),
        column_value: value.encode(),
        filter_if_missing: !filter.pass_if_missing,
        latest_version_only: filter.latest_version_only,
        value_trans_rule,
    })
}

fn transfer_to_message(
    filter: &ColumnFilter,
    transfer: &ValueTransfer,
) -> Result<ValueTransferRule, FilterError> {
    let length_bytes = transfer.regex.len();
    if length_bytes > MAX_REGEX_BYTES {
        return Err(FilterError::new(FilterErrorKind::RegexLength {
            column: filter.column.clone(),
            length_bytes,
            max_bytes: MAX_REGEX_BYTES,
        }));
    }
    if let Test::Compare(_, value) = &filter.test
        && value.type_name() != transfer.cast.type_name()
    {
        return Err(FilterError::new(FilterErrorKind::CastType {
            column: filter.column.clone(),
            cast: transfer.cast,
            compared: value.type_name(),
        }));
    }
    let cast_type = match transfer.cast {
        CastType::Integer => VariantType::Integer,
        CastType::Double => VariantType::Double,
        CastType::String => VariantType::String,
    };
    Ok(ValueTransferRule {
        regex: transfer.regex.clone(),
        cast_type: Some(cast_type.into()),
    })
}

fn from_bytes(buffer: Bytes, depth: usize) -> Result<Filter, FilterError> {
    from_message(checked("Filter", FILTER, buffer)?, depth)
}

fn from_message(message: messages::Filter, depth: usize) -> Result<Filter, FilterError> {
    check_depth(depth)?;
    match FilterType::try_from(message.r#type) {
        Ok(FilterType::SingleColumnValue) => column(message.filter).map(Filter::from),
        Ok(FilterType::CompositeColumnValue) => composite(message.filter, depth),
        Ok(FilterType::ColumnPagination) => Err(FilterErrorKind::MisplacedPagination.into()),
        Err(_) => Err(unknown("type", message.r#type)),
    }
}

/// A `CompositeColumnValueFilter` whose parts are still bytes, so that their fields can be checked.
#[derive(Clone, PartialEq, prost::Message)]
struct CompositeParts {
    #[prost(int32, required, tag = "1")]
    combinator: i32,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    sub_filters: Vec<Bytes>,
}

fn composite(buffer: Bytes, depth: usize) -> Result<Filter, FilterError> {
    const NAME: &str = "CompositeColumnValueFilter";
    bounded::check(CompositeColumnValueFilter::fields(), &buffer)
        .map_err(|source| undecodable(NAME, source))?;
    let message: CompositeParts = checked(NAME, COMPOSITE, buffer)?;
    let operator = LogicalOperator::try_from(message.combinator)
        .map_err(|_| unknown("combinator", message.combinator))?;
    let found = message.sub_filters.len();
    let (name, fits) = match operator {
        LogicalOperator::Not => ("NOT", found == 1),
        LogicalOperator::And => ("AND", found >= 2),
        LogicalOperator::Or => ("OR", found >= 2),
    };
    let too_few_or_many = || {
        let operator = name;
        FilterError::new(FilterErrorKind::SubFilters { operator, found })
    };
    if !fits {
        return Err(too_few_or_many());
    }
    let filters = message.sub_filters.into_iter().enumerate();
    let filters = filters.map(|(index, filter)| {
        from_bytes(filter, depth + 1).map_err(|error| step_out(error, operator, index))
    });
    let mut filters = bounded::collect(filters)?;
    Ok(Filter(match operator {
        LogicalOperator::Not => Node::Not(Box::new(filters.pop().ok_or_else(too_few_or_many)?)),
        LogicalOperator::And => Node::And(filters),
        LogicalOperator::Or => Node::Or(filters),
    }))
}

/// A `SingleColumnValueFilter` whose transfer rule is still bytes, so that its fields can be checked.
#[derive(Clone, PartialEq, prost::Message)]
struct ColumnParts {
    #[prost(int32, required, tag = "1")]
    comparator: i32,
    #[prost(string, required, tag = "2")]
    column_name: String,
    #[prost(bytes = "bytes", required, tag = "3")]
    column_value: Bytes,
    #[prost(bool, required, tag = "4")]
    filter_if_missing: bool,
    #[prost(bool, required, tag = "5")]
    latest_version_only: bool,
    #[prost(bytes = "bytes", optional, tag = "6")]
    value_trans_rule: Option<Bytes>,
}

fn column(buffer: Bytes) -> Result<ColumnFilter, FilterError> {
    let message: ColumnParts = checked("SingleColumnValueFilter", COLUMN, buffer)?;
    if message.column_name.is_empty() {
        return Err(FilterErrorKind::EmptyColumn.into());
    }
    let compare = |comparator| {
        let value = value(&message.column_name, &message.column_value)?;
        Ok::<_, FilterError>(Test::Compare(comparator, value.to_owned()))
    };
    let test = match ComparatorType::try_from(message.comparator) {
        Ok(ComparatorType::Equal) => compare(Comparator::Equal)?,
        Ok(ComparatorType::NotEqual) => compare(Comparator::NotEqual)?,
        Ok(ComparatorType::GreaterThan) => compare(Comparator::GreaterThan)?,
        Ok(ComparatorType::GreaterEqual) => compare(Comparator::GreaterEqual)?,
        Ok(ComparatorType::LessThan) => compare(Comparator::LessThan)?,
        Ok(ComparatorType::LessEqual) => compare(Comparator::LessEqual)?,
        // The value they carry means nothing.
        Ok(ComparatorType::Exist) => Test::Exists,
        Ok(ComparatorType::NotExist) => Test::NotExists,
        Err(_) => return Err(unknown("comparator", message.comparator)),
    };
    Ok(ColumnFilter {
        column: message.column_name,
        transfer: message.value_trans_rule.map(transfer).transpose()?,
        test,
        pass_if_missing: !message.filter_if_missing,
        latest_version_only: message.latest_version_only,
    })
}

fn value<'a>(column: &str, buffer: &'a [u8]) -> Result<ColumnValueRef<'a>, FilterError> {
    let column = || column.to_owned();
    let variant = VariantRef::decode(buffer).map_err(|source| {
        let column = column();
        FilterError::new(FilterErrorKind::Value { column, source })
    })?;
    ColumnValueRef::try_from(variant).map_err(|other| {
        let (column, found) = (column(), other.type_name());
        FilterError::new(FilterErrorKind::ValueType { column, found })
    })
}

fn transfer(buffer: Bytes) -> Result<ValueTransfer, FilterError> {
    let rule: ValueTransferRule = checked("ValueTransferRule", TRANSFER, buffer)?;
    let cast = match rule.cast_type.map(VariantType::try_from) {
        // Absent means that nothing is converted.
        None | Some(Ok(VariantType::String)) => CastType::String,
        Some(Ok(VariantType::Integer)) => CastType::Integer,
        Some(Ok(VariantType::Double)) => CastType::Double,
        Some(Ok(VariantType::Null | VariantType::Blob) | Err(_)) => {
            return Err(unknown("cast_type", rule.cast_type.unwrap_or_default()));
        }
    };
    Ok(ValueTransfer {
        regex: rule.regex,
        cast,
    })
}

fn pagination(buffer: Bytes) -> Result<ColumnPagination, FilterError> {
    let message: ColumnPaginationFilter = checked("ColumnPaginationFilter", PAGINATION, buffer)?;
    let number = |field, value: i32, least| {
        u32::try_from(value)
            .ok()
            .filter(|number| *number >= least)
            .ok_or_else(|| out_of_range(field, value.into()))
    };
    Ok(ColumnPagination {
        offset: number("offset", message.offset, 0)?,
        limit: number("limit", message.limit, 1)?,
    })
}

fn message_of(kind: FilterType, filter: &impl Message) -> messages::Filter {
    messages::Filter {
        r#type: kind.into(),
        filter: filter.encode_to_vec().into(),
    }
}

fn checked<M: Message + Default>(
    message: &'static str,
    fields: Fields,
    buffer: Bytes,
) -> Result<M, FilterError> {
    let decoded =
        M::decode(buffer.clone()).map_err(|source| undecodable(message, source.into()))?;
    fields::check(message, fields, &buffer)?;
    Ok(decoded)
}

fn check_depth(depth: usize) -> Result<(), FilterError> {
    if depth < Filter::MAX_DEPTH {
        Ok(())
    } else {
        let max_depth = Filter::MAX_DEPTH;
        Err(FilterError::new(FilterErrorKind::TooDeep { max_depth }))
    }
}

/// The error of a part, as one of the combination around it.
#[cold]
fn step_out(error: FilterError, operator: LogicalOperator, index: usize) -> FilterError {
    match operator {
        LogicalOperator::Not => error.within(".not"),
        LogicalOperator::And => error.within(format_args!(".and[{index}]")),
        LogicalOperator::Or => error.within(format_args!(".or[{index}]")),
    }
}

#[cold]
fn undecodable(message: &'static str, source: MessageError) -> FilterError {
    FilterError::new(FilterErrorKind::Message { message, source })
}

#[cold]
fn unknown(field: &'static str, number: i32) -> FilterError {
    FilterError::new(FilterErrorKind::Unknown { field, number })
}

#[cold]
fn out_of_range(field: &'static str, value: i64) -> FilterError {
    FilterError::new(FilterErrorKind::Pagination { field, value })
}
