//! BulkExport, and the matrix that it shares with GetRange.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use bytes::Bytes;
use common::*;
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::messages::{
    BulkExportRequest, BulkExportResponse, ComparatorType, DataBlockType, PrimaryKeyType,
};
use ots_proto::operation::{BulkExport, GetRange};
use ots_proto::plainbuffer::{read_primary_key, write_primary_key};
use ots_proto::simple_row_matrix::Matrix;
use ots_proto::{ColumnValue, PrimaryKey, PrimaryKeyValue, Row};
use proptest::prelude::*;

const KEY: &[(&str, PrimaryKeyType)] = &[
    ("PK1", PrimaryKeyType::String),
    ("PK2", PrimaryKeyType::Integer),
    ("PK3", PrimaryKeyType::Binary),
];

fn key(number: i64) -> PrimaryKey {
    PrimaryKey::new()
        .column("PK1", "a")
        .column("PK2", number)
        .column("PK3", PrimaryKeyValue::Binary(Bytes::from_static(b"z")))
}

fn request(columns: &[&str], block: Option<DataBlockType>) -> BulkExportRequest {
    let names = KEY.iter().map(|(name, _)| *name);
    BulkExportRequest {
        table_name: "t".to_owned(),
        columns_to_get: columns.iter().map(|&name| name.to_owned()).collect(),
        inclusive_start_primary_key: write_primary_key(&PrimaryKey::min(names.clone())),
        exclusive_end_primary_key: write_primary_key(&PrimaryKey::max(names)),
        filter: None,
        data_block_type_hint: block.map(Into::into),
    }
}

fn export(client: &Client, request: &BulkExportRequest) -> BulkExportResponse {
    client.call::<BulkExport>(request).unwrap()
}

/// Rows 0..count with `DC1` in all of them and `DC2` in the even ones.
fn filled(client: Client, count: i64) -> Client {
    client.create("t", KEY);
    for number in 0..count {
        let mut row = Row::new(key(number)).cell("DC1", number);
        if number % 2 == 0 {
            row = row.cell("DC2", "even");
        }
        client.put("t", row).unwrap();
    }
    client
}

#[test]
fn a_matrix_has_the_columns_that_are_named_and_the_key_columns_only_if_they_are() {
    let client = filled(Client::new(), 2);
    for (columns, names, key_columns) in [
        (
            &["DC2", "PK3", "DC1", "PK1", "DC2"][..],
            &["PK1", "PK3", "DC2", "DC1"][..],
            2,
        ),
        (&["DC1", "DC2"], &["DC1", "DC2"], 0),
        (&["DC1", "none"], &["DC1", "none"], 0),
        (&["PK2", "PK1", "PK3"], &["PK1", "PK2", "PK3"], 3),
    ] {
        // Without a hint it is a matrix: unlike GetRange.
        let response = export(&client, &request(columns, None));
        let block = DataBlockType::SimpleRowMatrix as i32;
        assert_eq!(response.data_block_type, Some(block));
        let matrix = Matrix::parse(&response.rows).unwrap();
        assert_eq!(matrix.names(), names);
        assert_eq!(matrix.primary_key_names().len(), key_columns);
        assert_eq!(matrix.to_rows().unwrap().len(), 2);
    }
    let response = export(&client, &request(&["PK2", "DC1", "DC2", "none"], None));
    let rows = Matrix::parse(&response.rows).unwrap().to_rows().unwrap();
    let pk2 = |number: i64| PrimaryKey::new().column("PK2", number);
    assert_eq!(
        rows,
        [
            Row::new(pk2(0)).cell("DC1", 0).cell("DC2", "even"),
            Row::new(pk2(1)).cell("DC1", 1),
        ]
    );
}

#[test]
fn plain_rows_have_their_whole_key_and_their_timestamps() {
    let client = filled(Client::new(), 1);
    for columns in [&[][..], &["DC1", "DC2"]] {
        let response = export(&client, &request(columns, Some(DataBlockType::PlainBuffer)));
        let block = DataBlockType::PlainBuffer as i32;
        assert_eq!(response.data_block_type, Some(block));
        let row = only_row(&response.rows).unwrap();
        assert_eq!(row.primary_key, key(0));
        assert_eq!(row.cells, [at("DC1", 0, NOW_MS), at("DC2", "even", NOW_MS)]);
    }
}

