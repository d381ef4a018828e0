//! In which order a search returns its rows.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use ots_proto::messages::{self, SortMode, SortOrder};
use ots_proto::plainbuffer::VariantRef;
use ots_proto::{PrimaryKeyValue, PrimaryKeyValueRef};

use super::field::{Field, Kind, Scalar};
use super::schema::Schema;
use crate::error::ServiceError;
use crate::stored::StoredRow;

/// In which order a search returns its rows.
#[derive(Clone, Debug)]
pub(crate) struct RowOrder {
    keys: Vec<OrderKey>,
}

#[derive(Clone, Debug)]
enum OrderKey {
    Field {
        field: Arc<Field>,
        direction: Direction,
        mode: SortMode,
    },
    PrimaryKey(Direction),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// What a row is ordered by, one value for each sorter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Position<'r>(Vec<OrderValue<'r>>);

#[derive(Clone, Debug, PartialEq)]
enum OrderValue<'r> {
    Long(i64),
    Double(f64),
    Boolean(bool),
    Text(Cow<'r, str>),
    Key(Cow<'r, [PrimaryKeyValue]>),
    /// The row has no value there.
    Missing,
}

impl RowOrder {
    /// The order a message asks for, with the primary key at its end unless the message forbids it.
    pub(crate) fn parse(schema: &Schema, sort: &messages::Sort) -> Result<Self, ServiceError> {
        let mut keys = sort
            .sorter
            .iter()
            .map(|sorter| OrderKey::parse(schema, sorter))
            .collect::<Result<Vec<_>, _>>()?;
        let by_key = |key: &OrderKey| matches!(key, OrderKey::PrimaryKey(_));
        // Without any sorter there must be some order all the same.
        let wanted = keys.is_empty() || !sort.disable_default_pk_sorter.unwrap_or(false);
        if wanted && !keys.iter().any(by_key) {
            keys.push(OrderKey::PrimaryKey(Direction::Ascending));
        }
        Ok(Self { keys })
    }

    /// The direction, if rows are ordered by primary key alone: that is how they are stored.
    pub(crate) fn by_primary_key(&self) -> Option<Direction> {
        match self.keys.first() {
            Some(OrderKey::PrimaryKey(direction)) => Some(*direction),
            _ => None,
        }
    }

    /// Where a row stands in this order.
    pub(crate) fn position<'r>(&self, row: &'r StoredRow) -> Position<'r> {
        Position(self.keys.iter().map(|key| key.value(row)).collect())
    }

    /// Which of two positions comes first.
    pub(crate) fn compare(&self, a: &Position<'_>, b: &Position<'_>) -> Ordering {
        self.keys
            .iter()
            .zip(a.0.iter().zip(&b.0))
            .map(|(key, (a, b))| a.compare(b, key.direction()))
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The position that [`Position::encode`] wrote, if it belongs to this order.
    pub(crate) fn decode_position(&self, values: &[Bytes]) -> Option<Position<'static>> {
        let mut values = values.iter();
        let mut next = || VariantRef::decode(values.next()?).ok();
        let mut position = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            let value = match (key, next()?) {
                (OrderKey::PrimaryKey(_), VariantRef::Integer(columns)) => {
                    let columns = (0..columns).map(|_| {
                        let value = PrimaryKeyValueRef::try_from(next()?).ok()?;
                        Some(value.to_owned())
                    });
                    OrderValue::Key(columns.collect::<Option<Vec<_>>>()?.into())
                }
                (OrderKey::PrimaryKey(_), _) => return None,
                (_, VariantRef::Integer(value)) => OrderValue::Long(value),
                (_, VariantRef::Double(value)) => OrderValue::Double(value),
                (_, VariantRef::Boolean(value)) => OrderValue::Boolean(value),
                (_, VariantRef::String(value)) => OrderValue::Text(value.to_owned().into()),
                (_, VariantRef::Null) => OrderValue::Missing,
                _ => return None,
            };
            position.push(value);
        }
        values.next().is_none().then_some(Position(position))
    }
}

impl Position<'_> {
    /// The values one after another, each as a variant.
    pub(crate) fn encode(&self) -> Vec<Bytes> {
        let mut values = Vec::with_capacity(self.0.len());
        for value in &self.0 {
            let variant = match value {
                OrderValue::Long(value) => VariantRef::Integer(*value),
                OrderValue::Double(value) => VariantRef::Double(*value),
                OrderValue::Boolean(value) => VariantRef::Boolean(*value),
                OrderValue::Text(value) => VariantRef::String(value),
                OrderValue::Missing => VariantRef::Null,
                OrderValue::Key(columns) => {
                    let count = i64::try_from(columns.len()).unwrap_or(i64::MAX);
                    values.push(VariantRef::Integer(count).encode());
                    values.extend(
                        columns
                            .iter()
                            .map(|value| VariantRef::from(value.as_ref()).encode()),
                    );
                    continue;
                }
            };
            values.push(variant.encode());
        }
        values
    }

    /// The primary key, if rows are ordered by it.
    pub(crate) fn primary_key(&self) -> Option<&[PrimaryKeyValue]> {
        self.0.iter().find_map(|value| match value {
            OrderValue::Key(key) => Some(&**key),
            _ => None,
        })
    }
}

