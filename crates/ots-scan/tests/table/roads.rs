//! By which operation a table is read: the same rows by each, at the cost that the plan told.

use ots_core::filter::ColumnPagination;
use ots_core::request::{BatchWriteRow, CreateTable, TableWrites};
use ots_core::retry::NoRetry;
use ots_core::transport::InProcess;
use ots_core::{Client, ColumnValue, Credentials, RowChange};
use ots_emulator::{Emulator, FaultAction, FaultRule, Settings};
use ots_proto::NameCache;
use ots_proto::messages::DataBlockType;
use ots_proto::plainbuffer::{Accept, Reader};
use ots_proto::simple_row_matrix::Matrix;
use ots_scan::{ReadBy, TableBlock};

use super::*;

pub(crate) type DecodeError = Box<dyn std::error::Error + Send + Sync>;

struct Service {
    emulator: Arc<Emulator>,
    client: Client,
}

impl Service {
    async fn new(settings: Settings, rows: impl IntoIterator<Item = Row>) -> Self {
        let emulator = Arc::new(Emulator::builder().settings(settings).build());
        let (id, secret) = (Emulator::ACCESS_KEY_ID, Emulator::ACCESS_KEY_SECRET);
        let handler = Arc::clone(&emulator);
        let client = Client::builder("http://embedded")
            .instance("scan")
            .credentials(Credentials::new(id, secret))
            .retry(NoRetry)
            .transport(InProcess::new(move |request| handler.handle(request)))
            .build()
            .unwrap();
        let table = CreateTable::new("orders")
            .primary_key("city", PrimaryKeyType::String)
            .primary_key("id", PrimaryKeyType::Integer);
        client.send(table).await.unwrap();
        let rows: Vec<_> = rows.into_iter().map(RowChange::Put).collect();
        for some in rows.chunks(200) {
            let puts = TableWrites::new("orders").changes(some.iter().cloned());
            client.send(BatchWriteRow::new().table(puts)).await.unwrap();
        }
        Self { emulator, client }
    }

    fn scan(&self) -> TableScanBuilder<Client> {
        table_scan(self.client.clone(), "orders")
    }

    /// Requests, those refused, and read capacity units.
    fn met(&self, operation: &str) -> (u64, u64, u64) {
        let stats = self.emulator.operation_stats();
        let stats = stats.get(operation).copied().unwrap_or_default();
        (stats.requests, stats.refused, stats.read_units)
    }

    fn refuse(&self, operation: &str, status: u16, code: &str) {
        let rule = FaultRule::error(status, code).operation(operation);
        self.emulator.faults().add(rule);
    }
}

/// Twelve rows, three in each of four cities; a range for each city, two rows in a page.
async fn twelve() -> Service {
    let mut settings = Settings::default();
    (settings.min_split_unit_bytes, settings.range_page_rows) = (1, 2);
    let keys = ["a", "b", "c", "d"];
    let keys = keys
        .into_iter()
        .flat_map(|city| (0..3).map(move |id| key(city, id)));
    Service::new(settings, keys.map(row)).await
}

const ONE: NonZeroU64 = NonZeroU64::MIN;

async fn rows(scan: &TableScanBuilder<Client>) -> BTreeMap<PrimaryKey, Row> {
    let rows = scan.open().await.unwrap().rows();
    let rows: Vec<Row> = rows.try_collect().await.unwrap();
    let count = rows.len();
    let by_key: BTreeMap<_, _> = rows
        .into_iter()
        .map(|row| (row.primary_key.clone(), row))
        .collect();
    assert_eq!(by_key.len(), count, "doubled");
    by_key
}

