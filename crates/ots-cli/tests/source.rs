//! CSV and Parquet files become the rows they describe, or an error that names the place.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::error::Error as _;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use ots_arrow::ColumnType;
use ots_cli::quickstart_data::{AIRPORTS_CSV, AIRPORTS_KEY, AIRPORTS_ROWS};
use ots_cli::source::{Error, ErrorKind, RowSource, SourceOptions};
use ots_proto::{ColumnValue, PrimaryKey, Row};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tempfile::TempDir;

fn key(columns: &[&str]) -> SourceOptions {
    SourceOptions::new(columns.iter().copied())
}

fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    fs::write(&path, text).unwrap();
    (directory, path)
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rows.parquet");
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .build();
    let created = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(created, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    (directory, path)
}

fn read(path: &Path, options: &SourceOptions) -> Result<Vec<Row>, Error> {
    let chunks = RowSource::open(path, options)?.collect::<Result<Vec<_>, _>>()?;
    Ok(chunks.concat())
}

fn read_csv(text: &str, options: &SourceOptions) -> Result<Vec<Row>, Error> {
    let (_directory, path) = file("rows.csv", text);
    read(&path, options)
}

fn message(result: Result<Vec<Row>, Error>) -> String {
    let mut text = result.unwrap_err().to_string();
    // The directory has another name in every run.
    if let Some(end) = text.find("rows.") {
        let start = text[..end].rfind(' ').map_or(0, |at| at + 1);
        text.replace_range(start..end, "");
    }
    text
}

fn types(source: &RowSource) -> Vec<(&str, ColumnType)> {
    let columns = source.columns().iter();
    columns
        .map(|it| (it.name.as_str(), it.column_type))
        .collect()
}

#[test]
fn airports_are_3376_rows_with_numbers_for_places() {
    let options = key(&[AIRPORTS_KEY]);
    let source = RowSource::bundled_csv(AIRPORTS_CSV, &options).unwrap();
    assert_eq!(
        types(&source),
        [
            ("iata", ColumnType::String),
            ("name", ColumnType::String),
            ("city", ColumnType::String),
            ("state", ColumnType::String),
            ("country", ColumnType::String),
            ("latitude", ColumnType::Double),
            ("longitude", ColumnType::Double),
        ]
    );
    assert_eq!(source.total_rows(), Some(AIRPORTS_ROWS as u64));
    let keys: Vec<_> = source.columns().iter().filter(|it| it.is_key).collect();
    assert_eq!(keys.len(), 1);

    let chunks = source.map(Result::unwrap).collect::<Vec<_>>();
    assert_eq!(
        chunks.iter().map(Vec::len).collect::<Vec<_>>(),
        [1000, 1000, 1000, 376]
    );
    let rows = chunks.concat();
    assert_eq!(rows.len(), AIRPORTS_ROWS);
    let first = Row::new(PrimaryKey::new().column("iata", "00M"))
        .cell("name", "Thigpen")
        .cell("city", "Bay Springs")
        .cell("state", "MS")
        .cell("country", "USA")
        .cell("latitude", 31.95376472)
        .cell("longitude", -89.23450472);
    assert_eq!(rows[0], first);
    let mut keys: Vec<_> = rows.iter().map(|row| &row.primary_key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), AIRPORTS_ROWS, "no two airports share the key");
}

#[test]
fn csv_types_are_inferred_from_all_rows() {
    let text = "\u{feff}id,zip,ratio,on,at,day,odd,empty\n\
        1,00601,1,true,2026-01-31 12:00:00,2026-01-31,1,\n\
        2,10001,0.5,FALSE,1970-01-01T00:00:00.5,2026-02-01,x,\"\"\n\
        3,,,,,,,\n";
    let (_directory, path) = file("rows.csv", text);
    let source = RowSource::open(&path, &key(&["id"])).unwrap();
    assert_eq!(
        types(&source),
        [
            ("id", ColumnType::Integer),
            ("zip", ColumnType::String),
            ("ratio", ColumnType::Double),
            ("on", ColumnType::Boolean),
            ("at", ColumnType::Integer),
            ("day", ColumnType::String),
            ("odd", ColumnType::String),
            ("empty", ColumnType::String),
        ]
    );
    let rows = source.flat_map(Result::unwrap).collect::<Vec<_>>();
    let row = |id: i64| Row::new(PrimaryKey::new().column("id", id));
    assert_eq!(
        rows,
        [
            row(1)
                .cell("zip", "00601")
                .cell("ratio", 1.0)
                .cell("on", true)
                .cell("at", 1_769_860_800_000_000_i64)
                .cell("day", "2026-01-31")
                .cell("odd", "1"),
            row(2)
                .cell("zip", "10001")
                .cell("ratio", 0.5)
                .cell("on", false)
                .cell("at", 500_000)
                .cell("day", "2026-02-01")
                .cell("odd", "x"),
            row(3),
        ]
    );
}