#[test]
fn it_is_charged_by_the_byte() {
    let client = filled(Client::new(), 2);
    let response = export(&client, &request(&["DC2", "DC1"], None));
    let size = response.consumed.capacity_data_size.unwrap();
    // Each key has nine bytes of names and 1 + 8 + 1 of values, whatever is returned of it.
    let expected = 2 * 19 + 2 * (3 + 8) + (3 + 4);
    assert_eq!((size.read_size, size.write_size), (Some(expected), Some(0)));
    assert_eq!(units(&response.consumed), (0, 0));
}

#[test]
fn faults_corrupt_a_matrix_and_empty_a_page() {
    let client = filled(Client::new(), 3);
    let request = request(&["PK2", "DC1"], None);
    let faults = client.emulator.faults();
    let once = |action| {
        let rule = FaultRule::new(action).operation("BulkExport");
        faults.add(rule.times(1));
        export(&client, &request)
    };
    let corrupt = once(FaultAction::CorruptChecksum);
    let error = Matrix::parse(&corrupt.rows).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
    let empty = once(FaultAction::EmptyPage);
    assert_eq!(empty.rows, Bytes::new());
    let next = read_primary_key(&empty.next_start_primary_key.unwrap());
    assert_eq!(next.unwrap(), key(0));
    assert_eq!(exported(&client, request).len(), 3);
}

#[test]
fn an_empty_range_has_no_block() {
    let client = filled(Client::new(), 0);
    for block in [DataBlockType::PlainBuffer, DataBlockType::SimpleRowMatrix] {
        let response = export(&client, &request(&["DC1"], Some(block)));
        assert_eq!(response.rows, Bytes::new());
        assert_eq!(response.next_start_primary_key, None);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let client = filled(Client::new(), 0);
    let refused = |request: &BulkExportRequest| client.call::<BulkExport>(request).unwrap_err();
    assert_eq!(
        refused(&request(&[], None)),
        parameter("DBT_SIMPLE_ROW_MATRIX need at least one column to get.")
    );
    let mut many = request(&[], None);
    many.columns_to_get = (0..1025).map(|number| format!("c{number}")).collect();
    let expected = "The number of columns from the request exceeds the limit, \
                    limit count: 1024, column count: 1025.";
    assert_eq!(refused(&many), parameter(expected));

    let mut equal = request(&["DC1"], None);
    equal.exclusive_end_primary_key = equal.inclusive_start_primary_key.clone();
    assert_eq!(
        refused(&equal),
        parameter("Begin key must less than end key in FORWARD")
    );
    let mut short = request(&["DC1"], None);
    short.inclusive_start_primary_key = write_primary_key(&PrimaryKey::min(["PK1", "PK2"]));
    assert_eq!(
        refused(&short),
        invalid_pk("Validate PK size fail. Input: 2, Meta: 3.")
    );
    let absent = BulkExportRequest {
        table_name: "other".to_owned(),
        ..request(&["DC1"], None)
    };
    assert_eq!(refused(&absent), no_table());
}

#[test]
fn a_filter_that_rejects_every_row_leaves_pages_without_rows() {
    let mut settings = Settings::default();
    settings.range_page_rows = 2;
    let client = filled(Client::with(Emulator::builder().settings(settings)), 5);
    let filter = column_filter("DC1", ComparatorType::Equal, 4);
    let mut request = BulkExportRequest {
        filter: bytes(&single(&filter)),
        ..request(&["DC1"], None)
    };
    let mut sizes = Vec::new();
    loop {
        let response = export(&client, &request);
        sizes.push(response.rows.len());
        match response.next_start_primary_key {
            Some(key) => request.inclusive_start_primary_key = key,
            None => break,
        }
    }
    assert_eq!(sizes.len(), 3);
    assert_eq!(sizes[..2], [0, 0]);
    assert!(sizes[2] > 0);
}

/// The pages of an export, as rows.
fn exported(client: &Client, mut request: BulkExportRequest) -> Vec<Row> {
    let mut all = Vec::new();
    loop {
        let response = export(client, &request);
        let is_matrix = response.data_block_type() == DataBlockType::SimpleRowMatrix;
        if is_matrix && !response.rows.is_empty() {
            all.extend(Matrix::parse(&response.rows).unwrap().to_rows().unwrap());
        } else {
            all.extend(rows(&response.rows));
        }
        let Some(next) = response.next_start_primary_key else {
            return all;
        };
        read_primary_key(&next).unwrap();
        request.inclusive_start_primary_key = next;
    }
}

fn without_timestamps(mut rows: Vec<Row>) -> Vec<Row> {
    for cell in rows.iter_mut().flat_map(|row| &mut row.cells) {
        cell.timestamp_ms = None;
    }
    rows
}

fn any_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        any::<i64>().prop_map(ColumnValue::from),
        any::<bool>().prop_map(ColumnValue::from),
        (-1e9..1e9).prop_map(ColumnValue::from),
        "[a-z雪]{0,9}".prop_map(ColumnValue::from),
        prop::collection::vec(any::<u8>(), 0..9)
            .prop_map(|bytes| ColumnValue::Binary(bytes.into())),
    ]
}

