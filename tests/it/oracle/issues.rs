//! What the analyses found.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, count, group, ratio};
use super::records::{Analysis, Session};

const IMPACTS: [&str; 4] = ["high", "medium", "low", "other"];

/// Everything about analyses of one span.
pub fn facts(sessions: &[&Session], facts: &mut Facts) {
    let analyses: Vec<&Analysis> = sessions.iter().filter_map(|session| session.analysis.as_ref()).collect();
    let n = analyses.len();
    count(facts, "analysed_sessions", group(&[]), n, sessions.len());
    let parts = (n as f64, sessions.len() as f64);
    ratio(facts, "analysis_coverage", group(&[]), "share", parts, sessions.len());
    let with_feedback = analyses.iter().filter(|analysis| analysis.feedback_items > 0).count();
    count(facts, "sessions_with_prompt_feedback", group(&[]), with_feedback, n);

    let total = analyses.iter().map(|analysis| analysis.issues.len()).sum();
    count(facts, "issues", group(&[]), total, n);
    for impact in IMPACTS {
        by_impact(&analyses, impact, facts);
    }
    by_label(&analyses, facts);
    by_owner(sessions, facts);

    let mut types: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for kind in analyses.iter().flat_map(|analysis| &analysis.action_types) {
        *types.entry(kind.as_deref()).or_default() += 1;
    }
    for (kind, number) in types {
        count(facts, "action_items", group(&[("type", kind)]), number, n);
    }
}

/// How many issues of an impact an analysis holds.
fn issues_of(analysis: &Analysis, impact: &str) -> usize {
    analysis.issues.iter().filter(|issue| issue.impact == impact).count()
}

fn by_impact(analyses: &[&Analysis], impact: &str, facts: &mut Facts) {
    let (mut total, mut touched) = (0, 0);
    let mut bins: BTreeMap<&str, usize> = BTreeMap::new();
    for analysis in analyses {
        let number = issues_of(analysis, impact);
        total += number;
        touched += usize::from(number > 0);
        let bin = ["0", "1", "2", "3", "4"].get(number).copied().unwrap_or("5+");
        *bins.entry(bin).or_default() += 1;
    }
    let of = group(&[("impact", Some(impact))]);
    count(facts, "issues", of.clone(), total, analyses.len());
    count(facts, "sessions_with_issue", of.clone(), touched, analyses.len());
    let parts = (total as f64, analyses.len() as f64);
    ratio(facts, "issue_rate", of, "per_100", parts, analyses.len());
    for (bin, number) in bins {
        let of = group(&[("impact", Some(impact)), ("issues", Some(bin))]);
        count(facts, "issue_count_histogram", of, number, analyses.len());
    }
}

fn by_label(analyses: &[&Analysis], facts: &mut Facts) {
    let labels: BTreeSet<Option<&str>> =
        analyses.iter().flat_map(|analysis| &analysis.issues).map(|issue| issue.label.as_deref()).collect();
    for label in labels {
        let mut touched = 0;
        let mut totals = [0; 4];
        for analysis in analyses {
            let mut found = false;
            for issue in analysis.issues.iter().filter(|issue| issue.label.as_deref() == label) {
                found = true;
                for (total, impact) in totals.iter_mut().zip(IMPACTS) {
                    *total += usize::from(issue.impact == impact);
                }
            }
            touched += usize::from(found);
        }
        count(facts, "sessions_with_issue", group(&[("label", label)]), touched, analyses.len());
        for (total, impact) in totals.into_iter().zip(IMPACTS) {
            let of = group(&[("label", label), ("impact", Some(impact))]);
            count(facts, "issues", of, total, analyses.len());
        }
    }
}

/// By user and by tag; both appear with any session, analysed or not.
fn by_owner(sessions: &[&Session], facts: &mut Facts) {
    // By dimension and value: how many are analysed, and their issues by impact.
    type Owned<'a> = BTreeMap<(&'a str, Option<String>), (usize, [usize; 4])>;
    let mut owners = Owned::new();
    for session in sessions {
        let mut of = vec![("user", session.user.clone())];
        of.extend(session.tag_groups().into_iter().map(|tag| ("tag", tag)));
        for key in of {
            let (analysed, totals) = owners.entry(key).or_default();
            if let Some(analysis) = &session.analysis {
                *analysed += 1;
                for (total, impact) in totals.iter_mut().zip(IMPACTS) {
                    *total += issues_of(analysis, impact);
                }
            }
        }
    }
    for ((dimension, value), (analysed, totals)) in owners {
        for (total, impact) in totals.into_iter().zip(IMPACTS) {
            let of = group(&[(dimension, value.as_deref()), ("impact", Some(impact))]);
            count(facts, "issues", of, total, analysed);
        }
    }
}