#[test]
fn csv_text_keeps_quotes_commas_and_line_feeds() {
    let rows = read_csv(
        "id,text\r\n1,\"a, \"\"b\"\"\nc\"\r\n2, 西湖 \r\n",
        &key(&["id"]),
    )
    .unwrap();
    let texts: Vec<_> = rows
        .iter()
        .map(|row| row.get("text").unwrap().as_str())
        .collect();
    assert_eq!(texts, [Some("a, \"b\"\nc"), Some(" 西湖 ")]);
}

#[test]
fn tsv_is_split_at_tabs() {
    let (_directory, path) = file("rows.TSV", "id\tcity\n7\ta,b\n");
    let rows = read(&path, &key(&["id"])).unwrap();
    assert_eq!(
        rows,
        [Row::new(PrimaryKey::new().column("id", 7)).cell("city", "a,b")]
    );
}

#[test]
fn given_types_win_over_inference() {
    let mut options = key(&["id"]);
    options.types = vec![
        ("id".into(), ColumnType::String),
        ("zip".into(), ColumnType::Integer),
        ("raw".into(), ColumnType::Binary),
        ("share".into(), ColumnType::Double),
    ];
    let rows = read_csv("id,zip,raw,share\n1,007,AAE=,1\n", &options).unwrap();
    let expected = Row::new(PrimaryKey::new().column("id", "1"))
        .cell("zip", 7)
        .cell("raw", vec![0_u8, 1])
        .cell("share", 1.0);
    assert_eq!(rows, [expected]);
}

#[test]
fn the_row_number_counts_on_over_chunks() {
    let mut options = key(&["n"]);
    options.row_number = Some("n".into());
    options.chunk_rows = NonZeroUsize::new(2).unwrap();
    let text = "city\na\nb\nc\n";
    let rows = read_csv(text, &options).unwrap();
    let expected = [(0, "a"), (1, "b"), (2, "c")]
        .map(|(n, city)| Row::new(PrimaryKey::new().column("n", n)).cell("city", city));
    assert_eq!(rows, expected);

    options.key_columns = vec!["city".into()];
    let rows = read_csv(text, &options).unwrap();
    assert_eq!(
        rows[2],
        Row::new(PrimaryKey::new().column("city", "c")).cell("n", 2)
    );
    let (_directory, path) = file("rows.csv", text);
    let source = RowSource::open(&path, &options).unwrap();
    assert_eq!(
        types(&source),
        [("city", ColumnType::String), ("n", ColumnType::Integer)]
    );
}

#[test]
fn keys_come_in_the_order_they_are_named() {
    let rows = read_csv("a,b,c\n1,2,3\n", &key(&["c", "a"])).unwrap();
    let key = PrimaryKey::new().column("c", 3).column("a", 1);
    assert_eq!(rows, [Row::new(key).cell("b", 2)]);
}

#[test]
fn inference_from_the_first_rows_is_held_against_the_rest() {
    let mut options = key(&["id"]);
    options.infer_rows = Some(1);
    let (_directory, path) = file("rows.csv", "id,age\n1,30\n2,thirty\n");
    let source = RowSource::open(&path, &options).unwrap();
    assert_eq!(source.total_rows(), None);
    let results = source.collect::<Vec<_>>();
    assert_eq!(results.len(), 1, "nothing follows an error");
    assert_eq!(
        results[0].as_ref().unwrap_err().to_string(),
        "row 1 (counted from 0), column \"age\" of type INTEGER: \
         the field isn't an integer of 64 bits"
    );
}

