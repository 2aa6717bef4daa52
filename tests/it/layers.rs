//! What cargo does not enforce between the modules of `src`: no stage imports a later one, each
//! heavy library has one home, few modules touch the disk, the clock and the environment, and nothing panics
//! without a reason.

use std::path::{Path, PathBuf};

use crate::support::repository;

/// The stages in the order in which they run.
const STAGES: [&str; 11] = [
    "cli",
    "settings",
    "saved_pages",
    "tables",
    "archive",
    "metrics",
    "charts",
    "report",
    "render",
    "mail",
    "deliver",
];

/// Modules that see all stages.
const ABOVE: [&str; 11] = [
    "commands",
    "console",
    "doctor",
    "document",
    "environment",
    "error",
    "lib",
    "logging",
    "main",
    "source",
    "thread_pool",
];

/// Where a library is used, and nowhere else.
const HOMES: [(&str, &[&str]); 28] = [
    ("flate2", &["saved_pages"]),
    ("zstd", &["saved_pages"]),
    ("plotters", &["charts"]),
    ("plotters_backend", &["charts"]),
    ("minijinja", &["render"]),
    ("polars", &["tables", "metrics"]),
    ("polars_core", &["thread_pool"]),
    ("polars_io", &["tables"]),
    ("polars_parquet", &["tables"]),
    ("polars_parquet_format", &["tables"]),
    ("rust_xlsxwriter", &["render"]),
    ("indicatif", &["console"]),
    ("tracing_subscriber", &["logging"]),
    ("clap", &["cli", "commands"]),
    ("clap_complete", &["cli", "commands"]),
    ("csv", &["render", "people"]),
    ("strsim", &["text"]),
    ("unicode_segmentation", &["charts", "render"]),
    ("toml", &["settings"]),
    ("tempfile", &["deliver"]),
    ("lettre", &["mail", "deliver"]),
    ("hostname", &["deliver"]),
    ("tokio_rustls", &["deliver"]),
    ("resvg", &["mail"]),
    ("typst", &["render"]),
    ("typst_layout", &["render"]),
    ("typst_pdf", &["render"]),
    ("fontdb", &["render"]),
];

/// The path of each source file in a folder, the module below `src` that it belongs to, and its code without tests
/// and comments.
fn sources(folder: &str) -> Vec<(String, String, String)> {
    let root = repository(folder);
    let mut paths = Vec::new();
    gather(&root, &mut paths);
    let source = |path: PathBuf| {
        let place = path.strip_prefix(&root).unwrap();
        let module = place.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
        let code: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        (place.display().to_string(), module, code.join("\n"))
    };
    paths.into_iter().map(source).collect()
}

fn gather(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("tests") => {}
            _ if path.is_dir() => gather(&path, paths),
            _ if path.extension().is_some_and(|ending| ending == "rs") => paths.push(path),
            _ => {}
        }
    }
}

/// Whether code names a path that begins with this word: `word::`, `use word;`.
fn names(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.match_indices(word).any(|(at, _)| {
        let after = &code[at + word.len()..];
        let ends = after.starts_with("::") || (code[..at].ends_with("use ") && !after.starts_with(is_part));
        !code[..at].ends_with(is_part) && ends
    })
}

/// The modules of this crate that code imports: `crate::a::b`, `use crate::{a, b::c}`.
fn imports(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, root) in code.match_indices("crate::") {
        let rest = &code[at + root.len()..];
        match rest.strip_prefix('{').and_then(|list| list.split_once("};")) {
            Some((list, _)) => found.extend(list.split(',').map(|name| word(name.trim()))),
            None => found.push(word(rest)),
        }
    }
    found
}

#[test]
fn no_stage_imports_a_later_one() {
    let place = |module: &str| STAGES.iter().position(|stage| *stage == module);
    for (path, module, code) in sources("src") {
        if ABOVE.contains(&module.as_str()) {
            continue;
        }
        for other in imports(&code).iter().filter(|other| **other != module) {
            assert!(!ABOVE.contains(&other.as_str()), "{path} imports {other}");
            // A module that is no stage serves all of them, and knows none.
            let is_earlier = place(other).is_none_or(|other| place(&module).is_some_and(|own| other < own));
            assert!(is_earlier, "{path} imports {other}");
            assert!(module != "charts" || place(other).is_none(), "{path} imports {other}");
        }
    }
}

#[test]
fn every_heavy_library_has_one_home() {
    let sources = sources("src");
    for (library, homes) in HOMES {
        let users: Vec<_> = sources.iter().filter(|(_, _, code)| names(code, library)).collect();
        for (path, module, _) in &users {
            assert!(homes.contains(&module.as_str()), "{path} uses {library}, at home in {homes:?}");
        }
        for home in homes {
            assert!(users.iter().any(|(_, module, _)| module == home), "nothing in {home} uses {library}");
        }
    }
}

#[test]
fn few_modules_touch_the_disk_the_clock_and_the_environment() {
    for (path, module, code) in sources("src") {
        let is_home = ["deliver", "regular_file"].contains(&module.as_str())
            || ["archive/files.rs", "saved_pages/files.rs"].contains(&path.as_str());
        let is_outermost = ["main", "environment"].contains(&module.as_str());
        for (word, is_allowed) in [
            (" fs::", is_home),
            ("std::fs", is_home),
            (" File::", is_home),
            ("OpenOptions", is_home),
            ("Utc::now", is_outermost),
            ("SystemTime::now", is_outermost),
            ("env::var", is_outermost),
            ("env::args", is_outermost),
            ("env::current_dir", is_outermost),
        ] {
            assert!(is_allowed || !code.contains(word), "{path} has {word}");
        }
    }
}

#[test]
fn nothing_panics_without_a_reason_and_nothing_is_left_to_do() {
    for folder in ["src", "crates/devin-api/src", "crates/devin-simulator/src"] {
        for (path, _, code) in sources(folder) {
            for word in [
                ".unwrap()",
                "panic!(",
                "unreachable!(",
                "todo!(",
                "unimplemented!(",
                "dbg!(",
                "println!(",
                "unsafe ",
                "TODO",
                "FIXME",
            ] {
                assert!(!code.contains(word), "{path} has {word}");
            }
        }
    }
}

#[test]
fn imports_and_names_are_found() {
    let code = "use crate::{period, text::clean};\nuse crate::metrics::{A, B};\ncrate::unit::f()";
    assert_eq!(imports(code), ["period", "text", "metrics", "unit"]);
    assert!(names("use reqwest::Url;", "reqwest") && names("use csv;", "csv") && names("x(csv::f())", "csv"));
    assert!(!names("my_csv::get()", "csv") && !names("super::csv::files()", "csv"));
}
