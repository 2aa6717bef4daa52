//! The quality of the data: what could not be read as documented, and the
//! vendor's own counts beside ours.

use super::view::Entry;
use crate::fetch::{Records, Totals, Vendor};
use crate::metrics::{Facts, Metric, PRS, PRS_MERGED, SESSIONS};
use crate::unit::Unit;

/// What could not be read, then what the vendor counts.
pub fn entries(facts: &Facts, vendor: &Vendor) -> Vec<Entry> {
    let quality = &facts.quality;
    let ledger = &facts.source.ledger;
    // Nobody knows on how many people these rest.
    let of_source = |count: u64| Some(count).filter(|_| !facts.is_covered());
    let mut entries = vec![
        known("Sessions with unknown ACUs", quality.acus_unknown),
        known("Pull requests with an unknown state", quality.unknown_pr_state),
        known("Pull request entries without an address", quality.prs_without_url),
        known("Fields that could not be read", quality.unreadable_fields),
        known("Records that could not be read", of_source(ledger.rejected)),
        known("Times without a zone, taken as UTC", of_source(ledger.naive_times)),
    ];
    // An export has neither.
    if facts.source.records != Records::Export {
        entries.insert(1, known("Sessions with an unknown status", quality.unknown_status));
        entries.insert(2, known("Issues with an unknown impact", quality.unknown_impact));
    }
    if let Vendor::Told(totals) = vendor {
        entries.extend(beside(facts, totals));
    }
    entries
}

/// A count that a covered report may leave out.
fn known(name: &'static str, count: Option<u64>) -> Entry {
    match count {
        Some(count) => Entry::count(name, count),
        None => Entry::word(name, "not shown".to_owned()),
    }
}

/// Both counts side by side, neither corrected by the other.
fn beside(facts: &Facts, totals: &Totals) -> impl Iterator<Item = Entry> {
    let rows: [(&str, &Metric, Option<u64>); 3] = [
        ("Sessions by the vendor's count", &SESSIONS, totals.sessions),
        ("PRs by the vendor's count", &PRS, totals.pull_requests),
        ("Merged PRs by the vendor's count", &PRS_MERGED, totals.merged),
    ];
    // What a covered report leaves out is not to be had from the vendor either.
    let rows = rows.into_iter().filter(|(_, metric, _)| !facts.withholds(metric, &[]));
    rows.filter_map(|(name, metric, theirs)| {
        let ours = count(facts.whole(metric).and_then(|fact| fact.value));
        let theirs = count(Some(theirs? as f64));
        // A narrow page breaks after the comma alone.
        Some(Entry::word(name, format!("we\u{a0}count\u{a0}{ours}, the\u{a0}vendor\u{a0}{theirs}")))
    })
}

fn count(number: Option<f64>) -> String {
    Unit::Count.text(number)
}

/// How the vendor's counts are to be read, or why there are none; empty where
/// nobody asked.
pub fn note(vendor: &Vendor) -> String {
    match vendor {
        Vendor::NotAsked => String::new(),
        Vendor::Untold(why) => format!("The vendor's totals could not be read: {why}."),
        Vendor::Told(Totals { pull_requests: None, merged: None, .. }) => String::new(),
        Vendor::Told(_) => {
            "The vendor counts a pull request on the day it was opened or merged, this report \
             counts it with its session, on the day that was created: so the two seldom match exactly."
                .to_owned()
        }
    }
}
