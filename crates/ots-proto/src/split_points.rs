//! The parts of a table that ComputeSplitPointsBySize cuts it into.

use std::fmt;
use std::sync::Arc;

use crate::bounded;
use crate::messages::{
    ComputeSplitPointsBySizeResponse, PrimaryKeySchema, PrimaryKeyType, SplitLocation,
};
use crate::plainbuffer::{self, read_primary_key, write_primary_key};
use crate::{ColumnName, PrimaryKey, PrimaryKeyColumn, PrimaryKeyValue};

/// A table cut into ranges of keys of about one size, which together are the whole table.
///
/// ```
/// use ots_proto::messages::{PrimaryKeySchema, PrimaryKeyType};
/// use ots_proto::{PrimaryKey, TableSplits};
///
/// let schema = vec![PrimaryKeySchema {
///     name: "id".to_owned(),
///     r#type: PrimaryKeyType::Integer.into(),
///     option: None,
/// }];
/// let points = [PrimaryKey::new().column("id", 100)];
/// let splits = TableSplits::new(schema, points, [])?;
/// assert_eq!(splits.splits().len(), 2);
/// assert_eq!(splits.splits()[0].end, splits.splits()[1].start);
/// # Ok::<(), ots_proto::SplitPointError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TableSplits {
    schema: Vec<PrimaryKeySchema>,
    splits: Vec<TableSplit>,
}

/// One range of keys: the rows from `start` on that come before `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableSplit {
    /// Where it begins, inclusive: every key column, `INF_MIN` in all of the first split.
    pub start: PrimaryKey,
    /// Where it ends, exclusive: every key column, `INF_MAX` in all of the last split.
    pub end: PrimaryKey,
    /// Where the service keeps it, as an opaque text: splits with the same are kept in one place.
    /// None if the service doesn't say. The splits of one place share the text.
    pub location: Option<Arc<str>>,
}

/// Why points don't cut a table into splits.
#[derive(Debug)]
#[non_exhaustive]
pub enum SplitPointError {
    /// A key of no columns, or of more than the service could ever have.
    Schema {
        /// How many columns it has.
        key_columns: usize,
    },
    /// A point isn't a key.
    Point {
        /// The point, counted from zero.
        point: usize,
        /// What is wrong with it.
        source: plainbuffer::Error,
    },
    /// A point isn't a key of this table.
    Column {
        /// The point, counted from zero.
        point: usize,
        /// The column of the key, counted from zero.
        column: usize,
    },
    /// A point isn't after the one before it, so that rows would be read twice, or never.
    Order {
        /// The point, counted from zero. The number of points if the last one lies at the very end.
        point: usize,
    },
    /// The places aren't those of as many splits as there are.
    Locations {
        /// How many splits there are.
        splits: usize,
        /// How many splits have a place; none if a number is negative.
        located: Option<u64>,
    },
}

/// The service has at most four.
const MAX_KEY_COLUMNS: usize = 16;

impl TableSplits {
    /// The splits between points, each naming at least the leading columns of the key: those left
    /// out begin at `INF_MIN`. `locations` are those of the splits, of which there is one more than
    /// points; or there are none at all.
    ///
    /// # Errors
    /// When the points aren't in strictly ascending order, don't fit the key, or there are more or
    /// fewer locations than splits.
    pub fn new(
        schema: Vec<PrimaryKeySchema>,
        points: impl IntoIterator<Item = PrimaryKey>,
        locations: impl IntoIterator<Item = Option<Arc<str>>>,
    ) -> Result<Self, SplitPointError> {
        let key_columns = schema.len();
        if !(1..=MAX_KEY_COLUMNS).contains(&key_columns) {
            return Err(SplitPointError::Schema { key_columns });
        }
        // Shared by every bound.
        let names: Vec<ColumnName> = schema
            .iter()
            .map(|column| column.name.as_str().into())
            .collect();
        let mut splits = Vec::new();
        let mut start = PrimaryKey::min(&names);
        for (point, key) in points.into_iter().enumerate() {
            let end = padded(&schema, &names, &key)
                .map_err(|column| SplitPointError::Column { point, column })?;
            if end <= start {
                return Err(SplitPointError::Order { point });
            }
            splits.push(TableSplit::new(start, end.clone()));
            start = end;
        }
        let end = PrimaryKey::max(&names);
        if end <= start {
            let point = splits.len();
            return Err(SplitPointError::Order { point });
        }
        splits.push(TableSplit::new(start, end));

        let mut located = 0_usize;
        for location in locations {
            if let Some(split) = splits.get_mut(located) {
                split.location = location;
            }
            located += 1;
        }
        if located != 0 && located != splits.len() {
            return Err(SplitPointError::Locations {
                splits: splits.len(),
                located: u64::try_from(located).ok(),
            });
        }
        Ok(Self { schema, splits })
    }

    /// The key of the table: names, types and options of its columns, in order.
    #[must_use]
    pub fn schema(&self) -> &[PrimaryKeySchema] {
        &self.schema
    }

    /// The splits, in the order of their keys. There is at least one.
    #[must_use]
    pub fn splits(&self) -> &[TableSplit] {
        &self.splits
    }

    /// The splits, in the order of their keys. There is at least one.
    #[must_use]
    pub fn into_splits(self) -> Vec<TableSplit> {
        self.splits
    }

