//! Walks the sessions of an invented organisation and prints counts and the proof that
//! none is missing: `cargo run -p devin-api --example sessions`.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::BTreeMap;
use std::error::Error;

use devin_api::{Api, ApiConfig, PageEvent, Secret, SessionQuery};
use devin_simulator::{Options, Organisation, Recipe, start};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recipe = Recipe::demo();
    let server = start(Organisation::invent(&recipe), Options::default()).await?;

    // Against the real API: `https://api.devin.ai` and a key from the environment.
    let key = Secret::new("cog_example".to_owned());
    let config = ApiConfig::new(Api::V3, server.base_url().parse()?, key);
    let from = recipe.first_day.and_hms_opt(0, 0, 0).ok_or("a day begins at midnight")?.and_utc();
    let query = SessionQuery::all(None, from..recipe.end());

    // Of a session that came more than once, the row that changed last counts.
    let mut latest = BTreeMap::new();
    let mut handler = |event: PageEvent<'_>| match event {
        PageEvent::Restart => latest.clear(),
        PageEvent::Answer { .. } => {}
        PageEvent::Page(rows) => {
            for row in rows {
                let state = (row.updated, row.position, row.session.status.get().map(str::to_owned));
                let known = latest.entry(row.id().to_owned()).or_insert_with(|| state.clone());
                *known = state.max(known.clone());
            }
        }
    };
    let stats = devin_api::fetch(&config, &query, &mut handler, &|_| ()).await?;

    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, _, status) in latest.values() {
        *by_status.entry(status.as_deref().unwrap_or("unknown")).or_default() += 1;
    }
    println!("{} sessions in {} pages by {} requests", stats.unique, stats.pages, stats.requests);
    println!("{} duplicates, {} out of range, {} rejected", stats.duplicates, stats.outside, stats.rejected);
    for (status, sessions) in by_status {
        println!("{sessions:>6} {status}");
    }
    println!("complete: {}", stats.complete);
    server.stop().await;
    Ok(())
}
