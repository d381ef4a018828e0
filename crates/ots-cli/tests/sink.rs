//! An export is there as a whole, and reads back the same, or isn't there at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use ots_cli::sink::{CommittedPart, ErrorKind, FinishedPart, Format, PartWriter, Staging};
use ots_cli::source::{RowSource, SourceOptions};
use ots_proto::{PrimaryKey, Row};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use serde_json::Map;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("city", DataType::Utf8, true),
        Field::new("share", DataType::Float64, true),
        Field::new("on", DataType::Boolean, true),
        Field::new("raw", DataType::Binary, true),
    ]))
}

fn batch() -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![i64::MAX, 2, 3])),
        Arc::new(StringArray::from(vec![
            Some("a, \"b\"\n西湖"),
            Some("x"),
            None,
        ])),
        Arc::new(Float64Array::from(vec![Some(0.1), Some(2.0), None])),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(BinaryArray::from(vec![
            Some(&b"\x00\x01"[..]),
            Some(b""),
            None,
        ])),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn part(output: &Staging, split: usize, sequence: u32, schema: &SchemaRef) -> PartWriter {
    output.parts().open(split, sequence, Some(schema)).unwrap()
}

fn commit(output: Staging, parts: Vec<FinishedPart>) -> Vec<CommittedPart> {
    let parts = output.keep(parts);
    output.commit(parts, Map::new()).unwrap()
}

/// Two batches in one part of one split.
fn export(directory: &Path, format: Format) -> String {
    let output = Staging::begin(directory, format).unwrap();
    let mut part = part(&output, 3, 12, &schema());
    part.write(&batch()).unwrap();
    part.write(&batch().slice(1, 1)).unwrap();
    assert_eq!(part.rows(), 4);
    let part = part.finish().unwrap();
    assert_eq!(names(directory), [".ots-export"]);

    let committed = commit(output, vec![part]);
    let expected = format!("part-00003-00012.{}", format.extension());
    assert_eq!(names(directory), ["_SUCCESS", expected.as_str()]);
    assert_eq!(fs::read(directory.join("_SUCCESS")).unwrap(), b"");
    assert_eq!(committed[0].path, directory.join(&expected));
    assert_eq!(committed[0].rows, 4);
    assert_eq!(
        committed[0].size_bytes,
        fs::metadata(&committed[0].path).unwrap().len()
    );
    fs::read_to_string(&committed[0].path).unwrap_or_default()
}

#[test]
fn csv_has_names_once_and_binary_as_base64() {
    let directory = tempfile::tempdir().unwrap();
    let text = export(directory.path(), Format::Csv);
    let expected = "id,city,share,on,raw\n\
        9223372036854775807,\"a, \"\"b\"\"\n西湖\",0.1,true,AAE=\n\
        2,x,2.0,false,\n\
        3,,,,\n\
        2,x,2.0,false,\n";
    assert_eq!(text, expected);
}

