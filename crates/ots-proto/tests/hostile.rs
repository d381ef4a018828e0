//! Bytes made to hurt: lengths that lie, and nesting without end. Nothing may panic, overflow the
//! stack or believe a length before checking it. How much memory it takes is asked in
//! `allocation.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bytes::Bytes;
use ots_proto::messages::{self, QueryType};
use ots_proto::plainbuffer::{
    Accept, Crc8, ErrorKind, Reader, VariantRef, read_primary_key, write_change, write_row,
};
use ots_proto::search::{
    FieldSort, InnerHits, NestedFilter, Query, QueryErrorKind, ScoreFunction, SearchErrorKind, Sort,
};
use ots_proto::{PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate};
use prost::Message as _;
use serde_json::{Map, Value, json};

const LENGTHS: [i32; 8] = [
    i32::MAX,
    i32::MAX - 1,
    1 << 20,
    200,
    -1,
    -2,
    i32::MIN,
    i32::MIN + 1,
];

fn first_error(buffer: &[u8], accept: Accept) -> ErrorKind {
    let mut reader = Reader::new(buffer, accept).unwrap();
    loop {
        match reader.next_row() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("no error in {}", hex::encode(buffer)),
            Err(error) => {
                assert!(reader.next_row().unwrap().is_none(), "rows after an error");
                return error.kind().clone();
            }
        }
    }
}

/// A lie that is too long reads as an end that comes too early, a negative one as itself.
fn assert_refused(kind: &ErrorKind, length: i32) {
    let refused = match kind {
        ErrorKind::Truncated {
            needed_bytes,
            left_bytes,
            ..
        } => usize::try_from(length) == Ok(*needed_bytes) && left_bytes < needed_bytes,
        ErrorKind::NegativeLength { .. } => length < 0,
        _ => false,
    };
    assert!(refused, "{length}: {kind:?}");
}

/// A row of a key, a string and a binary cell, and where its nine lengths stand.
fn sample() -> (Vec<u8>, Vec<usize>) {
    let row = Row::new(PrimaryKey::new().column("id", "k"))
        .cell("s", "text")
        .cell("b", vec![1_u8, 2]);
    let buffer = write_row(&row).to_vec();
    let mut positions = Vec::new();
    for name in ["id", "s", "b"] {
        // CELL, CELL_NAME, length, name, CELL_VALUE, length, type, length, data.
        let mut start = vec![0x03, 0x04, u8::try_from(name.len()).unwrap(), 0, 0, 0];
        start.extend(name.as_bytes());
        let cell = buffer.windows(start.len()).position(|part| part == start);
        let value = cell.unwrap() + start.len() + 1;
        positions.extend([cell.unwrap() + 2, value, value + 5]);
    }
    (buffer, positions)
}

#[test]
fn every_length_is_checked_before_it_is_believed() {
    let (buffer, positions) = sample();
    assert_eq!(positions.len(), 9);
    for position in positions {
        for length in LENGTHS {
            let mut lying = buffer.clone();
            lying[position..position + 4].copy_from_slice(&length.to_le_bytes());
            assert_refused(&first_error(&lying, Accept::Rows), length);
        }
    }
}

#[test]
fn the_lengths_of_a_variant_alone_are_checked() {
    for type_byte in [0x03, 0x07] {
        for length in LENGTHS {
            let mut buffer = vec![type_byte];
            buffer.extend(length.to_le_bytes());
            buffer.extend(b"text");
            assert_refused(VariantRef::decode(&buffer).unwrap_err().kind(), length);
        }
    }
}

