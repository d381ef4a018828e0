//! Column filters: which rows a read returns, and which condition a write needs.

use std::cmp::Ordering;

use ots_proto::messages::{
    self, ColumnPaginationFilter, ComparatorType, CompositeColumnValueFilter, FilterType,
    LogicalOperator, SingleColumnValueFilter, ValueTransferRule, VariantType,
};
use ots_proto::plainbuffer::VariantRef;
use ots_proto::{ColumnValue, ColumnValueRef, PrimaryKeyValueRef};
use prost::Message;
use regex::{Regex, RegexBuilder};

use crate::capacity::value_bytes;
use crate::change::check_value_length;
use crate::error::ServiceError;
use crate::names;
use crate::stored::Version;

/// A condition on the columns of a row.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Column(ColumnFilter),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A condition on one column.
#[derive(Clone, Debug)]
pub(crate) struct ColumnFilter {
    column: String,
    comparator: ComparatorType,
    value: ColumnValue,
    pass_if_missing: bool,
    latest_version_only: bool,
    transfer: Option<Transfer>,
}

/// Which columns of a row to return, by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pagination {
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

/// What a read's `filter` field can hold.
#[derive(Clone, Debug)]
pub(crate) enum ReadFilter {
    Rows(Filter),
    Columns(Pagination),
}

/// What a row has under a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found<'row> {
    Key(PrimaryKeyValueRef<'row>),
    /// Newest first, without those that are hidden; empty if the column is missing.
    Versions(&'row [Version]),
}

/// Takes the part of a text that is compared.
#[derive(Clone, Debug)]
struct Transfer {
    regex: Regex,
    cast: VariantType,
}

impl ReadFilter {
    /// Reads the `filter` field of a read.
    pub(crate) fn parse(buffer: &[u8]) -> Result<Self, ServiceError> {
        let message = decode::<messages::Filter>(buffer)?;
        if message.r#type == FilterType::ColumnPagination as i32 {
            return pagination(&message).map(Self::Columns);
        }
        Filter::from_message(&message, &mut 0).map(Self::Rows)
    }
}

impl Filter {
    /// Reads the condition of a write.
    pub(crate) fn parse(buffer: &[u8]) -> Result<Self, ServiceError> {
        Self::from_message(&decode(buffer)?, &mut 0)
    }

    /// Whether a row passes; `find` looks up its columns.
    pub(crate) fn passes<'row>(&self, find: &impl Fn(&str) -> Found<'row>) -> bool {
        match self {
            Self::Column(filter) => filter.passes(find(&filter.column)),
            Self::Not(filter) => !filter.passes(find),
            Self::And(filters) => filters.iter().all(|filter| filter.passes(find)),
            Self::Or(filters) => filters.iter().any(|filter| filter.passes(find)),
        }
    }

    /// `nodes` counts composites too: an official SDK's tests pass 31 leaves under one composite and
    /// fail with 33 nodes. It also bounds the recursion.
    fn from_message(message: &messages::Filter, nodes: &mut usize) -> Result<Self, ServiceError> {
        *nodes += 1;
        if *nodes > MAX_NODES {
            let message = format!("The count of filter exceeds the max: {MAX_NODES}.");
            return Err(ServiceError::parameter(message));
        }
        match FilterType::try_from(message.r#type) {
            Ok(FilterType::SingleColumnValue) => {
                ColumnFilter::from_message(decode(&message.filter)?).map(Self::Column)
            }
            Ok(FilterType::CompositeColumnValue) => {
                Self::from_composite(&decode(&message.filter)?, nodes)
            }
            Ok(FilterType::ColumnPagination) => Err(ServiceError::parameter(
                "ColumnPaginationFilter can only be the whole filter of a read.",
            )),
            Err(_) => Err(ServiceError::parameter(format!(
                "Invalid filter type: {}.",
                message.r#type
            ))),
        }
    }

    fn from_composite(
        message: &CompositeColumnValueFilter,
        nodes: &mut usize,
    ) -> Result<Self, ServiceError> {
        let operator = LogicalOperator::try_from(message.combinator).map_err(|_| {
            ServiceError::parameter(format!("Invalid logical operator: {}.", message.combinator))
        })?;
        let mut filters = message
            .sub_filters
            .iter()
            .map(|filter| Self::from_message(filter, nodes))
            .collect::<Result<Vec<_>, _>>()?;
        match operator {
            LogicalOperator::Not => match (filters.pop(), filters.is_empty()) {
                (Some(only), true) => Ok(Self::Not(Box::new(only))),
                _ => Err(ServiceError::parameter(
                    "Invalid NOT operator: the number of sub-filters must be 1.",
                )),
            },
            LogicalOperator::And | LogicalOperator::Or if filters.len() < 2 => {
                Err(ServiceError::parameter(
                    "Invalid AND/OR operator: the number of sub-filters must be more than 1.",
                ))
            }
            LogicalOperator::And => Ok(Self::And(filters)),
            LogicalOperator::Or => Ok(Self::Or(filters)),
        }
    }
}

