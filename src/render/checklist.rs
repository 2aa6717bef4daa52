//! The proposed improvements as a Markdown checklist by repository, for pasting into a tracker.

use std::collections::BTreeMap;

use super::markdown::escape;
use super::text;
use crate::report::{Example, Report, TextRow};
use crate::unit::counted;

/// The checklist, ending with a line break. Other people's text is escaped and mentions nobody.
pub fn checklist(report: &Report) -> String {
    let header = &report.header;
    let mut out = format!(
        "# Proposed improvements, {}: {}, {}\n",
        escape(&header.organisation),
        header.period.to_lowercase(),
        header.dates
    );
    let lists = report.fixes.iter().flat_map(|fixes| &fixes.lists);
    let rows = lists.filter(|list| list.id == "improvements").flat_map(|list| &list.rows);
    // A recommendation for several repositories is listed under the most frequent one.
    let mut by_repo: BTreeMap<Option<&str>, Vec<&TextRow>> = BTreeMap::new();
    for row in rows {
        by_repo.entry(row.repos.first().map(String::as_str)).or_default().push(row);
    }
    if by_repo.is_empty() {
        out.push_str("\nNo analysis of the period recommends anything.\n");
    }
    // Those without a repository come last.
    let (without, with): (Vec<_>, Vec<_>) = by_repo.into_iter().partition(|(repo, _)| repo.is_none());
    for (repo, rows) in with.into_iter().chain(without) {
        let title = repo.map_or_else(|| "Without a pull request".to_owned(), escape);
        out.push_str(&format!("\n## {title}\n\n"));
        rows.into_iter().for_each(|row| out.push_str(&item(row)));
    }
    out
}

fn item(row: &TextRow) -> String {
    let mut remarks = vec![counted(row.sessions, "session", "sessions")];
    remarks.extend(row.acus.as_ref().map(|acus| format!("{} ACUs", text::value(acus))));
    remarks.extend(
        row.high_issues
            .filter(|issues| *issues > 0.0)
            .map(|issues| counted(issues, "high-impact issue", "high-impact issues")),
    );
    let kind = if row.kind.is_empty() { String::new() } else { format!(" ({})", escape(&row.kind)) };
    let mut out = format!("- [ ] {}{kind}: {}\n", escape(&row.text), remarks.join(", "));
    if row.repos.len() > 1 {
        let others: Vec<String> = row.repos.iter().skip(1).map(|repo| escape(repo)).collect();
        out.push_str(&format!("  - also in {}\n", others.join(", ")));
    }
    let link = |example: &Example| match &example.address {
        // An address that was parsed has no angle brackets, spaces or line ends.
        Some(address) => format!("[{}](<{address}>)", escape(&example.title)),
        None => escape(&example.title),
    };
    let examples: Vec<String> = row.examples.iter().map(link).collect();
    if !examples.is_empty() {
        out.push_str(&format!("  - such as {}\n", examples.join(", ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Facts;
    use crate::report::report;

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap()
    }

    #[test]
    fn every_improvement_is_one_item_under_its_first_repository() {
        let mut facts = demo();
        facts.highlights.improvements[1].repos.clear();
        let text = checklist(&report(&facts));
        let items: Vec<&str> = text.lines().filter(|line| line.starts_with("- [ ] ")).collect();
        assert_eq!(items.len(), facts.highlights.improvements.len());
        let first = &facts.highlights.improvements[0];
        let (_, of_repo) = text.split_once(&format!("## {}\n", first.repos[0])).unwrap();
        let of_repo = of_repo.split("\n## ").next().unwrap();
        assert!(of_repo.contains(&format!("- [ ] {} (", first.text)), "{text}");
        let last = text.split("\n## ").last().unwrap();
        assert!(
            last.starts_with("Without a pull request\n") && last.contains("- [ ] State in the repository")
        );
    }

    #[test]
    fn other_peoples_text_is_no_markup() {
        let mut facts = demo();
        let evil = "](https://evil.example) <img src=x> @everyone\n# big".to_owned();
        for row in &mut facts.highlights.improvements {
            (row.text, row.repos) = (evil.clone(), vec![evil.clone()]);
            row.kind = Some(evil.clone());
            for example in &mut row.examples {
                (example.title, example.url) = (Some(evil.clone()), Some("javascript:alert(1)".to_owned()));
            }
        }
        let text = checklist(&report(&facts));
        assert_eq!(text.lines().filter(|line| line.starts_with('#')).count(), 2, "{text}");
        for markup in ["](", "<img", " @e", "javascript"] {
            assert!(!text.contains(markup), "{markup} in\n{text}");
        }
    }

    #[test]
    fn a_period_without_analyses_has_an_empty_list() {
        let mut facts = demo();
        facts.highlights.improvements.clear();
        assert!(checklist(&report(&facts)).contains("No analysis of the period recommends anything."));
    }
}