#[test]
fn the_lengths_of_an_extension_are_checked() {
    let key = PrimaryKey::new().column("id", 1);
    let row = write_row(&Row::new(key));
    let (row, checksum) = row.split_at(row.len() - 2);
    let with_extension = |extension: &[u8]| [row, extension, checksum].concat();
    for length in LENGTHS {
        let mut outer = vec![0x0b];
        outer.extend(length.to_le_bytes());
        assert_refused(
            &first_error(&with_extension(&outer), Accept::Changes),
            length,
        );

        let mut inner = vec![0x0b, 5, 0, 0, 0, 0x20];
        inner.extend(length.to_le_bytes());
        assert_refused(
            &first_error(&with_extension(&inner), Accept::Changes),
            length,
        );
    }
    // An entry that the stated length cuts through.
    let cut = [0x0b, 3, 0, 0, 0, 0x20, 0, 0];
    let kind = first_error(&with_extension(&cut), Accept::Changes);
    assert!(matches!(kind, ErrorKind::Truncated { .. }), "{kind:?}");
    // An entry with the tag of a row's end: decoders would disagree on where the row ends.
    let row_end = [0x0b, 7, 0, 0, 0, 0x09, 2, 0, 0, 0, 1, 2];
    let kind = first_error(&with_extension(&row_end), Accept::Changes);
    assert!(
        matches!(kind, ErrorKind::UnexpectedTag { found: 0x09, .. }),
        "{kind:?}"
    );
    // An empty extension, and one whose only entry is empty, are as good as any.
    for harmless in [
        &[0x0b, 0, 0, 0, 0][..],
        &[0x0b, 5, 0, 0, 0, 0x20, 0, 0, 0, 0],
    ] {
        assert_eq!(
            read_primary_key(&with_extension(harmless)).unwrap().len(),
            1
        );
    }
}

#[test]
fn what_only_changes_may_hold_is_refused_in_rows() {
    let key = || PrimaryKey::new().column("id", 1);
    let deletion = write_change(&RowChange::Delete(key()));
    let increment = write_change(&RowChange::Update(RowUpdate::new(key()).increment("n", 1)));
    let removal = RowUpdate::new(key()).delete_all_versions("n");
    let removal = write_change(&RowChange::Update(removal));
    for buffer in [deletion, increment, removal] {
        for accept in [Accept::Rows, Accept::PartialRows] {
            let kind = first_error(&buffer, accept);
            assert!(matches!(kind, ErrorKind::OnlyInChanges { .. }), "{kind:?}");
        }
        let mut reader = Reader::new(&buffer, Accept::Changes).unwrap();
        assert!(reader.next_row().unwrap().is_some());
    }

    let placeholder = key().column("seq", PrimaryKeyValue::AutoIncrement);
    let buffer = write_row(&Row::new(placeholder));
    for accept in [Accept::Rows, Accept::PartialRows] {
        let expected = ErrorKind::MisplacedValueType {
            column: "seq".to_owned(),
            found: "AUTO_INCREMENT",
            place: "primary key",
        };
        assert_eq!(first_error(&buffer, accept), expected);
    }
    assert_eq!(read_primary_key(&buffer).unwrap().len(), 2);
}

#[test]
fn a_buffer_that_fails_to_open_does_not_bring_back_the_one_before() {
    let row = write_row(&Row::new(PrimaryKey::new().column("id", 1)));
    let mut reader = Reader::new(&row, Accept::Rows).unwrap();
    assert_eq!(
        reader.continue_with(b"").unwrap_err().kind(),
        &ErrorKind::Header
    );
    assert!(reader.next_row().unwrap().is_none());
    reader.continue_with(&row).unwrap();
    assert!(reader.next_row().unwrap().is_some());
    assert_eq!(reader.rows_read(), 1);
}

/// A term inside `levels` bool queries, as a message; built from inside out without recursion.
fn nested_message(levels: usize) -> messages::Query {
    let mut message = Query::term("a", 1).to_message();
    for _ in 0..levels {
        let query = messages::BoolQuery {
            must_queries: vec![message],
            ..messages::BoolQuery::default()
        };
        message = messages::Query {
            r#type: Some(QueryType::Bool.into()),
            query: Some(query.encode_to_vec().into()),
        };
    }
    message
}

fn nested_json(levels: usize) -> Value {
    let mut query = json!({ "term": { "a": 1 } });
    for _ in 0..levels {
        // Not by `json!`, which would copy what is inside, level by level on the stack.
        let must = Map::from_iter([("must".to_owned(), Value::Array(vec![query]))]);
        let clauses = Map::from_iter([("bool".to_owned(), Value::Object(must))]);
        query = Value::Object(clauses);
    }
    query
}

#[test]
fn queries_inside_64_others_are_read_and_deeper_ones_refused() {
    let query = Query::from_message(&nested_message(64)).unwrap();
    assert_eq!(Query::from_json(&nested_json(64)).unwrap(), query);
    assert_eq!(query.to_message(), nested_message(64));
    assert_eq!(query.to_json(), nested_json(64));

    for levels in [65, 66, 10_000] {
        let error = Query::from_message(&nested_message(levels)).unwrap_err();
        assert!(
            matches!(error.kind(), QueryErrorKind::TooDeep { max_depth: 64 }),
            "{error}"
        );
        let place = format!("query{}", ".bool.must[0]".repeat(65));
        assert_eq!(
            error.to_string(),
            format!("{place} lies inside more than 64 other queries")
        );
    }
}

