//! The name of a report's files.

use crate::metrics::{Facts, ReportProfile};

/// The name without extension: scope, period, what was chosen to compare it with, and what the
/// report is narrowed to.
pub fn file_name(facts: &Facts) -> String {
    let source = &facts.source;
    // A narrower report must not take the place of that of the whole organisation.
    let filters = [source.tags.as_slice(), &source.users].concat().join("+");
    // Nor may one that is compared with another period than usual …
    let compared = match facts.is_comparison_chosen() {
        true => format!("vs-{}", facts.previous.label),
        false => String::new(),
    };
    // … nor may a report with names take the place of one without.
    let shown = match (source.profile, source.people) {
        (Some(ReportProfile::Leadership), _) => "leadership",
        (None, Some(_)) => "hidden",
        (None, None) => "",
    };
    let team = source.team.as_ref().map(|team| format!("team-{team}")).unwrap_or_default();
    let parts = [&source.scope, &facts.period.label, &compared, &filters, &team, shown];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    joined(&parts)
}

/// The parts joined by `_`.
fn joined(parts: &[&str]) -> String {
    parts.iter().map(|part| plain(part)).collect::<Vec<_>>().join("_")
}

/// The longest part of a file name, in characters.
const LONGEST_PART: usize = 60;

/// Makes untrusted text part of a file name: everything but ASCII letters, digits, `.`, `-` and `_`
/// becomes a dash, and so does a dot at the start. A changed text gets its checksum appended, so
/// that similar texts get different names.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = text.chars().map(|c| if is_plain(c) { c } else { '-' }).take(LONGEST_PART).collect();
    let name = name.strip_prefix('.').map_or(name.clone(), |rest| format!("-{rest}"));
    if name == text { name } else { format!("{name}-{:08x}", checksum(text)) }
}

/// FNV-1a: stable across machines and versions.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_the_folder() {
        assert_eq!(joined(&["../../etc/passwd"]), "-.-..-etc-passwd-6fadc99a");
        assert_eq!(joined(&["org_789", "2026-W41"]), "org_789_2026-W41");
        assert!(joined(&["a b\u{202e}ü"]).starts_with("a-b---"));
        assert!(joined(&[&"x".repeat(999)]).len() < 80);
    }

    #[test]
    fn a_chosen_comparison_is_in_the_name() {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        assert_eq!(file_name(&facts), "org_demo_2026-W41");
        facts.source.tags = vec!["payments".to_owned()];
        for (label, name) in [
            ("2026-W30", "org_demo_2026-W41_vs-2026-W30_payments"),
            ("2026-09-01_2026-09-15", "org_demo_2026-W41_vs-2026-09-01_2026-09-15_payments"),
        ] {
            facts.previous.label = label.to_owned();
            assert_eq!(file_name(&facts), name);
        }
    }

    #[test]
    fn different_queries_have_different_names() {
        assert_ne!(joined(&["o/p"]), joined(&["o-p"]));
        assert_ne!(joined(&["修"]), joined(&["😀"]));
        assert_ne!(joined(&[&"x".repeat(61)]), joined(&[&"x".repeat(62)]));
    }
}
