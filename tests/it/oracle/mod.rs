//! A second calculation of every number, by plain loops over the records.
//!
//! It shares no code with the program and was written from the metric
//! catalogue alone, so that a misreading has to be made twice to go unseen.

pub mod by_hand;
mod by_hand_marks;
pub mod by_hand_odd;
mod by_hand_parts;
mod by_hand_v3;
pub mod calendar;
mod compare;
pub mod exported;
mod facts;
pub mod finance;
mod issues;
mod marks;
mod people;
mod pulls;
pub mod records;
mod v3;
mod volume;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

pub use calendar::{Kind, Span};
pub use compare::differences;
pub use facts::{ExpectedFact, Facts, Group, group};

use facts::Sums;
use records::Session;

/// What a report is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where the days begin at midnight.
    pub tz: Tz,
    /// The period.
    pub kind: Kind,
    /// How many periods before it are looked at, too.
    pub trend: u32,
    /// What it is compared with; none for the period right before.
    pub compare: Option<Kind>,
    /// When the report is made.
    pub now: DateTime<Utc>,
    /// The records are version 3's, which have more fields.
    pub v3: bool,
    /// How many people are on the lists of those who are asked about, if that is known.
    pub members: Option<u64>,
}

/// What `facts.json` has to say.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The period's name.
    pub label: String,
    /// Its first instant, RFC 3339 with the local offset.
    pub from: String,
    /// The instant after it, likewise.
    pub to: String,
    /// The name of the time zone.
    pub tz: String,
    /// It had ended when the report was made.
    pub complete: bool,
    /// The period that it is compared with.
    pub previous: Span,
    /// Whether ACUs are billed at all.
    pub metered: bool,
    /// Counts of what could not be used as it came.
    pub quality: BTreeMap<&'static str, u64>,
    /// Every number by metric and group.
    pub facts: Facts,
}

impl Expected {
    /// The fact of a metric and a group; for tests that write numbers down.
    pub fn fact(&self, metric: &str, pairs: &[(&str, Option<&str>)]) -> Option<&ExpectedFact> {
        self.facts.get(&(metric.to_owned(), group(pairs)))
    }
}

/// Metrics that have a value for each period of the trend.
const TRENDS: [&str; 12] = [
    "sessions",
    "active_users",
    "acus",
    "prs",
    "prs_merged",
    "merge_rate",
    "undecided_prs",
    "undecided_share",
    "acus_per_merged_pr",
    "analysed_sessions",
    "analysis_coverage",
    "large_session_share",
];

/// Every number of the catalogue, from records as the API serves them.
pub fn expect(records: &[Value], asked: &Asked) -> Expected {
    let writer = if asked.v3 { Writer::V3 } else { Writer::V2 };
    expect_of(&|from, to| records::sessions(records, from, to), asked, writer, &|_| true)
}

/// The same from records that somebody saved: there is no data on earlier days the
/// oldest of them and after the newest, but for a quiet beginning and a quiet end.
pub fn expect_saved(records: &[Value], asked: &Asked) -> Expected {
    let writer = if asked.v3 { Writer::V3 } else { Writer::V2 };
    let mut all: Vec<_> =
        records.iter().filter_map(|record| records::moment(&record["created_at"])).collect();
    all.sort();
    let known = |span: &Span| {
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return true };
        let minutes = (span.ends() - span.begins()).num_minutes();
        let quiet = (minutes / 10).max(24 * 60);
        let begins = (*first - span.begins()).num_minutes() <= quiet;
        let ends = (span.ends() - *last).num_minutes() <= quiet.max((minutes / 2).min(3 * 24 * 60));
        begins && ends
    };
    expect_of(&|from, to| records::sessions(records, from, to), asked, writer, &known)
}

/// Who wrote the records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    V2,
    V3,
    Export,
}

type Read<'a> = dyn Fn(DateTime<Utc>, DateTime<Utc>) -> Vec<Session> + 'a;

