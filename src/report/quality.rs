//! The quality of the data: unreadable values, and the vendor's own counts beside ours.

use std::collections::BTreeMap;

use super::entries::Entry;
use super::figures::ranking::SIZES;
use crate::metrics::{
    ACUS, Dim, Facts, Metric, PRS, PRS_MERGED, SESSIONS, SESSIONS_WITH_MERGED_PR, VendorTotals,
};
use crate::text::clean;
use crate::unit::{Unit, count};
use devin_api::{Consumption, Records};

/// The longest name of an origin, a size or a product.
const LONGEST: usize = 40;

/// The longest reason for a missing total.
const LONGEST_REASON: usize = 200;

/// Unreadable values, then the vendor's counts.
pub fn entries(facts: &Facts) -> Vec<Entry> {
    let quality = &facts.quality;
    let mut entries = vec![
        count_or_hidden("Pull requests with an unknown state", quality.unknown_pr_state),
        count_or_hidden("Pull request entries without an address", quality.prs_without_url),
        count_or_hidden("Fields that could not be read", quality.unreadable_fields),
        count_or_hidden("Records that could not be read", facts.source.rejected),
        count_or_hidden("Times without a zone, taken as UTC", facts.source.naive_times),
    ];
    // Exports have neither.
    if facts.source.records != Records::Export {
        entries.insert(0, count_or_hidden("Sessions with an unknown status", quality.unknown_status));
        entries.insert(1, count_or_hidden("Issues with an unknown impact", quality.unknown_impact));
    }
    if facts.source.metered {
        entries.insert(0, count_or_hidden("Sessions with unknown ACUs", quality.acus_unknown));
    }
    let several = facts.quality.several_teams.filter(|sessions| *sessions > 0);
    entries.extend(several.map(|sessions| Entry::count("Sessions with tags of several teams", sessions)));
    entries.extend(facts.vendor.iter().flat_map(|vendor| vendor_comparison(facts, vendor)));
    entries
}

/// A count that reports without people may hide.
fn count_or_hidden(name: &'static str, count: Option<u64>) -> Entry {
    match count {
        Some(count) => Entry::count(name, count),
        None => Entry::word(name, "not shown".to_owned()),
    }
}

/// Our numbers and the vendor's side by side.
fn vendor_comparison(facts: &Facts, vendor: &VendorTotals) -> Vec<Entry> {
    let counts = &vendor.counts;
    let comparison = |name: &'static str, unit: Unit, ours: Option<f64>, theirs: Option<f64>| {
        let (ours, theirs) = (unit.text(ours), unit.text(Some(theirs?)));
        // On a narrow page the line breaks after the comma only.
        Some(Entry::word(name, format!("{ours}\u{a0}here, {theirs}\u{a0}reported\u{a0}by\u{a0}Devin")))
    };
    let whole = |name, metric: &Metric, theirs: Option<u64>| {
        let ours = facts.whole(metric).and_then(|fact| fact.value);
        comparison(name, Unit::Count, ours, theirs.map(|theirs| theirs as f64))
    };
    let acus = facts.whole(&ACUS).filter(|_| facts.source.metered);
    let unit = facts.unit(&ACUS);
    let used = vendor.consumption.as_ref();
    let by_acus =
        |name, ours: Option<f64>, theirs| comparison(name, unit, ours, theirs).filter(|_| acus.is_some());
    let average = acus.and_then(|fact| fact.value.map(|acus| acus / fact.n)).filter(|acus| acus.is_finite());
    let mut entries = vec![
        whole("Sessions compared with Devin's count", &SESSIONS, counts.sessions),
        whole(
            "Sessions with a merged PR compared with Devin's count",
            &SESSIONS_WITH_MERGED_PR,
            counts.with_merged_pr,
        ),
        by_acus("ACUs compared with Devin's count", acus.and_then(|fact| fact.value), used.map(devin_acus)),
        by_acus("ACUs per session compared with Devin's count", average, counts.acus_per_session),
        whole("PRs compared with Devin's count", &PRS, counts.pull_requests),
        whole("Merged PRs compared with Devin's count", &PRS_MERGED, counts.merged),
    ];
    let of = |name, dim, keys: &[&str], theirs: Option<u64>| {
        let ours = Some(group_total(facts, dim, keys));
        comparison(name, Unit::Count, ours, theirs.map(|theirs| theirs as f64))
    };
    entries.extend([
        of("Open PRs compared with Devin's count", (&PRS, Dim::State), &["open", "draft"], counts.open),
        of("Closed PRs compared with Devin's count", (&PRS, Dim::State), &["closed"], counts.closed),
        by_group(facts, "Sessions by origin, here / reported by Devin", Dim::Origin, &counts.by_origin),
        by_group(facts, "Sessions by size, here / reported by Devin", Dim::Size, &counts.by_size),
        counts
            .taken_over
            .filter(|prs| *prs > 0)
            .map(|prs| Entry::count("PRs of others that Devin pushed to, as counted by Devin", prs)),
    ]);
    entries.into_iter().flatten().collect()
}