    /// The splits that a response says.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when a point can't be read.
    pub fn from_message(
        message: &ComputeSplitPointsBySizeResponse,
    ) -> Result<Self, SplitPointError> {
        let splits = message.split_points.len() + 1;
        check_locations(&message.locations, splits)?;
        let points = message.split_points.iter().enumerate();
        let points = points.map(|(point, bytes)| {
            read_primary_key(bytes).map_err(|source| SplitPointError::Point { point, source })
        });
        let points = bounded::collect(points)?;
        // One text for each run, however many splits share it: else a long one would be copied as
        // often as a few bytes ask for.
        let locations = message.locations.iter().flat_map(|run| {
            let location = Some(run.location.as_str()).filter(|location| !location.is_empty());
            let location = location.map(Arc::from);
            let repeat = usize::try_from(run.repeat).unwrap_or_default();
            std::iter::repeat_n(location, repeat)
        });
        Self::new(message.schema.clone(), points, locations)
    }

    /// The response that says the same, without what the request consumed. Columns at the end of a
    /// point that begin at `INF_MIN` are left out.
    #[must_use]
    pub fn to_message(&self) -> ComputeSplitPointsBySizeResponse {
        let starts = self.splits.iter().skip(1).map(|split| &split.start);
        let split_points = starts.map(|start| {
            let columns = start.columns();
            let named = columns
                .iter()
                .rposition(|column| column.value != PrimaryKeyValue::InfMin)
                .map_or(0, |last| last + 1);
            let columns = columns.iter().take(named);
            let point = columns.map(|PrimaryKeyColumn { name, value }| (name, value.clone()));
            write_primary_key(&point.collect())
        });
        let mut locations: Vec<SplitLocation> = Vec::new();
        if self.splits.iter().any(|split| split.location.is_some()) {
            for split in &self.splits {
                let location = split.location.as_deref().unwrap_or_default();
                match locations.last_mut() {
                    Some(run) if run.location == location => run.repeat += 1,
                    _ => locations.push(SplitLocation {
                        location: location.to_owned(),
                        repeat: 1,
                    }),
                }
            }
        }
        ComputeSplitPointsBySizeResponse {
            schema: self.schema.clone(),
            split_points: split_points.collect(),
            locations,
            ..ComputeSplitPointsBySizeResponse::default()
        }
    }
}

impl TableSplit {
    const fn new(start: PrimaryKey, end: PrimaryKey) -> Self {
        Self {
            start,
            end,
            location: None,
        }
    }
}

/// A point with every column of the key, or the first column that isn't one of this table.
fn padded(
    schema: &[PrimaryKeySchema],
    names: &[ColumnName],
    point: &PrimaryKey,
) -> Result<PrimaryKey, usize> {
    if point.len() > schema.len() {
        return Err(schema.len());
    }
    for (column, (found, expected)) in point.columns().iter().zip(schema).enumerate() {
        let fits = found.name == *expected.name && fits(&found.value, expected.r#type);
        if !fits {
            return Err(column);
        }
    }
    let values = point.columns().iter().map(|column| column.value.clone());
    let values = values.chain(std::iter::repeat(PrimaryKeyValue::InfMin));
    Ok(names.iter().zip(values).collect())
}

fn fits(value: &PrimaryKeyValue, column_type: i32) -> bool {
    let expected = PrimaryKeyType::try_from(column_type);
    match value {
        PrimaryKeyValue::InfMin | PrimaryKeyValue::InfMax => true,
        PrimaryKeyValue::Integer(_) => expected == Ok(PrimaryKeyType::Integer),
        PrimaryKeyValue::String(_) => expected == Ok(PrimaryKeyType::String),
        PrimaryKeyValue::Binary(_) => expected == Ok(PrimaryKeyType::Binary),
        PrimaryKeyValue::AutoIncrement => false,
    }
}

/// The runs, before any of them is unrolled: a few bytes can say "repeat this for ever".
fn check_locations(runs: &[SplitLocation], splits: usize) -> Result<(), SplitPointError> {
    if runs.is_empty() {
        return Ok(());
    }
    let located = runs.iter().try_fold(0_u64, |located, run| {
        u64::try_from(run.repeat)
            .ok()
            .map(|repeat| located.saturating_add(repeat))
    });
    if located.and_then(|located| usize::try_from(located).ok()) == Some(splits) {
        Ok(())
    } else {
        Err(SplitPointError::Locations { splits, located })
    }
}

impl std::error::Error for SplitPointError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Point { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Display for SplitPointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { key_columns } => {
                write!(f, "a table can't have a key of {key_columns} columns")
            }
            Self::Point { point, .. } => write!(f, "split point {point} can't be read"),
            Self::Column { point, column } => write!(
                f,
                "column {column} of split point {point} is not column {column} of the table's key"
            ),
            Self::Order { point } => {
                write!(f, "split point {point} is not after the one before it")
            }
            Self::Locations {
                splits,
                located: Some(located),
            } => write!(f, "{splits} splits, but locations of {located}"),
            Self::Locations { splits, .. } => {
                write!(
                    f,
                    "{splits} splits, and a location repeated a negative number of times"
                )
            }
        }
    }
}
