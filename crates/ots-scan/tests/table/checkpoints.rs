//! Places kept as bytes: what they are good for, and what they are refused for.

use super::*;

/// Half of a scan of `three_by_three`.
async fn checkpoint() -> TableCheckpoint {
    let world = three_by_three(|table| table);
    let mut half = scan(&world).concurrency(1).open().await.unwrap();
    assert_eq!(take(&mut half, 4).await.len(), 4);
    half.checkpoint()
}

#[tokio::test]
async fn a_checkpoint_is_refused_by_any_other_scan() {
    let half = checkpoint().await;
    let world = three_by_three(|table| table);
    let rest = scan(&world)
        .concurrency(3)
        .limit(1)
        .resume(&half)
        .unwrap()
        .rows();
    assert_eq!(rest.try_collect::<Vec<_>>().await.unwrap().len(), 18 - 8);

    let all = || scan(&world);
    for other in [
        table_scan(Arc::clone(&world), "flights"),
        all().filter(Filter::column("a").exists()),
        all().columns(["a"]),
        all().max_versions(2),
        all().start(key("a", 0)),
        all().end(key("z", 0)),
        all().start(PrimaryKey::new().column("id", 0)),
    ] {
        let error = other.resume(&half).unwrap_err();
        assert_eq!(
            *error.kind(),
            TableScanErrorKind::CheckpointOfOtherScan,
            "{other:?}"
        );
        assert!(error.table().is_some() && !error.is_retryable());
    }
}

#[tokio::test]
async fn a_plan_is_where_a_scan_begins() {
    let world = three_by_three(|table| table);
    let builder = scan(&world);
    let plan = builder.plan().await.unwrap();
    let begin = builder.open().await.unwrap().checkpoint();
    assert_eq!(plan.checkpoint(), begin);
    let rows = builder.resume(&plan.checkpoint()).unwrap().rows();
    assert_eq!(rows.try_collect::<Vec<_>>().await.unwrap().len(), 18);
    // Of this scan and of no other.
    let other = builder.columns(["a"]).resume(&plan.checkpoint());
    let error = other.unwrap_err();
    assert_eq!(*error.kind(), TableScanErrorKind::CheckpointOfOtherScan);
}

#[tokio::test]
async fn damage_of_a_checkpoint_is_noticed_and_its_keys_stay_out_of_logs() {
    let half = checkpoint().await;
    let bytes = half.to_bytes();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let error = TableCheckpoint::from_bytes(&damaged).unwrap_err();
            assert!(matches!(error.kind(), TableScanErrorKind::Checkpoint(_)));
        }
        assert!(TableCheckpoint::from_bytes(&bytes[..at]).is_err());
    }
    let debug = format!("{half:?}");
    assert_eq!(debug, "TableCheckpoint { ranges: 3, ranges_done: 1, .. }");
}

/// Written down by programs: if this changes, so must the version of the form.
#[tokio::test]
async fn what_was_kept_long_ago_is_still_gone_on_with() {
    let bytes = checkpoint().await.to_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, KEPT);
}

const KEPT: &str = "\
    6f7473207461626c65207363616e20313a00000001f1211c154c9bbde775000000010304040000006369747905\
    01000000090a1503040200000069640501000000090a6109827fba5ba1f5af191d002e00000075000000010304\
    040000006369747905060000000301000000620a8903040200000069640501000000090a6109d1013600000075\
    000000010304040000006369747905060000000301000000620a89030402000000696405090000000002000000\
    000000000a3f090b2e00000075000000010304040000006369747905060000000301000000630a8e0304020000\
    0069640501000000090a6109c7012e00000075000000010304040000006369747905060000000301000000630a\
    8e03040200000069640501000000090a6109c72900000075000000010304040000006369747905010000000a0a\
    1c030402000000696405010000000a0a680905666b36d2377f9ef7";

proptest! {
    /// With a checksum that fits, whatever the content.
    #[test]
    fn any_content_of_a_checkpoint_is_read_or_refused(
        at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut bytes = block_on(checkpoint()).to_bytes();
        bytes.truncate(bytes.len() - 8);
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = to }
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        bytes.extend(sum.to_le_bytes());
        if let Ok(read) = TableCheckpoint::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

#[tokio::test]
async fn a_checkpoint_kept_by_the_caller_covers_exactly_what_it_has_written() {
    let world = three_by_three(|table| table.cell_caps([1, 9]));
    let builder = scan(&world);
    let mut pages = builder.open().await.unwrap();
    let mut written = pages.checkpoint();
    assert_eq!(written, kept(&pages.checkpoint()), "before the first page");
    let taken = take(&mut pages, usize::MAX).await;
    // Of each range another number of pages is safe, whatever was handed over since.
    let mut found = Vec::new();
    let safe = |page: &&TablePage| page.index() < u64::from(page.range());
    for page in taken.iter().filter(safe) {
        written.advance(&page.step()).unwrap();
        found.extend(keys(page));
    }
    assert!(pages.checkpoint().is_done() && !written.is_done());
    let mut rest = builder.resume(&kept(&written)).unwrap();
    for page in take(&mut rest, usize::MAX).await {
        written.advance(&page.step()).unwrap();
        found.extend(keys(&page));
    }
    assert!(written.is_done());
    let found = sorted(found);
    assert!(found.is_sorted_by(|one, next| one < next) && found.len() == 18);
}

#[tokio::test]
async fn a_page_that_is_left_out_or_counted_twice_is_refused() {
    let world = three_by_three(|table| table);
    let mut pages = scan(&world).concurrency(1).open().await.unwrap();
    let mut written = pages.checkpoint();
    let taken = take(&mut pages, usize::MAX).await;
    let before = written.clone();
    let gap = written.advance(&taken[1].step()).unwrap_err();
    assert_eq!(*gap.kind(), TableScanErrorKind::CheckpointGap { range: 0 });
    assert_eq!(written, before);
    written.advance(&taken[0].step()).unwrap();
    assert!(written.advance(&taken[0].step()).is_err(), "twice");
    written.advance(&taken[1].step()).unwrap();
    written.advance(&taken[2].step()).unwrap();
    assert!(written.advance(&taken[2].step()).is_err(), "it is done");
    let debug = format!("{:?}", taken[2].step());
    assert_eq!(debug, "RangeStep { range: 0, is_last: true, .. }", "no key");
}
