//! The invariants of the house, read from its sources: no stage imports a later
//! one, each heavy library has one home, only `deliver` and the folder of an
//! archive write to the disk, and nothing panics.

use std::path::Path;

use crate::support::repository;

/// The stages in the order in which they run.
const STAGES: [&str; 12] = [
    "cli", "settings", "saved", "fetch", "frame", "archive", "metrics", "charts", "report", "export", "mail",
    "deliver",
];

/// What any stage may use: they know nothing of the stages.
const COMMON: [&str; 12] = [
    "caught",
    "cycle",
    "exit",
    "money",
    "people",
    "period",
    "proxy",
    "register",
    "regular_file",
    "text",
    "tls",
    "unit",
];

/// What the others may import; the whole house is open to these.
const WHOLE: [&str; 7] = ["commands", "doctor", "document", "environment", "lib", "main", "source"];

/// Where a library is used, and nowhere else.
const HOMES: [(&str, &[&str]); 23] = [
    ("flate2", &["saved"]),
    ("zstd", &["saved"]),
    ("plotters", &["charts"]),
    ("plotters_backend", &["charts"]),
    ("minijinja", &["report"]),
    ("polars", &["frame", "metrics"]),
    ("polars_io", &["frame"]),
    ("polars_parquet", &["frame"]),
    ("polars_parquet_format", &["frame"]),
    ("rust_xlsxwriter", &["export"]),
    ("indicatif", &["console"]),
    ("tracing_subscriber", &["logging"]),
    ("clap", &["cli", "commands"]),
    ("clap_complete", &["cli", "commands"]),
    ("csv", &["export", "people"]),
    ("strsim", &["text"]),
    ("toml", &["settings"]),
    ("tempfile", &["deliver"]),
    ("rustix", &["archive", "deliver", "main", "regular_file"]),
    ("lettre", &["mail", "deliver"]),
    ("hostname", &["deliver"]),
    ("tokio_rustls", &["deliver"]),
    ("resvg", &["mail"]),
];

/// A source file without its tests and comments.
struct Source {
    path: String,
    /// The stage or the support file it belongs to: `fetch`, `unit`.
    part: String,
    code: String,
}

fn sources() -> Vec<Source> {
    let root = repository("src");
    let mut found = Vec::new();
    gather(&root, &root, &mut found);
    assert!(found.len() > 60, "only {} files", found.len());
    found
}

fn gather(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    // Modules that their parent declares for tests alone.
    let parent = ["mod.rs", "lib.rs"].iter().find_map(|name| std::fs::read_to_string(folder.join(name)).ok());
    let parent = parent.unwrap_or_default();
    let for_tests: Vec<&str> = parent
        .split("#[cfg(test)]\nmod ")
        .skip(1)
        .filter_map(|rest| rest.split_once(';').map(|(name, _)| name))
        .collect();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if for_tests.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            gather(root, &path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let place = path.strip_prefix(root).unwrap();
            let part = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
            let code = code(&std::fs::read_to_string(&path).unwrap());
            found.push(Source { path: place.display().to_string(), part, code });
        }
    }
}

/// A file's text up to its tests, without lines that are comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    assert!(!text.contains("#[cfg(test)]\n    "), "tests stand last in a file, in a module of that name");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Whether a text names a path: `reqwest::`, `use reqwest`, `use {reqwest`.
fn names(code: &str, crate_name: &str) -> bool {
    let part_of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(crate_name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + crate_name.len()..]);
        // `fetch::` within `crate::fetch::` is no library.
        let begins = !before.ends_with(part_of_a_word) && !before.ends_with("::");
        let is_path = after.starts_with("::");
        let is_import = before.ends_with("use ") && after.starts_with([';', ' ']);
        begins && (is_path || is_import)
    })
}

/// What a file imports of this crate: `crate::fetch::x`, `acumen::fetch`, `use crate::{a, b::c}`.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, root) in code.match_indices("crate::").chain(code.match_indices("acumen::")) {
        let rest = &code[at + root.len()..];
        let word = |text: &str| -> String {
            text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
        };
        match rest.strip_prefix('{').and_then(|list| list.split_once("};")) {
            Some((list, _)) => {
                // Only names at the first level stand for modules.
                let mut depth = 0;
                let top: String = list
                    .chars()
                    .filter(|c| {
                        depth += i32::from(*c == '{') - i32::from(*c == '}');
                        depth == 0
                    })
                    .collect();
                found.extend(top.split(',').map(word).filter(|word| !word.is_empty()));
            }
            None => found.push(word(rest)),
        }
    }
    found
}

/// Whether one part may import another.
fn may_import(part: &str, other: &str) -> bool {
    if part == other || WHOLE.contains(&part) {
        return true;
    }
    let place = |name: &str| STAGES.iter().position(|stage| *stage == name);
    match (part, place(part), place(other)) {
        // The top error wraps one of each stage.
        ("error", _, stage) => stage.is_some() || COMMON.contains(&other),
        // News of the fetch are all that it tells of.
        ("console", _, _) => ["fetch", "logging", "text"].contains(&other),
        ("logging", _, _) => other == "cli",
        // It states the API on its own, so that it and the reader can disagree.
        ("simulator", _, _) => false,
        // Specifications in, markup out: charts know nothing of facts.
        ("charts", _, _) => COMMON.contains(&other),
        // Settings end in the configuration and the query that the fetch takes, and in nothing else of it.
        ("settings", _, _) => matches!(other, "cli" | "fetch") || COMMON.contains(&other),
        (_, Some(own), Some(other)) => other < own,
        // An amount of money is written in its currency.
        ("unit", _, _) => other == "money",
        // Words of a server, made harmless.
        ("proxy" | "tls", _, _) => other == "text",
        // A day of a people file, and a billing cycle, begin at a zone's midnight.
        ("cycle" | "people", _, _) => other == "period",
        (_, Some(_), None) => COMMON.contains(&other),
        _ => false,
    }
}

