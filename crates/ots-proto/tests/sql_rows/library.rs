//! The FlatBuffers library as the referee: its verifier, and its builder.

use flatbuffers::{
    FlatBufferBuilder, ForwardsUOffset, InvalidFlatbuffer, TableFinishedWIPOffset, Vector,
    Verifiable, Verifier, VerifierOptions, WIPOffset,
};
use ots_proto::ColumnValue;
use ots_proto::sql::SqlType;

use super::Column;

/// The schema, as the FlatBuffers library is to verify it.
macro_rules! verified {
    ($table:ident { $($id:literal: $field:ty),* $(,)? }) => {
        struct $table;
        impl Verifiable for $table {
            fn run_verifier(v: &mut Verifier<'_, '_>, pos: usize) -> Result<(), InvalidFlatbuffer> {
                v.visit_table(pos)?
                    $(.visit_field::<$field>(stringify!($id), 4 + 2 * $id, false)?)*
                    .finish();
                Ok(())
            }
        }
    };
}

type Offset<T> = ForwardsUOffset<T>;
type VectorOf<T> = ForwardsUOffset<Vector<'static, T>>;

verified!(Answer { 0: VectorOf<Offset<AnswerColumn>>, 1: i64, });
verified!(AnswerColumn { 0: Offset<&str>, 1: i8, 2: Offset<Values>, 3: Offset<ComplexInfo>, });
verified!(Values {
    0: VectorOf<bool>,
    1: VectorOf<i64>,
    2: VectorOf<bool>,
    3: VectorOf<f64>,
    4: VectorOf<Offset<&str>>,
    5: VectorOf<Offset<BytesValue>>,
    6: Offset<Runs>,
});
verified!(BytesValue { 0: VectorOf<i8>, });
verified!(Runs { 0: VectorOf<Offset<&str>>, 1: VectorOf<i32>, });
verified!(ComplexInfo { 0: i8, 1: i8 });

pub(crate) fn verify(buffer: &[u8]) -> Result<(), InvalidFlatbuffer> {
    let options = VerifierOptions {
        max_tables: 10_000,
        ..VerifierOptions::default()
    };
    Offset::<Answer>::run_verifier(&mut Verifier::new(&options, buffer), 0)
}

pub(crate) type Table = WIPOffset<TableFinishedWIPOffset>;

/// A table with these fields, each written by a function of the builder.
pub(crate) fn table<'b>(
    builder: &mut FlatBufferBuilder<'b>,
    fill: impl FnOnce(&mut FlatBufferBuilder<'b>),
) -> Table {
    let start = builder.start_table();
    fill(builder);
    builder.end_table(start)
}

/// The answer as the FlatBuffers library builds it: leaves first, from the end of the buffer.
pub(crate) fn build(columns: &[Column], row_count: usize) -> Vec<u8> {
    let mut b = FlatBufferBuilder::new();
    let mut tables = Vec::new();
    for column in columns {
        let name = b.create_string(&column.name);
        let nulls: Vec<bool> = column.values.iter().map(Option::is_none).collect();
        let nulls = b.create_vector(&nulls);
        let longs: Vec<i64> = column
            .values
            .iter()
            .map(|value| {
                value
                    .as_ref()
                    .and_then(ColumnValue::as_integer)
                    .unwrap_or(7)
            })
            .collect();
        let (number, logic, slot, vector) = match column.sql_type {
            SqlType::Null => (0_i8, 0_i8, None, None),
            SqlType::Integer => (
                1,
                0,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::DateTime => (
                7,
                1,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Date => (
                7,
                2,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Time => (
                7,
                3,
                Some(6),
                Some(b.create_vector(&longs).as_union_value()),
            ),
            SqlType::Boolean => {
                let values = column.values.iter();
                let values: Vec<bool> = values
                    .map(|value| {
                        value
                            .as_ref()
                            .and_then(ColumnValue::as_boolean)
                            .unwrap_or(true)
                    })
                    .collect();
                (
                    2,
                    0,
                    Some(8),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::Double => {
                let values = column.values.iter();
                let values: Vec<f64> = values
                    .map(|value| {
                        value
                            .as_ref()
                            .and_then(ColumnValue::as_double)
                            .unwrap_or(0.5)
                    })
                    .collect();
                (
                    3,
                    0,
                    Some(10),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::String => {
                let values = column.values.iter();
                let values: Vec<_> = values
                    .map(|value| {
                        let text = value.as_ref().and_then(ColumnValue::as_str);
                        b.create_shared_string(text.unwrap_or(""))
                    })
                    .collect();
                (
                    4,
                    0,
                    Some(12),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            SqlType::Binary => {
                let values = column.values.iter();
                let values: Vec<_> = values
                    .map(|value| {
                        let bytes = value.as_ref().and_then(ColumnValue::as_bytes);
                        let bytes = bytes.map(|bytes| b.create_vector(bytes));
                        table(&mut b, |b| {
                            if let Some(bytes) = bytes {
                                b.push_slot_always(4, bytes);
                            }
                        })
                    })
                    .collect();
                (
                    5,
                    0,
                    Some(14),
                    Some(b.create_vector(&values).as_union_value()),
                )
            }
            other => panic!("{other}"),
        };
        let values = table(&mut b, |b| {
            b.push_slot_always(4, nulls);
            if let (Some(slot), Some(vector)) = (slot, vector) {
                b.push_slot_always(slot, vector);
            }
        });
        let info = (logic != 0).then(|| {
            table(&mut b, |b| {
                b.push_slot(4, logic, 0);
                b.push_slot(6, 1_i8, 0);
            })
        });
        tables.push(table(&mut b, |b| {
            b.push_slot_always(4, name);
            b.push_slot(6, number, 0);
            b.push_slot_always(8, values);
            if let Some(info) = info {
                b.push_slot_always(10, info);
            }
        }));
    }
    let tables = b.create_vector(&tables);
    let root = table(&mut b, |b| {
        b.push_slot_always(4, tables);
        b.push_slot(6, i64::try_from(row_count).unwrap(), 0);
    });
    b.finish_minimal(root);
    b.finished_data().to_vec()
}