impl ColumnFilter {
    fn from_message(message: SingleColumnValueFilter) -> Result<Self, ServiceError> {
        names::column(&message.column_name)?;
        let comparator = ComparatorType::try_from(message.comparator).map_err(|_| {
            ServiceError::parameter(format!("Invalid comparator: {}.", message.comparator))
        })?;
        let value = VariantRef::decode(&message.column_value)
            .ok()
            .and_then(|value| ColumnValueRef::try_from(value).ok())
            .ok_or_else(|| {
                let column = &message.column_name;
                ServiceError::parameter(format!(
                    "The filter's value for column '{column}' is not a column value."
                ))
            })?;
        check_value_length(&message.column_name, value_bytes(value))?;
        Ok(Self {
            value: value.to_owned(),
            comparator,
            pass_if_missing: !message.filter_if_missing,
            latest_version_only: message.latest_version_only,
            transfer: message
                .value_trans_rule
                .as_ref()
                .map(Transfer::from_message)
                .transpose()?,
            column: message.column_name,
        })
    }

    fn passes(&self, found: Found<'_>) -> bool {
        let versions = match found {
            Found::Key(value) => {
                let value = match value {
                    PrimaryKeyValueRef::Integer(value) => ColumnValueRef::Integer(value),
                    PrimaryKeyValueRef::String(value) => ColumnValueRef::String(value),
                    PrimaryKeyValueRef::Binary(value) => ColumnValueRef::Binary(value),
                    // No stored key holds these.
                    PrimaryKeyValueRef::InfMin
                    | PrimaryKeyValueRef::AutoIncrement
                    | PrimaryKeyValueRef::InfMax => return false,
                };
                return match self.comparator {
                    ComparatorType::Exist => true,
                    ComparatorType::NotExist => false,
                    _ => self.matches(value).unwrap_or(self.pass_if_missing),
                };
            }
            Found::Versions(versions) => versions,
        };
        match self.comparator {
            ComparatorType::Exist => return !versions.is_empty(),
            ComparatorType::NotExist => return versions.is_empty(),
            _ => {}
        }
        let candidates = if self.latest_version_only {
            versions.get(..1).unwrap_or_default()
        } else {
            versions
        };
        let mut missing = true;
        for version in candidates {
            match self.matches(version.value.as_ref()) {
                Some(true) => return true,
                Some(false) => missing = false,
                None => {}
            }
        }
        missing && self.pass_if_missing
    }

    /// Whether a value matches; none if the transfer rule finds nothing in it to compare.
    ///
    /// Values of different types never match, not even as unequal: nothing is converted.
    fn matches(&self, value: ColumnValueRef<'_>) -> Option<bool> {
        let transferred;
        let value = match (&self.transfer, value) {
            (None, value) => value,
            (Some(transfer), ColumnValueRef::String(text)) => {
                transferred = transfer.apply(text)?;
                transferred.as_ref()
            }
            // The rule is for text.
            (Some(_), _) => return Some(false),
        };
        Some(
            compare(value, self.value.as_ref()).is_some_and(|order| match self.comparator {
                ComparatorType::Equal => order.is_eq(),
                ComparatorType::NotEqual => order.is_ne(),
                ComparatorType::GreaterThan => order.is_gt(),
                ComparatorType::GreaterEqual => order.is_ge(),
                ComparatorType::LessThan => order.is_lt(),
                ComparatorType::LessEqual => order.is_le(),
                ComparatorType::Exist => true,
                ComparatorType::NotExist => false,
            }),
        )
    }
}

