//! What trust costs: the signature of a request, of a response, and the MD5 of a body.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ots_core::sign::{self, SigningKey};

/// The headers of a request, about as long as real ones.
const HEADERS: [(&str, &str); 5] = [
    ("x-ots-accesskeyid", "LTAI4FzCEcUDRgN1YYbGZjtC"),
    ("x-ots-apiversion", "2015-12-31"),
    ("x-ots-contentmd5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ("x-ots-date", "2024-01-02T03:04:05.000Z"),
    ("x-ots-instancename", "an-instance"),
];

const SECRET: &str = "not-a-secret-but-as-long-as-one";

fn signatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signature");
    group.bench_function("request_v2", |bencher| {
        bencher.iter(|| sign::v2::sign(SECRET, black_box("GetRange"), HEADERS));
    });
    // Its headers are two more, and its hash is another. The key is derived once a day.
    let key = SigningKey::v4(SECRET, "20240102", "cn-hangzhou");
    let headers: Vec<(&str, &str)> = HEADERS.into_iter().chain(key.scope()).collect();
    group.bench_function("request_v4", |bencher| {
        bencher.iter(|| key.sign(black_box("GetRange"), headers.iter().copied()));
    });
    group.bench_function("derive_v4_key", |bencher| {
        bencher.iter(|| sign::v4::signing_key(black_box(SECRET), "20240102", "cn-hangzhou"));
    });
    let text = sign::response_string_to_sign("GetRange", HEADERS);
    let signature = sign::hmac_sha1(SECRET, &text);
    group.bench_function("response", |bencher| {
        bencher.iter(|| {
            let text = sign::response_string_to_sign(black_box("GetRange"), HEADERS);
            sign::verify_hmac_sha1(SECRET, &text, &signature)
        });
    });
    group.finish();
}

fn body(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("content_md5");
    for (name, bytes) in [("16 KiB", 16 * 1024_usize), ("1 MiB", 1024 * 1024)] {
        let body = vec![0x5a; bytes];
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(name, |bencher| bencher.iter(|| sign::content_md5(&body)));
    }
    group.finish();
}

criterion_group!(benches, signatures, body);
criterion_main!(benches);