#[test]
fn jsonl_leaves_nulls_out_and_has_binary_as_base64() {
    let directory = tempfile::tempdir().unwrap();
    let text = export(directory.path(), Format::Jsonl);
    let second = r#"{"id":2,"city":"x","share":2.0,"on":false,"raw":""}"#;
    let expected = [
        r#"{"id":9223372036854775807,"city":"a, \"b\"\n西湖","share":0.1,"on":true,"raw":"AAE="}"#,
        second,
        r#"{"id":3}"#,
        second,
        "",
    ];
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn parquet_reads_back_the_same() {
    let directory = tempfile::tempdir().unwrap();
    export(directory.path(), Format::Parquet);
    let file = File::open(directory.path().join("part-00003-00012.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let group = reader.metadata().row_group(0);
    assert!(
        group
            .columns()
            .iter()
            .all(|it| it.compression() == Compression::SNAPPY)
    );
    assert_eq!(reader.schema(), &schema());
    let read = reader.build().unwrap().next().unwrap().unwrap();
    assert_eq!(read.slice(0, 3), batch());
    assert_eq!(read.slice(3, 1), batch().slice(1, 1));
}

#[test]
fn what_is_exported_can_be_loaded_again() {
    for format in [Format::Parquet, Format::Csv] {
        let directory = tempfile::tempdir().unwrap();
        let output = Staging::begin(directory.path(), format).unwrap();
        let mut part = part(&output, 0, 0, &schema());
        part.write(&batch()).unwrap();
        let path = part.path().to_owned();
        commit(output, vec![part.finish().unwrap()]);

        let mut options = SourceOptions::new(["id"]);
        if format == Format::Csv {
            options.types = vec![("raw".into(), ots_arrow::ColumnType::Binary)];
        }
        let source = RowSource::open(&path, &options).unwrap();
        let rows = source.flat_map(Result::unwrap).collect::<Vec<_>>();
        let row = |id: i64| Row::new(PrimaryKey::new().column("id", id));
        let mut second = row(2)
            .cell("city", "x")
            .cell("share", 2.0)
            .cell("on", false);
        // Null and empty are one in CSV.
        if format == Format::Parquet {
            second = second.cell("raw", Vec::new());
        }
        let first = row(i64::MAX)
            .cell("city", "a, \"b\"\n西湖")
            .cell("share", 0.1)
            .cell("on", true)
            .cell("raw", vec![0_u8, 1]);
        assert_eq!(rows, [first, second, row(3)], "{format:?}");
    }
}

#[test]
fn a_part_without_rows_is_a_file_all_the_same() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().unwrap();
        let output = Staging::begin(directory.path(), format).unwrap();
        let part = part(&output, 0, 0, &schema()).finish().unwrap();
        let path = commit(output, vec![part]).remove(0).path;
        match format {
            Format::Parquet => {
                let file = File::open(path).unwrap();
                let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                assert_eq!(reader.schema(), &schema());
                assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
            }
            Format::Csv => assert_eq!(fs::read(path).unwrap(), b"id,city,share,on,raw\n"),
            _ => assert_eq!(fs::read(path).unwrap(), b""),
        }
    }
}

#[test]
fn what_is_dropped_leaves_no_file() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().unwrap();
        let output = Staging::begin(directory.path(), format).unwrap();
        let mut open = part(&output, 0, 0, &schema());
        open.write(&batch()).unwrap();
        let finished = part(&output, 1, 0, &schema()).finish().unwrap();
        assert_eq!(names(&directory.path().join(".ots-export")).len(), 3);
        drop((open, finished));
        drop(output);
        assert_eq!(names(directory.path()), [""; 0]);
    }
}

#[test]
fn a_commit_that_fails_leaves_no_file() {
    // Someone else takes a name meanwhile, or finishes another export there.
    for theirs in ["part-00001-00000.csv", "part-00007-00000.parquet"] {
        let directory = tempfile::tempdir().unwrap();
        let output = Staging::begin(directory.path(), Format::Csv).unwrap();
        let parts: Vec<_> = (0..3)
            .map(|split| part(&output, split, 0, &schema()).finish().unwrap())
            .collect();
        let taken = directory.path().join(theirs);
        fs::write(&taken, "theirs").unwrap();
        let parts = output.keep(parts);
        let error = output.commit(parts, Map::new()).unwrap_err();
        assert_eq!(
            error.kind(),
            &ErrorKind::AlreadyThere {
                path: taken.clone()
            }
        );
        assert_eq!(names(directory.path()), [theirs]);
        assert_eq!(fs::read(taken).unwrap(), b"theirs");
    }
}

