//! Facts and figures to one HTML page: the only home of minijinja.
//!
//! The view holds finished strings; the templates loop and place.

mod change;
mod figures;
mod insights;
mod layout;
mod names;
mod sessions;
mod tiles;
mod view;

use base64::Engine;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use sha2::{Digest, Sha256};

use crate::charts::{self, ChartError};
use crate::metrics::{ACUS, ANALYSIS_COVERAGE, Evidence, Fact, Facts, METRICS, SESSIONS};
use crate::period::Period;
use crate::text::clean;
use crate::unit::Unit;
use view::{Definition, Entry, Header, Number, SectionView, View};

/// The page could not be made: a defect, not a state of the data.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template.
    #[error("could not fill the page's template: {0:#}")]
    Template(#[from] minijinja::Error),
}

/// What is known of the run besides the numbers.
pub struct Run<'a> {
    /// The trend's periods, newest first, with the previous one at least.
    pub periods: &'a [Period],
    /// How many of them, from the first, are points of the trend.
    pub points: usize,
    /// Organisation id, or `None` for the enterprise.
    pub organisation: Option<&'a str>,
    /// When it was fetched, in words, in the report's zone.
    pub fetched: String,
    /// Tags the sessions were narrowed to.
    pub tags: &'a [String],
    /// Users the sessions were narrowed to.
    pub users: &'a [String],
    /// The data is invented.
    pub demo: bool,
}

const TEMPLATES: [(&str, &str); 6] = [
    ("report.html", include_str!("../../templates/report.html")),
    ("header.html", include_str!("../../templates/header.html")),
    ("tiles.html", include_str!("../../templates/tiles.html")),
    ("section.html", include_str!("../../templates/section.html")),
    ("sessions.html", include_str!("../../templates/sessions.html")),
    ("footer.html", include_str!("../../templates/footer.html")),
];
const STYLE: &str = include_str!("../../templates/style.css");

/// The page, one self-contained HTML document.
///
/// # Errors
/// A chart or a template failed: a defect, not a state of the data.
pub fn render(facts: &Facts, evidence: &Evidence, run: &Run<'_>) -> Result<String, ReportError> {
    let view = view(facts, evidence, run)?;
    let mut environment = Environment::new();
    // By name alone some endings would not be escaped.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    Ok(environment.get_template("report.html")?.render(minijinja::value::Serde(&view))?)
}

/// What the template gets.
fn view(facts: &Facts, evidence: &Evidence, run: &Run<'_>) -> Result<View, ReportError> {
    let style = format!("{STYLE}{}", charts::STYLE);
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style.as_bytes()));
    let header = header(facts, run);
    let previous = run.periods.get(1);
    let complete = facts.period.complete.unwrap_or(true);
    let comparison = match previous {
        Some(previous) if complete => {
            format!("Compared with {} ({}).", in_sentence(previous), previous.dates_in_words())
        }
        _ => "The period is not over, so it is not compared with the one before it.".to_owned(),
    };
    Ok(View {
        compared: complete,
        title: format!("{} · {} · Devin report", header.organisation, header.period),
        style_hash: format!("sha256-{hash}"),
        style: Value::from_safe_string(style),
        notices: notices(facts, run),
        comparison,
        tiles: tiles::tiles(facts, run.periods, run.points)?,
        insights: insights::insights(facts, evidence, &previous.map(in_sentence).unwrap_or_default()),
        sections: sections(facts, evidence, run)?,
        lists: sessions::lists(evidence),
        definitions: METRICS.iter().map(|metric| definition(facts, metric)).collect(),
        quality: quality(facts),
        ledger: ledger(facts),
        tool: format!("acumen {}", env!("CARGO_PKG_VERSION")),
        header,
    })
}

fn header(facts: &Facts, run: &Run<'_>) -> Header {
    let period = run.periods.first();
    let complete = facts.period.complete.unwrap_or(true);
    let (badge, badge_tone) = match (facts.source.ledger.complete, complete) {
        (false, _) => ("incomplete", "bad"),
        (true, false) => ("so far", "neutral"),
        (true, true) => ("complete", "good"),
    };
    let narrowed = |what: &str, words: &[String]| {
        let words: Vec<String> = words.iter().map(|word| clean(word, 80)).collect();
        (!words.is_empty()).then(|| format!("Only sessions {what} {}", words.join(" or ")))
    };
    Header {
        organisation: run.organisation.map_or_else(|| "Whole enterprise".to_owned(), |org| clean(org, 80)),
        period: period.map(Period::name).unwrap_or_default(),
        dates: period.map(Period::dates_in_words).unwrap_or_default(),
        zone: period.map(|period| period.tz().name().to_owned()).unwrap_or_default(),
        fetched: run.fetched.clone(),
        badge: badge.to_owned(),
        badge_tone,
        filters: [narrowed("tagged", run.tags), narrowed("of user", run.users)]
            .into_iter()
            .flatten()
            .collect(),
    }
}

/// What must be known before any number is read.
fn notices(facts: &Facts, run: &Run<'_>) -> Vec<String> {
    let ledger = &facts.source.ledger;
    let mut notices = Vec::new();
    if run.demo {
        notices.push("This organisation is invented: the page shows what a report looks like.".to_owned());
    }
    if !ledger.complete {
        notices.push(format!(
            "Sessions are missing. {} arrived, which is not what the server counts. Do not decide on these numbers.",
            Unit::Count.text(Some(ledger.unique as f64))
        ));
    }
    notices.extend(acus_in_doubt(facts));
    if ledger.rejected > 0 {
        notices.push(format!(
            "{} could not be read and are not in any number.",
            match ledger.rejected {
                1 => "1 record".to_owned(),
                rejected => format!("{rejected} records"),
            }
        ));
    }
    notices
}

