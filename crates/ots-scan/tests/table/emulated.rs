//! Over the emulator, in this process.

use ots_core::request::{BatchWriteRow, CreateTable, TableWrites};
use ots_core::transport::InProcess;
use ots_core::{Client, Credentials, RowChange};
use ots_emulator::{Emulator, Settings};

use super::*;

async fn client() -> Client {
    let mut settings = Settings::default();
    (settings.min_split_unit_bytes, settings.range_page_rows) = (1, 7);
    let emulator = Emulator::builder().settings(settings).build();
    let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
    let client = Client::builder("http://embedded")
        .instance("scan")
        .credentials(Credentials::new(id, secret))
        .transport(InProcess::new(move |request| emulator.handle(request)))
        .build()
        .unwrap();
    let table = CreateTable::new("orders").primary_key("id", PrimaryKeyType::Integer);
    client.send(table).await.unwrap();
    for from in [0, 100, 200_i64] {
        let rows = (from..from + 100).map(|id| Row::new(PrimaryKey::new().column("id", id)));
        let puts = rows.map(|row| RowChange::Put(row.cell("a", 1).cell("b", "text")));
        let batch = BatchWriteRow::new().table(TableWrites::new("orders").changes(puts));
        client.send(batch).await.unwrap();
    }
    client
}

#[tokio::test]
async fn a_table_in_many_ranges_with_columns_filter_and_bounds() {
    let client = client().await;
    let orders = table_scan(client, "orders").part_bytes(NonZeroU64::new(500).unwrap());
    let plan = orders.plan().await.unwrap();
    assert!(plan.ranges > 10, "{plan}");
    let id = |row: &Row| row.primary_key.get("id").unwrap().as_integer().unwrap();
    let mut scan = orders.open().await.unwrap();
    let mut rows = 0;
    while let Some(page) = scan.try_next().await.unwrap() {
        rows += page.row_count();
        assert!(page.consumed().read > 0);
    }
    let progress = scan.progress();
    assert_eq!(
        (rows, progress.rows(), progress.ranges.len()),
        (300, 300, usize::try_from(plan.ranges).unwrap())
    );
    assert!(
        progress.consumed.read > progress.requests,
        "and what the ranges cost"
    );

    let filter = Filter::column("a").eq(1);
    let some = orders.columns(["a"]).filter(filter);
    let some = some
        .start(PrimaryKey::new().column("id", 17))
        .end(PrimaryKey::new().column("id", 203));
    let rows = some.open().await.unwrap().rows();
    let rows: Vec<_> = rows.try_collect().await.unwrap();
    assert!(rows.iter().all(|row| row.cells.len() == 1));
    let mut ids: Vec<_> = rows.iter().map(id).collect();
    ids.sort_unstable();
    assert_eq!(ids, Vec::from_iter(17..203));
}

#[tokio::test]
async fn a_missing_table_is_a_typed_error_before_the_first_row() {
    let missing = table_scan(client().await, "missing");
    let error = missing.open().await.unwrap_err();
    assert_eq!(*error.kind(), TableScanErrorKind::Open);
    assert_eq!(error.code(), Some(&ErrorCode::ObjectNotExist));
    assert_eq!(
        error.to_string(),
        "scan of table \"missing\": its ranges can't be had by ComputeSplitPointsBySize; the cause says \
         what to change"
    );
}
