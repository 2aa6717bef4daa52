//! What the files of a report show in addition to its facts: texts of people and
//! sessions, and groups that `facts.json` does not have.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::runs::{Fact, Report};
use super::single::Finding;
use super::truth::{Group, Period, Truth};

/// Dimensions whose keys are unlike any other word of a page, in the
/// organisations of these tests.
const UNLIKE: [&str; 5] = ["tag", "team", "org", "repo", "label"];

/// What the files disclose and the facts do not.
pub fn attack(report: &Report, truth: &Truth, secrets: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |attack, what| {
        findings.push(Finding { attack, report: report.name(), what, people: BTreeSet::new() });
    };
    let names: String = report.files.keys().map(|name| format!("{name}\n")).collect();
    let mut texts = report.texts();
    texts.extend([("the names of the files", names), ("the output", report.printed.clone())]);
    let searched = Searched::new(secrets);
    for (name, text) in &texts {
        for secret in searched.found_in(text) {
            find("secret", format!("{name} shows {secret}"));
        }
    }
    let hidden = hidden(report, truth);
    for (name, text) in &texts {
        let is_csv = name.ends_with(".csv");
        for (dimension, key) in &hidden {
            if UNLIKE.contains(&dimension.as_str()) && word(text, key) && !is_filter(report, key) {
                find("another group", format!("{name} shows {dimension} {key}"));
            }
            if name.ends_with(".html") || name.ends_with(".eml") {
                let shown = display(dimension, key);
                rows(text, &shown).into_iter().for_each(|row| {
                    find("another group", format!("{name} has a row of {dimension} {key}: {row}"));
                });
            }
        }
        if name.ends_with(".xlsx") {
            let numbers = unexplained(report, text);
            numbers
                .into_iter()
                .for_each(|number| find("another fact", format!("{name} has the number {number}")));
        }
        if is_csv {
            csv(report, text).into_iter().for_each(|line| find("another fact", format!("{name}: {line}")));
        }
    }
    findings
}

/// Thousands of texts to look for at once, by their first bytes.
struct Searched<'a> {
    by_start: HashMap<[u8; 6], Vec<&'a str>>,
    /// The first two bytes of any.
    begins: Vec<bool>,
}

impl<'a> Searched<'a> {
    fn new(secrets: &'a BTreeSet<String>) -> Self {
        let mut searched = Self { by_start: HashMap::new(), begins: vec![false; 1 << 16] };
        for secret in secrets {
            let start = secret.as_bytes().first_chunk().expect("a secret has more than five bytes");
            searched.begins[two(start)] = true;
            searched.by_start.entry(*start).or_default().push(secret);
        }
        searched
    }

    fn found_in(&self, text: &str) -> BTreeSet<&'a str> {
        let bytes = text.as_bytes();
        let starts = (0..bytes.len()).filter_map(|at| Some((at, bytes[at..].first_chunk::<6>()?)));
        let likely = starts.filter(|(_, start)| self.begins[two(start)]);
        let begun = likely.filter_map(|(at, start)| Some((at, self.by_start.get(start)?)));
        let found = begun.flat_map(|(at, secrets)| {
            secrets.iter().copied().filter(move |secret| bytes[at..].starts_with(secret.as_bytes()))
        });
        found.collect()
    }
}

fn two(start: &[u8; 6]) -> usize {
    usize::from(start[0]) << 8 | usize::from(start[1])
}

fn is_filter(report: &Report, key: &str) -> bool {
    let filters = [&report.filter.tag, &report.filter.team];
    filters.into_iter().flatten().any(|filter| filter == key || filter.ends_with(key))
}

/// Keys of groups of the report's periods that no fact shows, by dimension.
fn hidden(report: &Report, truth: &Truth) -> BTreeSet<(String, String)> {
    let keys = |group: &Group| -> Vec<(String, String)> {
        group.iter().filter_map(|(name, key)| Some((name.clone(), key.clone()?))).collect()
    };
    let shown: BTreeSet<(String, String)> =
        report.facts.iter().filter(|fact| fact.shows()).flat_map(|fact| keys(&fact.group)).collect();
    let mut hidden = BTreeSet::new();
    for period in [report.compared(), report.period.clone()] {
        for dimension in ["tag", "team", "org", "repo", "label", "day", "status", "state", "bin"] {
            let is_other = dimension == "day" && period != report.period;
            if !is_other {
                hidden.extend(
                    truth.groups(&period, &BTreeSet::from([dimension.to_owned()])).keys().flat_map(keys),
                );
            }
        }
    }
    // A team's tag has its own row, and the names of both are alike.
    hidden.retain(|pair| !shown.contains(pair) && pair.1 != "unknown");
    // The row of the team that the report is about has the report's own numbers.
    hidden.retain(|(dimension, key)| dimension != "team" || report.filter.team.as_ref() != Some(key));
    hidden.retain(|(_, key)| !shown.iter().any(|(_, own)| own == key || own.contains(key.as_str())));
    hidden
}