/// The ACUs comparable with ours: Devin's own, if the vendor separates products.
fn devin_acus(used: &Consumption) -> f64 {
    match used.by_product.is_empty() {
        true => used.acus,
        false => used.by_product.get(DEVIN).copied().unwrap_or(0.0),
    }
}

/// The product of sessions.
const DEVIN: &str = "devin";

/// The sum of our numbers for some groups of a dimension.
fn group_total(facts: &Facts, (metric, dim): (&Metric, Dim), keys: &[&str]) -> f64 {
    let facts = facts.by(metric, &[dim]).iter();
    facts
        .filter(|fact| fact.key(dim).flatten().is_some_and(|key| keys.contains(&key)))
        .filter_map(|fact| fact.value)
        .sum()
}

/// Sessions by group, ours beside the vendor's, which counts scheduled ones as automation.
fn by_group(facts: &Facts, name: &'static str, dim: Dim, theirs: &BTreeMap<String, u64>) -> Option<Entry> {
    if facts.by(&SESSIONS, &[dim]).is_empty() {
        return None;
    }
    let pair = |(key, theirs): (&String, &u64)| {
        let keys: &[&str] = match key.as_str() {
            "automation" => &["automation", "scheduled"],
            key => &[key],
        };
        let ours = group_total(facts, (&SESSIONS, dim), keys);
        let is_there = ours > 0.0 || *theirs > 0;
        is_there.then(|| {
            let (ours, theirs) = (count(ours), count(*theirs as f64));
            format!("{}\u{a0}{ours}\u{a0}/\u{a0}{theirs}", clean(key, LONGEST).replace('_', "\u{a0}"))
        })
    };
    let mut theirs: Vec<(&String, &u64)> = theirs.iter().collect();
    theirs.sort_by_key(|(key, _)| SIZES.iter().position(|size| size == key));
    let pairs: Vec<String> = theirs.into_iter().filter_map(pair).collect();
    (!pairs.is_empty()).then(|| Entry::word(name, pairs.join(", ")))
}

/// How to read the vendor's numbers, and why some are missing; empty if they were not requested.
pub fn note(facts: &Facts) -> String {
    let Some(vendor) = &facts.vendor else { return String::new() };
    let mut sentences = Vec::new();
    let counts = &vendor.counts;
    if counts.pull_requests.is_some() || counts.merged.is_some() {
        sentences.push(
            "Devin counts a pull request on the day it was opened or merged, this report on the day its \
             session was created, so the two rarely match exactly."
                .to_owned(),
        );
    }
    if let Some(used) = vendor.consumption.as_ref().filter(|_| facts.source.metered) {
        let unit = facts.unit(&ACUS);
        let others = used.by_product.iter().filter(|(product, acus)| *product != DEVIN && **acus > 0.0);
        let others: Vec<String> = others
            .map(|(product, acus)| format!("{} of {}", unit.text(Some(*acus)), clean(product, LONGEST)))
            .collect();
        let products = match (others.as_slice(), used.by_product.is_empty()) {
            ([], false) => String::new(),
            ([], true) => "; it does not separate other products".to_owned(),
            (others, _) => format!("; ACUs of other products are left out: {}", others.join(", ")),
        };
        sentences.push(format!(
            "Devin counts ACUs on the days on which sessions worked, and its day begins at 08:00 UTC\
             {products}."
        ));
    }
    if !sentences.is_empty() {
        sentences.push(
            "Acumen's documentation lists all reasons under “Differences from Devin's dashboard”.".to_owned(),
        );
    }
    let missing = vendor.missing.iter();
    let words = |text: &str| clean(text, LONGEST_REASON);
    sentences.extend(
        missing.map(|one| format!("Devin's {} could not be read: {}.", words(&one.what), words(&one.reason))),
    );
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devins_acus_are_compared_if_products_are_separate() {
        let used = |products: &[(&str, f64)]| Consumption {
            acus: 12.0,
            by_product: products.iter().map(|(name, acus)| ((*name).to_owned(), *acus)).collect(),
        };
        assert_eq!(devin_acus(&used(&[("devin", 9.0), ("review", 3.0)])), 9.0);
        assert_eq!((devin_acus(&used(&[("review", 3.0)])), devin_acus(&used(&[]))), (0.0, 12.0));
    }
}
