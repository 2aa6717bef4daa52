//! Every status once, and what becomes of it, in one file to be read.

use std::fmt::Write;

use super::server::{json, serve};
use super::*;

const SNAPSHOT: &str = include_str!("statuses.txt");

/// Runs of equal verdicts are one line. A success comes without a page here, which
/// no status makes right.
#[tokio::test]
async fn every_status_has_its_verdict() {
    for api in [Api::V2, Api::V3] {
        let mut verdicts: Vec<(u16, String)> = Vec::new();
        for status in 100..=599 {
            let server = serve(move |_| json(status, r#"{"detail": "so"}"#));
            let config = ApiConfig { api, ..config(&server.base) };
            let (outcome, seen) = run(&config).await;
            let error = outcome.expect_err("an answer without a page");
            let what = match server.log().len() {
                1 => "stops at once".to_owned(),
                attempts => format!("{attempts} attempts"),
            };
            assert_eq!(seen.retries().len() + 1, server.log().len());
            verdicts.push((status, format!("{what}, {}", kind(&error))));
        }
        let mut text = String::new();
        for run in verdicts.chunk_by(|(_, one), (_, other)| one == other) {
            let (first, last) = (run[0].0, run[run.len() - 1].0);
            let place = if first == last { first.to_string() } else { format!("{first}-{last}") };
            writeln!(text, "{place:<8} {}", run[0].1).unwrap();
        }
        assert_eq!(text, SNAPSHOT, "{api}: if the change is meant, put this into statuses.txt");
    }
}
