//! What the fuzz targets are fed with, run as it was found.

#[path = "../../../fuzz/probes.rs"]
mod probes;

use devin_api::Api;

use crate::support::repository;

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 7] = [
    ("pages_v2", |data| probes::pages(Api::V2, data)),
    ("pages_v3", |data| probes::pages(Api::V3, data)),
    ("dates", probes::dates),
    ("retry_after", probes::retry_after),
    ("addresses", probes::addresses),
    ("saved", probes::saved),
    ("people_file", probes::people_file),
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

#[test]
fn what_is_fuzzed_is_locked_to_what_is_built() {
    let read =
        |path: &str| std::fs::read_to_string(repository(path)).unwrap().parse::<toml::Table>().unwrap();
    let packages = |lock: &toml::Table| -> Vec<(String, String)> {
        let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
        let all = lock["package"].as_array().unwrap().iter();
        all.map(|package| (text(package, "name"), text(package, "version"))).collect()
    };
    let needs = |lock: &toml::Table| -> Vec<String> {
        let own = lock["package"]
            .as_array()
            .unwrap()
            .iter()
            .find(|own| own["name"].as_str() == Some("devin-acumen"));
        own.unwrap()["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            // A version follows the name where a lock file has several.
            .map(|name| name.as_str().unwrap().split(' ').next().unwrap().to_owned())
            .collect()
    };
    let (built, fuzzed) = (read("Cargo.lock"), read("fuzz/Cargo.lock"));
    let manifest = read("Cargo.toml");
    // Not fuzzed: what only tests need, and optional crates, which are those of the PDF.
    let is_fuzzed = |name: &String| {
        let is_optional = manifest["dependencies"].get(name).and_then(|one| one.get("optional")).is_some();
        manifest["dev-dependencies"].get(name).is_none() && !is_optional
    };
    let expected: Vec<String> = needs(&built).into_iter().filter(is_fuzzed).collect();
    assert_eq!(needs(&fuzzed), expected, "run cargo metadata in fuzz");
    let all = packages(&built);
    for (name, version) in packages(&fuzzed) {
        let is_shared = all.iter().any(|(own, _)| *own == name);
        assert!(
            !is_shared || all.contains(&(name.clone(), version.clone())),
            "{name} {version}: another version is built"
        );
    }
}
