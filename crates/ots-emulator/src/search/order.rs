//! In which order a search returns its rows.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use ots_proto::messages;
use ots_proto::plainbuffer::VariantRef;
use ots_proto::search::{
    FieldSort, GeoDistanceSort, GeoDistanceType, GeoPoint, MissingValue, NestedFilter, Sort,
    SortMode, SortOrder, Sorter,
};
use ots_proto::{ColumnValue, PrimaryKeyValue, PrimaryKeyValueRef};

use super::doc::Doc;
use super::field::{Field, Kind, Scalar};
use super::geo::{distance_m, plane_distance_m};
use super::predicate;
use super::query::CompiledQuery;
use super::schema::Schema;
use crate::error::ServiceError;

/// In which order a search returns its rows.
#[derive(Clone, Debug)]
pub(crate) struct RowOrder {
    keys: Vec<OrderKey>,
}

#[derive(Clone, Debug)]
enum OrderKey {
    Field(FieldKey),
    Distance {
        field: Arc<Field>,
        points: Vec<GeoPoint>,
        measure: fn(GeoPoint, GeoPoint) -> f64,
        mode: SortMode,
        filter: Option<InnerFilter>,
        direction: Direction,
    },
    Score(Direction),
    PrimaryKey(Direction),
    /// The place of an inner row.
    Place(Direction),
}

#[derive(Clone, Debug)]
struct FieldKey {
    field: Arc<Field>,
    mode: SortMode,
    direction: Direction,
    filter: Option<InnerFilter>,
    /// Whose value counts where the field has none.
    substitute: Option<Arc<Field>>,
    /// What counts where neither has one.
    missing: OrderValue<'static>,
    /// Whether rows without any of these come first.
    missing_first: bool,
}

/// Which inner rows count.
#[derive(Clone, Debug)]
struct InnerFilter {
    path: Arc<Field>,
    query: CompiledQuery,
}

/// What an order is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of<'p> {
    Rows,
    /// The inner rows of this NESTED field.
    InnerRows(&'p str),
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
    Ip(u128),
    Key(Cow<'r, [PrimaryKeyValue]>),
    /// The row has no value there.
    Missing,
}

impl RowOrder {
    /// The order a message asks for, with the primary key at its end unless the message forbids it.
    pub(crate) fn parse(schema: &Schema, sort: &messages::Sort) -> Result<Self, ServiceError> {
        let sort = Sort::from_message(sort).map_err(|error| ServiceError::caused(&error))?;
        Self::new(schema, &sort, Of::Rows)
    }

    /// The order that a sort asks for.
    pub(crate) fn new(schema: &Schema, sort: &Sort, of: Of<'_>) -> Result<Self, ServiceError> {
        let mut keys = sort
            .sorters
            .iter()
            .map(|sorter| OrderKey::parse(schema, sorter, of))
            .collect::<Result<Vec<_>, _>>()?;
        match of {
            Of::Rows => {
                let by_key = |key: &OrderKey| matches!(key, OrderKey::PrimaryKey(_));
                // Without any sorter there must be some order all the same.
                let wanted = keys.is_empty() || !sort.disable_default_pk_sorter.unwrap_or(false);
                if wanted && !keys.iter().any(by_key) {
                    keys.push(OrderKey::PrimaryKey(Direction::Ascending));
                }
            }
            Of::InnerRows(_) => keys.push(OrderKey::Place(Direction::Ascending)),
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

    /// Whether scores decide.
    pub(crate) fn needs_score(&self) -> bool {
        self.keys
            .iter()
            .any(|key| matches!(key, OrderKey::Score(_)))
    }

    /// Where a row stands in this order. Its score is asked for only where it decides.
    pub(crate) fn position<'r>(&self, doc: impl Into<Doc<'r>>, score: f64) -> Position<'r> {
        let doc = doc.into();
        Position(self.keys.iter().map(|key| key.value(doc, score)).collect())
    }

    /// Which of two positions comes first.
    pub(crate) fn compare(&self, a: &Position<'_>, b: &Position<'_>) -> Ordering {
        self.keys
            .iter()
            .zip(a.0.iter().zip(&b.0))
            .map(|(key, (a, b))| key.compare(a, b))
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
                (_, VariantRef::Binary(value)) => {
                    OrderValue::Ip(u128::from_be_bytes(value.try_into().ok()?))
                }
                (_, VariantRef::Null) => OrderValue::Missing,
                _ => return None,
            };
            position.push(value);
        }
        values.next().is_none().then_some(Position(position))
    }
}

