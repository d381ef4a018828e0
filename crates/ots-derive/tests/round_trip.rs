//! Any struct comes back from a row, and from a buffer, as it was.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use jiff::Timestamp;
use ots_proto::plainbuffer::{Accept, Crc8, Reader, SeparateRows, SharedRows, Writer, write_row};
use ots_proto::simple_row_matrix::{Matrix, MatrixWriter};
use ots_proto::typed::{ErrorKind, KeyColumns as _};
use ots_proto::{
    ColumnValue, FromPrimaryKey, FromRow, IntoPrimaryKey, IntoRow, PrimaryKey, Row, strategy,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, PrimaryKey)]
struct Id {
    #[ots(rename = "客户")]
    customer: String,
    number: u32,
    digest: Bytes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Address {
    city: String,
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, FromRow, IntoRow)]
#[ots(rename_all = "PascalCase")]
struct Everything {
    #[ots(primary_key(flatten))]
    id: Id,
    #[ots(primary_key, timestamp = "us")]
    at: Timestamp,
    int_8: i8,
    int_16: i16,
    int_32: i32,
    int_64: i64,
    unsigned_8: u8,
    unsigned_16: u16,
    unsigned_32: u32,
    #[ots(rename = "中文 名字 'x'")]
    double: f64,
    single: f32,
    flag: bool,
    text: String,
    shared: std::sync::Arc<str>,
    bytes: Bytes,
    list: Vec<u8>,
    r#type: Option<String>,
    maybe_number: Option<u16>,
    maybe_bytes: Option<Bytes>,
    #[ots(timestamp = "ms")]
    changed: Timestamp,
    #[ots(timestamp = "ns")]
    maybe_changed: Option<SystemTime>,
    #[ots(json)]
    address: Address,
    #[ots(json)]
    maybe_map: Option<BTreeMap<String, i64>>,
    dynamic: ColumnValue,
}

fn id() -> impl Strategy<Value = Id> {
    (".{0,12}", any::<u32>(), vec(any::<u8>(), 0..9)).prop_map(|(customer, number, digest)| Id {
        customer,
        number,
        digest: digest.into(),
    })
}

fn timestamp_ms() -> impl Strategy<Value = Timestamp> {
    (-300_000_000_000_000_i64..200_000_000_000_000)
        .prop_map(|count| Timestamp::from_millisecond(count).unwrap())
}

fn system_time() -> impl Strategy<Value = SystemTime> {
    (0..i64::MAX as u64).prop_map(|count| SystemTime::UNIX_EPOCH + Duration::from_nanos(count))
}

fn address() -> impl Strategy<Value = Address> {
    (".{0,9}", vec(".{0,9}", 0..3)).prop_map(|(city, lines)| Address { city, lines })
}