#[tokio::test]
async fn bulk_export_is_used_where_it_is_wanted_and_told_in_plan_and_progress() {
    let service = twelve().await;
    for read_by in [ReadBy::BulkExport, ReadBy::Auto] {
        let before = service.met("BulkExport").0;
        let builder = service.scan().part_bytes(ONE).read_by(read_by);
        let plan = builder.plan().await.unwrap();
        assert_eq!((plan.read_by, plan.why_not_bulk_export), (read_by, None));
        let mut scan = builder.open().await.unwrap();
        assert_eq!(scan.progress().read_by, read_by);
        let pages = take(&mut scan, usize::MAX).await;
        let progress = scan.progress();
        assert_eq!(progress.read_by, ReadBy::BulkExport);
        // As GetRange, with all columns and their times.
        let row = &pages[0].rows().unwrap()[0];
        assert!(row.cells.len() == 1 && row.cells[0].timestamp_ms.is_some());
        assert_eq!(
            (pages.len(), progress.rows(), progress.requests),
            (8, 12, 8)
        );
        assert_eq!(service.met("BulkExport"), (before + 8, 0, 0));
        // Each row has four bytes of the city's name, one of its value, two and eight of the id, and
        // as much as its column has.
        assert_eq!(progress.charged_bytes, 12 * (4 + 1 + 2 + 8 + 1 + 8));
        assert_eq!(progress.consumed.read, plan.consumed.read);
    }
    assert_eq!(service.met("GetRange").0, 0);
}

#[tokio::test]
async fn a_service_that_refuses_bulk_export_is_read_by_get_range_and_asked_once_in_each_task() {
    for (status, code) in [(400, "OTSParameterInvalid"), (403, "OTSNoPermissionAccess")] {
        let service = twelve().await;
        service.refuse("BulkExport", status, code);
        let builder = service.scan().part_bytes(ONE).concurrency(2);
        let builder = builder.read_by(ReadBy::Auto).limiter(Limiter::fixed(4));
        let mut scan = builder.open().await.unwrap();
        let pages = take(&mut scan, usize::MAX).await;
        assert_eq!(pages.iter().map(TablePage::row_count).sum::<u64>(), 12);
        let (asked, refused, _) = service.met("BulkExport");
        assert!((1..=2).contains(&asked) && refused == asked, "{asked}");
        assert_eq!(service.met("GetRange").0, 8);
        let progress = scan.progress();
        assert_eq!(progress.read_by, ReadBy::GetRange);
        assert_eq!(progress.requests, 8 + asked);
        assert_eq!(
            progress.consumed.read,
            8 + service.met("ComputeSplitPointsBySize").2
        );
    }
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_scan_loses_nothing() {
    let service = twelve().await;
    let builder = service.scan().part_bytes(ONE).concurrency(1);
    let mut scan = builder.read_by(ReadBy::Auto).open().await.unwrap();
    let mut found: Vec<_> = take(&mut scan, 3).await.iter().flat_map(keys).collect();
    assert_eq!(scan.progress().read_by, ReadBy::BulkExport);
    service.refuse("BulkExport", 403, "OTSNoPermissionAccess");
    found.extend(take(&mut scan, usize::MAX).await.iter().flat_map(keys));
    assert_eq!(scan.progress().read_by, ReadBy::GetRange);
    let found = sorted(found);
    assert!(found.is_sorted_by(|one, next| one < next) && found.len() == 12);
}

#[tokio::test]
async fn only_a_refusal_is_a_reason_to_read_otherwise_and_only_where_that_is_allowed() {
    let service = twelve().await;
    service.refuse("BulkExport", 400, "OTSParameterInvalid");
    let scan = service.scan().read_by(ReadBy::BulkExport);
    let error = scan.open().await.unwrap().try_next().await.unwrap_err();
    assert_eq!(
        *error.kind(),
        TableScanErrorKind::Range { range: 0, page: 0 }
    );
    assert_eq!(error.code(), Some(&ErrorCode::ParameterInvalid));
    assert_eq!(error.as_call().unwrap().operation(), Some("BulkExport"));

    let service = twelve().await;
    service.refuse("BulkExport", 503, "OTSServerBusy");
    let scan = service.scan().read_by(ReadBy::Auto);
    let error = scan.open().await.unwrap().try_next().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::ServerBusy));
    assert_eq!(service.met("GetRange").0, 0);
}

