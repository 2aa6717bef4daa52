//! The oldest compiler that the program says it builds with is the oldest that
//! cargo accepts for what it depends on, and is said alike everywhere.

use std::process::Command;

use serde_json::Value;

use crate::support::repository;

/// What Cargo.toml says.
const STATED: &str = env!("CARGO_PKG_RUST_VERSION");

fn of(command: &mut Command) -> String {
    let output = command.output().expect("cargo or rustc runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("output in UTF-8")
}

/// `1.85` and `1.85.0` are one version.
fn version(text: &str) -> [u32; 3] {
    let mut parts = text.split('.').map(|part| part.parse().expect("a number"));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[test]
fn the_minimum_is_what_the_locked_dependencies_ask_for() {
    let about = of(Command::new("rustc").arg("-vV"));
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("the host");
    // Crates of other platforms need not be there.
    let text = of(Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(repository(".")));
    let metadata: Value = serde_json::from_str(&text).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let asked = packages.iter().filter(|package| !package["source"].is_null()).filter_map(|package| {
        let least = version(package["rust_version"].as_str()?);
        Some((least, format!("{} {}", package["name"], package["version"])))
    });
    let (greatest, package) = asked.max().expect("dependencies");
    assert_eq!(greatest, version(STATED), "Cargo.toml says {STATED}, {package} needs this");
}

#[test]
fn the_minimum_version_is_the_same_everywhere() {
    for (file, said) in [
        ("README.md", format!("With Rust {STATED} or newer")),
        ("CONTRIBUTING.md", format!("Rust {STATED} or newer")),
        ("deploy/docker/Dockerfile", format!("FROM rust:{STATED}-slim-bookworm AS build")),
    ] {
        let text = std::fs::read_to_string(repository(file)).expect("a file");
        assert!(text.contains(&said), "{file} does not say: {said}");
    }
}
