//! How fast the two halves of a run are; README.md beside says how to read it.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run should stop")]

mod clusters;
mod data;
mod ingest;
mod report;

criterion::criterion_group!(benches, ingest::ingest, report::report, clusters::clusters_of_texts);
criterion::criterion_main!(benches);