#[tokio::test]
async fn what_bulk_export_does_not_have_is_refused_or_read_by_get_range() {
    let service = twelve().await;
    let scan = || service.scan().part_bytes(ONE);
    for (scan, lacking) in [
        (
            scan().max_versions(2),
            "BulkExport gives the newest version only",
        ),
        (scan().limit(1), "BulkExport has no limit of rows in a page"),
        (
            scan().filter(ColumnPagination::new(0, 1)),
            "BulkExport has no window of columns",
        ),
    ] {
        let forced = scan.clone().read_by(ReadBy::BulkExport);
        let error = forced.open().await.unwrap_err();
        assert_eq!(*error.kind(), TableScanErrorKind::Request);
        assert_eq!(error.source().unwrap().to_string(), lacking);
        let auto = scan.read_by(ReadBy::Auto);
        let plan = auto.plan().await.unwrap();
        assert_eq!(plan.read_by, ReadBy::GetRange);
        assert_eq!(plan.why_not_bulk_export, Some(lacking));
        assert!(
            plan.to_string()
                .contains(&format!("by GetRange ({lacking}): "))
        );
        assert_eq!(rows(&auto).await.len(), 12);
    }
    // It isn't known whether the service leaves the rows out that have none of them.
    let auto = scan().columns(["a"]).read_by(ReadBy::Auto);
    assert_eq!(auto.plan().await.unwrap().read_by, ReadBy::GetRange);
    let start = auto.open().await.unwrap().checkpoint();
    let resumed = auto.resume(&start).unwrap();
    assert_eq!(resumed.progress().read_by, ReadBy::GetRange);
    let auto = scan().columns(["a", "id"]).read_by(ReadBy::Auto);
    assert_eq!(auto.plan().await.unwrap().read_by, ReadBy::Auto);
    assert_eq!(service.met("BulkExport").0, 0);
    assert_eq!(rows(&auto).await.len(), 12);
    assert!(service.met("BulkExport").0 > 0);
    // A place reached by one operation is gone on from by another.
    let mut half = auto.clone().concurrency(1).open().await.unwrap();
    let before: usize = take(&mut half, 3)
        .await
        .iter()
        .map(|page| keys(page).len())
        .sum();
    let rest = auto
        .read_by(ReadBy::GetRange)
        .resume(&kept(&half.checkpoint()));
    let rest: Vec<_> = rest.unwrap().rows().try_collect().await.unwrap();
    assert_eq!(before + rest.len(), 12);
}

/// A part of the table by its stored size; whole pages of it, each with rows of some 2,000 bytes.
#[tokio::test]
async fn a_plan_is_true_to_what_the_service_meters() {
    let mut settings = Settings::default();
    (settings.min_split_unit_bytes, settings.range_page_bytes) = (1, 16 << 10);
    let text = "x".repeat(2_000);
    let all = (0..150).map(|id| Row::new(key(&format!("{id:04}"), id)).cell("a", text.as_str()));
    let service = Service::new(settings, all).await;
    for (part_bytes, from, to) in [
        (64 << 10, None, None),
        (64 << 10, Some(13), Some(131)),
        (30 << 10, Some(70), None),
        (1 << 20, None, None),
    ] {
        let mut scan = service
            .scan()
            .part_bytes(NonZeroU64::new(part_bytes).unwrap());
        if let Some(id) = from {
            scan = scan.start(key(&format!("{id:04}"), id));
        }
        if let Some(id) = to {
            scan = scan.end(key(&format!("{id:04}"), id));
        }
        for read_by in [ReadBy::GetRange, ReadBy::BulkExport, ReadBy::Auto] {
            let scan = scan.clone().read_by(read_by);
            let before = ["ComputeSplitPointsBySize", "GetRange", "BulkExport"]
                .map(|operation| service.met(operation));
            let plan = scan.plan().await.unwrap();
            let found = service.met("ComputeSplitPointsBySize").2 - before[0].2;
            assert_eq!(plan.consumed.read, found);
            assert_eq!(service.met("GetRange"), before[1], "nothing is read for it");

            let rows = rows(&scan).await.len() as u64;
            assert_eq!(
                rows,
                u64::try_from(to.unwrap_or(150) - from.unwrap_or(0)).unwrap()
            );
            let bytes = rows * (4 + 4 + 2 + 8 + 1 + 2_000);
            assert!(plan.stored_bytes.contains(&bytes), "{bytes}: {plan}");
            let asked = |operation, before: (u64, u64, u64)| {
                let (requests, _, units) = service.met(operation);
                (requests - before.0, units - before.2)
            };
            let (by_range, units) = asked("GetRange", before[1]);
            let (by_bulk, no_units) = asked("BulkExport", before[2]);
            assert_eq!((by_range == 0, no_units), (read_by != ReadBy::GetRange, 0));
            let requests = by_range + by_bulk;
            assert!(requests >= plan.least_requests, "{requests}: {plan}");
            // Less than one unit a page comes on top.
            let (least, most) = (*plan.read_units.start(), *plan.read_units.end());
            assert!(
                (least..most + requests).contains(&units) || units == 0,
                "{units}: {plan}"
            );
            assert_eq!(units == 0, read_by != ReadBy::GetRange);
            assert_eq!(plan.read_units == (0..=0), read_by == ReadBy::BulkExport);
        }
    }
    let by_bulk_export = service.scan().read_by(ReadBy::BulkExport);
    assert_eq!(
        by_bulk_export.plan().await.unwrap().to_string(),
        "one range, page after page, by BulkExport: 0 to 33554432 bytes stored, at least 1 requests, \
         charged by the byte"
    );
}

