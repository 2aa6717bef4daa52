//! The labels of issues in a covered report.

use crate::metrics::{Dim, Facts, ISSUES, LabelRow, SESSIONS_WITH_ISSUE, SMALL_GROUP};

/// The labels of issues with their sessions, as far as the facts contain them: without ACUs.
pub fn labels(facts: &Facts) -> Vec<LabelRow> {
    let mut labels: Vec<LabelRow> = Vec::new();
    for fact in facts.by(&ISSUES, &[Dim::Label, Dim::Impact]) {
        let label = fact.key(Dim::Label).flatten();
        if label == Some(SMALL_GROUP) {
            continue;
        }
        if labels.last().is_none_or(|row| row.label.as_deref() != label) {
            let touched = facts.by(&SESSIONS_WITH_ISSUE, &[Dim::Label]);
            let touched = touched.iter().find(|touched| touched.key(Dim::Label).flatten() == label);
            labels.push(LabelRow {
                label: label.map(str::to_owned),
                issues: 0.0,
                high: 0.0,
                sessions: touched.and_then(|fact| fact.value).unwrap_or(0.0),
                acus: 0.0,
            });
        }
        if let Some(row) = labels.last_mut() {
            let issues = fact.value.unwrap_or(0.0);
            row.issues += issues;
            if fact.key(Dim::Impact).flatten() == Some("high") {
                row.high += issues;
            }
        }
    }
    labels.sort_by(|a, b| {
        let none = |row: &LabelRow| row.label.is_none();
        (b.high.total_cmp(&a.high))
            .then(b.issues.total_cmp(&a.issues))
            .then(none(a).cmp(&none(b)))
            .then(a.label.cmp(&b.label))
    });
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_in_the_order_of_the_page() {
        let demo = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let labels = labels(&demo);
        assert!(labels.windows(2).all(|pair| pair[0].high >= pair[1].high));
        let issues: f64 = labels.iter().map(|row| row.issues).sum();
        assert_eq!(demo.whole(&ISSUES).unwrap().value, Some(issues));
        assert!(labels.iter().all(|row| row.sessions <= row.issues && row.sessions > 0.0));
    }
}