/// Whether a text has a key as a word of its own.
fn word(text: &str, key: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(key).any(|(at, _)| {
        let after = text[at + key.len()..].chars().next();
        let before = text[..at].chars().next_back();
        !after.is_some_and(is_part) && !before.is_some_and(is_part)
    })
}

/// How the page writes a key.
fn display(dimension: &str, key: &str) -> String {
    match dimension {
        "day" => {
            let day: chrono::NaiveDate = key.parse().expect("a date");
            day.format("%a %-d").to_string()
        }
        "bin" => match key {
            "0" => "0–1",
            "1" => "1–2",
            "2" => "2–5",
            "5" => "5–10",
            "10" => "10–20",
            "20" => "20–50",
            _ => "50+",
        }
        .to_owned(),
        _ => key.to_owned(),
    }
}

/// Rows of tables whose first cell is a key and that have a number, and marks of
/// charts that give it a number.
fn rows(html: &str, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for row in html.split("<tr").skip(1) {
        let row = row.split("</tr>").next().unwrap_or_default();
        let cells: Vec<String> = row.split("<t").skip(1).map(plain).collect();
        let is_own = cells.first().is_some_and(|cell| cell == key);
        if is_own && cells[1..].iter().any(|cell| has_number(cell)) {
            found.push(cells.join(" | "));
        }
    }
    let mark = format!("{key}: ");
    for (at, _) in html.match_indices(&mark) {
        let begins = html[..at].ends_with(|c: char| !c.is_alphanumeric());
        let rest: String =
            html[at + mark.len()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        if begins && has_number(&rest) {
            found.push(format!("{mark}{rest}"));
        }
    }
    found
}

/// Whether a text has a number other than zero.
fn has_number(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit() && c != '0')
}

/// The text of a cell, which begins within its tag.
fn plain(cell: &str) -> String {
    let mut text = String::new();
    let mut is_text = false;
    for c in cell.chars() {
        match c {
            '<' => is_text = false,
            '>' => is_text = true,
            c if is_text => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Numbers of a workbook that are not whole and are neither a number of the
/// facts nor the change of one.
fn unexplained(report: &Report, text: &str) -> Vec<f64> {
    let days = |period: &Period| (period.after - period.first).num_days() as f64;
    let (own_period, before) = (report.period.clone(), report.compared());
    let own = |fact: &Fact| {
        let change = fact.value.zip(fact.previous).map(|(value, previous)| value - previous);
        let relative = change.zip(fact.previous).map(|(change, previous)| change / previous);
        let pair = fact.value.zip(fact.previous);
        let per_day =
            pair.map(|(value, previous)| value / days(&own_period) / (previous / days(&before)) - 1.0);
        let share = fact.value.zip(fact.n).map(|(value, n)| value / n);
        let points = change.map(|change| change * 100.0);
        [
            fact.value,
            fact.numerator,
            fact.denominator,
            fact.previous,
            change,
            points,
            relative,
            per_day,
            share,
        ]
    };
    let known: Vec<f64> = report.facts.iter().flat_map(own).flatten().collect();
    let cells = text.split("<c ").skip(1).filter_map(|cell| cell.split_once("<v>")?.1.split_once("</v>"));
    let numbers = cells.filter_map(|(number, _)| number.parse::<f64>().ok());
    let is_known = |number: &f64| known.iter().any(|own| (own - number).abs() <= 1e-9 * own.abs());
    numbers.filter(|number| number.fract() != 0.0 && !is_known(number)).collect()
}

/// Whether two facts are the same but for the last digits of their numbers.
fn is_same(one: &Fact, other: &Fact) -> bool {
    let numbers = |fact: &Fact| [fact.value, fact.numerator, fact.denominator, fact.n, fact.previous];
    let is_close = |(one, other): (Option<f64>, Option<f64>)| match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs(),
        (one, other) => one == other,
    };
    (&one.metric, &one.unit, &one.group) == (&other.metric, &other.unit, &other.group)
        && numbers(one).into_iter().zip(numbers(other)).all(is_close)
}

/// Lines of a CSV file that are no fact.
fn csv(report: &Report, text: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let heads = reader.headers().expect("a head").clone();
    let numbers = ["value", "numerator", "denominator", "n", "previous"];
    let others = ["metric", "unit", "user_name", "maturing", "notable"];
    let is_dimension = |head: &str| !numbers.contains(&head) && !others.contains(&head);
    let mut found = Vec::new();
    for line in reader.records() {
        let line = line.expect("a line");
        let cells: BTreeMap<&str, &str> = heads.iter().zip(line.iter()).collect();
        let number = |name: &str| cells[name].parse().ok();
        let group = cells.iter().filter(|(head, _)| is_dimension(head));
        let key = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        let fact = Fact {
            metric: cells["metric"].to_owned(),
            unit: cells["unit"].to_owned(),
            group: group.map(|(head, cell)| ((*head).to_owned(), key(cell))).collect(),
            value: number("value"),
            numerator: number("numerator"),
            denominator: number("denominator"),
            n: number("n"),
            previous: number("previous"),
        };
        if !report.facts.iter().any(|own| is_same(own, &fact)) {
            found.push(line.iter().collect::<Vec<_>>().join(","));
        }
    }
    found
}
