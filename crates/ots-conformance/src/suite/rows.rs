//! GetRow, PutRow, UpdateRow, DeleteRow.

use futures::future::join_all;
use ots_core::filter::Filter;
use ots_core::request::{
    CreateTable, DeleteRow, GetRange, GetRow, PutRow, ReturnContent, UpdateRow,
};
use ots_core::{Cell, Client, ColumnValue, PrimaryKey, PrimaryKeyValue, Row, RowUpdate};
use ots_proto::messages::PrimaryKeyType;

use super::{Place, bounds, key, read_range};

/// Values of every type, extremes included, under keys whose order is easy to get wrong.
pub async fn every_value_is_read_as_it_was_written(place: &Place) {
    for role in ["types", "binary"] {
        let rows = place.load(role).await;
        let (low, high) = bounds(place.table(role));
        let table = &place.table(role).name;
        let read = read_range(place.client(), GetRange::new(table, low, high)).await;
        assert_eq!(read, rows, "{role}");
    }
}

/// An absent row is an answer.
pub async fn a_row_that_does_not_exist_is_no_error(place: &Place) {
    let table = place.numbered("absent", 1).await;
    let reply = place.client().send(GetRow::new(&table, key(1))).await;
    let reply = reply.unwrap();
    assert_eq!(reply.row, None);
    assert_eq!(reply.next_token, None);
}

/// A put leaves nothing of the row before.
pub async fn a_put_replaces_the_whole_row(place: &Place) {
    let table = place.numbered("replaced", 1).await;
    let client = place.client();
    let first = Row::new(key(1)).cell("a", 1).cell("b", "old");
    let second = Row::new(key(1)).cell("b", "new").cell("c", true);
    let reply = client.send(PutRow::new(&table, first)).await.unwrap();
    assert_eq!(reply.row, None, "nothing was asked for");
    client
        .send(PutRow::new(&table, second.clone()))
        .await
        .unwrap();
    assert_eq!(newest(client, &table, key(1)).await, Some(second));
}

/// Puts and deletes of one update reach the cells and versions they name, and no others.
pub async fn an_update_changes_single_cells_and_versions(place: &Place) {
    let table = place.numbered("updated", 3).await;
    let client = place.client();
    let base = place.base_version_ms();
    let row = Row {
        primary_key: key(1),
        cells: vec![
            Cell::new("a", 2).at(base + 1),
            Cell::new("a", 1).at(base),
            Cell::new("b", "y").at(base + 1),
            Cell::new("b", "x").at(base),
            Cell::new("c", true).at(base),
        ],
    };
    client.send(PutRow::new(&table, row)).await.unwrap();
    let update = RowUpdate::new(key(1))
        .delete_one_version("a", base + 1)
        .delete_all_versions("b")
        .put("d", 0.5);
    client.send(UpdateRow::new(&table, update)).await.unwrap();

    let all = GetRow::new(&table, key(1)).max_versions(3);
    let row = client.send(all).await.unwrap().into_inner().row.unwrap();
    let put = row.cells.last().unwrap();
    assert!(put.timestamp_ms > Some(base), "{put:?}");
    let expected = [
        Cell::new("a", 1).at(base),
        Cell::new("c", true).at(base),
        Cell::new("d", 0.5).at(put.timestamp_ms.unwrap()),
    ];
    assert_eq!(row.cells, expected);

    // An update of a row that isn't there creates it.
    let update = RowUpdate::new(key(2)).put("a", 1);
    client.send(UpdateRow::new(&table, update)).await.unwrap();
    let expected = Row::new(key(2)).cell("a", 1);
    assert_eq!(newest(client, &table, key(2)).await, Some(expected));
}

/// Columns by name and by range of names, versions by number and by time, and the row by a filter.
pub async fn a_read_returns_the_columns_versions_and_times_it_asks_for(place: &Place) {
    let table = place.numbered("selected", 3).await;
    let client = place.client();
    let base = place.base_version_ms();
    let cells = ["a", "b", "c", "d"].iter().flat_map(|name| {
        let version = |age: i64| Cell::new(*name, 10 - age).at(base + 10 - age);
        (0..3).map(version)
    });
    let row = Row {
        primary_key: key(1),
        cells: cells.collect(),
    };
    client.send(PutRow::new(&table, row)).await.unwrap();

    let get = || GetRow::new(&table, key(1));
    let equals = |value: i64| Filter::column("a").eq(value).only_if_present();
    for (request, expected) in [
        (get(), vec!["a10", "b10", "c10", "d10"]),
        (get().columns(["d", "b"]), vec!["b10", "d10"]),
        (get().column_range("b".."d"), vec!["b10", "c10"]),
        (get().columns(["c"]).max_versions(2), vec!["c10", "c9"]),
        (
            get().columns(["c"]).max_versions(9),
            vec!["c10", "c9", "c8"],
        ),
        (
            get().columns(["a"]).time_range(base + 8, base + 10),
            vec!["a9", "a8"],
        ),
        (
            get()
                .columns(["a"])
                .max_versions(1)
                .time_range(base, base + 10),
            vec!["a9"],
        ),
        (get().columns(["a"]).filter(equals(10)), vec!["a10"]),
    ] {
        let shown = format!("{request:?}");
        let row = client
            .send(request)
            .await
            .unwrap()
            .into_inner()
            .row
            .unwrap();
        let cells: Vec<String> = row
            .cells
            .iter()
            .map(|cell| format!("{}{}", cell.name, cell.value.as_ref()))
            .collect();
        assert_eq!(cells, expected, "{shown}");
    }
    for absent in [
        get().columns(["nowhere"]),
        get().filter(equals(9)),
        get().columns(["a"]).time_range(base - 10, base),
    ] {
        let shown = format!("{absent:?}");
        assert_eq!(
            client.send(absent).await.unwrap().into_inner().row,
            None,
            "{shown}"
        );
    }
}

