//! What makes two mails the same.

use lettre::Address;
use sha2::{Digest, Sha256};

use crate::metrics::Facts;

/// The name of what is sent: report, question, profile and recipients. A period
/// that still runs is another report every day.
pub fn report(facts: &Facts, recipients: &[Address]) -> String {
    let source = &facts.source;
    let day = facts.generated_at.get(..10).filter(|_| facts.period.complete == Some(false));
    let mut parts: Vec<&str> = vec![
        &source.scope,
        &facts.period.label,
        facts.period.tz.as_deref().unwrap_or_default(),
        day.unwrap_or_default(),
        source.profile.unwrap_or_default(),
        source.people.unwrap_or_default(),
    ];
    let mut sorted: Vec<String> =
        recipients.iter().map(|address| address.to_string().to_ascii_lowercase()).collect();
    sorted.sort_unstable();
    sorted.dedup();
    // Each list is followed by its length, so that no two sets of them read the same.
    let lengths = [source.tags.len(), source.users.len()].map(|length| length.to_string());
    parts.extend(source.tags.iter().map(String::as_str));
    parts.push(&lengths[0]);
    parts.extend(source.users.iter().map(String::as_str));
    parts.push(&lengths[1]);
    parts.extend(sorted.iter().map(String::as_str));
    hash(&parts)
}

/// The name of a message: what is sent, and the numbers in it.
pub fn message(report: &str, facts_json: &str) -> String {
    hash(&[report, facts_json])
}

/// 32 letters of SHA-256 over the parts, each behind its length.
fn hash(parts: &[&str]) -> String {
    let mut sum = Sha256::new();
    for part in parts {
        sum.update(part.len().to_le_bytes());
        sum.update(part.as_bytes());
    }
    sum.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(names: &[&str]) -> Vec<Address> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn another_question_or_other_people_are_another_report_and_nothing_else_is() {
        let facts = || Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let of = |change: &dyn Fn(&mut Facts), people: &[&str]| {
            let mut facts = facts();
            change(&mut facts);
            report(&facts, &to(people))
        };
        let plain = of(&|_| (), &["a@x.com", "b@x.com"]);
        assert_eq!(plain, of(&|_| (), &["B@x.com", "a@x.com", "a@x.com"]));
        assert_eq!(
            plain,
            of(&|facts| facts.generated_at = "2026-10-13T06:00:00Z".to_owned(), &["a@x.com", "b@x.com"])
        );
        let people = ["a@x.com", "b@x.com"];
        let others = [
            of(&|_| (), &["a@x.com"]),
            of(&|facts| facts.source.scope = "other".to_owned(), &people),
            of(&|facts| facts.period.label = "2026-W42".to_owned(), &people),
            of(&|facts| facts.period.tz = Some("Europe/Berlin".to_owned()), &people),
            of(&|facts| facts.source.tags = vec!["a".to_owned()], &people),
            of(&|facts| facts.source.users = vec!["a".to_owned()], &people),
            of(&|facts| facts.period.complete = Some(false), &people),
            of(&|facts| facts.source.profile = Some("leadership"), &people),
            of(&|facts| facts.source.people = Some("hidden"), &people),
        ];
        for (index, other) in others.iter().enumerate() {
            assert!(*other != plain && !others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn a_running_period_is_another_report_every_day() {
        let running = |moment: &str| {
            let text = include_str!("../../reports/org_demo_2026-W41.json");
            let mut facts = Facts::from_json(text).unwrap();
            facts.period.complete = Some(false);
            facts.generated_at = moment.to_owned();
            report(&facts, &to(&["a@x.com"]))
        };
        assert_eq!(running("2026-10-07T06:00:00Z"), running("2026-10-07T18:00:00Z"));
        assert_ne!(running("2026-10-07T06:00:00Z"), running("2026-10-08T06:00:00Z"));
    }
}