#[test]
fn csv_errors_name_what_is_wrong() {
    let cases = [
        (
            "id,a\n1,2\n",
            &["key"][..],
            "there is no column \"key\", only id, a",
        ),
        (
            "id,a\n1,2\n",
            &["id", "id"],
            "there is more than one column \"id\"",
        ),
        (
            "id,id\n1,2\n",
            &["id"],
            "there is more than one column \"id\"",
        ),
        (
            "id,\n1,2\n",
            &["id"],
            "column 1 (counted from 0) has no name",
        ),
        ("id,a\n1,2\n", &[], "no column was named as primary key"),
        (
            "id,a\n1.5,2\n",
            &["id"],
            "column \"id\" is of type DOUBLE, a key column is INTEGER, STRING or BINARY",
        ),
        (
            "id,a\ntrue,2\n",
            &["id"],
            "column \"id\" is of type BOOLEAN, a key column is INTEGER, STRING or BINARY",
        ),
        (
            "id,a\n1,2\n,3\n",
            &["id"],
            "row 1 (counted from 0) has no value in key column \"id\"",
        ),
        (
            "id,a\n1,2\n1\n",
            &["id"],
            "rows.csv isn't CSV that can be read",
        ),
        (
            "",
            &["id"],
            "rows.csv has no first line with the names of the columns",
        ),
    ];
    for (text, keys, expected) in cases {
        assert_eq!(message(read_csv(text, &key(keys))), expected, "{text:?}");
    }

    let mut options = key(&["a"]);
    options.row_number = Some("a".into());
    assert_eq!(
        message(read_csv("a\n1\n", &options)),
        "there is more than one column \"a\""
    );
    let mut options = key(&["a"]);
    options.types = vec![("b".into(), ColumnType::Integer)];
    assert_eq!(
        message(read_csv("a\n1\n", &options)),
        "there is no column \"b\", only a"
    );
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let (_directory, path) = file("rows.xlsx", "");
    assert_eq!(
        message(read(&path, &key(&["id"]))),
        "rows.xlsx doesn't end in .csv, .tsv, .parquet or .pq"
    );
    for name in ["rows.csv", "rows.parquet"] {
        let error = read(&path.with_file_name(name), &key(&["id"])).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io { .. }), "{error}");
        assert!(error.source().is_some());
    }
    let (_directory, path) = file("rows.parquet", "not parquet at all");
    let error = read(&path, &key(&["id"])).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Malformed { .. }),
        "{error}"
    );
}

#[test]
fn every_parquet_type_has_its_place() {
    let dictionary: DictionaryArray<Int8Type> = ["x", "y"].into_iter().collect();
    let numbers = DictionaryArray::<Int32Type>::new(
        [1, 0].to_vec().into(),
        Arc::new(Int32Array::from(vec![5, 6])),
    );
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int32Array::from(vec![1, 2]))),
        ("i8", Arc::new(Int8Array::from(vec![Some(-8), None]))),
        ("u64", Arc::new(UInt64Array::from(vec![Some(64), None]))),
        ("f32", Arc::new(Float32Array::from(vec![Some(0.5), None]))),
        ("f64", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
        ("on", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        (
            "text",
            Arc::new(LargeStringArray::from(vec![Some("西湖"), None])),
        ),
        (
            "view",
            Arc::new(StringViewArray::from(vec![Some(""), None])),
        ),
        ("dictionary", Arc::new(dictionary)),
        ("numbers", Arc::new(numbers)),
        (
            "raw",
            Arc::new(BinaryArray::from(vec![Some(&b"\xff"[..]), None])),
        ),
        (
            "fixed",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                    [Some([0, 1]), None].into_iter(),
                    2,
                )
                .unwrap(),
            ),
        ),
        (
            "seconds",
            Arc::new(TimestampSecondArray::from(vec![Some(-1), None]).with_timezone("+08:00")),
        ),
        (
            "millis",
            Arc::new(TimestampMillisecondArray::from(vec![Some(1), None])),
        ),
        (
            "micros",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None])),
        ),
        (
            "nanos",
            Arc::new(TimestampNanosecondArray::from(vec![Some(1_999), None])),
        ),
        ("day", Arc::new(Date32Array::from(vec![Some(20_484), None]))),
        (
            "day64",
            Arc::new(Date64Array::from(vec![Some(86_400_000), None])),
        ),
        ("nothing", Arc::new(NullArray::new(2))),
    ];
    let (_directory, path) = parquet(columns);
    let source = RowSource::open(&path, &key(&["id"])).unwrap();
    assert_eq!(source.total_rows(), Some(2));
    let rows = source.flat_map(Result::unwrap).collect::<Vec<_>>();
    let first = Row::new(PrimaryKey::new().column("id", 1))
        .cell("i8", -8)
        .cell("u64", 64)
        .cell("f32", 0.5)
        .cell("f64", 0.1)
        .cell("on", true)
        .cell("text", "西湖")
        .cell("view", "")
        .cell("dictionary", "x")
        .cell("numbers", 6)
        .cell("raw", vec![0xff_u8])
        .cell("fixed", vec![0_u8, 1])
        .cell("seconds", -1_000_000)
        .cell("millis", 1_000)
        .cell("micros", 1)
        .cell("nanos", 1)
        .cell("day", "2026-01-31")
        .cell("day64", "1970-01-02");
    let second = Row::new(PrimaryKey::new().column("id", 2))
        .cell("dictionary", "y")
        .cell("numbers", 5);
    assert_eq!(rows, [first, second]);
}