impl Position<'_> {
    /// As one that outlives its row.
    pub(crate) fn into_owned(self) -> Position<'static> {
        let values = self.0.into_iter().map(|value| match value {
            OrderValue::Long(value) => OrderValue::Long(value),
            OrderValue::Double(value) => OrderValue::Double(value),
            OrderValue::Boolean(value) => OrderValue::Boolean(value),
            OrderValue::Text(value) => OrderValue::Text(value.into_owned().into()),
            OrderValue::Ip(value) => OrderValue::Ip(value),
            OrderValue::Key(value) => OrderValue::Key(value.into_owned().into()),
            OrderValue::Missing => OrderValue::Missing,
        });
        Position(values.collect())
    }

    /// The values one after another, each as a variant.
    pub(crate) fn encode(&self) -> Vec<Bytes> {
        let mut values = Vec::with_capacity(self.0.len());
        for value in &self.0 {
            let variant = match value {
                OrderValue::Long(value) => VariantRef::Integer(*value),
                OrderValue::Double(value) => VariantRef::Double(*value),
                OrderValue::Boolean(value) => VariantRef::Boolean(*value),
                OrderValue::Text(value) => VariantRef::String(value),
                OrderValue::Ip(value) => {
                    values.push(VariantRef::Binary(&value.to_be_bytes()).encode());
                    continue;
                }
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
    fn parse(schema: &Schema, sorter: &Sorter, of: Of<'_>) -> Result<Self, ServiceError> {
        match (sorter, of) {
            (Sorter::Field(sort), of) => FieldKey::parse(schema, sort, of).map(Self::Field),
            (Sorter::GeoDistance(sort), of) => Self::parse_distance(schema, sort, of),
            (Sorter::Score(order), _) => Ok(Self::Score(match order {
                // The best first.
                None => Direction::Descending,
                order => Direction::parse(*order),
            })),
            (Sorter::PrimaryKey(order), Of::Rows) => Ok(Self::PrimaryKey(Direction::parse(*order))),
            (Sorter::PrimaryKey(_), Of::InnerRows(_)) => Err(ServiceError::parameter(
                "inner rows have no primary key to sort by",
            )),
            (Sorter::Doc(order), Of::InnerRows(_)) => Ok(Self::Place(Direction::parse(*order))),
            (Sorter::Doc(_), Of::Rows) => Err(ServiceError::parameter(
                "only inner hits can be sorted by DocSort",
            )),
            _ => Err(ServiceError::parameter(
                "a sorter of the sort is not supported by the emulator",
            )),
        }
    }

    fn parse_distance(
        schema: &Schema,
        sort: &GeoDistanceSort,
        of: Of<'_>,
    ) -> Result<Self, ServiceError> {
        let name = &sort.field;
        let field = sortable_in(schema, name, of)?;
        if field.kind != Kind::GeoPoint {
            return Err(ServiceError::parameter(format!(
                "can't sort by the distance of field [{name}] of type {}",
                field.kind.name()
            )));
        }
        if sort.points.is_empty() || sort.points.len() > MAX_POINTS {
            return Err(ServiceError::parameter(format!(
                "a sort by distance takes 1 to {MAX_POINTS} points, not {}",
                sort.points.len()
            )));
        }
        Ok(Self::Distance {
            filter: InnerFilter::parse(schema, sort.nested_filter.as_deref(), field)?,
            field: Arc::clone(field),
            points: sort.points.clone(),
            measure: match sort.distance_type {
                Some(GeoDistanceType::Plane) => plane_distance_m,
                None | Some(GeoDistanceType::Arc) => distance_m,
            },
            mode: sort.mode.unwrap_or(SortMode::Min),
            direction: Direction::parse(sort.order),
        })
    }

    fn compare(&self, a: &OrderValue<'_>, b: &OrderValue<'_>) -> Ordering {
        match self {
            Self::Field(key) => a.compare(b, key.direction, key.missing_first),
            Self::Distance { direction, .. }
            | Self::Score(direction)
            | Self::PrimaryKey(direction)
            | Self::Place(direction) => a.compare(b, *direction, false),
        }
    }

    fn value<'r>(&self, doc: Doc<'r>, score: f64) -> OrderValue<'r> {
        match (self, doc) {
            (Self::Field(key), doc) => key.value(doc),
            (
                Self::Distance {
                    field,
                    points,
                    measure,
                    mode,
                    filter,
                    ..
                },
                doc,
            ) => {
                let mut several = Several::new(*mode);
                let fits = values(field, filter.as_ref(), doc, &mut |value| {
                    if let Scalar::Point(place) = value {
                        for point in points {
                            several.add(OrderValue::Double(measure(*point, place)));
                        }
                    }
                });
                if fits {
                    several.result()
                } else {
                    OrderValue::Missing
                }
            }
            (Self::Score(_), _) => OrderValue::Double(score),
            (Self::PrimaryKey(_), Doc::Row(row)) => OrderValue::Key(Cow::Borrowed(&row.key)),
            (Self::Place(_), Doc::Inner(inner)) => {
                OrderValue::Long(i64::try_from(inner.offset).unwrap_or(i64::MAX))
            }
            (Self::PrimaryKey(_), Doc::Inner(_)) | (Self::Place(_), Doc::Row(_)) => {
                OrderValue::Missing
            }
        }
    }
}