impl OrderKey {
    fn parse(schema: &Schema, sorter: &messages::Sorter) -> Result<Self, ServiceError> {
        match sorter {
            messages::Sorter {
                field_sort: Some(sort),
                ..
            } => Self::parse_field(schema, sort),
            messages::Sorter {
                pk_sort: Some(sort),
                ..
            } => Direction::parse(sort.order).map(Self::PrimaryKey),
            messages::Sorter {
                geo_distance_sort: Some(_),
                ..
            } => Err(unsupported("GeoDistanceSort")),
            messages::Sorter {
                score_sort: Some(_),
                ..
            } => Err(unsupported("ScoreSort")),
            messages::Sorter {
                doc_sort: Some(_), ..
            } => Err(unsupported("DocSort")),
            _ => Err(ServiceError::parameter("a sorter of the sort is empty")),
        }
    }

    fn parse_field(schema: &Schema, sort: &messages::FieldSort) -> Result<Self, ServiceError> {
        let name = sort.field_name.as_deref().unwrap_or_default();
        let field = schema.field(name)?;
        let kind = &field.kind;
        if !field.sortable || *kind == Kind::GeoPoint {
            return Err(ServiceError::parameter(format!(
                "can't sort by field [{name}] of type {}: {}",
                kind.name(),
                match kind {
                    Kind::Text(_) | Kind::GeoPoint => "the type has no order",
                    _ => "sort_and_agg is false in its schema",
                }
            )));
        }
        for (present, feature) in [
            (sort.nested_filter.is_some(), "nested_filter of a FieldSort"),
            (sort.missing_value.is_some(), "missing_value of a FieldSort"),
            (sort.missing_field.is_some(), "missing_field of a FieldSort"),
        ] {
            if present {
                return Err(unsupported(feature));
            }
        }
        let mode = match sort.mode {
            None => SortMode::Min,
            Some(number) => SortMode::try_from(number).map_err(|_| {
                ServiceError::parameter(format!("the sort mode {number} is unknown"))
            })?,
        };
        let numeric = matches!(kind, Kind::Long | Kind::Double | Kind::Date(_));
        if mode == SortMode::Avg && !numeric {
            return Err(ServiceError::parameter(format!(
                "can't sort by the average of field [{name}] of type {}",
                kind.name()
            )));
        }
        Ok(Self::Field {
            field: Arc::clone(field),
            direction: Direction::parse(sort.order)?,
            mode,
        })
    }

    const fn direction(&self) -> Direction {
        match self {
            Self::Field { direction, .. } | Self::PrimaryKey(direction) => *direction,
        }
    }

    fn value<'r>(&self, row: &'r StoredRow) -> OrderValue<'r> {
        match self {
            Self::PrimaryKey(_) => OrderValue::Key(Cow::Borrowed(&row.key)),
            Self::Field { field, mode, .. } if field.is_array => array_value(field, *mode, row),
            Self::Field { field, .. } => match field.scalar(row) {
                Some(Scalar::Text(value)) => OrderValue::Text(Cow::Borrowed(value)),
                Some(value) => OrderValue::of(value),
                None => OrderValue::Missing,
            },
        }
    }
}

impl Direction {
    fn parse(order: Option<i32>) -> Result<Self, ServiceError> {
        match order.map(SortOrder::try_from) {
            None | Some(Ok(SortOrder::Asc)) => Ok(Self::Ascending),
            Some(Ok(SortOrder::Desc)) => Ok(Self::Descending),
            Some(Err(number)) => Err(ServiceError::parameter(format!(
                "the sort order is unknown: {number}"
            ))),
        }
    }
}

impl OrderValue<'_> {
    fn of(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Long(value) | Scalar::Date(value) => Self::Long(value),
            Scalar::Double(value) => Self::Double(value),
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Text(value) => Self::Text(Cow::Owned(value.to_owned())),
            Scalar::Point { .. } => Self::Missing,
        }
    }

    /// A row without a value comes last in both directions.
    fn compare(&self, other: &OrderValue<'_>, direction: Direction) -> Ordering {
        let ordering = match (self, other) {
            (Self::Missing, OrderValue::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, OrderValue::Missing) => return Ordering::Less,
            (Self::Long(a), OrderValue::Long(b)) => a.cmp(b),
            (Self::Double(a), OrderValue::Double(b)) => a.total_cmp(b),
            (Self::Boolean(a), OrderValue::Boolean(b)) => a.cmp(b),
            (Self::Text(a), OrderValue::Text(b)) => a.cmp(b),
            (Self::Key(a), OrderValue::Key(b)) => a.cmp(b),
            // One sorter makes values of one type only.
            _ => Ordering::Equal,
        };
        match direction {
            Direction::Ascending => ordering,
            Direction::Descending => ordering.reverse(),
        }
    }
}

/// The smallest, the largest or the average element.
fn array_value(field: &Field, mode: SortMode, row: &StoredRow) -> OrderValue<'static> {
    let mut best = OrderValue::Missing;
    let (mut sum, mut count) = (0.0, 0.0);
    let toward = match mode {
        SortMode::Max => Direction::Descending,
        SortMode::Min | SortMode::Avg => Direction::Ascending,
    };
    let fits = field.all(row, |value| {
        sum += match value {
            Scalar::Long(value) | Scalar::Date(value) => value as f64,
            Scalar::Double(value) => value,
            _ => 0.0,
        };
        count += 1.0;
        let value = OrderValue::of(value);
        if value.compare(&best, toward).is_lt() {
            best = value;
        }
    });
    match mode {
        _ if !fits || best == OrderValue::Missing => OrderValue::Missing,
        SortMode::Avg => OrderValue::Double(sum / count),
        SortMode::Min | SortMode::Max => best,
    }
}

fn unsupported(feature: &str) -> ServiceError {
    ServiceError::parameter(format!("{feature} is not supported by the emulator"))
}
