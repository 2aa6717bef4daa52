//! Sessions worth a look.

use chrono::NaiveDate;
use url::Url;

use super::names;
use super::view::{SessionList, SessionView};
use crate::metrics::{Dim, Facts, ISSUES, SessionHighlight};
use crate::text::clean;
use crate::unit::Unit;

/// The longest title on the page.
const LONGEST_TITLE: usize = 110;
/// The longest excerpt of a prompt on the page.
const LONGEST_PROMPT: usize = 280;
/// The longest user name on the page.
const LONGEST_USER: usize = 60;
/// The longest URL that is linked.
const LONGEST_ADDRESS: usize = 500;

/// The lists in the order of the page.
pub fn lists(facts: &Facts) -> Vec<SessionList> {
    let highlights = &facts.highlights;
    let rows =
        |sessions: &[SessionHighlight], by| sessions.iter().map(|row| session(facts, row, by)).collect();
    let lists = [
        SessionList {
            title: "The costliest",
            note: "By ACUs.",
            empty: "No session used ACUs.",
            rows: rows(&highlights.costliest, By::Acus),
        },
        SessionList {
            title: "Costly without a merged pull request",
            note: "Among the costliest 10% of sessions. Research and reviews need no pull request, and \
                recent ones may still be open.",
            empty: if highlights.costliest.is_empty() {
                "No session used ACUs."
            } else {
                "Every session among the costliest 10% has a merged pull request."
            },
            rows: rows(&highlights.costly_without_merge, By::Acus),
        },
        SessionList {
            title: "With high-impact issues",
            note: "By number of high-impact issues.",
            empty: "No analysis has a high-impact issue.",
            rows: rows(&highlights.high_impact, By::HighIssues),
        },
    ];
    lists.into_iter().zip(are_shown(facts)).filter(|(_, is_shown)| *is_shown).map(|(list, _)| list).collect()
}

/// Which of the three lists have data.
pub(crate) fn are_shown(facts: &Facts) -> [bool; 3] {
    let metered = facts.source.metered;
    [metered, metered, ISSUES.is_known(&[Dim::Impact], facts.capabilities())]
}

/// The order of a list.
#[derive(Clone, Copy)]
enum By {
    Acus,
    HighIssues,
}

fn session(facts: &Facts, row: &SessionHighlight, by: By) -> SessionView {
    let title = clean(row.title.as_deref().unwrap_or_default(), LONGEST_TITLE);
    let things = |number: f64, one: &'static str, many: &'static str| {
        let unit = if number == 1.0 { one } else { many };
        (Unit::Count.text(Some(number)), unit)
    };
    let joined = |(number, unit): (String, &str)| format!("{number} {unit}");
    let acus = (Unit::Acu.text(row.acus), if row.acus == Some(1.0) { "ACU" } else { "ACUs" });
    let high = |one, many| things(row.high_issues, one, many);
    let prs = joined(things(row.prs, "PR", "PRs"));
    let prs = match (row.prs, row.merged) {
        (0.0, _) => "no PR".to_owned(),
        (1.0, true) => format!("{prs}, merged"),
        (_, true) => format!("{prs}, at least one merged"),
        (1.0, false) => format!("{prs}, not merged"),
        (_, false) => format!("{prs}, none merged"),
    };
    let mut remarks = vec![prs];
    let currency = facts.capabilities().currency.filter(|_| facts.source.metered);
    if let (Some(currency), Some(spend)) = (currency, row.spend) {
        remarks.insert(0, Unit::Money(currency).text(Some(spend)));
    }
    let (size, unit) = match by {
        By::Acus => {
            if row.high_issues > 0.0 {
                remarks.push(joined(high("high-impact issue", "high-impact issues")));
            }
            acus
        }
        By::HighIssues => {
            if facts.source.metered {
                remarks.insert(0, joined(acus));
            }
            high("issue", "issues")
        }
    };
    SessionView {
        title: match title.as_str() {
            "" => untitled(row),
            _ => title,
        },
        href: row.url.as_deref().and_then(safe_link).unwrap_or_default(),
        user: clean(&names::of(facts, Dim::User, row.user.as_deref()), LONGEST_USER),
        prompt: row.prompt.as_deref().map(|prompt| clean(prompt, LONGEST_PROMPT)).unwrap_or_default(),
        size,
        unit,
        remarks,
    }
}

/// The title of a session without one.
pub fn untitled(row: &SessionHighlight) -> String {
    match row.day.parse::<NaiveDate>() {
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
