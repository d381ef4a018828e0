//! ots-arrow: pages as record batches hold what the rows hold.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array as _, RecordBatch};
use arrow_schema::DataType;
use futures::TryStreamExt as _;
use ots_arrow::{ColumnType, KEY_POSITION_METADATA, RecordBatchBuilder, ScanSchema};
use ots_core::request::{DescribeSearchIndex, DescribeTable, GetRange};
use ots_paging::RangeExt as _;
use ots_scan::parallel_scan;

use super::{INDEX, Place, bounds, in_key_order};
use crate::canonical::{Cell, KeyColumn, Row, Value};

/// The schema that the service describes fits every page of a scan.
pub async fn batches_of_a_scan_are_its_rows(place: &Place) {
    let rows = place.load_index().await;
    let expected: Vec<Row> = rows.iter().map(|row| place.indexed(row)).collect();
    let schema = schema(place, None).await;
    assert_eq!(in_key_order(scanned(place, &schema).await), expected);
}

/// Columns that are null in most rows, in an order of the caller's.
pub async fn batches_of_a_scan_of_chosen_columns_are_its_rows(place: &Place) {
    let rows = place.load_index().await;
    let names = ["opt".to_owned(), "flag".to_owned()];
    let schema = schema(place, Some(&names)).await;
    let attributes: Vec<&str> = schema.attribute_names().collect();
    assert_eq!(attributes, names);
    let expected: Vec<Row> = rows
        .iter()
        .map(|row| row.clone().with_columns(&["flag", "opt"]))
        .collect();
    assert_eq!(in_key_order(scanned(place, &schema).await), expected);
}

/// Pages of a range go the same way, into batches that span pages.
pub async fn batches_of_a_range_are_its_rows(place: &Place) {
    let rows = place.load("bulk").await;
    let table = place.table("bulk");
    let description = place.client().send(DescribeTable::new(&table.name)).await;
    let columns = [
        ("blob", ColumnType::Binary),
        ("d", ColumnType::Double),
        ("flag", ColumnType::Boolean),
        ("kw", ColumnType::String),
        ("n", ColumnType::Integer),
        ("note", ColumnType::String),
        ("opt", ColumnType::String),
    ];
    let schema = ScanSchema::from_table(&description.unwrap().primary_key, columns).unwrap();
    let (low, high) = bounds(table);
    let range = GetRange::new(&table.name, low, high).limit(40);
    let mut pages = range.pages(place.client());
    let mut builder = RecordBatchBuilder::new(&schema);
    let mut read = Vec::new();
    while let Some(page) = pages.next().await {
        builder.append_buffer(page.unwrap().buffer()).unwrap();
        if builder.rows() >= 100 {
            read.extend(rows_of(&builder.finish().unwrap()));
        }
    }
    read.extend(rows_of(&builder.finish().unwrap()));
    assert_eq!(read, rows);
}

async fn schema(place: &Place, columns: Option<&[String]>) -> ScanSchema {
    let (client, table) = (place.client(), &place.table("bulk").name);
    let key = client.send(DescribeTable::new(table)).await.unwrap();
    let index = client.send(DescribeSearchIndex::new(table, INDEX)).await;
    let index = index.unwrap().into_inner().schema.unwrap();
    let index = index.to_message().unwrap();
    ScanSchema::from_index(&key.primary_key, &index, columns).unwrap()
}

/// The rows of a scan of the schema's columns, a batch for each page.
async fn scanned(place: &Place, schema: &ScanSchema) -> Vec<Row> {
    let scan = parallel_scan(place.client().clone(), &place.table("bulk").name, INDEX)
        .column_names(schema.attribute_names())
        .limit(33);
    let mut scan = scan.open().await.unwrap();
    let mut rows = Vec::new();
    while let Some(page) = scan.try_next().await.unwrap() {
        let batch = schema.read_page(&page.rows).unwrap();
        assert_eq!(batch.num_rows(), page.rows.len());
        assert_eq!(batch.schema(), schema.arrow_schema());
        rows.extend(rows_of(&batch));
    }
    rows
}

/// The rows of a batch, cells by name: null is a cell that the row doesn't have.
fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let schema = batch.schema();
    (0..batch.num_rows())
        .map(|row| {
            let (mut primary_key, mut columns) = (Vec::new(), Vec::new());
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                if column.is_null(row) {
                    continue;
                }
                let value = match field.data_type() {
                    DataType::Int64 => {
                        Value::Integer(column.as_primitive::<Int64Type>().value(row))
                    }
                    DataType::Float64 => {
                        Value::double(column.as_primitive::<Float64Type>().value(row))
                    }
                    DataType::Boolean => Value::Boolean(column.as_boolean().value(row)),
                    DataType::Utf8 => {
                        Value::String(column.as_string::<i32>().value(row).to_owned())
                    }
                    DataType::Binary => {
                        Value::Binary(column.as_binary::<i32>().value(row).to_vec())
                    }
                    other => panic!("{other} in column {}", field.name()),
                };
                let name = field.name().clone();
                if field.metadata().contains_key(KEY_POSITION_METADATA) {
                    primary_key.push(KeyColumn { name, value });
                } else {
                    columns.push(Cell {
                        name,
                        value,
                        timestamp: None,
                    });
                }
            }
            columns.sort_by(|a, b| a.name.cmp(&b.name));
            Row {
                primary_key,
                columns,
            }
        })
        .collect()
}
