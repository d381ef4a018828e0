//! BatchWriteRow and BatchGetRow.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ots_core::limiter::Limiter;
use ots_core::request::{
    BatchGetRow, BatchWriteRow, Condition, CreateTable, GetRange, GetRow, PutRow, ReturnContent,
    RowExistence, RowWrite, TableRead, TableWrites,
};
use ots_core::writer::{BatchWriter, Outcome, Settled};
use ots_core::{ErrorCode, PrimaryKey, PrimaryKeyValue, Row, RowChange, RowUpdate};
use ots_proto::messages::PrimaryKeyType;

use super::{Place, canonical, key, read_range};

/// Rows that fail stand in their place among those that don't, and undo none of them.
pub async fn a_batch_answers_every_change_in_its_place(place: &Place) {
    let (first, second) = (
        place.numbered("first", 1).await,
        place.numbered("second", 1).await,
    );
    let client = place.client();
    for table in [&first, &second] {
        let row = Row::new(key(1)).cell("n", 1);
        client.send(PutRow::new(table, row)).await.unwrap();
    }
    let put = |id: i64| RowChange::Put(Row::new(key(id)).cell("n", 10));
    let absent = || Condition::row(RowExistence::ExpectNot);
    let present = || Condition::row(RowExistence::Expect);
    let batch = BatchWriteRow::new()
        .table(
            TableWrites::new(&first)
                .change(RowWrite::new(put(1)).condition(absent()))
                .change(put(2))
                .change(RowWrite::new(RowChange::Delete(key(3))).condition(present())),
        )
        .table(
            TableWrites::new(&second)
                .change(RowChange::Update(RowUpdate::new(key(1)).increment("n", 41)))
                .change(RowWrite::new(put(4)).condition(present()))
                .change(RowChange::Delete(key(5))),
        );
    let results = client.send(batch).await.unwrap();
    let codes: Vec<Vec<Option<ErrorCode>>> = results
        .iter()
        .map(|rows| {
            let code = |error: &ots_core::Error| error.code().cloned();
            let rows = rows.iter().map(|row| row.as_ref().err().and_then(code));
            rows.collect()
        })
        .collect();
    let failed = Some(ErrorCode::ConditionCheckFail);
    let expected = [
        vec![failed.clone(), None, failed.clone()],
        vec![None, failed, None],
    ];
    assert_eq!(codes, expected);

    for (table, id, expected) in [
        (&first, 1, Some(1)),
        (&first, 2, Some(10)),
        (&second, 1, Some(42)),
        (&second, 4, None),
    ] {
        let row = client
            .send(GetRow::new(table, key(id)))
            .await
            .unwrap()
            .into_inner()
            .row;
        let n = row.map(|row| row.get("n").unwrap().as_integer().unwrap());
        assert_eq!(n, expected, "{table} {id}");
    }
}

/// Generated keys and incremented values come back in the place of their change.
pub async fn a_batch_returns_what_each_change_asks_for(place: &Place) {
    let counters = place.numbered("counters", 1).await;
    let table = place.name("serials");
    let create = CreateTable::new(&table)
        .primary_key("city", PrimaryKeyType::String)
        .auto_increment_key("serial");
    let serial_key = |city: &str, serial: PrimaryKeyValue| {
        PrimaryKey::new()
            .column("city", city)
            .column("serial", serial)
    };
    place
        .create(create, serial_key("a", 0.into()), &table)
        .await;

    let serials = ["a", "b"]
        .iter()
        .fold(TableWrites::new(&table), |writes, city| {
            let row = Row::new(serial_key(city, PrimaryKeyValue::AutoIncrement));
            let put = RowChange::Put(row.cell("n", 1));
            writes.change(RowWrite::new(put).return_content(ReturnContent::PrimaryKey))
        });
    let increment = RowChange::Update(RowUpdate::new(key(1)).increment("n", 3));
    let after = ReturnContent::AfterModify(vec!["n".to_owned()]);
    let counters = TableWrites::new(&counters)
        .change(RowWrite::new(increment).return_content(after))
        .change(RowChange::Put(Row::new(key(2)).cell("n", 0)));
    let batch = BatchWriteRow::new().table(serials).table(counters);

    let results = place.client().send(batch).await.unwrap();
    let row = |table: usize, row: usize| results[table][row].as_ref().unwrap().row.as_ref();
    for (index, city) in ["a", "b"].into_iter().enumerate() {
        let key = &row(0, index).unwrap().primary_key;
        assert_eq!(key.get("city"), Some(&city.into()));
        assert!(key.get("serial").unwrap().as_integer().is_some());
    }
    assert_eq!(row(1, 0).unwrap().get("n"), Some(&3.into()));
    assert_eq!(row(1, 1), None);
}

