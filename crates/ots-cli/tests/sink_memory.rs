//! Eight open Parquet files take a bounded amount of memory, however much goes through them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use ots_cli::sink::{Format, Staging};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Values that repeat as little as possible, so that nothing is made small by a dictionary.
fn batch(rows: usize, texts: usize, text_bytes: usize, seed: u64) -> RecordBatch {
    let mut state = seed;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 11
    };
    let ids = Int64Array::from_iter_values((0..rows).map(|_| next().cast_signed()));
    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    let shares = Float64Array::from_iter_values((0..rows).map(|_| next() as f64));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("id".into(), Arc::new(ids)),
        ("share".into(), Arc::new(shares)),
    ];
    for column in 0..texts {
        let text = |_| {
            let mut text = String::with_capacity(text_bytes + 16);
            while text.len() < text_bytes {
                text.push_str(&format!("{:x}", next()));
            }
            text
        };
        let array = StringArray::from_iter_values((0..rows).map(text));
        columns.push((format!("text{column}"), Arc::new(array)));
    }
    RecordBatch::try_from_iter(columns).unwrap()
}

/// The most that eight files take beyond the batch, in MiB, when each gets `mib` MiB of rows.
fn peak_mib(rows: usize, texts: usize, text_bytes: usize, mib: usize) -> f32 {
    let directory = tempfile::tempdir().unwrap();
    let output = Staging::begin(directory.path(), Format::Parquet).unwrap();
    let batch = batch(rows, texts, text_bytes, 7);
    let schema = batch.schema();
    let before = MEMORY.current_usage_as_mb();
    MEMORY.reset_peak_usage();
    let mut parts = (0..8)
        .map(|split| output.parts().open(split, 0, Some(&schema)).unwrap())
        .collect::<Vec<_>>();
    let times = (mib << 20) / batch.get_array_memory_size();
    for _ in 0..times.max(1) {
        for part in &mut parts {
            part.write(&batch).unwrap();
        }
    }
    let parts = parts.into_iter().map(|part| part.finish().unwrap());
    let parts = output.keep(parts);
    output.commit(parts, serde_json::Map::new()).unwrap();
    MEMORY.peak_usage_as_mb() - before
}

// One test, because the allocator counts for the whole process.
#[test]
fn eight_parquet_files_stay_under_100_mib() {
    let narrow = peak_mib(2_000, 4, 20, 8);
    let narrow_long = peak_mib(2_000, 4, 20, 20);
    let wide = peak_mib(2_000, 60, 20, 8);
    let large_rows = peak_mib(500, 2, 20_000, 8);
    let one_big_batch = peak_mib(50_000, 2, 40, 1);
    println!("{narrow} {narrow_long} {wide} {large_rows} {one_big_batch} MiB");
    for peak in [narrow, narrow_long, wide, large_rows, one_big_batch] {
        assert!(peak < 80.0, "{peak} MiB");
    }
    assert!(
        narrow_long < narrow + 8.0,
        "memory grows with the file: {narrow} {narrow_long}"
    );
}
