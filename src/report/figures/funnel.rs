//! From sessions to pull requests to merges.

use super::{FigureInputs, FigureParts, in_words};
use crate::charts::{Chart, FunnelStep};
use crate::metrics::{Metric, PRS_MERGED, SESSIONS, SESSIONS_WITH_MERGED_PR, SESSIONS_WITH_PR};
use crate::report::layout::FigureSpec;
use crate::report::table::{Role, Row, Table, Value, column};
use crate::unit::{Unit, count, counted};

/// The steps and their metrics.
const STEPS: [(&str, &Metric); 3] = [
    ("Sessions", &SESSIONS),
    ("with a pull request", &SESSIONS_WITH_PR),
    ("with a merged pull request", &SESSIONS_WITH_MERGED_PR),
];

pub fn draw(figure: &FigureSpec, inputs: &FigureInputs<'_>) -> FigureParts {
    let value = |metric| inputs.facts.whole(metric).and_then(|fact| fact.value);
    let all = value(&SESSIONS).unwrap_or(0.0);
    let step = |(name, metric): (&str, _)| {
        let value = value(metric)?;
        let share = (all > 0.0).then(|| value / all);
        let note = format!("{} of sessions", Unit::Share.text(share));
        let note = Some(note).filter(|_| metric.id != SESSIONS.id);
        Some(FunnelStep { name: name.to_owned(), value, text: count(value), note })
    };
    // A report without people may hide the last step.
    let steps: Vec<FunnelStep> = STEPS.into_iter().filter_map(step).collect();
    let words: Vec<_> = steps.iter().map(|step| (step.name.clone(), step.text.clone())).collect();
    let share = |step: &FunnelStep| (all > 0.0).then(|| step.value / all);
    let row = |step: &FunnelStep| Row {
        cells: vec![
            Value::Text(step.name.clone()),
            Value::count(step.value),
            Value::number(Unit::Share, share(step)),
        ],
        faint: all < 10.0,
    };
    let columns =
        [column("Step", Role::Name), column("Sessions", Role::Value), column("Of all sessions", Role::Other)];
    let table = Table::new(columns, steps.iter().map(row));
    let shown = if all > 0.0 { steps } else { Vec::new() };
    let drawn = FigureParts::drawn(in_words(figure.title, &words), Chart::Funnel(shown), table);
    let twins = value(&PRS_MERGED).zip(value(&SESSIONS_WITH_MERGED_PR));
    let note = twins.filter(|(prs, sessions)| prs != sessions).map(|(prs, sessions)| {
        format!(
            "{} in {}: a session can have several pull requests, and several sessions can share one.",
            counted(prs, "merged pull request", "merged pull requests"),
            counted(sessions, "session", "sessions")
        )
    });
    FigureParts { also: &[&SESSIONS, &SESSIONS_WITH_MERGED_PR], note: note.unwrap_or_default(), ..drawn }
}