#[test]
fn a_directory_with_parts_is_refused() {
    for old in Format::ALL {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("notes.txt"), "").unwrap();
        drop(Staging::begin(directory.path(), Format::Csv).unwrap());

        let path = directory
            .path()
            .join(format!("part-00000-00000.{}", old.extension()));
        fs::write(&path, "").unwrap();
        let error = Staging::begin(directory.path(), Format::Csv).unwrap_err();
        assert_eq!(
            error.kind(),
            &ErrorKind::AlreadyThere { path: path.clone() }
        );
        assert_eq!(
            error.to_string(),
            format!(
                "{} is already there: export to another directory, or remove the old parts",
                path.display()
            )
        );
    }
}

#[test]
fn a_part_is_given_out_once() {
    let directory = tempfile::tempdir().unwrap();
    let output = Staging::begin(directory.path(), Format::Csv).unwrap();
    let part = part(&output, 0, 0, &schema());
    let error = output.parts().open(0, 0, Some(&schema())).unwrap_err();
    assert_eq!(error.path(), part.path());
    assert!(matches!(error.kind(), ErrorKind::AlreadyThere { .. }));
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = Staging::begin(&path, Format::Csv).unwrap_err();
        let action = "create";
        assert_eq!(
            error.kind(),
            &ErrorKind::Io {
                action,
                path: path.clone()
            }
        );
        assert_eq!(
            error.to_string(),
            format!("can't create {}", path.display())
        );
    }
}

#[test]
fn batches_of_another_schema_are_refused() {
    for format in Format::ALL {
        let directory = tempfile::tempdir().unwrap();
        let output = Staging::begin(directory.path(), format).unwrap();
        let mut part = part(&output, 0, 0, &schema());
        let other = batch().project(&[0]).unwrap();
        let error = part.write(&other).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::OtherColumns { .. }),
            "{format:?}: {error}"
        );
        let error = part.finish().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Failed { .. }),
            "{format:?}: {error}"
        );
        assert_eq!(names(output.path()), ["lock"]);
    }
}

#[test]
fn row_groups_end_at_65536_rows() {
    let directory = tempfile::tempdir().unwrap();
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..150_000));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let output = Staging::begin(directory.path(), Format::Parquet).unwrap();
    let mut part = part(&output, 0, 0, &batch.schema());
    part.write(&batch).unwrap();
    let path = part.path().to_owned();
    commit(output, vec![part.finish().unwrap()]);
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let groups = reader.metadata().row_groups().iter();
    assert_eq!(
        groups.map(|it| it.num_rows()).collect::<Vec<_>>(),
        [65_536, 65_536, 18_928]
    );
    let read = reader.build().unwrap().map(Result::unwrap);
    assert_eq!(read.map(|it| it.column(0).len()).sum::<usize>(), 150_000);
}

#[test]
fn earlier_parts_stay_until_the_new_ones_are_whole() {
    let directory = tempfile::tempdir().unwrap();
    let old = directory.path().join("part-00007-00000.csv");
    fs::write(&old, "old").unwrap();
    let open = || Staging::replacing(directory.path(), Format::Csv, |path| path == old).unwrap();
    let abandoned = open();
    drop(part(&abandoned, 0, 0, &schema()));
    drop(abandoned);
    assert_eq!(fs::read_to_string(&old).unwrap(), "old");
    let output = open();
    let part = part(&output, 0, 0, &schema()).finish().unwrap();
    assert!(old.exists());
    commit(output, vec![part]);
    assert_eq!(
        names(directory.path()),
        ["_SUCCESS", "part-00000-00000.csv"]
    );
}

#[test]
fn only_directories_that_the_export_created_go_away_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let outer = directory.path().join("outer");
    drop(Staging::begin(outer.join("inner"), Format::Csv).unwrap());
    assert_eq!(names(directory.path()), [""; 0]);
    fs::create_dir(&outer).unwrap();
    drop(Staging::begin(outer.join("inner"), Format::Csv).unwrap());
    assert_eq!(names(directory.path()), ["outer"]);
    assert_eq!(names(&outer), [""; 0]);
}