/// A way to put a query inside another, and its name.
type Door = (&'static str, fn(Query) -> Query);

/// Every way there is.
fn doors() -> Vec<Door> {
    vec![
        ("bool", Query::not),
        ("nested", |query| Query::nested("n", query).into()),
        ("const_score", Query::const_score),
        ("function_score", |query| Query::function_score(query, "f")),
        ("functions_score", |query| {
            Query::functions_score(query).into()
        }),
        ("functions_score filter", |query| {
            let function = ScoreFunction::random().filter(query);
            Query::functions_score(Query::MatchAll)
                .function(function)
                .into()
        }),
        ("dis_max", |query| Query::dis_max([query]).into()),
        ("knn_vector", |query| {
            Query::knn_vector("v", [], 1).filter(query).into()
        }),
        ("inner hits", |query| {
            let mut sort = FieldSort::new("n.f");
            sort.nested_filter = Some(Box::new(NestedFilter::new("n", query)));
            let hits = InnerHits::new().sort(Sort::by(sort));
            Query::nested("n", Query::MatchAll).inner_hits(hits).into()
        }),
    ]
}

#[test]
fn the_depth_is_counted_through_every_door() {
    for (door, enter) in doors() {
        let mut query = Query::term("a", 1);
        for _ in 0..64 {
            query = enter(query);
        }
        assert_eq!(
            Query::from_message(&query.to_message()).unwrap(),
            query,
            "{door}"
        );
        assert_eq!(Query::from_json(&query.to_json()).unwrap(), query, "{door}");
        query = enter(query);
        let error = Query::from_message(&query.to_message()).unwrap_err();
        assert!(is_too_deep(error.kind()), "{door}: {error}");
        let error = Query::from_json(&query.to_json()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("nested more than 64 levels deep"),
            "{door}: {error}"
        );
    }
}

/// Whether it is, as such or as the reason why a part can't be read.
fn is_too_deep(kind: &QueryErrorKind) -> bool {
    match kind {
        QueryErrorKind::TooDeep { .. } => true,
        QueryErrorKind::Part(part) => match part.kind() {
            SearchErrorKind::Query(error) => is_too_deep(error.kind()),
            _ => false,
        },
        _ => false,
    }
}

#[test]
fn what_is_accepted_fits_on_the_stack_of_a_thread() {
    for (_, enter) in doors() {
        let work = move || {
            let mut query = Query::term("a", 1);
            for _ in 0..64 {
                query = enter(query);
            }
            let message = query.to_message();
            let read = Query::from_message(&message).unwrap();
            let again = Query::from_json(&read.to_json()).unwrap();
            assert_eq!(format!("{:?}", again.clone()), format!("{query:?}"));
        };
        // What a thread gets unless it asks for more; here without optimisation.
        let thread = std::thread::Builder::new().stack_size(2 << 20);
        thread.spawn(work).unwrap().join().unwrap();
    }
}

#[test]
fn deep_json_is_refused_at_its_place() {
    for levels in [65, 1_000] {
        let error = Query::from_json(&nested_json(levels)).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(": nested more than 64 levels deep"),
            "{error}"
        );
        let place = format!("${}", ".bool.must[0]".repeat(65));
        assert_eq!(error.path(), place);
    }
}

#[test]
fn a_refused_query_stops_before_the_depth_it_does_not_want() {
    // Damage below the limit stays unseen: the refusal comes first, not the deep end.
    let mut message = messages::Query {
        r#type: Some(QueryType::Term.into()),
        query: Some(Bytes::from_static(b"\xff\xff")),
    };
    assert!(matches!(
        Query::from_message(&message).unwrap_err().kind(),
        QueryErrorKind::Message(_)
    ));
    for _ in 0..65 {
        let query = messages::BoolQuery {
            filter_queries: vec![message],
            ..messages::BoolQuery::default()
        };
        message = messages::Query {
            r#type: Some(QueryType::Bool.into()),
            query: Some(query.encode_to_vec().into()),
        };
    }
    assert!(matches!(
        Query::from_message(&message).unwrap_err().kind(),
        QueryErrorKind::TooDeep { .. }
    ));
}