#[test]
fn no_stage_imports_a_later_one() {
    let mut wrong = Vec::new();
    for source in sources() {
        for other in imports(&source.code) {
            if !may_import(&source.part, &other) {
                wrong.push(format!("{} imports {other}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_part_of_the_house_is_known() {
    let known = |part: &str| {
        STAGES.contains(&part)
            || COMMON.contains(&part)
            || WHOLE.contains(&part)
            || ["error", "console", "logging"].contains(&part)
    };
    let strangers: Vec<String> =
        sources().into_iter().filter(|source| !known(&source.part)).map(|source| source.path).collect();
    assert!(strangers.is_empty(), "say in this test where they belong: {strangers:?}");
}

#[test]
fn settings_take_of_the_fetch_only_its_configuration_and_query() {
    let taken: Vec<String> = sources()
        .iter()
        .filter(|source| source.part == "settings")
        .flat_map(|source| {
            let found = source.code.match_indices("crate::fetch");
            found
                .map(|(at, _)| source.code[at..].split(';').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(
        taken,
        [
            "crate::fetch::{Api, ApiConfig, Gate, Secret}",
            "crate::fetch::Api",
            "crate::fetch::{Api, ApiConfig, SessionQuery}",
            "crate::fetch::ApiConfig"
        ]
    );
}

#[test]
fn every_heavy_library_has_one_home() {
    let sources = sources();
    for (library, homes) in HOMES {
        let users: Vec<&Source> = sources.iter().filter(|source| names(&source.code, library)).collect();
        for user in &users {
            assert!(
                homes.contains(&user.part.as_str()),
                "{} uses {library}, at home in {homes:?}",
                user.path
            );
        }
        for home in homes {
            assert!(users.iter().any(|user| user.part == *home), "nothing in {home} uses {library}");
        }
    }
}

#[test]
fn only_deliver_and_the_archive_touch_the_disk() {
    let homes = |source: &&Source| {
        // What is read is opened in one place, which refuses all but regular files.
        !["deliver", "regular_file"].contains(&source.part.as_str()) && source.path != "archive/files.rs"
    };
    for source in sources().iter().filter(homes) {
        let mut code = source.code.replace("SettingsFile::", "");
        if source.path == "saved/files.rs" {
            // Saved pages are a source like the network: their folder is looked through.
            for reading in ["use std::fs;", "fs::metadata(path)", "fs::read_dir(path)"] {
                assert_eq!(code.matches(reading).count(), 1, "{reading}");
                code = code.replace(reading, "");
            }
        }
        for word in ["fs::", "std::fs", "{fs", "File::", "OpenOptions"] {
            assert!(!code.contains(word), "{} uses {word}", source.path);
        }
    }
}

#[test]
fn only_main_reads_the_clock_and_the_environment() {
    for source in sources().iter().filter(|source| !["main", "environment"].contains(&source.part.as_str())) {
        for word in ["Utc::now", "Local::now", "SystemTime::now", "env::var", "env::args", "env::current_dir"]
        {
            assert!(!source.code.contains(word), "{} uses {word}", source.path);
        }
    }
}

#[test]
fn nothing_panics_without_a_reason_and_nothing_is_left_to_do() {
    for source in sources() {
        for word in [
            ".unwrap()",
            "panic!(",
            "unreachable!(",
            "todo!(",
            "unimplemented!(",
            "dbg!(",
            "println!(",
            "eprintln!(",
            "unsafe ",
            "TODO",
            "FIXME",
        ] {
            assert!(!source.code.contains(word), "{} has {word}", source.path);
        }
    }
}

#[test]
fn imports_are_found_in_every_spelling() {
    let code =
        "use crate::fetch::{A, B};\nuse crate::{period, unit::{Unit, x}, text::clean};\ncrate::metrics::f()";
    let mut found = imports(code);
    found.sort();
    assert_eq!(found, ["fetch", "metrics", "period", "text", "unit"]);
    assert!(names("use reqwest::Url;", "reqwest") && names("use reqwest;", "reqwest"));
    assert!(names("x(reqwest::get())", "reqwest") && names("use reqwest as http;", "reqwest"));
    assert!(!names("my_reqwest::get()", "reqwest") && !names("crate::charts::plotters::x", "plotters"));
    assert!(
        !may_import("frame", "metrics") && !may_import("fetch", "frame") && !may_import("report", "deliver")
    );
    assert!(
        !may_import("charts", "metrics") && !may_import("simulator", "fetch") && !may_import("unit", "fetch")
    );
    assert!(!may_import("metrics", "document") && !may_import("fetch", "simulator"));
    assert!(may_import("report", "charts") && may_import("metrics", "fetch") && may_import("frame", "text"));
}
