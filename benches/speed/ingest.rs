//! Bytes to frames, beside `serde_json` skipping the same bytes.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use serde::de::IgnoredAny;

use crate::data;

const SESSIONS: usize = 20_000;

/// The group `ingest`.
pub fn ingest(criterion: &mut Criterion) {
    let settings = data::settings();
    let pages = data::pages(&data::recipe(SESSIONS));
    let (frames, ledger) = data::walk(&pages, &settings);
    // A benchmark of dropped rows would look splendid.
    assert_eq!((frames.sessions.height(), ledger.unique, ledger.rejected), (SESSIONS, SESSIONS as u64, 0));

    let mut group = criterion.benchmark_group("ingest");
    bound(&mut group);
    group.throughput(Throughput::Bytes(pages.iter().map(|page| page.len() as u64).sum()));
    group.bench_function("skip", |bencher| {
        bencher.iter(|| {
            for page in black_box(&pages) {
                serde_json::from_slice::<IgnoredAny>(page.as_bytes()).expect("JSON");
            }
        });
    });
    group.bench_function("frames", |bencher| {
        bencher.iter_with_large_drop(|| data::walk(black_box(&pages), &settings));
    });
    let folder = data::save(&pages);
    let (frames, ledger) = data::saved(folder.path(), &settings);
    assert_eq!((frames.sessions.height(), ledger.unique, ledger.rejected), (SESSIONS, SESSIONS as u64, 0));
    group.bench_function("saved", |bencher| {
        bencher.iter_with_large_drop(|| data::saved(black_box(folder.path()), &settings));
    });
    group.finish();
}

fn bound(group: &mut BenchmarkGroup<'_, WallTime>) {
    group.sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(6));
}