prop_compose! {
    fn everything()(
        (id, at, changed, maybe_changed) in
            (id(), timestamp_ms(), timestamp_ms(), option::of(system_time())),
        (int_8, int_16, int_32, int_64) in any::<(i8, i16, i32, i64)>(),
        (unsigned_8, unsigned_16, unsigned_32, flag) in any::<(u8, u16, u32, bool)>(),
        (double, single) in (proptest::num::f64::ANY, proptest::num::f32::ANY),
        (text, shared, r#type) in (".{0,20}", ".{0,20}", option::of(".{0,20}")),
        (bytes, list, maybe_bytes) in
            (vec(any::<u8>(), 0..20), vec(any::<u8>(), 0..20), option::of(vec(any::<u8>(), 0..20))),
        maybe_number in any::<Option<u16>>(),
        address in address(),
        maybe_map in option::of(btree_map(".{0,5}", any::<i64>(), 0..3)),
        dynamic in strategy::column_value(),
    ) -> Everything {
        Everything {
            id, at, int_8, int_16, int_32, int_64, unsigned_8, unsigned_16, unsigned_32,
            double, single, flag, text, shared: shared.into(), bytes: bytes.into(), list, r#type,
            maybe_number, maybe_bytes: maybe_bytes.map(Bytes::from), changed, maybe_changed, address,
            maybe_map, dynamic,
        }
    }
}

/// NaN isn't equal to itself; its text is.
fn same(a: &Everything, b: &Everything) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

fn names(row: &Row) -> impl Iterator<Item = &str> {
    row.cells.iter().map(|cell| &*cell.name)
}

fn buffer(rows: &[Row]) -> Bytes {
    let mut writer = Writer::new();
    for row in rows {
        writer.row(row);
    }
    writer.finish()
}

proptest! {
    #[test]
    fn a_struct_comes_back_from_every_form_of_a_row(values in vec(everything(), 1..4)) {
        let rows: Vec<Row> = values.iter().map(|value| value.clone().into_row().unwrap()).collect();
        for (row, value) in rows.iter().zip(&values) {
            prop_assert!(same(&row.parse().unwrap(), value));
        }
        let page = buffer(&rows);
        let read: Result<Vec<Everything>, _> =
            Reader::new(&page, Accept::Rows).unwrap().typed().collect();
        for (read, value) in read.unwrap().iter().zip(&values) {
            prop_assert!(same(read, value), "{read:?}");
        }

        let separate: Vec<Bytes> = rows.iter().map(write_row).collect();
        let read: Result<Vec<Everything>, _> = SeparateRows::new(&separate).typed().collect();
        for (read, value) in read.unwrap().iter().zip(&values) {
            prop_assert!(same(read, value), "{read:?}");
        }

        let mut lent = Reader::new(&page, Accept::Rows).unwrap();
        let shared = SharedRows::read(page.clone(), Accept::Rows).unwrap();
        for (value, shared) in values.iter().zip(shared.iter()) {
            let lent = lent.next_row().unwrap().unwrap();
            prop_assert!(same(&lent.parse().unwrap(), value));
            prop_assert!(same(&shared.parse().unwrap(), value));
        }

        let attributes: BTreeSet<&str> = rows.iter().flat_map(names).collect();
        let keys = rows[0].key_columns().iter().map(|column| &*column.name);
        let mut writer = MatrixWriter::new(keys, attributes).unwrap();
        for row in &rows {
            writer.row(row).unwrap();
        }
        let block = writer.finish().unwrap();
        let matrix = Matrix::parse(&block).unwrap();
        let read: Result<Vec<Everything>, _> = matrix.rows().typed().collect();
        for (read, value) in read.unwrap().iter().zip(&values) {
            prop_assert!(same(read, value), "{read:?}");
        }
    }

    #[test]
    fn the_order_of_columns_does_not_matter(value in everything(), seed in any::<usize>()) {
        let mut row = value.clone().into_row().unwrap();
        let turn = seed % row.cells.len();
        row.cells.rotate_left(turn);
        prop_assert!(same(&row.parse().unwrap(), &value));
        row.cells.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert!(same(&row.parse().unwrap(), &value));
    }

    #[test]
    fn a_key_comes_back_as_it_was(id in id()) {
        let key = id.clone().into_primary_key().unwrap();
        let names: Vec<&str> = key.columns().iter().map(|column| &*column.name).collect();
        prop_assert_eq!(&names, Id::KEY_COLUMNS);
        prop_assert_eq!(Id::from_primary_key(&key).unwrap(), id);
        prop_assert!(Id::min_key() < key && key < Id::max_key());
    }

    #[test]
    fn a_row_of_any_shape_is_read_or_refused(row in strategy::row()) {
        // No panic, and whatever is refused is named.
        if let Err(error) = row.parse::<Everything>() {
            prop_assert!(error.column().is_some());
        }
    }

    #[test]
    fn integers_fit_or_are_refused(number in any::<i64>()) {
        #[derive(FromRow, IntoRow)]
        struct Narrow {
            #[ots(primary_key)]
            id: i16,
            number: u8,
        }
        let row = |id: i64, number: i64| {
            Row::new(PrimaryKey::new().column("id", id)).cell("number", number)
        };
        match row(0, number).parse::<Narrow>() {
            Ok(narrow) => prop_assert_eq!((i64::from(narrow.number), narrow.id), (number, 0)),
            Err(error) => {
                prop_assert!(u8::try_from(number).is_err());
                prop_assert_eq!(
                    error.to_string(),
                    "column \"number\": the value is out of range for u8"
                );
            }
        }
        prop_assert_eq!(row(number, 0).parse::<Narrow>().is_ok(), i16::try_from(number).is_ok());
    }
}

#[test]
fn names_follow_the_attributes() {
    assert_eq!(Id::KEY_COLUMNS, ["客户", "number", "digest"]);
    let columns = Everything::COLUMNS;
    assert!(columns.is_sorted(), "{columns:?}");
    for name in ["Int8", "MaybeNumber", "Type", "中文 名字 'x'"] {
        assert!(columns.contains(&name), "{name}");
    }
    assert!(!columns.contains(&"At"), "a key column");
}

#[derive(Debug, PartialEq, FromRow)]
struct City<'row> {
    #[ots(primary_key)]
    name: &'row str,
    people: u32,
    #[ots(rename = "面积")]
    area: Option<f64>,
    nickname: Cow<'row, str>,
    #[ots(default)]
    districts: u8,
    #[ots(default = "unknown")]
    mayor: &'row str,
    #[ots(skip)]
    visited: bool,
}

