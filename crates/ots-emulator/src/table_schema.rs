//! The schema of a table to be: its key, its predefined columns, where it is split.

use std::collections::HashSet;

use ots_proto::PrimaryKeyValue;
use ots_proto::PrimaryKeyValueRef;
use ots_proto::messages::{
    DefinedColumnSchema, DefinedColumnType, PartitionRange, PrimaryKeySchema, PrimaryKeyType,
};
use ots_proto::plainbuffer::VariantRef;

use crate::error::ServiceError;
use crate::names;
use crate::schema;

/// Checks the key columns of a new table.
pub(crate) fn check_primary_key(
    table: &str,
    columns: &[PrimaryKeySchema],
) -> Result<(), ServiceError> {
    if !(1..=schema::MAX_COLUMNS).contains(&columns.len()) {
        return Err(ServiceError::parameter(schema::COUNT));
    }
    for column in columns {
        names::column(&column.name)?;
        let name = match column.r#type {
            1..=3 => continue,
            // The numbers of the older protocol.
            4 => "DOUBLE".to_owned(),
            5 => "BOOLEAN".to_owned(),
            other => format!("Type {other}"),
        };
        return Err(ServiceError::parameter(format!(
            "{name} is an invalid type for the primary key."
        )));
    }
    let mut seen = HashSet::new();
    if let Some(column) = columns.iter().find(|column| !seen.insert(&column.name)) {
        let name = &column.name;
        return Err(ServiceError::parameter(format!(
            "Duplicated primary key name: '{name}'."
        )));
    }
    let generated = || {
        columns
            .iter()
            .enumerate()
            .filter(|(_, column)| schema::is_auto_increment(column))
    };
    if generated().count() > 1 {
        return Err(ServiceError::parameter(
            "AUTO_INCREMENT primary key count must <= 1.",
        ));
    }
    match generated().next() {
        Some((0, _)) => Err(ServiceError::parameter(format!(
            "First primary key can't be auto increment, table: {table}."
        ))),
        Some((_, column)) if column.r#type() != PrimaryKeyType::Integer => Err(
            ServiceError::parameter("AUTO_INCREMENT primary key must be integer."),
        ),
        _ => Ok(()),
    }
}

/// Checks the predefined columns of a new table.
pub(crate) fn check_defined_columns(
    primary_key: &[PrimaryKeySchema],
    columns: &[DefinedColumnSchema],
) -> Result<(), ServiceError> {
    if columns.len() > MAX_DEFINED {
        return Err(ServiceError::parameter(format!(
            "The number of defined columns must be in range: [0, {MAX_DEFINED}]."
        )));
    }
    let mut seen: HashSet<_> = primary_key.iter().map(|column| &column.name).collect();
    for column in columns {
        let name = &column.name;
        names::column(name)?;
        if DefinedColumnType::try_from(column.r#type).is_err() {
            let found = column.r#type;
            return Err(ServiceError::parameter(format!(
                "The type {found} of defined column '{name}' does not exist."
            )));
        }
        if !seen.insert(name) {
            return Err(ServiceError::parameter(format!(
                "Duplicated defined column name: '{name}'."
            )));
        }
    }
    Ok(())
}

/// The points at which a new table is split: the ranges must follow one another from `INF_MIN` to
/// `INF_MAX`.
pub(crate) fn split_points(
    primary_key: &[PrimaryKeySchema],
    ranges: &[PartitionRange],
) -> Result<Vec<PrimaryKeyValue>, ServiceError> {
    let refuse = |message: &str| Err(ServiceError::parameter(message));
    let (Some(column), Some(last)) = (primary_key.first(), ranges.len().checked_sub(1)) else {
        return Ok(Vec::new());
    };
    if last > MAX_POINTS {
        return refuse("The count of partitions cannot be greater than 10");
    }
    let mut points = Vec::with_capacity(last);
    let mut expected = PrimaryKeyValue::InfMin;
    for (index, range) in ranges.iter().enumerate() {
        let begin = bound(&range.begin)?;
        let end = bound(&range.end)?;
        if begin.to_owned() != expected || (end == PrimaryKeyValueRef::InfMax) != (index == last) {
            return refuse("The partition ranges must cover everything without gaps or overlaps.");
        }
        if index < last {
            check_point(column, end)?;
            if points.last() >= Some(&end.to_owned()) {
                return refuse("The partition ranges must be in rising order.");
            }
            points.push(end.to_owned());
        }
        expected = end.to_owned();
    }
    Ok(points)
}

