//! The recipes of docs/exports.md give the numbers of the facts, in pandas and in DuckDB.

use std::process::Command;

use devin_simulator::{Options, Organisation, Recipe};

use crate::export::readers;
use crate::support::{CANARY, SERVICE_CANARY, Served, acumen, files, repository, run};

#[test]
fn the_recipes_of_the_exports_give_the_numbers_of_the_facts() {
    let Some(python) = readers() else {
        println!("ACUMEN_READERS names no Python: the recipes are not run");
        return;
    };
    let recipe = Recipe { sessions: 1500, ..Recipe::demo() };
    let served = Served::new(Organisation::invent(&recipe), Options::default());
    // The price changes within the week, at the midnight of the report's zone.
    let settings = "[[price]]\nfrom = 2026-01-01\nper_acu = \"2.25\"\ncurrency = \"EUR\"\n\
                    [[price]]\nfrom = 2026-10-07\nper_acu = \"3.50\"\ncurrency = \"EUR\"\n\
                    [[team]]\ntag = \"team:*\"\n";
    for key in [CANARY, SERVICE_CANARY] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.toml"), settings).unwrap();
        let command = &mut acumen(folder.path());
        command.env("DEVIN_API_KEY", key).args(["report", "--base-url", &served.url(), "--org", "org_demo"]);
        command.args(["--config", "settings.toml", "--week", "2026-W41", "--tz", "America/New_York"]);
        let outcome = run(command.args(["--trend", "2", "--export", "parquet", "--out", "reports"]));
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        let reports = folder.path().join("reports");
        let facts = files(&reports).into_iter().find(|name| name.ends_with(".json")).unwrap();
        let mut command = Command::new(&python);
        command.arg("-B").arg(repository("tests/readers/recipes.py")).arg(repository("docs/exports.md"));
        let output = command.arg(reports.join(facts)).output().expect("ACUMEN_READERS names a Python");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        println!("{said}");
    }
}
