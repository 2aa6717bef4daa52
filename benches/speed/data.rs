//! Invented organisations as pages of the API, and the query they answer.

use acumen::saved_pages;
use std::path::Path;

use acumen::cli::{ApiArgs, ReportArgs};
use acumen::saved_pages::PageHandler;
use acumen::settings::{Found, FoundKey, Settings};
use acumen::tables::{Frames, KeptTexts, Tables, TablesBuilder};
use devin_api::{Api, FetchStats, PageEvent, Row};
use devin_simulator::{Organisation, Recipe};

/// Sessions a page, the most that the API gives.
const PAGE: usize = 200;

/// The demo's organisation with as many sessions as wanted over the same eight
/// weeks: everything grows in proportion, so that an organisation of many
/// sessions also has many people, tags and repositories.
pub fn recipe(sessions: usize) -> Recipe {
    let demo = Recipe::demo();
    let grown = |count: usize| (count * sessions).div_ceil(demo.sessions);
    Recipe { sessions, users: grown(demo.users), tags: grown(demo.tags), repos: grown(demo.repos), ..demo }
}

/// The bodies of all answers to a walk, oldest first, as the server writes them.
pub fn pages(recipe: &Recipe) -> Vec<String> {
    let records = Organisation::invent(recipe).records;
    let total = records.len();
    let page = |(number, chunk): (usize, &[devin_simulator::Record])| {
        let items: Vec<&str> = chunk.iter().map(|record| record.body.as_str()).collect();
        let (skip, items) = (number * PAGE, items.join(","));
        let end = skip + chunk.len();
        let more = end < total;
        let next = if more { end.to_string() } else { "null".to_owned() };
        format!(
            "{{\"items\":[{items}],\"total\":{total},\"skip\":{skip},\"limit\":{PAGE},\
             \"has_more\":{more},\"next_cursor\":{next}}}"
        )
    };
    records.chunks(PAGE).enumerate().map(page).collect()
}

/// The report of the last of the eight weeks, compared with the seven before it.
pub fn settings() -> Settings {
    let args = ReportArgs {
        week: Some("2026-W41".to_owned()),
        tz: "UTC".to_owned(),
        trend: 7,
        access: ApiArgs {
            base_url: "https://api.example".to_owned(),
            page_size: 200,
            concurrency: 1,
            ..ApiArgs::default()
        },
        ..ReportArgs::default()
    };
    let key = FoundKey::new("apk_user_bench", "the benchmark");
    let now = "2026-10-12T06:00:00Z".parse().expect("a moment");
    Settings::resolve(&args, Found { key: Some(key), ..Found::default() }, now)
        .expect("settings without a flaw")
}

/// All that a run does between the socket and the aggregation: bytes to frames,
/// and the proof that nothing is missing.
pub fn walk(pages: &[String], settings: &Settings) -> (Frames, FetchStats) {
    let mut builder = empty(settings);
    let bodies = pages.iter().map(String::as_bytes);
    let mut push = |event: PageEvent<'_>| take(&mut builder, event);
    let ledger = devin_api::replay(bodies, Api::V2, &settings.query, &mut push).expect("pages");
    (frames(builder.finish().expect("tables"), settings), ledger)
}

/// The frames of tables without teams.
fn frames(tables: Tables, settings: &Settings) -> Frames {
    Frames::new(tables, settings.period.from().to_utc(), None).expect("frames")
}

/// The pages as files of a folder, one each.
pub fn save(pages: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, page) in pages.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.json")), page).expect("a file");
    }
    folder
}

/// The same as [`walk`] from a folder of saved pages, on all cores.
pub fn saved(folder: &Path, settings: &Settings) -> (Frames, FetchStats) {
    let push = |builder: &mut TablesBuilder, first: u64, rows: &[Row<'_>]| builder.push_from(first, rows);
    let handler = PageHandler { empty: &|| empty(settings), push: &push };
    let (builders, ledger, _) =
        saved_pages::saved(folder, &settings.query, None, &handler, &|_| ()).expect("pages");
    (frames(TablesBuilder::join(builders).expect("tables"), settings), ledger)
}

fn empty(settings: &Settings) -> TablesBuilder {
    TablesBuilder::new(KeptTexts { from: settings.period.from().to_utc(), prompts: false })
}

/// Pages that are there already are read in one walk, which never begins anew.
fn take(builder: &mut TablesBuilder, event: PageEvent<'_>) {
    if let PageEvent::Page(rows) = event {
        builder.push(rows);
    }
}