fn check_point(
    column: &PrimaryKeySchema,
    point: PrimaryKeyValueRef<'_>,
) -> Result<(), ServiceError> {
    let (wanted, length) = match point {
        PrimaryKeyValueRef::Integer(i64::MIN | i64::MAX) => {
            return Err(ServiceError::parameter(
                "The value of partition range can not be INT64_MIN or INT64_MAX.",
            ));
        }
        PrimaryKeyValueRef::Integer(_) => (PrimaryKeyType::Integer, None),
        PrimaryKeyValueRef::String(text) => (PrimaryKeyType::String, Some(text.len())),
        PrimaryKeyValueRef::Binary(bytes) => (PrimaryKeyType::Binary, Some(bytes.len())),
        PrimaryKeyValueRef::InfMin
        | PrimaryKeyValueRef::AutoIncrement
        | PrimaryKeyValueRef::InfMax => {
            return Err(ServiceError::parameter(WRONG_TYPE));
        }
    };
    if column.r#type() != wanted {
        return Err(ServiceError::parameter(WRONG_TYPE));
    }
    match length {
        Some(0) => Err(ServiceError::parameter(
            "The value of partition range can not be empty.",
        )),
        Some(length) if length > MAX_POINT_BYTES => Err(ServiceError::parameter(format!(
            "The value of partition range exceeds the MaxLength:{MAX_POINT_BYTES} with CurrentLength:{length}."
        ))),
        _ => Ok(()),
    }
}

fn bound(buffer: &[u8]) -> Result<PrimaryKeyValueRef<'_>, ServiceError> {
    VariantRef::decode(buffer)
        .ok()
        .and_then(|value| PrimaryKeyValueRef::try_from(value).ok())
        .ok_or_else(|| ServiceError::parameter(WRONG_TYPE))
}

const MAX_DEFINED: usize = 32;
const MAX_POINTS: usize = 10;
const MAX_POINT_BYTES: usize = 64;
const WRONG_TYPE: &str = "The value type of partition does not match with primary key.";

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, r#type: PrimaryKeyType) -> PrimaryKeySchema {
        PrimaryKeySchema {
            name: name.to_owned(),
            r#type: r#type as i32,
            option: None,
        }
    }

    fn points(
        column_type: PrimaryKeyType,
        points: &[VariantRef<'_>],
    ) -> Result<Vec<PrimaryKeyValue>, String> {
        let begins = [&[VariantRef::InfMin], points].concat();
        let ends = [points, &[VariantRef::InfMax]].concat();
        let ranges: Vec<_> = begins
            .into_iter()
            .zip(ends)
            .map(|(begin, end)| PartitionRange {
                begin: begin.encode(),
                end: end.encode(),
            })
            .collect();
        split_points(&[column("k", column_type)], &ranges).map_err(|error| error.message)
    }

    #[test]
    fn split_points_are_checked() {
        use PrimaryKeyType::{Integer, String};
        use VariantRef as V;
        let good = points(Integer, &[V::Integer(1), V::Integer(5)]);
        assert_eq!(good, Ok(vec![1.into(), 5.into()]));
        assert_eq!(points(Integer, &[]), Ok(vec![]));
        let long = "a".repeat(65);
        for (column, list, text) in [
            (Integer, vec![V::String("a")], WRONG_TYPE),
            (
                Integer,
                vec![V::Integer(i64::MIN)],
                "The value of partition range can not be INT64_MIN or INT64_MAX.",
            ),
            (
                String,
                vec![V::String(&long)],
                "The value of partition range exceeds the MaxLength:64 with CurrentLength:65.",
            ),
            (
                Integer,
                vec![V::Integer(2), V::Integer(1)],
                "The partition ranges must be in rising order.",
            ),
            (
                Integer,
                (0..11).map(V::Integer).collect(),
                "The count of partitions cannot be greater than 10",
            ),
        ] {
            assert_eq!(points(column, &list), Err(text.to_owned()));
        }
    }
}