impl FieldKey {
    fn parse(schema: &Schema, sort: &FieldSort, of: Of<'_>) -> Result<Self, ServiceError> {
        let name = &sort.field;
        let field = sortable_in(schema, name, of)?;
        let kind = &field.kind;
        if !field.sortable {
            return Err(ServiceError::parameter(format!(
                "can't sort by field [{name}] of type {}: {}",
                kind.name(),
                if kind.has_order() {
                    "sort_and_agg is false in its schema"
                } else {
                    "the type has no order"
                }
            )));
        }
        let mode = sort.mode.unwrap_or(SortMode::Min);
        let numeric = matches!(kind, Kind::Long | Kind::Double | Kind::Date(_));
        if mode == SortMode::Avg && !numeric {
            return Err(ServiceError::parameter(format!(
                "can't sort by the average of field [{name}] of type {}",
                kind.name()
            )));
        }
        let missing = match &sort.missing_value {
            None | Some(MissingValue::First | MissingValue::Last) => OrderValue::Missing,
            Some(MissingValue::Value(value)) => OrderValue::given(field, value, mode)?,
            Some(_) => {
                return Err(ServiceError::parameter(format!(
                    "the missing_value of field [{name}] is not supported by the emulator"
                )));
            }
        };
        let substitute = sort.missing_field.as_ref().filter(|name| !name.is_empty());
        let substitute = substitute.map(|name| {
            let other = sortable_in(schema, name, of)?;
            if other.sortable && other.kind == field.kind {
                Ok(Arc::clone(other))
            } else {
                Err(ServiceError::parameter(format!(
                    "the missing_field [{name}] of field [{}] must be sortable and of its type",
                    field.name
                )))
            }
        });
        Ok(Self {
            filter: InnerFilter::parse(schema, sort.nested_filter.as_deref(), field)?,
            field: Arc::clone(field),
            mode,
            direction: Direction::parse(sort.order),
            substitute: substitute.transpose()?,
            missing,
            missing_first: sort.missing_value == Some(MissingValue::First),
        })
    }

    fn value<'r>(&self, doc: Doc<'r>) -> OrderValue<'r> {
        let mut value = self.value_of(&self.field, doc);
        if value == OrderValue::Missing
            && let Some(substitute) = &self.substitute
        {
            value = self.value_of(substitute, doc);
        }
        if value == OrderValue::Missing {
            value = self.missing.clone();
        }
        value
    }

    fn value_of<'r>(&self, field: &Field, doc: Doc<'r>) -> OrderValue<'r> {
        if field.has_one_value() {
            return match field.scalar(doc) {
                Some(Scalar::Text(value)) => OrderValue::Text(Cow::Borrowed(value)),
                Some(value) => OrderValue::of(value),
                None => OrderValue::Missing,
            };
        }
        let mut several = Several::new(self.mode);
        let fits = values(field, self.filter.as_ref(), doc, &mut |value| {
            several.add(OrderValue::of(value));
        });
        if fits {
            several.result()
        } else {
            OrderValue::Missing
        }
    }
}

/// A field that the rows of this order can be asked for: whole rows also for what lies in a NESTED
/// field, of which one value counts.
fn sortable_in<'s>(
    schema: &'s Schema,
    name: &str,
    of: Of<'_>,
) -> Result<&'s Arc<Field>, ServiceError> {
    match of {
        Of::Rows => schema.field(name),
        Of::InnerRows(path) => schema.queryable_in(Some(path), name),
    }
}

impl InnerFilter {
    fn parse(
        schema: &Schema,
        filter: Option<&NestedFilter>,
        field: &Field,
    ) -> Result<Option<Self>, ServiceError> {
        let Some(NestedFilter { path, filter, .. }) = filter else {
            return Ok(None);
        };
        if field.nested_in.as_deref() != Some(path.as_str()) {
            return Err(ServiceError::parameter(format!(
                "the nested filter of [{path}] doesn't go with field [{}]",
                field.name
            )));
        }
        Ok(Some(Self {
            path: Arc::clone(schema.nested(path)?),
            query: CompiledQuery::of_inner_rows(schema, filter, path)?,
        }))
    }
}