const fn unknown() -> &'static str {
    "unknown"
}

fn hangzhou() -> Row {
    Row::new(PrimaryKey::new().column("name", "杭州"))
        .cell("nickname", "Paradise")
        .cell("people", 12_620_000)
}

#[test]
fn a_borrowing_struct_outlives_the_row_and_copies_nothing() {
    let page = buffer(&[hangzhou(), hangzhou()]);
    let mut reader = Reader::new(&page, Accept::Rows).unwrap();
    let city: City<'_> = reader.next_row().unwrap().unwrap().parse().unwrap();
    assert!(reader.next_row().unwrap().is_some());
    for text in [city.name, &*city.nickname] {
        assert!(page.as_ptr_range().contains(&text.as_ptr()));
    }
    assert!(matches!(city.nickname, Cow::Borrowed(_)));
}

#[test]
fn missing_columns_are_what_the_field_says() {
    let row = hangzhou();
    let expected = City {
        name: "杭州",
        people: 12_620_000,
        area: None,
        nickname: "Paradise".into(),
        districts: 0,
        mayor: "unknown",
        visited: false,
    };
    assert_eq!(row.parse::<City<'_>>().unwrap(), expected);
    // A column called like a skipped field is nobody's.
    let city = hangzhou().cell("visited", 7);
    assert!(!city.parse::<City<'_>>().unwrap().visited);
}

#[test]
fn an_absent_option_is_no_cell() {
    #[derive(IntoRow)]
    struct Note {
        #[ots(primary_key)]
        id: u64,
        text: Option<&'static str>,
        #[ots(timestamp = "s")]
        read: Option<SystemTime>,
        #[ots(json)]
        tags: Option<Vec<u8>>,
        #[ots(skip)]
        #[expect(dead_code, reason = "not in the row")]
        draft: bool,
    }
    let note = |text, read, tags| Note {
        id: 7,
        text,
        read,
        tags,
        draft: true,
    };
    let row = note(None, None, None).into_row().unwrap();
    assert_eq!(row, Row::new(PrimaryKey::new().column("id", 7)));
    let row = note(Some("x"), Some(SystemTime::UNIX_EPOCH), Some(vec![1])).into_row();
    let expected = Row::new(PrimaryKey::new().column("id", 7))
        .cell("text", "x")
        .cell("read", 0)
        .cell("tags", "[1]");
    assert_eq!(row.unwrap(), expected);
}

#[test]
fn the_newest_version_counts() {
    #[derive(FromRow)]
    struct Price {
        price: i64,
    }
    let row = Row::new(PrimaryKey::new().column("id", 7))
        .cell("price", 3)
        .cell("price", 2)
        .cell("price", "older, of another type");
    assert_eq!(row.parse::<Price>().unwrap().price, 3);
}

#[test]
fn errors_name_the_row_and_column_and_no_value() {
    let key = || PrimaryKey::new().column("name", "杭州");
    let cases = [
        (
            Row::new(key()),
            "row 1, column \"nickname\": the row doesn't have it",
        ),
        (
            Row::new(key()).cell("people", "s3cret"),
            "row 1, column \"people\": expected INTEGER, found STRING",
        ),
        (
            hangzhou().cell("面积", true),
            "row 1, column \"面积\": expected DOUBLE, found BOOLEAN",
        ),
        (
            Row::new(PrimaryKey::new().column("name", 7)),
            "row 1, column \"name\": expected STRING, found INTEGER",
        ),
        (
            Row::new(PrimaryKey::new().column("id", "x")),
            "row 1, column \"name\": the row doesn't have it",
        ),
    ];
    for (row, expected) in cases {
        let page = buffer(&[hangzhou(), row, hangzhou()]);
        let mut cities = Reader::new(&page, Accept::Rows)
            .unwrap()
            .typed::<City<'_>>();
        assert!(cities.next().unwrap().is_ok());
        let error = cities.next().unwrap().unwrap_err();
        assert_eq!(
            (error.row(), error.to_string().as_str()),
            (Some(1), expected)
        );
        assert!(
            cities.next().unwrap().is_ok(),
            "the rows after it still come"
        );
        assert!(cities.next().is_none());
    }
}

#[test]
fn a_damaged_row_ends_the_page() {
    let mut page = buffer(&[hangzhou(), hangzhou(), hangzhou()]).to_vec();
    let second = page.len() / 3 + 20;
    page[second] ^= 1;
    let mut cities = Reader::new(&page, Accept::Rows)
        .unwrap()
        .typed::<City<'_>>();
    assert!(cities.next().unwrap().is_ok());
    let error = cities.next().unwrap().unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Buffer(_)), "{error}");
    assert_eq!(error.row(), Some(1));
    assert!(cities.next().is_none());
}