fn any_rows() -> impl Strategy<Value = Vec<Vec<(String, ColumnValue)>>> {
    let cells = prop::collection::btree_map("[abc]", any_value(), 0..4);
    let cells = cells.prop_map(|cells| cells.into_iter().collect());
    prop::collection::vec(cells, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// GetRange in PlainBuffer, GetRange as a matrix and BulkExport in either form give one and the
    /// same rows, whatever the pages.
    #[test]
    fn every_form_gives_the_same_rows(
        table in any_rows(),
        page_rows in 1_usize..5,
        named in prop::collection::vec("[abcd]", 1..5),
    ) {
        let mut settings = Settings::default();
        settings.range_page_rows = page_rows;
        let client = Client::with(Emulator::builder().settings(settings));
        client.create("t", KEY);
        for (number, cells) in (0..).zip(&table) {
            let row = Row::new(key(number));
            let row = cells.iter().fold(row, |row, (name, value)| row.cell(name.as_str(), value.clone()));
            client.put("t", row).unwrap();
        }
        // The whole key is named, so that rows can be told apart.
        let columns: Vec<_> = ["PK1", "PK2", "PK3"].into_iter().chain(named.iter().map(String::as_str)).collect();

        let names = KEY.iter().map(|(name, _)| *name);
        let mut range = range_request("t", &PrimaryKey::min(names.clone()), &PrimaryKey::max(names));
        range.columns_to_get = columns.iter().map(|&name| name.to_owned()).collect();
        let (mut plain, mut matrix) = (Vec::new(), Vec::new());
        for (hint, all) in [
            (DataBlockType::PlainBuffer, &mut plain),
            (DataBlockType::SimpleRowMatrix, &mut matrix),
        ] {
            let mut range = range.clone();
            range.data_block_type_hint = Some(hint as i32);
            loop {
                let response = client.call::<GetRange>(&range).unwrap();
                prop_assert_eq!(response.data_block_type(), hint);
                if response.data_block_type() == DataBlockType::PlainBuffer {
                    all.extend(without_timestamps(rows(&response.rows)));
                } else if !response.rows.is_empty() {
                    let matrix = Matrix::parse(&response.rows).unwrap();
                    all.extend(matrix.to_rows().unwrap());
                }
                match response.next_start_primary_key {
                    Some(next) => range.inclusive_start_primary_key = next,
                    None => break,
                }
            }
        }
        prop_assert_eq!(plain.len(), table.len());
        // Columns of a matrix stand as they are named, those of a row by name.
        for row in &mut matrix {
            row.cells.sort_by(|a, b| a.name.cmp(&b.name));
        }
        prop_assert_eq!(&matrix, &plain);
        let rows = exported(&client, request(&columns, Some(DataBlockType::PlainBuffer)));
        prop_assert_eq!(&without_timestamps(rows), &plain);
        let mut rows = exported(&client, request(&columns, None));
        for row in &mut rows {
            row.cells.sort_by(|a, b| a.name.cmp(&b.name));
        }
        prop_assert_eq!(&rows, &plain);
    }
}