/// `known` tells of which spans the whole is known.
fn expect_of(read: &Read<'_>, asked: &Asked, writer: Writer, known: &dyn Fn(&Span) -> bool) -> Expected {
    // What is compared is looked at even where no trend is asked for.
    let mut spans = calendar::spans(asked.kind, asked.trend + 1, asked.tz);
    let compared = match asked.compare {
        Some(kind) => calendar::spans(kind, 0, asked.tz).remove(0),
        None => spans[spans.len() - 2].clone(),
    };
    // One before the trend is known only where it is compared.
    if spans[0].label != compared.label {
        spans.remove(0);
    }
    let first = spans.first().expect("the period itself is always there");
    let period = spans.last().expect("the period itself is always there");
    let sessions = read(first.begins().min(compared.begins()), period.ends());
    let metered = is_metered(&sessions);
    let has_modes = within(&sessions, period).iter().any(|session| session.mode.is_some());
    let tables: Vec<Facts> =
        spans.iter().map(|span| evaluate(&within(&sessions, span), span, (writer, has_modes))).collect();
    let complete = period.ends() <= asked.now;
    let wholly = |index: usize| known(&spans[index]);
    let before = evaluate(&within(&sessions, &compared), &compared, (writer, has_modes));

    let mut facts = tables.last().cloned().unwrap_or_default();
    if complete && known(&compared) && known(period) {
        for (key, fact) in &mut facts {
            fact.previous = match before.get(key) {
                Some(old) => old.value,
                None => nothing_before(&key.0, fact.unit),
            };
        }
    }
    // A period is there to compare with even where the trend leaves it out.
    let earliest = spans.len() - 1 - asked.trend as usize;
    // With no trend who was there right before is known if that is compared.
    let looked_at = if asked.trend == 0 { 0 } else { earliest };
    let of_spans: Vec<Vec<&Session>> =
        spans[looked_at..].iter().map(|span| within(&sessions, span)).collect();
    people::facts(&of_spans, &|index| wholly(looked_at + index), complete, asked.members, &mut facts);
    // It goes back to the first of which a part is missing.
    let gap = (earliest..spans.len() - 1).rev().find(|index| !wholly(*index));
    let first_point = &spans[gap.map_or(earliest, |gap| gap + 1)].label;
    let compares = |index: usize| complete && wholly(index) && index.checked_sub(1).is_some_and(wholly);
    facts.extend(
        trend(&spans, &tables, &compares)
            .into_iter()
            .filter(|((_, of), _)| of.get("period").is_none_or(|label| label.as_ref() >= Some(first_point))),
    );

    if !metered {
        facts.iter_mut().for_each(|((metric, _), fact)| unmetered(metric, fact));
    }
    let from = spans.iter().position(|span| span.label == *first_point).expect("it is one of the spans");
    marks::mark(&mut facts, &tables, (&before, &compared), &spans[from..]);
    let mut quality = quality(&within(&sessions, period));
    if writer == Writer::Export {
        quality.retain(|name, _| !["unknown_status", "unknown_impact"].contains(name));
    }
    Expected {
        metered,
        label: period.label.clone(),
        from: period.from.to_rfc3339(),
        to: period.to.to_rfc3339(),
        tz: asked.tz.name().to_owned(),
        complete,
        previous: compared,
        quality,
        facts,
    }
}

/// Not if 20 sessions or more have ACUs and all of them are 0.
fn is_metered(sessions: &[Session]) -> bool {
    let values: Vec<f64> = sessions.iter().filter_map(|session| session.acus).collect();
    values.len() < 20 || values.iter().any(|acus| *acus > 0.0)
}

