//! Frames to HTML and `facts.json`: metrics, charts and page.

use std::hint::black_box;
use std::time::Duration;

use acumen::fetch::{People, Vendor};
use acumen::pipeline::{Beside, compose};
use criterion::{BenchmarkId, Criterion};

use crate::data;

/// The group `report`.
pub fn report(criterion: &mut Criterion) {
    let settings = data::settings();
    let beside = Beside {
        vendor: Vendor::default(),
        people: People::default(),
        saved: None,
        archived: None,
        no_match: false,
        notes: Vec::new(),
    };
    let mut group = criterion.benchmark_group("report");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(8));
    for sessions in [1_000, 100_000] {
        let (frames, ledger) = data::walk(&data::pages(&data::recipe(sessions)), &settings);
        assert_eq!(frames.sessions.height(), sessions);
        group.bench_function(BenchmarkId::from_parameter(sessions), |bencher| {
            bencher
                .iter(|| compose(black_box(&frames), ledger.clone(), &beside, &settings).expect("a report"));
        });
    }
    group.finish();
}