/// Absent rows stand in their place too, and several tables are read at once.
pub async fn a_batch_reads_every_key_in_its_place(place: &Place) {
    let types = place.load("types").await;
    let bulk = place.load("bulk").await;
    let bulk_key = |g: &str, i: i64| PrimaryKey::new().column("g", g).column("i", i);
    let wanted = [("g4", 49), ("nowhere", 0), ("g0", 0), ("g2", 7), ("g0", 50)];
    let keys = wanted.map(|(g, i)| bulk_key(g, i));
    let type_keys = types.iter().rev().map(|row| {
        let columns = row.primary_key.iter();
        let columns = columns.map(|column| match &column.value {
            crate::canonical::Value::String(text) => (column.name.as_str(), text.as_str().into()),
            crate::canonical::Value::Integer(n) => (column.name.as_str(), (*n).into()),
            other => panic!("{other:?}"),
        });
        columns
            .collect::<Vec<(_, PrimaryKeyValue)>>()
            .into_iter()
            .collect()
    });
    let batch = BatchGetRow::new()
        .table(TableRead::new(&place.table("bulk").name, keys).columns(["n", "kw"]))
        .table(TableRead::new(&place.table("types").name, type_keys));
    let results = place.client().send(batch).await.unwrap();
    let read: Vec<Vec<_>> = results
        .into_iter()
        .map(|rows| {
            let rows = rows.into_iter();
            rows.map(|row| row.unwrap().row.as_ref().map(canonical))
                .collect()
        })
        .collect();

    let chosen = |index: usize| Some(bulk[index].clone().with_columns(&["n", "kw"]));
    assert_eq!(read[0], [chosen(249), None, chosen(0), chosen(107), None]);
    let reversed: Vec<_> = types.iter().rev().cloned().map(Some).collect();
    assert_eq!(read[1], reversed);
}

/// A request that is refused for one of its rows is sent again without it.
pub async fn a_row_that_no_table_takes_fails_alone(place: &Place) {
    let table = place.numbered("rows", 1).await;
    let client = place.client();
    // A string where the table has an integer.
    let alien = PrimaryKey::new().column("id", "x");
    let rows = (0..7).map(|id| match id {
        4 => Row::new(alien.clone()),
        _ => Row::new(key(id)).cell("n", id),
    });
    let batch = BatchWriteRow::new().table(TableWrites::new(&table).puts(rows));
    let results = client.send_rows(batch).await.unwrap();
    let failed: Vec<_> = results[0].iter().map(Result::is_err).collect();
    assert_eq!(failed, [0, 1, 2, 3, 4, 5, 6].map(|id| id == 4));

    let keys = [0, 4, 6].map(key);
    let batch = BatchGetRow::new().table(TableRead::new(&table, keys));
    let results = client.send_rows(batch).await.unwrap();
    let there: Vec<_> = results[0]
        .iter()
        .map(|row| row.as_ref().unwrap().row.is_some())
        .collect();
    assert_eq!(there, [true, false, true]);
}

/// Every change is reported once with what became of it, and changes of one row happen in their order.
pub async fn a_batch_writer_tells_of_every_change_and_keeps_the_order_of_a_row(place: &Place) {
    let table = place.numbered("rows", 1).await;
    let reports = Arc::new(Mutex::new(Vec::new()));
    let report = {
        let reports = Arc::clone(&reports);
        move |settled: Settled<i64>| {
            let code = match settled.outcome {
                Outcome::Written(_) => None,
                Outcome::Failed {
                    error,
                    may_have_run: false,
                } => error.code().cloned(),
                other => panic!("{other:?}"),
            };
            reports.lock().unwrap().push((settled.tag, code));
        }
    };
    // One request after another, and none before it is full or waited for: always the same requests.
    let writer = BatchWriter::builder(place.client().clone(), &table)
        .limiter(Limiter::fixed(1))
        .linger(Duration::from_secs(600))
        .start(report)
        .unwrap();
    let put = |id: i64, n: i64| RowChange::Put(Row::new(key(id)).cell("n", n));
    for id in 0..450 {
        writer.write(put(id, 0), id).await.unwrap();
    }
    writer.flush().await;
    assert_eq!(writer.totals().written_rows, 450);
    for (id, tag) in (0..3).zip((450..).step_by(3)) {
        let add = RowChange::Update(RowUpdate::new(key(id)).increment("n", 5));
        let absent = Condition::row(RowExistence::ExpectNot);
        let refused = RowWrite::new(put(id, 100)).condition(absent);
        writer.write(put(id, id), tag).await.unwrap();
        writer.write(add, tag + 1).await.unwrap();
        writer.write(refused, tag + 2).await.unwrap();
    }
    let totals = writer.close().await;
    assert_eq!((totals.written_rows, totals.failed_rows), (456, 3));

    let mut reports = std::mem::take(&mut *reports.lock().unwrap());
    reports.sort_by_key(|(tag, _)| *tag);
    let refused = |tag: i64| [452, 455, 458].contains(&tag);
    let expected: Vec<_> = (0..459)
        .map(|tag| (tag, refused(tag).then_some(ErrorCode::ConditionCheckFail)))
        .collect();
    assert_eq!(reports, expected);
    let wanted = (0..450).map(|id| {
        let n = if id < 3 { id + 5 } else { 0 };
        canonical(&Row::new(key(id)).cell("n", n))
    });
    let range = GetRange::new(&table, key(0), key(1_000));
    let rows = read_range(place.client(), range).await;
    assert_eq!(rows, wanted.collect::<Vec<_>>());
}