impl Transfer {
    fn from_message(message: &ValueTransferRule) -> Result<Self, ServiceError> {
        const MAX_BYTES: usize = 256;
        // Other crates may turn on more of the library, which then compiles to more: room for that too.
        const MAX_COMPILED_BYTES: usize = 512 << 10;
        let text = &message.regex;
        if text.len() > MAX_BYTES {
            return Err(ServiceError::parameter(format!(
                "The regex of a value transfer rule has {} bytes, more than {MAX_BYTES}.",
                text.len()
            )));
        }
        // The service takes Perl's expressions; this library lacks looking around and referring
        // back. What it can't read is refused rather than read differently.
        let regex = RegexBuilder::new(text)
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|error| match error {
                // A few nested counts in as many bytes would otherwise take megabytes and seconds.
                regex::Error::CompiledTooBig(limit) => ServiceError::parameter(format!(
                    "The regex '{text}' of a value transfer rule takes more than {limit} bytes when compiled."
                )),
                _ => ServiceError::unimplemented(&format!(
                    "the regex '{text}' of a value transfer rule"
                )),
            })?;
        let cast = message.cast_type.unwrap_or(VariantType::String as i32);
        match VariantType::try_from(cast) {
            Ok(cast @ (VariantType::Integer | VariantType::Double | VariantType::String)) => {
                Ok(Self { regex, cast })
            }
            _ => Err(ServiceError::parameter(
                "A value transfer rule casts to INTEGER, DOUBLE or STRING only.",
            )),
        }
    }

    fn apply(&self, text: &str) -> Option<ColumnValue> {
        let captures = self.regex.captures(text)?;
        let part = captures.get(1).or_else(|| captures.get(0))?.as_str();
        match self.cast {
            VariantType::Integer => part.parse().ok().map(ColumnValue::Integer),
            VariantType::Double => part.parse().ok().map(ColumnValue::Double),
            _ => Some(ColumnValue::String(part.to_owned())),
        }
    }
}