/// Rows of a page without their times, in whichever form they came.
pub(crate) fn rows_of(block: &TableBlock) -> Result<(Vec<Row>, usize), DecodeError> {
    let bytes = block.bytes();
    let mut rows = match block.form() {
        DataBlockType::SimpleRowMatrix => Matrix::parse(bytes)?.to_rows()?,
        DataBlockType::PlainBuffer => {
            let mut reader = Reader::new(bytes, Accept::Rows)?;
            let mut rows = Vec::new();
            while let Some(row) = reader.next_row()? {
                rows.push(row.to_row(&mut NameCache::default()));
            }
            rows
        }
    };
    assert_eq!(rows.len() as u64, block.row_count());
    for row in &mut rows {
        row.cells.sort_by(|one, other| one.name.cmp(&other.name));
        row.cells
            .iter_mut()
            .for_each(|cell| cell.timestamp_ms = None);
    }
    let bytes = rows.len() * size_of::<Row>();
    Ok((rows, bytes))
}

#[tokio::test]
async fn blocks_are_matrices_where_bulk_export_is_asked_for_columns_and_the_whole_key() {
    let rows = (0..60).map(|id| Row::new(key("a", id)).cell("a", id).cell("other", "text"));
    let service = Service::new(Settings::default(), rows).await;
    let mut met = Vec::new();
    for (columns, read_by) in [
        (&["city", "id", "a"][..], ReadBy::BulkExport),
        (&["a", "id", "city", "none"], ReadBy::Auto),
        (&["id", "a"], ReadBy::BulkExport),
        (&[], ReadBy::BulkExport),
        (&["city", "id", "a"], ReadBy::GetRange),
    ] {
        let scan = service
            .scan()
            .columns(columns.iter().copied())
            .read_by(read_by);
        let scan = scan.open().await.unwrap();
        let mut blocks = scan.decode_blocks(|block| {
            let (rows, bytes) = rows_of(block)?;
            Ok::<_, DecodeError>(((block.form(), rows), bytes))
        });
        let pages = take(&mut blocks, usize::MAX).await;
        let [(form, rows)] = pages.as_slice() else {
            panic!("{pages:?}")
        };
        assert_eq!(rows.len(), 60);
        assert!(rows.iter().all(|row| row.primary_key.len() == 2));
        assert!(rows.iter().all(|row| row.get("a").is_some()));
        met.push((*form, blocks.progress().bytes()));
    }
    let forms = met.iter().map(|it| it.0);
    let (rows, matrix) = (DataBlockType::PlainBuffer, DataBlockType::SimpleRowMatrix);
    assert_eq!(
        forms.collect::<Vec<_>>(),
        [matrix, matrix, rows, rows, rows]
    );
    assert!(2 * met[0].1 < met[4].1, "less than half: {met:?}");
}