/// Takes away what is made of ACUs; how many sessions used how many is still a count.
fn unmetered(metric: &str, fact: &mut ExpectedFact) {
    let is_share = ["acus_top_decile_share", "acus_without_pr_share"].contains(&metric);
    if fact.unit != "acu" && !is_share {
        return;
    }
    (fact.value, fact.previous) = (None, None);
    fact.numerator = fact.numerator.map(|_| f64::NAN);
    if is_share {
        fact.denominator = Some(f64::NAN);
    }
}

/// The sessions that were created in a span.
fn within<'a>(sessions: &'a [Session], span: &Span) -> Vec<&'a Session> {
    let inside = |session: &&Session| span.begins() <= session.created && session.created < span.ends();
    sessions.iter().filter(inside).collect()
}

/// Every fact of one span, as if no other existed.
fn evaluate(sessions: &[&Session], span: &Span, (writer, has_modes): (Writer, bool)) -> Facts {
    let pulls = pulls::distinct(sessions);
    let mut facts = Facts::new();
    volume::facts(sessions, span, &mut facts);
    pulls::facts(sessions, &pulls, &mut facts);
    issues::facts(sessions, &mut facts);
    if writer == Writer::V3 {
        v3::facts(sessions, &pulls, has_modes, &mut facts);
    }
    if writer == Writer::Export {
        facts.retain(|(metric, of), _| exported::tells(metric, of));
    }
    facts
}

/// What stands for a group that the previous period did not have.
fn nothing_before(metric: &str, unit: &str) -> Option<f64> {
    let is_sum =
        (unit == "count" && metric != "user_messages_median") || metric == "acus" || metric == "acus_split";
    is_sum.then_some(0.0)
}

/// The whole-period facts of each span, under the name of their span.
fn trend(spans: &[Span], tables: &[Facts], compares: &dyn Fn(usize) -> bool) -> Facts {
    let mut facts = Facts::new();
    for (index, (span, table)) in spans.iter().zip(tables).enumerate() {
        let before = index.checked_sub(1).and_then(|index| tables.get(index)).filter(|_| compares(index));
        for ((metric, of), fact) in table {
            let whole = of.is_empty() && TRENDS.contains(&metric.as_str());
            let by_impact = ["issues", "issue_rate"].contains(&metric.as_str())
                && of.len() == 1
                && of.contains_key("impact");
            if whole || by_impact {
                let mut of_period = of.clone();
                of_period.insert("period".to_owned(), Some(span.label.clone()));
                let old = before.and_then(|table| table.get(&(metric.clone(), of.clone())));
                let fact = ExpectedFact { previous: old.and_then(|old| old.value), ..fact.clone() };
                facts.insert((metric.clone(), of_period), fact);
            }
        }
    }
    facts
}

/// What could not be used as it came, over the period.
fn quality(sessions: &[&Session]) -> BTreeMap<&'static str, u64> {
    const KNOWN: [&str; 8] =
        ["new", "creating", "claimed", "running", "exit", "error", "suspended", "resuming"];
    let mut sums = Sums::default();
    for session in sessions {
        sums.add("unreadable_fields", session.unreadable as f64);
        if session.acus.is_none() {
            sums.add("acus_unknown", 1.0);
        }
        if !session.status.as_deref().is_some_and(|status| KNOWN.contains(&status)) {
            sums.add("unknown_status", 1.0);
        }
        for issue in session.analysis.iter().flat_map(|analysis| &analysis.issues) {
            if issue.impact == "other" {
                sums.add("unknown_impact", 1.0);
            }
        }
        for pull in &session.pulls {
            if pull.address.is_none() {
                sums.add("prs_without_url", 1.0);
            }
        }
    }
    for pull in pulls::distinct(sessions).values() {
        if pull.state == "unknown" {
            sums.add("unknown_pr_state", 1.0);
        }
    }
    let names = ["acus_unknown", "unknown_status", "unknown_impact", "unknown_pr_state", "prs_without_url"];
    names.into_iter().chain(["unreadable_fields"]).map(|name| (name, sums.of(name) as u64)).collect()
}