/// RT_AFTER_MODIFY: what an atomic increment came to, without reading again.
pub async fn an_increment_returns_the_new_value(place: &Place) {
    let table = place.numbered("counted", 1).await;
    let client = place.client();
    let add = |by| {
        let update = RowUpdate::new(key(1)).increment("n", by).put("by", by);
        let content = ReturnContent::AfterModify(vec!["n".to_owned()]);
        UpdateRow::new(&table, update).return_content(content)
    };
    for (by, expected) in [(5, 5), (-2, 3), (i64::MAX - 3, i64::MAX)] {
        let row = client
            .send(add(by))
            .await
            .unwrap()
            .into_inner()
            .row
            .unwrap();
        assert_eq!(row.get("n"), Some(&expected.into()), "after {by}");
        assert_eq!(row.get("by"), None, "only what was asked for");
    }
    let row = newest(client, &table, key(1)).await.unwrap();
    assert_eq!(row.get("n"), Some(&i64::MAX.into()));
}

/// Increments under way at once are all applied, each exactly once: a client must not send one of
/// them again on its own.
pub async fn increments_at_the_same_time_all_count(place: &Place) {
    let table = place.numbered("contended", 1).await;
    let client = place.client();
    let increment = || {
        let update = RowUpdate::new(key(1)).increment("n", 1);
        let content = ReturnContent::AfterModify(vec!["n".to_owned()]);
        client.send(UpdateRow::new(&table, update).return_content(content))
    };
    let replies = join_all((0..20).map(|_| increment())).await;
    let mut seen: Vec<i64> = replies
        .into_iter()
        .map(|reply| {
            let row = reply.unwrap().into_inner().row.unwrap();
            row.get("n").and_then(ColumnValue::as_integer).unwrap()
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
}

/// RT_PK: the key with the value that the service picked.
pub async fn a_generated_key_is_returned_and_can_be_read(place: &Place) {
    let table = place.name("generated");
    let create = CreateTable::new(&table)
        .primary_key("city", PrimaryKeyType::String)
        .auto_increment_key("serial");
    let key = |serial: PrimaryKeyValue| {
        PrimaryKey::new()
            .column("city", "h")
            .column("serial", serial)
    };
    place.create(create, key(0.into()), &table).await;

    let client = place.client();
    let mut serials = Vec::new();
    for n in 0..3 {
        let row = Row::new(key(PrimaryKeyValue::AutoIncrement)).cell("n", n);
        let put = PutRow::new(&table, row).return_content(ReturnContent::PrimaryKey);
        let returned = client.send(put).await.unwrap().into_inner().row.unwrap();
        assert_eq!(returned.primary_key.get("city"), Some(&"h".into()));
        let serial = returned.primary_key.get("serial").unwrap();
        serials.push(serial.as_integer().unwrap());

        let read = newest(client, &table, returned.primary_key).await.unwrap();
        assert_eq!(read.get("n"), Some(&n.into()));
    }
    assert!(serials.is_sorted_by(|a, b| a < b), "{serials:?}");
}

/// Deleting is by key alone, and an absent row is no error.
pub async fn a_deleted_row_is_gone_and_may_be_deleted_again(place: &Place) {
    let table = place.numbered("deleted", 1).await;
    let client = place.client();
    for id in 1..=2 {
        let row = Row::new(key(id)).cell("a", id);
        client.send(PutRow::new(&table, row)).await.unwrap();
    }
    for _ in 0..2 {
        client.send(DeleteRow::new(&table, key(1))).await.unwrap();
        assert_eq!(newest(client, &table, key(1)).await, None);
    }
    assert!(newest(client, &table, key(2)).await.is_some());
}

/// A row without the versions that the service chose.
async fn newest(client: &Client, table: &str, key: PrimaryKey) -> Option<Row> {
    let mut row = client
        .send(GetRow::new(table, key))
        .await
        .unwrap()
        .into_inner()
        .row?;
    for cell in &mut row.cells {
        cell.timestamp_ms = None;
    }
    Some(row)
}
