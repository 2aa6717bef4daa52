//! The sections of the report: numbers and figures.

use serde::Serialize;

use super::comparable::Standard;
use super::figures::{self, Figure, FigureInputs, FigureState};
use super::layout::{self, SectionSpec};
use super::number::Number;
use super::{is_compared, previous_name};
use crate::metrics::{Facts, Metric, Needs, Plan};

/// A section.
#[derive(Serialize)]
pub struct Section {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// An introduction.
    pub intro: String,
    /// Numbers of the whole period.
    pub numbers: Vec<Number>,
    /// Its figures with data.
    pub figures: Vec<Figure>,
    /// The titles of figures without data.
    pub empty: Vec<&'static str>,
    /// The titles of hidden numbers and figures.
    pub withheld: Vec<&'static str>,
}

impl Section {
    /// Whether there is anything below its introduction.
    fn has_content(&self) -> bool {
        let is_empty = self.numbers.is_empty() && self.figures.is_empty();
        !is_empty || !self.empty.is_empty() || !self.withheld.is_empty()
    }
}

/// The sections of the layout that have data.
pub fn sections(facts: &Facts) -> Vec<Section> {
    let inputs = inputs(facts);
    let sections = layout::sections(facts.capabilities()).map(|spec| section(spec, facts, &inputs));
    sections.filter(Section::has_content).collect()
}

/// The inputs of all figures.
pub(super) fn inputs(facts: &Facts) -> FigureInputs<'_> {
    let against = is_compared(facts).then(|| format!("Change from {}", previous_name(facts)));
    FigureInputs { facts, periods: facts.trend_periods(), against, scale: facts.per_day_scale() }
}

/// Whether a metric without a value is left out: who comes and goes, and what was merged in time, cannot
/// always be known.
fn is_optional(metric: &Metric) -> bool {
    matches!(metric.plan, Plan::Derived) || metric.needs == Needs::Archive
}

fn section(spec: &'static SectionSpec, facts: &Facts, inputs: &FigureInputs<'_>) -> Section {
    let shown = || spec.numbers.iter().filter(|metric| metric.is_shown(&[], facts.capabilities()));
    let standard = Standard::of(facts);
    let number = |title, fact| Number::of(title, fact, standard);
    let hidden = shown().filter(|metric| facts.withholds(metric, &[]));
    let mut section = Section {
        id: spec.id,
        title: if facts.prices.is_some() { spec.title } else { spec.unpriced_title },
        intro: (spec.intro)(facts),
        numbers: shown()
            .filter_map(|metric| Some(number(metric.title, facts.whole(metric)?)))
            .filter(|number| number.value.is_some() || !is_optional(number.metric))
            .collect(),
        figures: Vec::new(),
        empty: Vec::new(),
        withheld: hidden.map(|metric| metric.title).collect(),
    };
    for figure in spec.figures {
        match figures::state(figure, inputs) {
            FigureState::Omitted => {}
            FigureState::Withheld => section.withheld.push(figure.title),
            FigureState::Empty => section.empty.push(figure.title),
            FigureState::Drawn => section.figures.push(figures::figure(figure, inputs)),
        }
    }
    section
}