#[test]
fn parquet_is_read_in_chunks() {
    let numbers = Int64Array::from_iter_values(0..2_500);
    let (_directory, path) = parquet(vec![("id", Arc::new(numbers))]);
    let source = RowSource::open(&path, &key(&["id"])).unwrap();
    let lengths = source.map(|chunk| chunk.unwrap().len()).collect::<Vec<_>>();
    assert_eq!(lengths, [1000, 1000, 500]);
}

#[test]
fn parquet_errors_name_row_and_column() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let cases: [(&str, ArrayRef, &str); 7] = [
        (
            "list",
            Arc::new(lists),
            "column \"list\" is of type List(Int32), which a table can't store",
        ),
        (
            "price",
            Arc::new(Decimal128Array::from(vec![1])),
            "column \"price\" is of type Decimal128(38, 10), which a table can't store",
        ),
        (
            "time",
            Arc::new(Time32SecondArray::from(vec![1])),
            "column \"time\" is of type Time32(s), which a table can't store",
        ),
        (
            "big",
            Arc::new(UInt64Array::from(vec![None, Some(u64::MAX)])),
            "row 1 (counted from 0), column \"big\" of type INTEGER: the value is out of range",
        ),
        (
            "at",
            Arc::new(TimestampSecondArray::from(vec![0, i64::MAX])),
            "row 1 (counted from 0), column \"at\" of type INTEGER: the value is out of range",
        ),
        (
            "share",
            Arc::new(Float32Array::from(vec![Some(1.0), None, Some(f32::NAN)])),
            "row 2 (counted from 0), column \"share\" of type DOUBLE: \
             a table stores no NaN and no infinity",
        ),
        (
            "id2",
            Arc::new(Int32Array::from(vec![Some(1), None])),
            "row 1 (counted from 0) has no value in key column \"id2\"",
        ),
    ];
    for (name, array, expected) in cases {
        let ids = Int64Array::from_iter_values((0_i64..).take(array.len()));
        let (_directory, path) = parquet(vec![("id", Arc::new(ids)), (name, array)]);
        let keys = if name == "id2" {
            key(&["id2"])
        } else {
            key(&["id"])
        };
        assert_eq!(message(read(&path, &keys)), expected);
    }

    let (_directory, path) = parquet(vec![("id", Arc::new(Int64Array::from(vec![1])))]);
    let mut options = key(&["id"]);
    options.types = vec![("id".into(), ColumnType::String)];
    assert_eq!(
        message(read(&path, &options)),
        "column \"id\" can't be given a type: a Parquet file has its own"
    );
}

#[test]
fn an_error_never_tells_a_value() {
    let mut options = key(&["id"]);
    options.infer_rows = Some(1);
    let cases = [
        "id,a\n1,1\n2,secret\n",
        "id,a\n1,1.5\n2,secret\n",
        "id,a\n1,true\n2,secret\n",
    ];
    for text in cases {
        let error = read_csv(text, &options).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

#[test]
fn columns_of_only_empty_fields_have_no_cells() {
    let rows = read_csv("id,a\n1,\n2,\n", &key(&["id"])).unwrap();
    assert!(rows.iter().all(|row| row.cells.is_empty()));
    let value: Option<&ColumnValue> = rows[0].get("a");
    assert_eq!(value, None);
}