#[test]
fn a_block_says_which_row_does_not_fit_and_goes_on() {
    let bad = Row::new(hangzhou().primary_key)
        .cell("nickname", "Venice of the East")
        .cell("people", "many");
    let mut writer = MatrixWriter::new(["name"], ["nickname", "people"]).unwrap();
    for row in [hangzhou(), bad, hangzhou()] {
        writer.row(&row).unwrap();
    }
    let block = writer.finish().unwrap();
    let matrix = Matrix::parse(&block).unwrap();
    let mut cities = matrix.rows().typed::<City<'_>>();
    assert!(cities.next().unwrap().is_ok());
    let error = cities.next().unwrap().unwrap_err();
    assert_eq!((error.row(), error.column()), (Some(1), Some("people")));
    assert!(cities.next().unwrap().is_ok());
    assert!(cities.next().is_none());

    // A value of no type, in the last row, behind the checksum of the whole.
    let mut damaged = block.to_vec();
    let last = damaged.len() - 2 - 9;
    damaged[last] = 5;
    let end = damaged.len() - 1;
    let mut crc = Crc8::default();
    crc.update(&damaged[..end]);
    damaged[end] = crc.finish();
    let matrix = Matrix::parse(&damaged).unwrap();
    let errors: Vec<_> = matrix
        .rows()
        .typed::<City<'_>>()
        .filter_map(Result::err)
        .collect();
    assert_eq!(errors.len(), 2);
    assert!(matches!(errors[1].kind(), ErrorKind::Matrix(_)));
    assert_eq!(errors[1].row(), Some(2));
    assert!(std::error::Error::source(&errors[1]).is_some());
}

#[test]
fn a_key_of_other_columns_is_refused() {
    #[derive(Debug, PrimaryKey)]
    struct One {
        id: i64,
    }
    let two = PrimaryKey::new().column("id", 7).column("city", "x");
    let error = One::from_primary_key(&two).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"city\": the key has it, the type doesn't"
    );
    let error = One::from_primary_key(&One::min_key()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"id\": expected INTEGER, found INF_MIN"
    );
}

#[test]
fn what_has_no_form_on_the_wire_is_refused_before_it_is_sent() {
    #[derive(IntoRow)]
    struct Big {
        #[ots(primary_key)]
        id: u64,
        size: u64,
    }
    let error = Big {
        id: 1,
        size: u64::MAX,
    }
    .into_row()
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "column \"size\": the value is out of range for i64"
    );
    let error = Big {
        id: u64::MAX,
        size: 1,
    }
    .into_row()
    .unwrap_err();
    assert_eq!(error.column(), Some("id"));
}

#[test]
fn a_generated_key_comes_back_as_a_value() {
    #[derive(Clone, Debug, PartialEq, PrimaryKey)]
    struct EventId {
        source: String,
        #[ots(auto_increment)]
        number: Option<i64>,
    }
    let mut id = EventId {
        source: "door".to_owned(),
        number: None,
    };
    let placeholder = id.clone().into_primary_key().unwrap();
    assert_eq!(
        placeholder.columns()[1].value,
        ots_proto::PrimaryKeyValue::AutoIncrement
    );
    id.number = Some(42);
    let key = id.clone().into_primary_key().unwrap();
    assert_eq!(EventId::from_primary_key(&key).unwrap(), id);
}

#[test]
fn generic_structs_ask_of_their_types_what_they_need() {
    #[derive(Clone, Debug, PartialEq, PrimaryKey)]
    struct Key<K> {
        id: K,
    }
    #[derive(Clone, Debug, PartialEq, FromRow, IntoRow)]
    struct Entry<K, V>
    where
        V: Clone,
    {
        #[ots(primary_key(flatten))]
        key: Key<K>,
        value: Option<V>,
        #[ots(default)]
        count: i64,
    }
    let entry = Entry {
        key: Key { id: 7_u8 },
        value: Some("x".to_owned()),
        count: 3,
    };
    let row = entry.clone().into_row().unwrap();
    assert_eq!(row.parse::<Entry<u8, String>>().unwrap(), entry);
    assert!(row.parse::<Entry<String, String>>().is_err());
    let buffer = write_row(&row);
    let mut rows = Reader::new(&buffer, Accept::Rows)
        .unwrap()
        .typed::<Entry<u8, &str>>();
    assert_eq!(rows.next().unwrap().unwrap().value, Some("x"));
}
