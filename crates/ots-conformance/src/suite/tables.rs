//! CreateTable, ListTable, DescribeTable, DeleteTable.

use ots_core::ErrorCode;
use std::time::Duration;

use ots_core::request::{
    CreateTable, DeleteTable, DescribeTable, GetRow, ListTable, TableOptions, TimeToLive,
    UpdateTable,
};
use ots_proto::messages::{PrimaryKeyOption, PrimaryKeyType};

use super::{Place, key};

/// A new table is in the list, and described as it was created.
pub async fn a_created_table_is_listed_and_described(place: &Place) {
    let table = place.name("described");
    let create = CreateTable::new(&table)
        .primary_key("city", PrimaryKeyType::String)
        .primary_key("photo", PrimaryKeyType::Binary)
        .primary_key("year", PrimaryKeyType::Integer)
        .auto_increment_key("serial")
        .max_versions(3)
        .expire_after(Duration::from_secs(864_000));
    place.client().send(create).await.unwrap();

    let tables = place.client().send(ListTable::new()).await.unwrap();
    assert!(tables.contains(&table), "{tables:?}");

    let description = place.client().send(DescribeTable::new(&table)).await;
    let description = description.unwrap();
    assert_eq!(description.name, table);
    let columns: Vec<_> = description
        .primary_key
        .iter()
        .map(|column| (column.name.as_str(), column.r#type, column.option))
        .collect();
    let generated = Some(i32::from(PrimaryKeyOption::AutoIncrement));
    let expected = [
        ("city", PrimaryKeyType::String.into(), None),
        ("photo", PrimaryKeyType::Binary.into(), None),
        ("year", PrimaryKeyType::Integer.into(), None),
        ("serial", PrimaryKeyType::Integer.into(), generated),
    ];
    assert_eq!(columns, expected);
    assert_eq!(description.options.max_versions, Some(3));
    let kept = TimeToLive::Seconds(864_000);
    assert_eq!(description.options.time_to_live, Some(kept));
}

/// What an update doesn't name stays as it was.
pub async fn an_update_changes_what_it_names_and_keeps_the_rest(place: &Place) {
    let table = place.numbered("changing", 1).await;
    let client = place.client();
    let more = TableOptions::new().max_versions(4);
    let updated = client.send(UpdateTable::new(&table).options(more)).await;
    let updated = updated.unwrap().into_inner().options;
    assert_eq!(updated.max_versions, Some(4));
    assert_eq!(updated.time_to_live, Some(TimeToLive::Never));
    let described = client.send(DescribeTable::new(&table)).await.unwrap();
    assert_eq!(described.options, updated);
}

/// Creating a table twice is refused, and the first one stays.
pub async fn a_table_that_exists_is_not_created_again(place: &Place) {
    let table = place.numbered("twice", 2).await;
    let create = CreateTable::new(&table).primary_key("other", PrimaryKeyType::String);
    let error = place.client().send(create).await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ObjectAlreadyExist));
    assert_eq!(error.table(), Some(table.as_str()));
    assert!(!error.is_retryable());

    let description = place.client().send(DescribeTable::new(&table)).await;
    assert_eq!(description.unwrap().options.max_versions, Some(2));
}

/// A deleted table is neither listed, nor described, nor read, nor deleted again.
pub async fn a_deleted_table_is_gone(place: &Place) {
    let table = place.numbered("gone", 1).await;
    let client = place.client();
    client.send(DeleteTable::new(&table)).await.unwrap();

    let tables = client.send(ListTable::new()).await.unwrap();
    assert!(!tables.contains(&table));
    let errors = [
        client.send(DescribeTable::new(&table)).await.unwrap_err(),
        client.send(DeleteTable::new(&table)).await.unwrap_err(),
        client.send(GetRow::new(&table, key(1))).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist), "{error}");
        assert_eq!(error.instance(), Some(client.instance()));
        assert!(error.request_id().is_some_and(|id| !id.is_empty()));
    }
}