/// That sums of ACUs say little, where they do: 0 is a sum of nothing as well.
fn acus_in_doubt(facts: &Facts) -> Option<String> {
    let all = facts.whole(&SESSIONS)?.value?;
    let unknown = facts.quality.acus_unknown as f64;
    let count = |number: f64| Unit::Count.text(Some(number));
    if all == 0.0 {
        None
    } else if unknown == all {
        Some("No session tells its ACUs, so sums of ACUs are 0 because nothing is known.".to_owned())
    } else if unknown * 10.0 >= all {
        Some(format!(
            "{} of {} sessions do not tell their ACUs and are left out of every sum of ACUs.",
            count(unknown),
            count(all)
        ))
    } else if facts.whole(&ACUS)?.value? == 0.0 {
        Some("Every session is reported with 0 ACUs: the plan may not be billed in ACUs.".to_owned())
    } else {
        None
    }
}

fn sections(facts: &Facts, evidence: &Evidence, run: &Run<'_>) -> Result<Vec<SectionView>, ReportError> {
    let periods = run.periods.get(..run.points).unwrap_or(run.periods);
    let complete = facts.period.complete.unwrap_or(true);
    let previous = run.periods.get(1).filter(|_| complete);
    let against = previous.map(|previous| format!("Against {}", in_sentence(previous)));
    let source = figures::Source { facts, evidence, periods, against };
    let mut sections = Vec::new();
    for section in &layout::SECTIONS {
        let mut drawn = Vec::new();
        for figure in section.figures {
            drawn.extend(figures::draw(figure, &source)?);
        }
        let lead = match section.id {
            "spend" => "A session counts with all its ACUs on the day it was created.".to_owned(),
            "delivery" => {
                "States are as of the fetch: young pull requests are still open and may yet be merged. \
                 Closed without merge is not failure."
                    .to_owned()
            }
            _ => coverage(facts),
        };
        let numbers = section.numbers.iter().filter_map(|metric| facts.whole(metric).map(number)).collect();
        sections.push(SectionView { id: section.id, title: section.title, lead, numbers, figures: drawn });
    }
    Ok(sections)
}

fn number(fact: &Fact) -> Number {
    Number {
        id: fact.metric.id,
        title: fact.metric.title,
        value: fact.metric.unit.text(fact.value),
        change: change::change(fact).map(|change| change.text).unwrap_or_default(),
        faint: change::faint(fact),
    }
}

/// How many sessions the issue numbers speak for.
fn coverage(facts: &Facts) -> String {
    let Some(fact) = facts.whole(&ANALYSIS_COVERAGE) else { return String::new() };
    let count = |number: f64| Unit::Count.text(Some(number));
    if fact.denominator == 0.0 {
        return "No sessions, so nothing is known about issues.".to_owned();
    }
    if fact.numerator == 0.0 {
        return format!(
            "None of {} sessions has an analysis, so nothing is known about issues. \
             Analyses are made when somebody asks for them.",
            count(fact.denominator)
        );
    }
    format!(
        "{} of {} sessions ({}) have an analysis; the numbers here speak for these alone.",
        count(fact.numerator),
        count(fact.denominator),
        Unit::Share.text(fact.value)
    )
}

fn definition(facts: &Facts, metric: &'static crate::metrics::Metric) -> Definition {
    let whole = facts.whole(metric).map(|fact| metric.unit.text(fact.value));
    Definition {
        id: metric.id,
        title: metric.title,
        text: metric.definition,
        value: whole.unwrap_or_default(),
    }
}

fn quality(facts: &Facts) -> Vec<Entry> {
    let quality = &facts.quality;
    let ledger = &facts.source.ledger;
    let entry = |name, number: u64| Entry { name, value: Unit::Count.text(Some(number as f64)) };
    vec![
        entry("Sessions with unknown ACUs", quality.acus_unknown),
        entry("Sessions with an unknown status", quality.unknown_status),
        entry("Issues with an unknown impact", quality.unknown_impact),
        entry("Pull requests with an unknown state", quality.unknown_pr_state),
        entry("Pull request entries without an address", quality.prs_without_url),
        entry("Records that could not be read", ledger.rejected),
        entry("Times without a zone, taken as UTC", ledger.naive_times),
    ]
}

fn ledger(facts: &Facts) -> Vec<Entry> {
    let source = &facts.source;
    let ledger = &source.ledger;
    let entry = |name, number: u64| Entry { name, value: Unit::Count.text(Some(number as f64)) };
    vec![
        Entry { name: "API", value: source.api.to_owned() },
        Entry { name: "Scope", value: clean(&source.scope, 80) },
        entry("Requests", ledger.requests),
        entry("Of these, retries", ledger.retries),
        entry("Pages", ledger.pages),
        entry("Rows received", ledger.received),
        entry("Distinct sessions, trend included", ledger.unique),
        entry("Duplicate rows", ledger.duplicates),
        entry("Rows outside the question, dropped", ledger.outside),
        Entry { name: "Complete", value: if ledger.complete { "yes" } else { "no" }.to_owned() },
    ]
}

/// A period's name inside a sentence: `week 40`, `September 2026`, `the 3 days before`.
fn in_sentence(period: &Period) -> String {
    match period.kind() {
        crate::period::Kind::Week => period.name().to_lowercase(),
        crate::period::Kind::Month => period.name(),
        crate::period::Kind::Days if period.name() == "1 day" => "the day before".to_owned(),
        crate::period::Kind::Days => format!("the {} before", period.name()),
    }
}
