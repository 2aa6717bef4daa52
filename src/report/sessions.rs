//! Sessions worth a look.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::Serialize;
use url::Url;

use super::names;
use super::table::Value;
use crate::metrics::{Dim, Facts, ISSUES, SessionHighlight};
use crate::text::clean;
use crate::unit::Unit;

/// The most sessions of a list.
const MOST: usize = 6;
/// The longest title on the page.
const LONGEST_TITLE: usize = 110;
/// The longest excerpt of a prompt on the page.
const LONGEST_PROMPT: usize = 280;
/// The longest user name on the page.
const LONGEST_USER: usize = 60;
/// The longest URL that is linked.
const LONGEST_ADDRESS: usize = 500;

/// A list of sessions.
#[derive(Serialize)]
pub struct SessionList {
    /// Its name: lower-case letters and `_`.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// What the list contains.
    pub note: &'static str,
    /// The text of an empty list.
    pub empty: &'static str,
    /// Whether sessions are left out because a list above has them.
    pub is_shortened: bool,
    /// The number that orders it.
    pub order: SessionOrder,
    /// The sessions.
    pub rows: Vec<SessionRow>,
}

/// The number that orders a list of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOrder {
    /// ACUs.
    Acus,
    /// Issues of high impact.
    HighIssues,
}

/// A session. What the report has no numbers of is `None` in every row of it.
#[derive(Serialize)]
pub struct SessionRow {
    /// Its id.
    pub id: String,
    /// Title, or a placeholder.
    pub title: String,
    /// Its address, https only.
    pub address: Option<String>,
    /// User, or a placeholder.
    pub user: String,
    /// ACUs.
    pub acus: Option<Value>,
    /// What they cost.
    pub spend: Option<Value>,
    /// Pull requests that it lists.
    pub prs: f64,
    /// Whether one of them is merged.
    pub is_merged: bool,
    /// Issues of high impact.
    pub high_issues: Option<f64>,
    /// An excerpt of its prompt; empty unless prompts are included.
    pub prompt: String,
}

/// The lists with data, in the order of the page; none in a covered report.
pub fn lists(facts: &Facts) -> Vec<SessionList> {
    if facts.is_covered() {
        return Vec::new();
    }
    let highlights = &facts.highlights;
    let rows = |sessions: &[SessionHighlight]| sessions.iter().map(|row| session(facts, row)).collect();
    let of_acus = [
        SessionList {
            id: "costliest",
            title: "The costliest",
            note: "By ACUs.",
            empty: "No session used ACUs.",
            is_shortened: false,
            order: SessionOrder::Acus,
            rows: rows(&highlights.costliest),
        },
        SessionList {
            id: "costly_without_merge",
            title: "Costly without a merged pull request",
            note: "Among the costliest 10% of sessions. Research and reviews need no pull request, and \
                recent ones may still be open.",
            empty: if highlights.costliest.is_empty() {
                "No session used ACUs."
            } else {
                "Every session among the costliest 10% has a merged pull request."
            },
            is_shortened: false,
            order: SessionOrder::Acus,
            rows: rows(&highlights.costly_without_merge),
        },
    ];
    let of_issues = SessionList {
        id: "high_impact",
        title: "With high-impact issues",
        note: "By number of high-impact issues.",
        empty: "No analysis has a high-impact issue.",
        is_shortened: false,
        order: SessionOrder::HighIssues,
        rows: rows(&highlights.high_impact),
    };
    let metered = of_acus.into_iter().filter(|_| facts.source.metered);
    let lists = metered.chain(has_analyses(facts).then_some(of_issues));
    let mut listed = BTreeSet::new();
    lists.map(|list| unlisted(list, &mut listed)).collect()
}

/// The first sessions of a list that no list before it has.
fn unlisted(mut list: SessionList, listed: &mut BTreeSet<String>) -> SessionList {
    let found = list.rows.len();
    list.rows.retain(|row| !listed.contains(&row.id));
    list.is_shortened = list.rows.len() < found;
    list.rows.truncate(MOST);
    listed.extend(list.rows.iter().map(|row| row.id.clone()));
    if list.rows.is_empty() && list.is_shortened {
        list.empty = "All of them are listed above.";
    }
    list
}

/// Whether the records have analyses.
fn has_analyses(facts: &Facts) -> bool {
    ISSUES.is_known(&[Dim::Impact], facts.capabilities())
}

fn session(facts: &Facts, row: &SessionHighlight) -> SessionRow {
    let currency = facts.capabilities().currency.filter(|_| facts.source.metered);
    let title = clean(row.title.as_deref().unwrap_or_default(), LONGEST_TITLE);
    SessionRow {
        id: row.id.clone(),
        title: if title.is_empty() { placeholder(&row.day) } else { title },
        address: row.url.as_deref().and_then(safe_link),
        user: clean(&names::of(facts, Dim::User, row.user.as_deref()), LONGEST_USER),
        acus: facts.source.metered.then(|| Value::number(Unit::Acu, row.acus)),
        spend: currency.map(|currency| Value::number(Unit::Money(currency), row.spend)),
        prs: row.prs,
        is_merged: row.merged,
        high_issues: has_analyses(facts).then_some(row.high_issues),
        prompt: row.prompt.as_deref().map(|prompt| clean(prompt, LONGEST_PROMPT)).unwrap_or_default(),
    }
}

/// The title of a session without one, by its local date.
pub fn placeholder(day: &str) -> String {
    match day.parse::<NaiveDate>() {
        Ok(day) => format!("Session of {}", day.format("%A, %-d %B")),
        Err(_) => "Untitled session".to_owned(),
    }
}

/// A URL that may become a link, normalized: https, with a host, without credentials. `None` for
/// anything else.
pub fn safe_link(address: &str) -> Option<String> {
    let address = address.trim();
    if address.len() > LONGEST_ADDRESS || address.chars().any(char::is_control) {
        return None;
    }
    let url = Url::parse(address).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && url.host().is_some() && plain).then(|| url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_https_addresses_become_links() {
        let good = "https://app.devin.ai/sessions/abc";
        assert_eq!(safe_link(good).as_deref(), Some(good));
        let quoted = safe_link("https://app.devin.ai/\"><script>").unwrap();
        assert!(!quoted.contains(['"', '<', '>']), "{quoted}");
        for bad in [
            "http://app.devin.ai/x",
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "java\nscript:alert(1)",
            "data:text/html,x",
            "//evil.example/x",
            "/relative",
            "https://user:password@evil.example/",
            "",
        ] {
            assert_eq!(safe_link(bad), None, "{bad}");
        }
    }
}
