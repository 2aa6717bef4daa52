//! What the fuzz targets are fed with, run as it was found.

#[path = "../../../fuzz/probes.rs"]
mod probes;

use acumen::fetch::Api;

use crate::support::repository;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("pages_v2", |data| probes::pages(Api::V2, data)),
    ("pages_v3", |data| probes::pages(Api::V3, data)),
    ("dates", probes::dates),
    ("retry_after", probes::retry_after),
    ("addresses", probes::addresses),
];

#[test]
fn what_holds_for_any_bytes_holds_for_the_corpora() {
    for (name, probe) in TARGETS {
        assert!(repository("fuzz/fuzz_targets").join(format!("{name}.rs")).exists(), "{name}");
        let folder = repository("fuzz/corpus").join(name);
        let paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(paths.len() >= 5, "{name}: only {} files", paths.len());
        for path in paths {
            let data = std::fs::read(&path).unwrap();
            // Whole, and cut anywhere, as a connection might.
            for length in (0..=data.len()).rev().step_by(1 + data.len() / 64) {
                probe(&data[..length]);
            }
        }
    }
}