/// Calls `each` with the values that count; false if there are none.
fn values(
    field: &Field,
    filter: Option<&InnerFilter>,
    doc: Doc<'_>,
    each: &mut dyn FnMut(Scalar<'_>),
) -> bool {
    let Some(filter) = filter else {
        return field.all(doc, each);
    };
    let mut found = false;
    filter.path.inner_rows(doc, &mut |inner| {
        if filter.query.matches(inner) {
            found |= field.all(inner, &mut *each);
        }
    });
    found
}

impl Direction {
    const fn parse(order: Option<SortOrder>) -> Self {
        match order {
            None | Some(SortOrder::Asc) => Self::Ascending,
            Some(SortOrder::Desc) => Self::Descending,
        }
    }
}

impl OrderValue<'static> {
    fn of(value: Scalar<'_>) -> Self {
        match value {
            Scalar::Long(value) | Scalar::Date(value) => Self::Long(value),
            Scalar::Double(value) => Self::Double(value),
            Scalar::Boolean(value) => Self::Boolean(value),
            Scalar::Text(value) => Self::Text(Cow::Owned(value.to_owned())),
            Scalar::Ip(value) => Self::Ip(value),
            Scalar::Point(_) | Scalar::Vector(_) | Scalar::Object => Self::Missing,
        }
    }

    /// A value of a request, in the type of a field.
    fn given(field: &Field, value: &ColumnValue, mode: SortMode) -> Result<Self, ServiceError> {
        let given = match (&field.kind, value) {
            (Kind::Long, ColumnValue::Integer(value)) => Self::Long(*value),
            (Kind::Double, ColumnValue::Integer(value)) => Self::Double(*value as f64),
            (Kind::Double, ColumnValue::Double(value)) if !value.is_nan() => Self::Double(*value),
            (Kind::Boolean, ColumnValue::Boolean(value)) => Self::Boolean(*value),
            (Kind::Keyword, ColumnValue::String(value)) => Self::Text(Cow::Owned(value.clone())),
            (Kind::Date(_), value) => {
                let nanos = predicate::date(field, value)?;
                Self::Long(i64::try_from(nanos).map_err(|_| predicate::unfit(field, value))?)
            }
            _ => return Err(predicate::unfit(field, value)),
        };
        Ok(match (mode, given) {
            // It is compared with averages.
            (SortMode::Avg, Self::Long(value)) if !field.has_one_value() => {
                Self::Double(value as f64)
            }
            (_, given) => given,
        })
    }
}

impl OrderValue<'_> {
    /// A row without a value comes last in both directions, unless it should come first.
    fn compare(
        &self,
        other: &OrderValue<'_>,
        direction: Direction,
        missing_first: bool,
    ) -> Ordering {
        let missing = |ordering: Ordering| {
            if missing_first {
                ordering.reverse()
            } else {
                ordering
            }
        };
        let ordering = match (self, other) {
            (Self::Missing, OrderValue::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return missing(Ordering::Greater),
            (_, OrderValue::Missing) => return missing(Ordering::Less),
            (Self::Long(a), OrderValue::Long(b)) => a.cmp(b),
            (Self::Double(a), OrderValue::Double(b)) => a.total_cmp(b),
            (Self::Boolean(a), OrderValue::Boolean(b)) => a.cmp(b),
            (Self::Text(a), OrderValue::Text(b)) => a.cmp(b),
            (Self::Ip(a), OrderValue::Ip(b)) => a.cmp(b),
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

/// The smallest, the largest or the average of several values.
struct Several {
    mode: SortMode,
    best: OrderValue<'static>,
    sum: f64,
    count: f64,
}

impl Several {
    const fn new(mode: SortMode) -> Self {
        Self {
            mode,
            best: OrderValue::Missing,
            sum: 0.0,
            count: 0.0,
        }
    }

    fn add(&mut self, value: OrderValue<'static>) {
        self.sum += match value {
            OrderValue::Long(value) => value as f64,
            OrderValue::Double(value) => value,
            _ => 0.0,
        };
        self.count += 1.0;
        let toward = match self.mode {
            SortMode::Max => Direction::Descending,
            SortMode::Min | SortMode::Avg => Direction::Ascending,
        };
        if value.compare(&self.best, toward, false).is_lt() {
            self.best = value;
        }
    }

    fn result(self) -> OrderValue<'static> {
        match self.mode {
            _ if self.best == OrderValue::Missing => OrderValue::Missing,
            SortMode::Avg => OrderValue::Double(self.sum / self.count),
            SortMode::Min | SortMode::Max => self.best,
        }
    }
}

/// Each costs a step for each row.
const MAX_POINTS: usize = 1024;