#[tokio::test]
async fn a_damaged_block_is_asked_for_again_and_pages_never_come_as_matrices() {
    let service = twelve().await;
    let scan = service.scan().part_bytes(ONE).read_by(ReadBy::BulkExport);
    let scan = scan.columns(["city", "id", "a"]);
    let rule = FaultRule::new(FaultAction::CorruptChecksum).operation("BulkExport");
    service.emulator.faults().add(rule.times(1));
    let mut blocks = scan.open().await.unwrap().decode_blocks(rows_of);
    let pages = take(&mut blocks, usize::MAX).await;
    assert_eq!((pages.concat().len(), blocks.progress().refetched), (12, 1));

    let mut pages = scan.open().await.unwrap();
    assert_eq!(
        take(&mut pages, usize::MAX)
            .await
            .iter()
            .map(|page| keys(page).len())
            .sum::<usize>(),
        12
    );

    let rule = FaultRule::new(FaultAction::CorruptChecksum).operation("BulkExport");
    service.emulator.faults().add(rule);
    let mut blocks = scan.open().await.unwrap().decode_blocks(rows_of);
    let error = blocks.try_next().await.unwrap_err();
    assert!(matches!(
        error.kind(),
        TableScanErrorKind::Decode { page: 0, .. }
    ));
    assert_eq!(error.progress().unwrap().rows(), 0);
}

fn any_value() -> impl Strategy<Value = ColumnValue> {
    prop_oneof![
        any::<i64>().prop_map(ColumnValue::from),
        any::<bool>().prop_map(ColumnValue::from),
        (-1e9..1e9).prop_map(ColumnValue::from),
        "[a-z雪]{0,9}".prop_map(ColumnValue::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// With all that BulkExport may be asked for: columns, filters, bounds.
    #[test]
    fn the_rows_are_the_same_by_each_operation(
        table in prop::collection::btree_map(
            ("[a-d]{1,2}", 0_i64..6),
            prop::collection::btree_map("[abc]", any_value(), 0..4),
            0..40,
        ),
        page_rows in 1_usize..6,
        row_bytes in 30_usize..90,
        part_bytes in 1_u64..400,
        columns in prop_oneof![
            Just(&[][..]),
            Just(&["a", "id"][..]),
            Just(&["a", "c"][..]),
            Just(&["none"][..]),
            Just(&["city"][..]),
        ],
        filter in prop::option::of(any::<bool>()),
        bounds in (prop::option::of("[a-b]{1,2}"), prop::option::of("[c-e]{1,2}")),
        concurrency in 1_u32..5,
    ) {
        let mut settings = Settings::default();
        settings.min_split_unit_bytes = 1;
        (settings.range_page_rows, settings.wide_row_bytes) = (page_rows, row_bytes);
        let all = table.iter().map(|((city, id), cells)| {
            let row = Row::new(key(city, *id));
            cells.iter().fold(row, |row, (name, value)| row.cell(name.as_str(), value.clone()))
        });
        block_on(async {
            let service = Service::new(settings, all).await;
            let mut scan = service.scan().part_bytes(NonZeroU64::new(part_bytes).unwrap());
            scan = scan.columns(columns.iter().copied()).concurrency(concurrency);
            if let Some(missing_passes) = filter {
                let condition = Filter::column("a").ge(0);
                scan = scan.filter(if missing_passes { condition } else { condition.only_if_present() });
            }
            if let Some(city) = &bounds.0 {
                scan = scan.start(PrimaryKey::new().column("city", city.as_str()));
            }
            if let Some(city) = &bounds.1 {
                scan = scan.end(PrimaryKey::new().column("city", city.as_str()));
            }
            let expected = rows(&scan).await;
            for read_by in [ReadBy::BulkExport, ReadBy::Auto] {
                assert_eq!(rows(&scan.clone().read_by(read_by)).await, expected);
            }
            assert!(service.met("BulkExport").0 > 0);

            // As matrices too, where those can be had: of rows without times.
            let whole_key = ["city", "id"].into_iter().chain(columns.iter().copied());
            let scan = scan.columns(whole_key);
            let mut blocks = Vec::new();
            for read_by in [ReadBy::GetRange, ReadBy::BulkExport] {
                let scan = scan.clone().read_by(read_by).open().await.unwrap();
                let rows: Vec<_> = scan.decode_blocks(rows_of).try_collect().await.unwrap();
                let mut rows = rows.concat();
                rows.sort_by(|one, other| one.primary_key.cmp(&other.primary_key));
                blocks.push(rows);
            }
            assert_eq!(blocks[0], blocks[1]);
        });
    }
}