#[test]
fn values_where_their_types_do_not_belong_are_refused() {
    let misplaced = |buffer: &[u8]| match first_error(buffer, Accept::Changes) {
        ErrorKind::MisplacedValueType { found, place, .. } => (found, place),
        other => panic!("{other:?}"),
    };
    for (type_byte, data, name) in [
        (0x01, &[0; 8][..], "DOUBLE"),
        (0x02, &[1], "BOOLEAN"),
        (0x06, &[], "NULL"),
    ] {
        let buffer = [&HEADER_AND_KEY_TAG, &cell("id", type_byte, data)[..]].concat();
        assert_eq!(misplaced(&buffer), (name, "primary key"));
    }
    let key = cell("id", 0x00, &[0; 8]);
    for (type_byte, name) in [
        (0x06, "NULL"),
        (0x09, "INF_MIN"),
        (0x0a, "INF_MAX"),
        (0x0b, "AUTO_INCREMENT"),
    ] {
        let cell = cell("a", type_byte, &[]);
        let buffer = [&HEADER_AND_KEY_TAG, &key[..], &[0x02], &cell].concat();
        assert_eq!(misplaced(&buffer), (name, "attribute"));
    }
}

const HEADER_AND_KEY_TAG: [u8; 5] = [0x75, 0, 0, 0, 0x01];

/// A cell that is whole and true, whatever its type.
fn cell(name: &str, type_byte: u8, data: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let mut crc = Crc8::default();
    crc.update(name.as_bytes());
    crc.update_byte(type_byte);
    crc.update(data);
    let mut cell = vec![0x03, 0x04];
    cell.extend(length(name.len()));
    cell.extend(name.as_bytes());
    cell.push(0x05);
    cell.extend(length(1 + data.len()));
    cell.push(type_byte);
    cell.extend(data);
    cell.extend([0x0a, crc.finish()]);
    cell
}

#[test]
fn cells_whose_parts_do_not_fit_together_are_refused() {
    let key = cell("id", 0x00, &[0; 8]);
    let row = |cell: &[u8]| [&HEADER_AND_KEY_TAG, &key[..], &[0x02], cell].concat();
    let refused = |cell: &[u8], accept| first_error(&row(cell), accept);

    // No value at all.
    let bare = [&[0x03, 0x04, 1, 0, 0, 0, b'a', 0x0a][..], &[crc_of(b"a")]].concat();
    let missing = ErrorKind::MissingValue {
        column: "a".to_owned(),
    };
    assert_eq!(refused(&bare, Accept::Rows), missing);
    assert!(matches!(
        refused(&bare, Accept::Changes),
        ErrorKind::Operation { .. }
    ));

    // The operation 02 doesn't exist.
    let unknown = [0x03, 0x04, 1, 0, 0, 0, b'a', 0x06, 0x02];
    assert!(matches!(
        refused(&unknown, Accept::Changes),
        ErrorKind::Operation { .. }
    ));

    // One version deleted, but which?
    let no_version = [
        &[0x03, 0x04, 1, 0, 0, 0, b'a', 0x06, 0x03, 0x0a][..],
        &[crc_of(b"a\x03")],
    ];
    assert!(matches!(
        refused(&no_version.concat(), Accept::Changes),
        ErrorKind::Operation { .. }
    ));

    let negative = [
        &[
            0x03, 0x04, 1, 0, 0, 0, b'a', 0x05, 2, 0, 0, 0, 0x02, 1, 0x07,
        ][..],
        &(-1_i64).to_le_bytes(),
    ];
    assert_eq!(
        refused(&negative.concat(), Accept::Rows),
        ErrorKind::NegativeTimestamp
    );

    let boolean = cell("a", 0x02, &[2]);
    assert_eq!(
        refused(&boolean, Accept::Rows),
        ErrorKind::Boolean { found: 2 }
    );

    // More in the value than the value takes: the service refuses this as well.
    let longer = cell("a", 0x02, &[1, 1]);
    let stated = ErrorKind::ValueLength {
        stated_bytes: 3,
        actual_bytes: 2,
    };
    assert_eq!(refused(&longer, Accept::Rows), stated);

    let text = cell("a", 0x03, b"\x02\0\0\0\xff\xfe");
    assert_eq!(
        refused(&text, Accept::Rows),
        ErrorKind::NotUtf8 {
            reading: "a string"
        }
    );
}

fn crc_of(bytes: &[u8]) -> u8 {
    let mut crc = Crc8::default();
    crc.update(bytes);
    crc.finish()
}
