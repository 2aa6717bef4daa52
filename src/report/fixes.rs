//! What to fix: the recommendations, recurring issues and remarks of Devin's analyses.

use serde::Serialize;

use super::sessions::{placeholder, safe_link};
use super::table::Value;
use crate::metrics::{ANALYSED_SESSIONS, Facts, Improvement, PromptFeedback, RecurringIssue, SessionExample};
use crate::text::clean;
use crate::unit::{Unit, counted};

/// The longest text on the page.
const LONGEST_TEXT: usize = 300;
/// The longest title of an example.
const LONGEST_TITLE: usize = 80;
/// The longest name of a repository, type or label.
const LONGEST_NAME: usize = 80;

/// What to fix.
#[derive(Serialize)]
pub struct Fixes {
    /// What the lists contain, or why they are left out.
    pub intro: String,
    /// The lists with a row: improvements, then recurring issues, then prompt feedback.
    pub lists: Vec<TextList>,
}

/// Texts of analyses, those that say the same as one row; most sessions first.
#[derive(Serialize)]
pub struct TextList {
    /// Its name: lower-case letters and `_`.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The head of the column of kinds; empty if it has none.
    pub kind_head: &'static str,
    /// How many rows there are in all; the facts have at most 100.
    pub total: f64,
    /// The rows of the facts.
    pub rows: Vec<TextRow>,
}

/// Texts that say the same.
#[derive(Serialize)]
pub struct TextRow {
    /// The most frequent one.
    pub text: String,
    /// The type of an improvement, the label of an issue; empty for none.
    pub kind: String,
    /// Distinct sessions.
    pub sessions: f64,
    /// Issues of an issue row by impact: high, medium, low, other.
    pub impacts: Option<[f64; 4]>,
    /// Issues of high impact that an improvement is about; `None` where that is not known.
    pub high_issues: Option<f64>,
    /// ACUs of the sessions; `None` if work is not metered.
    pub acus: Option<Value>,
    /// Repositories of their pull requests, most frequent first.
    pub repos: Vec<String>,
    /// Some of the sessions.
    pub examples: Vec<Example>,
}

/// A session as an example.
#[derive(Serialize)]
pub struct Example {
    /// Its title, or a placeholder.
    pub title: String,
    /// Its address, https only.
    pub address: Option<String>,
}

/// What to fix; `None` if the records have no analyses, or no session of the period has one.
pub fn fixes(facts: &Facts) -> Option<Fixes> {
    let analysed =
        facts.whole(&ANALYSED_SESSIONS).and_then(|fact| fact.value).filter(|count| *count > 0.0)?;
    if facts.is_covered() {
        return Some(Fixes {
            intro: "Left out, because what analyses recommend is text about single sessions. A report with \
                    names has it."
                .to_owned(),
            lists: Vec::new(),
        });
    }
    let found = &facts.highlights;
    let lists = [
        TextList {
            id: "improvements",
            title: "Proposed improvements",
            kind_head: "Type",
            total: found.improvements_total,
            rows: found.improvements.iter().map(improvement).collect(),
        },
        TextList {
            id: "recurring_issues",
            title: "Recurring issues by label",
            kind_head: "Label",
            total: found.issues_total,
            rows: found.issues.iter().map(recurring_issue).collect(),
        },
        TextList {
            id: "prompt_feedback",
            title: "Prompt feedback",
            kind_head: "",
            total: found.feedback_total,
            rows: found.feedback.iter().map(feedback).collect(),
        },
    ];
    let lists: Vec<TextList> = lists.into_iter().filter(|list| !list.rows.is_empty()).collect();
    let intro = match lists.is_empty() {
        true => "No analysis of the period recommends anything.".to_owned(),
        false => format!(
            "What Devin's analyses of {} recommend, by number of sessions. Texts that say the same are one row.",
            counted(analysed, "session", "sessions")
        ),
    };
    Some(Fixes { intro, lists })
}

fn improvement(row: &Improvement) -> TextRow {
    TextRow {
        kind: row.kind.as_deref().map(|kind| name(&kind.replace('_', " "))).unwrap_or_default(),
        high_issues: row.high_issues,
        ..text_row(&row.text, row.sessions, row.acus, &row.repos, &row.examples)
    }
}

fn recurring_issue(row: &RecurringIssue) -> TextRow {
    TextRow {
        kind: row.label.as_deref().map(name).unwrap_or_else(|| "no label".to_owned()),
        impacts: Some([row.high, row.medium, row.low, row.other]),
        ..text_row(&row.text, row.sessions, row.acus, &row.repos, &row.examples)
    }
}

fn feedback(row: &PromptFeedback) -> TextRow {
    text_row(&row.text, row.sessions, row.acus, &row.repos, &row.examples)
}

fn text_row(
    text: &str,
    sessions: f64,
    acus: Option<f64>,
    repos: &[String],
    examples: &[SessionExample],
) -> TextRow {
    TextRow {
        text: clean(text, LONGEST_TEXT),
        kind: String::new(),
        sessions,
        impacts: None,
        high_issues: None,
        acus: acus.map(|acus| Value::number(Unit::Acu, Some(acus))),
        repos: repos.iter().map(|repo| name(repo)).collect(),
        examples: examples.iter().map(example).collect(),
    }
}

fn example(session: &SessionExample) -> Example {
    let title = clean(session.title.as_deref().unwrap_or_default(), LONGEST_TITLE);
    Example {
        title: if title.is_empty() { placeholder(&session.day) } else { title },
        address: session.url.as_deref().and_then(safe_link),
    }
}

fn name(text: &str) -> String {
    clean(text, LONGEST_NAME)
}
