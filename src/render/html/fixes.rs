//! What to fix, for the page.

use super::view::{ExampleView, FixListView, FixView, FixesView};
use crate::render::text;
use crate::report::{Example, Fixes, TextList, TextRow};
use crate::unit::{Unit, count};

/// Rows that everybody sees.
const FIRST: usize = 6;
/// Rows of a list on demand.
const MOST: usize = 25;
/// Repositories of a row.
const MOST_REPOS: usize = 2;
/// The list of which the first rows are shown.
const MAIN: &str = "improvements";

/// The view of what to fix.
pub fn fixes(fixes: &Fixes) -> FixesView<'_> {
    let first = fixes.lists.iter().filter(|list| list.id == MAIN).flat_map(|list| &list.rows).take(FIRST);
    FixesView {
        intro: &fixes.intro,
        first: first.map(row).collect(),
        more: fixes.lists.iter().filter_map(list).collect(),
    }
}

/// The rows of a list that are not shown already.
fn list(list: &TextList) -> Option<FixListView<'_>> {
    let skipped = if list.id == MAIN { FIRST } else { 0 };
    let rows: Vec<FixView<'_>> = list.rows.iter().skip(skipped).take(MOST).map(row).collect();
    let shown = (skipped + rows.len()) as f64;
    let title = match skipped {
        0 => format!("{} ({})", list.title, count(list.total)),
        _ => match list.total - skipped as f64 {
            1.0 => "1 more proposed improvement".to_owned(),
            more => format!("{} more proposed improvements", count(more)),
        },
    };
    let rest = match list.total - shown {
        rest if rest > 0.0 => {
            format!("{} more: the facts file and exports have up to 100 of a list.", count(rest))
        }
        _ => String::new(),
    };
    (!rows.is_empty()).then_some(FixListView { title, rows, rest })
}

fn row(row: &TextRow) -> FixView<'_> {
    let mut remarks = Vec::new();
    remarks.extend(row.acus.as_ref().map(|acus| format!("{} ACUs used", text::value(acus))));
    let high = row.high_issues.filter(|issues| *issues > 0.0);
    remarks.extend(high.map(|issues| {
        format!("{} high-impact {}", count(issues), if issues == 1.0 { "issue" } else { "issues" })
    }));
    if let Some(impacts) = row.impacts {
        let named = impacts.into_iter().zip(["high", "medium", "low", "other"]);
        remarks.extend(
            named
                .filter(|(issues, _)| *issues > 0.0)
                .map(|(issues, name)| format!("{} {name}", count(issues))),
        );
    }
    FixView {
        size: Unit::Count.text(Some(row.sessions)),
        unit: if row.sessions == 1.0 { "session" } else { "sessions" },
        text: &row.text,
        kind: &row.kind,
        remarks,
        repos: row.repos.get(..MOST_REPOS).unwrap_or(&row.repos),
        examples: row.examples.iter().map(example).collect(),
    }
}

fn example(example: &Example) -> ExampleView<'_> {
    ExampleView { title: &example.title, href: example.address.as_deref().unwrap_or_default() }
}
