//! Reading takes memory in proportion to what has arrived, whatever the input claims.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use allocation_counter::measure;
use bytes::Bytes;
use ots_proto::filter::{ColumnFilter, Filter};
use ots_proto::messages::{
    self, ComputeSplitPointsBySizeResponse, GetRangeResponse, ParallelScanResponse, QueryType,
};
use ots_proto::plainbuffer::{Accept, Crc8, Reader, VariantRef, read_row, write_primary_key};
use ots_proto::search::Query;
use ots_proto::simple_row_matrix::Matrix;
use ots_proto::sql::{SqlRows, SqlType, SqlValueRef, SqlWriter};
use ots_proto::{PrimaryKey, TableSplits};
use prost::Message as _;

/// The most memory held at one time while `run` ran, beyond what was held before; by this thread, so that
/// no other has a part in it.
fn peak_bytes<T>(run: impl FnOnce() -> T) -> usize {
    let counted = measure(|| drop(run()));
    counted.bytes_max.try_into().unwrap()
}

/// For error texts and first elements, which cost the same for any input.
const SLACK_BYTES: usize = 4 * 1024;

fn assert_bounded<T>(name: &str, input_bytes: usize, factor: usize, run: impl FnOnce() -> T) {
    let peak = peak_bytes(run);
    let allowed = factor * input_bytes + SLACK_BYTES;
    assert!(
        peak <= allowed,
        "{name}: {peak} bytes for an input of {input_bytes}"
    );
}

fn walk(buffer: &[u8], accept: Accept) {
    if let Ok(mut reader) = Reader::new(buffer, accept) {
        while let Ok(Some(_)) = reader.next_row() {}
    }
}

/// The smallest cells there are, so that each byte of input makes the most of memory.
fn tiny_cells(cell: &[u8], crc_input: &[u8], count: usize) -> Vec<u8> {
    let mut crc = Crc8::default();
    crc.update(crc_input);
    [cell, &[0x0a, crc.finish()]].concat().repeat(count)
}

const HEADER_AND_KEY_TAG: [u8; 5] = [0x75, 0, 0, 0, 0x01];

#[test]
fn memory_stays_in_proportion_to_the_input() {
    // The measure measures.
    let known = peak_bytes(|| vec![1_u8; 100_000]);
    assert!((100_000..200_000).contains(&known), "{known}");

    // A list of cells that grows by doubling holds up to three times its final size while it moves.
    let cells_factor = 24;

    // A name of no bytes and INF_MIN: 14 bytes for a cell of a key.
    let keys = tiny_cells(&[3, 4, 0, 0, 0, 0, 5, 1, 0, 0, 0, 9], &[9], 10_000);
    let keys = [&HEADER_AND_KEY_TAG, &keys[..]].concat();
    assert_bounded("key cells", keys.len(), cells_factor, || {
        walk(&keys, Accept::Rows);
    });

    // A name of no bytes and a deletion: 10 bytes for a cell of a change.
    let key = tiny_cells(&[3, 4, 0, 0, 0, 0, 5, 1, 0, 0, 0, 9], &[9], 1);
    let deletions = tiny_cells(&[3, 4, 0, 0, 0, 0, 6, 1], &[1], 10_000);
    let deletions = [&HEADER_AND_KEY_TAG, &key[..], &[0x02], &deletions].concat();
    assert_bounded("deletions", deletions.len(), cells_factor, || {
        walk(&deletions, Accept::Changes);
    });

    // Lengths of two gigabytes in every place that has one.
    let huge = i32::MAX.to_le_bytes();
    let places: [&[u8]; 5] = [
        &[3, 4],
        &[3, 4, 0, 0, 0, 0, 5],
        &[3, 4, 0, 0, 0, 0, 5, 9, 0, 0, 0, 3],
        &[3, 4, 0, 0, 0, 0, 5, 9, 0, 0, 0, 7],
        &[0x0b],
    ];
    for place in places {
        let buffer = [&HEADER_AND_KEY_TAG, place, &huge].concat();
        for accept in [Accept::PartialRows, Accept::Changes] {
            assert_bounded("a huge length", buffer.len(), 1, || walk(&buffer, accept));
        }
        assert_bounded("a huge length, owned", buffer.len(), 1, || {
            read_row(&buffer, Accept::PartialRows)
        });
    }
    for type_byte in [3, 7] {
        let buffer = [&[type_byte][..], &huge].concat();
        assert_bounded("a variant", buffer.len(), 1, || {
            VariantRef::decode(&buffer).is_err()
        });
    }

    // A checksum error names its column: a name as long as the buffer is copied once.
    let name_bytes = 100_000_u32;
    let mut long_name = [&HEADER_AND_KEY_TAG, &[3, 4][..], &name_bytes.to_le_bytes()].concat();
    long_name.extend(vec![b'n'; name_bytes as usize]);
    long_name.extend([5, 1, 0, 0, 0, 9, 0x0a, 0x00]);
    assert_bounded("a long name", long_name.len(), 2, || {
        let mut reader = Reader::new(&long_name, Accept::Rows).unwrap();
        reader.next_row().unwrap_err()
    });

    blocks();
    filters();
    splits();
    sql_answers();

    // Messages: `rows` of a page costs nothing, a row of a scan one small handle.
    let page = GetRangeResponse {
        rows: vec![0; 1 << 20].into(),
        ..GetRangeResponse::default()
    };
    let body = Bytes::from(page.encode_to_vec());
    assert_bounded("a page", 0, 0, || {
        GetRangeResponse::decode(body.clone()).unwrap()
    });
    let rows = ParallelScanResponse {
        rows: vec![Bytes::new(); 10_000],
        next_token: None,
    };
    let body = Bytes::from(rows.encode_to_vec());
    let handles_factor = 3 * size_of::<Bytes>() / 2 + 1;
    assert_bounded("empty rows", body.len(), handles_factor, || {
        ParallelScanResponse::decode(body.clone()).unwrap()
    });

    // A bool query of the smallest queries: four bytes each, as message and as value.
    let wide = messages::BoolQuery {
        must_queries: vec![
            messages::Query {
                r#type: Some(QueryType::MatchAll.into()),
                query: None,
            };
            10_000
        ],
        ..messages::BoolQuery::default()
    };
    let wide = messages::Query {
        r#type: Some(QueryType::Bool.into()),
        query: Some(wide.encode_to_vec().into()),
    };
    let body_bytes = wide.encoded_len();
    let query_factor = (2 * size_of::<messages::Query>() + 3 * size_of::<Query>()) / 4 + 1;
    assert!(query_factor <= 128, "{query_factor}");
    assert_bounded("a wide query", body_bytes, query_factor, || {
        Query::from_message(&wide).unwrap()
    });

    // A deep one is refused before it costs anything.
    let mut deep = Query::MatchAll.to_message();
    for _ in 0..2_000 {
        let query = messages::BoolQuery {
            must_queries: vec![deep],
            ..messages::BoolQuery::default()
        };
        deep = messages::Query {
            r#type: Some(QueryType::Bool.into()),
            query: Some(query.encode_to_vec().into()),
        };
    }
    assert_bounded("a deep query", deep.encoded_len(), 4, || {
        Query::from_message(&deep).unwrap_err()
    });
}

