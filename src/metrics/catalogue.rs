//! The registry for people: METRICS.md and `acumen metrics`.

use std::fmt::Write;

use super::capabilities::Needs;
use super::dimension::Dim;
use super::metric::{Direction, Metric};
use super::registry::METRICS;
use crate::text::probably;

/// The whole of METRICS.md.
pub fn markdown() -> String {
    let mut out = String::from(
        "# Metrics\n\n\
         Written by `acumen metrics --markdown` from the code's registry; do not edit.\n\n\
         A session belongs to the period of its creation, in the report's time zone. A ratio of\n\
         nothing is null and shown as “–”. Unknown ACUs are left out of sums and percentiles.\n\
         `n` is what a value rests on. Every fact also comes with the previous period's value.\n\
         Groups marked “(v3)” need version 3 of the API, which alone tells them; “(API)” either\n\
         version, for the web app's export does not tell them; “(teams)” a people file or rules\n\
         for tags, “(price)” the price of an ACU in the settings. Of an account that is not metered\n\
         (at least 20 sessions with known ACUs in all periods, all of them 0) all ACUs and money are null.\n\n\
         | Metric | Title | Unit | More is | Groups | n counts | Definition |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for metric in METRICS {
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            metric.id,
            metric.title,
            unit(metric),
            direction(metric),
            groups(metric),
            metric.basis.name(),
            metric.definition,
        );
    }
    out
}

/// The catalogue for a terminal, or one metric of it; `None` where none has this name.
pub fn text(name: Option<&str>) -> Option<String> {
    let mut out = String::new();
    for metric in METRICS.iter().filter(|metric| name.is_none_or(|name| metric.id == name)) {
        let _ = writeln!(out, "{}  ({}; by {})", metric.id, unit(metric), groups(metric));
        let _ = writeln!(out, "    {}: {}\n", metric.title, metric.definition);
    }
    (!out.is_empty()).then_some(out)
}

/// The metric that was probably meant by a misspelt name.
pub fn closest(name: &str) -> Option<&'static str> {
    probably(name, METRICS.iter().map(|metric| metric.id))
}

fn unit(metric: &Metric) -> &'static str {
    match metric.unit {
        crate::unit::Unit::Count => "count",
        crate::unit::Unit::Acu | crate::unit::Unit::WholeAcu => "acu",
        crate::unit::Unit::Share => "share",
        crate::unit::Unit::Money(_) | crate::unit::Unit::WholeMoney(_) => "currency",
    }
}

fn direction(metric: &Metric) -> &'static str {
    match metric.direction {
        Direction::More => "good",
        Direction::Less => "bad",
        Direction::Neutral => "neutral",
    }
}

fn groups(metric: &Metric) -> String {
    let name = |group: &&[Dim]| {
        let name = match group {
            [] => "whole period".to_owned(),
            dims => dims.iter().map(|dim| dim.name()).collect::<Vec<_>>().join(" + "),
        };
        let needs = |needs| metric.needs == needs || group.iter().any(|dim| dim.needs() == needs);
        let marks = [
            (Needs::Api, " (API)"),
            (Needs::V3, " (v3)"),
            (Needs::Teams, " (teams)"),
            (Needs::Price, " (price)"),
        ];
        marks.into_iter().filter(|(need, _)| needs(*need)).fold(name, |name, (_, mark)| name + mark)
    };
    metric.groups.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_is_close_is_suggested() {
        let of = |name| closest(name).unwrap_or("none");
        assert_eq!(
            ["mergerate", "merge_rat", "acu", "Sessions"].map(of),
            ["merge_rate", "merge_rate", "acus", "sessions"]
        );
        assert_eq!(["nosuch", "velocity", "lines", ""].map(of), ["none"; 4]);
    }
}