fn compare(a: ColumnValueRef<'_>, b: ColumnValueRef<'_>) -> Option<Ordering> {
    match (a, b) {
        (ColumnValueRef::Integer(a), ColumnValueRef::Integer(b)) => Some(a.cmp(&b)),
        (ColumnValueRef::Double(a), ColumnValueRef::Double(b)) => a.partial_cmp(&b),
        (ColumnValueRef::Boolean(a), ColumnValueRef::Boolean(b)) => Some(a.cmp(&b)),
        (ColumnValueRef::String(a), ColumnValueRef::String(b)) => Some(a.cmp(b)),
        (ColumnValueRef::Binary(a), ColumnValueRef::Binary(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn pagination(message: &messages::Filter) -> Result<Pagination, ServiceError> {
    let message: ColumnPaginationFilter = decode(&message.filter)?;
    let offset = usize::try_from(message.offset).map_err(|_| {
        ServiceError::parameter(
            "Offset in ColumnPaginationFilter must be greater than or equal to 0.",
        )
    })?;
    match usize::try_from(message.limit) {
        Ok(limit) if limit > 0 => Ok(Pagination { offset, limit }),
        _ => Err(ServiceError::parameter(
            "Limit in ColumnPaginationFilter must be greater than 0.",
        )),
    }
}

fn decode<M: Message + Default>(buffer: &[u8]) -> Result<M, ServiceError> {
    M::decode(buffer).map_err(|_| ServiceError::parameter("Parse PBMessage from RawString failed."))
}

const MAX_NODES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn column(comparator: ComparatorType, value: ColumnValueRef<'_>) -> SingleColumnValueFilter {
        SingleColumnValueFilter {
            comparator: comparator as i32,
            column_name: "c".to_owned(),
            column_value: VariantRef::from(value).encode(),
            filter_if_missing: true,
            latest_version_only: true,
            value_trans_rule: None,
        }
    }

    fn single(filter: &SingleColumnValueFilter) -> messages::Filter {
        messages::Filter {
            r#type: FilterType::SingleColumnValue as i32,
            filter: filter.encode_to_vec().into(),
        }
    }

    fn composite(
        combinator: LogicalOperator,
        sub_filters: Vec<messages::Filter>,
    ) -> messages::Filter {
        let composite = CompositeColumnValueFilter {
            combinator: combinator as i32,
            sub_filters,
        };
        messages::Filter {
            r#type: FilterType::CompositeColumnValue as i32,
            filter: composite.encode_to_vec().into(),
        }
    }

    fn parse(filter: &messages::Filter) -> Result<Filter, ServiceError> {
        Filter::parse(&filter.encode_to_vec())
    }

    fn versions(values: &[ColumnValue]) -> Vec<Version> {
        let values = values.iter().rev().zip(1..);
        let mut versions: Vec<_> = values
            .map(|(value, timestamp_ms)| Version {
                timestamp_ms,
                value: value.clone(),
            })
            .collect();
        versions.reverse();
        versions
    }

    fn passes(filter: &SingleColumnValueFilter, values: &[ColumnValue]) -> bool {
        let versions = versions(values);
        parse(&single(filter))
            .unwrap()
            .passes(&|_: &str| Found::Versions(&versions))
    }

    #[test]
    fn comparators() {
        use ComparatorType::*;
        for (comparator, less, equal, greater) in [
            (Equal, false, true, false),
            (NotEqual, true, false, true),
            (GreaterThan, false, false, true),
            (GreaterEqual, false, true, true),
            (LessThan, true, false, false),
            (LessEqual, true, true, false),
            (Exist, true, true, true),
            (NotExist, false, false, false),
        ] {
            let filter = column(comparator, ColumnValueRef::Integer(5));
            for (value, expected) in [(4, less), (5, equal), (6, greater)] {
                assert_eq!(
                    passes(&filter, &[value.into()]),
                    expected,
                    "{value} {comparator:?} 5"
                );
            }
        }
    }

    #[test]
    fn values_of_different_types_never_match() {
        for comparator in [
            ComparatorType::Equal,
            ComparatorType::NotEqual,
            ComparatorType::LessThan,
        ] {
            let filter = column(comparator, ColumnValueRef::Integer(5));
            assert!(!passes(&filter, &["5".into()]));
            assert!(!passes(&filter, &[4.0.into()]));
        }
    }

    #[test]
    fn a_missing_column_passes_if_the_filter_says_so() {
        let mut filter = column(ComparatorType::Equal, ColumnValueRef::Integer(5));
        assert!(!passes(&filter, &[]));
        filter.filter_if_missing = false;
        assert!(passes(&filter, &[]));
        assert!(!passes(&filter, &[4.into()]));
    }

    #[test]
    fn any_version_may_match_unless_only_the_latest_counts() {
        let mut filter = column(ComparatorType::Equal, ColumnValueRef::Integer(1));
        assert!(!passes(&filter, &[2.into(), 1.into()]));
        filter.latest_version_only = false;
        assert!(passes(&filter, &[2.into(), 1.into()]));
    }

    #[test]
    fn a_transfer_rule_compares_the_first_group_or_the_whole_match() {
        let mut filter = column(ComparatorType::GreaterThan, ColumnValueRef::Integer(10));
        let rule = |regex: &str, cast| {
            Some(ValueTransferRule {
                regex: regex.to_owned(),
                cast_type: Some(cast as i32),
            })
        };
        filter.value_trans_rule = rule("t1:([0-9]+),", VariantType::Integer);
        assert!(passes(&filter, &["t1:11,t2:3,".into()]));
        assert!(!passes(&filter, &["t1:9,t2:30,".into()]));
        assert!(!passes(&filter, &["nothing".into()]));
        filter.filter_if_missing = false;
        assert!(passes(&filter, &["nothing".into()]));

        filter.value_trans_rule = rule(r"\d+", VariantType::Integer);
        assert!(passes(&filter, &["a12".into()]));

        filter.value_trans_rule = rule("(?=a)", VariantType::Integer);
        assert_eq!(
            parse(&single(&filter)).unwrap_err().message,
            "The emulator does not implement the regex '(?=a)' of a value transfer rule."
        );
    }

    #[test]
    fn a_transfer_rule_that_grows_when_compiled_is_refused() {
        let check = |regex: &str| {
            let mut filter = column(ComparatorType::Equal, ColumnValueRef::Integer(1));
            filter.value_trans_rule = Some(ValueTransferRule {
                regex: regex.to_owned(),
                cast_type: Some(VariantType::Integer as i32),
            });
            parse(&single(&filter))
                .map(drop)
                .map_err(|error| (error.status, error.code, error.message))
        };
        for sound in [
            r"^(\d+)$",
            r"(\w+)@(\w+)",
            r"\s*([^,]*),.*",
            r"(\d{4})-(\d{2})-(\d{2})",
            "t1:([0-9]+),",
            "[a-z]{1,64}=([0-9]{1,20})",
        ] {
            assert_eq!(check(sound), Ok(()), "{sound}");
        }
        for regex in [r"((\w{10}){10}){10}", "(((a{20}){20}){20}){20}", r"\w{200}"] {
            let text = format!(
                "The regex '{regex}' of a value transfer rule takes more than 524288 bytes when compiled."
            );
            assert_eq!(check(regex), Err((400, "OTSParameterInvalid", text)));
        }
    }

    #[test]
    fn composites_combine() {
        let is = |value| {
            single(&column(
                ComparatorType::Equal,
                ColumnValueRef::Integer(value),
            ))
        };
        let check = |filter: &messages::Filter, value: i64| {
            let versions = versions(&[value.into()]);
            parse(filter)
                .unwrap()
                .passes(&|_: &str| Found::Versions(&versions))
        };
        let either = composite(LogicalOperator::Or, vec![is(1), is(2)]);
        let both = composite(LogicalOperator::And, vec![either.clone(), is(2)]);
        let neither = composite(LogicalOperator::Not, vec![either.clone()]);
        assert_eq!([1, 2, 3].map(|n| check(&either, n)), [true, true, false]);
        assert_eq!([1, 2, 3].map(|n| check(&both, n)), [false, true, false]);
        assert_eq!([1, 2, 3].map(|n| check(&neither, n)), [false, false, true]);
    }

    #[test]
    fn composites_need_their_number_of_filters() {
        let leaf = single(&column(ComparatorType::Equal, ColumnValueRef::Integer(1)));
        let message = |operator, count| {
            let filter = composite(operator, vec![leaf.clone(); count]);
            parse(&filter).unwrap_err().message
        };
        let too_few = "Invalid AND/OR operator: the number of sub-filters must be more than 1.";
        for count in [0, 1] {
            assert_eq!(message(LogicalOperator::And, count), too_few);
            assert_eq!(message(LogicalOperator::Or, count), too_few);
        }
        for count in [0, 2] {
            let text = "Invalid NOT operator: the number of sub-filters must be 1.";
            assert_eq!(message(LogicalOperator::Not, count), text);
        }
        let text = "The count of filter exceeds the max: 32.";
        assert_eq!(message(LogicalOperator::And, 32), text);
        assert!(parse(&composite(LogicalOperator::And, vec![leaf.clone(); 31])).is_ok());
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_is_full() {
        let mut filter = single(&column(ComparatorType::Equal, ColumnValueRef::Integer(1)));
        for _ in 0..10_000 {
            filter = composite(LogicalOperator::Not, vec![filter]);
        }
        let text = "The count of filter exceeds the max: 32.";
        assert_eq!(parse(&filter).unwrap_err().message, text);
    }

    #[test]
    fn pagination_is_for_reads_and_has_bounds() {
        let page = |offset, limit| messages::Filter {
            r#type: FilterType::ColumnPagination as i32,
            filter: ColumnPaginationFilter { offset, limit }
                .encode_to_vec()
                .into(),
        };
        let read = |offset, limit| ReadFilter::parse(&page(offset, limit).encode_to_vec());
        assert!(matches!(
            read(1, 3),
            Ok(ReadFilter::Columns(Pagination {
                offset: 1,
                limit: 3
            }))
        ));
        assert_eq!(
            read(-1, 3).unwrap_err().message,
            "Offset in ColumnPaginationFilter must be greater than or equal to 0."
        );
        assert_eq!(
            read(0, 0).unwrap_err().message,
            "Limit in ColumnPaginationFilter must be greater than 0."
        );
        assert!(parse(&page(0, 1)).is_err());
    }
}
