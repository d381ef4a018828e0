//! Sorting by the value of a field.

use bytes::Bytes;

use super::super::error::SearchError;
use super::super::wire::{column_value, known, read_variant, required, variant};
use super::nested_filter::NestedFilter;
use crate::messages::{self, SortMode, SortOrder};
use crate::plainbuffer::VariantRef;
use crate::value::ColumnValue;

/// Sorts by the value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct FieldSort {
    /// The field.
    pub field: String,
    /// The direction; the service takes ascending when absent.
    pub order: Option<SortOrder>,
    /// Which of an array's values counts; the service takes the smallest when absent.
    pub mode: Option<SortMode>,
    /// Which of the inner rows count, when the field lies in a nested one.
    pub nested_filter: Option<Box<NestedFilter>>,
    /// What stands for the value of a row that has none; such rows come last when absent.
    pub missing_value: Option<MissingValue>,
    /// The field whose value counts for a row that has none in this one.
    pub missing_field: Option<String>,
}

/// Where a row without the field comes in the order.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MissingValue {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Where a row with this value comes.
    Value(ColumnValue),
}

impl FieldSort {
    /// By `field`, in the service's own order: smallest first.
    pub fn new(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            order: None,
            mode: None,
            nested_filter: None,
            missing_value: None,
            missing_field: None,
        }
    }

    /// By `field`, smallest first.
    pub fn asc(field: impl Into<String>) -> Self {
        Self::new(field).order(SortOrder::Asc)
    }

    /// By `field`, largest first.
    pub fn desc(field: impl Into<String>) -> Self {
        Self::new(field).order(SortOrder::Desc)
    }

    /// In this direction.
    pub const fn order(mut self, order: SortOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Of an array, this value counts.
    pub const fn mode(mut self, mode: SortMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Only these inner rows count.
    pub fn nested_filter(mut self, filter: NestedFilter) -> Self {
        self.nested_filter = Some(Box::new(filter));
        self
    }

    /// Where rows without the field come.
    pub fn missing_value(mut self, value: impl Into<MissingValue>) -> Self {
        self.missing_value = Some(value.into());
        self
    }

    /// The field that counts for a row without this one.
    pub fn missing_field(mut self, field: impl Into<String>) -> Self {
        self.missing_field = Some(field.into());
        self
    }

    pub(super) fn to_message(&self) -> messages::FieldSort {
        messages::FieldSort {
            field_name: Some(self.field.clone()),
            order: self.order.map(Into::into),
            mode: self.mode.map(Into::into),
            nested_filter: self.nested_filter.as_deref().map(NestedFilter::to_message),
            missing_value: self.missing_value.as_ref().map(MissingValue::to_variant),
            missing_field: self.missing_field.clone(),
        }
    }

    pub(super) fn from_message_at(
        message: &messages::FieldSort,
        depth: usize,
    ) -> Result<Self, SearchError> {
        let read = || {
            let missing_value = message.missing_value.as_deref();
            Ok(Self {
                field: required("field_name", message.field_name.clone())?,
                order: known("order", message.order)?,
                mode: known("mode", message.mode)?,
                nested_filter: NestedFilter::optional(message.nested_filter.as_ref(), depth)?,
                missing_value: missing_value.map(MissingValue::from_variant).transpose()?,
                missing_field: message.missing_field.clone(),
            })
        };
        read().map_err(|error: SearchError| error.within("field sort"))
    }
}

impl MissingValue {
    fn to_variant(&self) -> Bytes {
        match self {
            Self::First => VariantRef::InfMin.encode(),
            Self::Last => VariantRef::InfMax.encode(),
            Self::Value(value) => variant(value),
        }
    }

    fn from_variant(bytes: &[u8]) -> Result<Self, SearchError> {
        Ok(match read_variant(bytes)? {
            VariantRef::InfMin => Self::First,
            VariantRef::InfMax => Self::Last,
            other => Self::Value(column_value("missing_value", other)?),
        })
    }
}

impl<T: Into<ColumnValue>> From<T> for MissingValue {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}
