//! Frames to HTML and `facts.json`: metrics, charts and page.

use std::hint::black_box;
use std::time::Duration;

use acumen::document::compose;
use acumen::source::{Provenance, ReportInputs};
use criterion::{BenchmarkId, Criterion};
use devin_api::{Api, People, Records, Vendor};

use crate::data;

/// The group `report`.
pub fn report(criterion: &mut Criterion) {
    let settings = data::settings();
    let mut group = criterion.benchmark_group("report");
    group.sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(8));
    for sessions in [1_000, 100_000] {
        let (frames, stats) = data::walk(&data::pages(&data::recipe(sessions)), &settings);
        let records = Records::Api(Api::V2);
        let inputs = ReportInputs {
            provenance: Provenance { records, stats, saved: None, archived: None },
            vendor: Vendor::default(),
            people: People::default(),
            no_match: false,
            notes: Vec::new(),
            limit_cycles: None,
        };
        assert_eq!(frames.sessions.height(), sessions);
        group.bench_function(BenchmarkId::from_parameter(sessions), |bencher| {
            bencher.iter(|| compose(black_box(&frames), &inputs, &settings).expect("a report"));
        });
    }
    group.finish();
}