/// SimpleRowMatrix blocks, with checksums that let them in.
fn blocks() {
    let block = |key_columns: i32, columns: i32, names: &[u8], row_count: i32, rows: &[u8]| {
        let options = i32::try_from(20 + names.len()).unwrap();
        let mut block = b"SRM0".to_vec();
        for number in [options + 7, options, key_columns, columns - key_columns] {
            block.extend(number.to_le_bytes());
        }
        block.extend(names);
        block.extend([0x0a, 1, 3]);
        block.extend(row_count.to_le_bytes());
        block.extend(rows);
        block.push(1);
        let mut crc = Crc8::default();
        crc.update(&block);
        block.push(crc.finish());
        block
    };
    let walk = |block: &[u8]| {
        if let Ok(matrix) = Matrix::parse(block) {
            let mut rows = matrix.rows();
            while let Ok(Some(_)) = rows.next_row() {}
        }
    };
    // A name of no bytes is two of them, and its value, a null, one: each is a slice and a value.
    let count = 10_000;
    let nulls = [&[2][..], &vec![6; 10_000]].concat();
    let wide = block(0, count, &vec![0; 20_000], 1, &nulls);
    assert_bounded("a wide block", wide.len(), 16, || walk(&wide));
    let strings = [&[2][..], &[3, 0, 0, 0, 0].repeat(10_000)].concat();
    for key_columns in [0, count] {
        let wide = block(key_columns, count, &vec![0; 20_000], 1, &strings);
        assert_bounded("a wide block of texts", wide.len(), 32, || walk(&wide));
    }
    // Claims that nothing stands behind.
    for (columns, row_count) in [
        (i32::MAX, 0),
        (i32::MAX, i32::MAX),
        (0, i32::MAX),
        (2, i32::MAX),
    ] {
        let claims = block(0, columns, &[0, 0, 0, 0], row_count, &[2, 6, 6]);
        assert_bounded("a block of claims", claims.len(), 1, || walk(&claims));
    }
    // Rows of nothing: each is a byte.
    let empty = block(0, 0, &[], 100_000, &vec![2; 100_000]);
    assert_bounded("rows of nothing", empty.len(), 0, || walk(&empty));
}

/// A combination of the smallest conditions.
fn filters() {
    let leaves = (0..10_000).map(|_| Filter::column("a").exists());
    let wide = Filter::all(leaves).unwrap().encode().unwrap();
    // 21 bytes each: a condition, its name, and a list that holds three times its size while it grows.
    let factor = (3 * size_of::<ColumnFilter>() + 64).div_ceil(21) + 4;
    assert!(factor <= 40, "{factor}");
    assert_bounded("a wide filter", wide.len(), factor, || {
        Filter::decode(wide.clone()).unwrap()
    });
}

/// Short points, and one long place for all of the splits between them.
fn splits() {
    let points = (0..5_000).map(|id| write_primary_key(&PrimaryKey::new().column("a", id)));
    let message = ComputeSplitPointsBySizeResponse {
        schema: vec![messages::PrimaryKeySchema {
            name: "a".to_owned(),
            r#type: messages::PrimaryKeyType::Integer.into(),
            option: None,
        }],
        split_points: points.collect(),
        locations: vec![messages::SplitLocation {
            location: "x".repeat(10_000),
            repeat: 5_001,
        }],
        ..ComputeSplitPointsBySizeResponse::default()
    };
    assert_bounded("splits", message.encoded_len(), 24, || {
        TableSplits::from_message(&message).unwrap()
    });
}

/// Texts of no bytes, which are a slice each.
fn sql_answers() {
    let mut writer = SqlWriter::new();
    let texts = vec![Some(SqlValueRef::String("")); 10_000];
    writer.column("a", SqlType::String, texts).unwrap();
    let answer = writer.finish().unwrap();
    assert_bounded("texts of no bytes", answer.len(), 5, || {
        SqlRows::parse(&answer).unwrap()
    });
}
