//! Keys of reports, recipients and messages.

use chrono::{DateTime, SecondsFormat, Utc};
use lettre::Address;
use sha2::{Digest, Sha256};

use super::Recipient;
use crate::metrics::{Facts, PeopleMode, ReportProfile};

/// The key of a report: scope, period, what was chosen to compare it with, filters and profile. A
/// period that is not over is another report every day.
pub fn report(facts: &Facts) -> String {
    let source = &facts.source;
    let day = facts.generated_at.get(..10).filter(|_| !facts.is_over());
    // No label of a period has a space.
    let period = match facts.is_comparison_chosen() {
        true => format!("{} vs {}", facts.period.label, facts.previous.label),
        false => facts.period.label.clone(),
    };
    let mut parts: Vec<&str> = vec![
        &source.scope,
        &period,
        facts.period.tz.as_deref().unwrap_or_default(),
        day.unwrap_or_default(),
        source.profile.map_or("", |ReportProfile::Leadership| "leadership"),
        source.people.map_or("", |PeopleMode::Hidden| "hidden"),
    ];
    // The lengths keep two pairs of lists from giving the same parts.
    let lengths = [source.tags.len(), source.users.len()].map(|length| length.to_string());
    parts.extend(source.tags.iter().map(String::as_str));
    parts.push(&lengths[0]);
    parts.extend(source.users.iter().map(String::as_str));
    parts.push(&lengths[1]);
    if let Some(team) = &source.team {
        parts.extend(["team", team]);
    }
    hash(&parts)
}

/// The id of a message sent at this time. It is unique, because mail programs drop messages with a
/// known id.
pub fn sending(message: &str, at: DateTime<Utc>) -> String {
    hash(&[message, &at.to_rfc3339_opts(SecondsFormat::Nanos, true)])
}

/// The key of a message's content: recipients and facts.
pub fn message(recipients: &[Recipient], facts_json: &str) -> String {
    let mut parts: Vec<&str> = recipients.iter().map(|recipient| recipient.key.as_str()).collect();
    parts.sort_unstable();
    parts.push(facts_json);
    hash(&parts)
}

/// The recipients of a message, each once, sorted by address. Case is ignored.
pub fn recipients(report: &str, addresses: impl Iterator<Item = Address>) -> Vec<Recipient> {
    let mut people: Vec<(String, Address)> = addresses.map(|address| (plain(&address), address)).collect();
    // Also by spelling, so that the same one is kept whatever the order.
    people.sort_unstable();
    people.dedup_by(|one, other| one.0 == other.0);
    let recipient = |(name, address): (String, Address)| Recipient { key: hash(&[report, &name]), address };
    people.into_iter().map(recipient).collect()
}

/// The key of something that is shown in a chat: a report by its key, or another topic. The
/// address of the chat's webhook is in it as a hash.
pub fn in_chat(topic: &str, service: &str, address: &str) -> String {
    hash(&["chat", service, address, topic])
}

/// An address in the form in which addresses are compared.
pub fn plain(address: &Address) -> String {
    address.to_string().to_ascii_lowercase()
}

/// 32 hexadecimal digits of SHA-256 over the parts, each preceded by its length.
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

    fn to(report: &str, names: &[&str]) -> Vec<Recipient> {
        recipients(report, names.iter().map(|name| name.parse().unwrap()))
    }

    #[test]
    fn recipients_ignore_case_and_order() {
        let two = to("r", &["b@x.com", "a@x.com"]);
        let same = to("r", &["A@x.com", "a@X.com", "B@x.com", "a@x.com"]);
        let keys = |people: &[Recipient]| people.iter().map(|one| one.key.clone()).collect::<Vec<_>>();
        assert_eq!((two.len(), keys(&two)), (2, keys(&same)));
        assert_eq!(message(&two, "{}"), message(&same, "{}"));
        assert_eq!(same, to("r", &["a@x.com", "B@x.com", "a@X.com", "A@x.com"]));
        // Of a longer list everybody is who they were; the message is another.
        let three = to("r", &["a@x.com", "b@x.com", "c@x.com"]);
        assert_eq!(keys(&three)[..2], keys(&two));
        assert_ne!(message(&three, "{}"), message(&two, "{}"));
        assert_ne!(message(&two, "{}"), message(&two, "{ }"));
        assert!(to("s", &["a@x.com"])[0].key != two[0].key && two[0].key != two[1].key);
    }

    #[test]
    fn only_another_query_is_another_report() {
        let facts = || Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let of = |change: &dyn Fn(&mut Facts)| {
            let mut facts = facts();
            change(&mut facts);
            report(&facts)
        };
        let plain = of(&|_| ());
        assert_eq!(plain, of(&|facts| facts.generated_at = "2026-10-13T06:00:00Z".to_owned()));
        let others = [
            of(&|facts| facts.source.scope = "other".to_owned()),
            of(&|facts| facts.period.label = "2026-W42".to_owned()),
            of(&|facts| facts.period.tz = Some("Europe/Berlin".to_owned())),
            of(&|facts| facts.source.tags = vec!["a".to_owned()]),
            of(&|facts| facts.source.users = vec!["a".to_owned()]),
            of(&|facts| facts.period.complete = Some(false)),
            of(&|facts| facts.source.profile = Some(ReportProfile::Leadership)),
            of(&|facts| facts.source.people = Some(PeopleMode::Hidden)),
            of(&|facts| facts.previous.label = "2026-W39".to_owned()),
            of(&|facts| facts.previous.label = "2025-W41".to_owned()),
        ];
        for (index, other) in others.iter().enumerate() {
            assert!(*other != plain && !others[..index].contains(other), "{index}");
        }
    }

    #[test]
    fn a_running_period_is_another_report_each_day() {
        let running = |moment: &str| {
            let text = include_str!("../../reports/org_demo_2026-W41.json");
            let mut facts = Facts::from_json(text).unwrap();
            facts.period.complete = Some(false);
            facts.generated_at = moment.to_owned();
            report(&facts)
        };
        assert_eq!(running("2026-10-07T06:00:00Z"), running("2026-10-07T18:00:00Z"));
        assert_ne!(running("2026-10-07T06:00:00Z"), running("2026-10-08T06:00:00Z"));
    }
}
