//! A page of a list of people or organisations, in either generation.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::envelope::{Envelope, Enveloped, PageError};
use super::json::{Object, Text};
use super::people::Member;
use super::{Api, Secret, page, sanitize};

/// No name that people write needs more characters, and no id.
const LONGEST: usize = 1000;

/// What a list is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// People, or service users.
    People,
    /// Organisations.
    Organisations,
}

/// A page as it came.
#[derive(Debug, PartialEq)]
pub(super) struct Page {
    /// What it says about the walk.
    pub envelope: Envelope,
    /// The entries that have an id, in the server's order.
    pub entries: Vec<Listed>,
}

/// What a list says of one id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    /// The id with its names.
    pub member: Member,
    /// The most ACUs an organisation may use in a billing cycle, more than 0; none without a limit,
    /// and of people.
    pub cycle_limit: Option<f64>,
}

/// An entry under the names that either generation gives its parts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    service_user_id: Option<&'a RawValue>,
    #[serde(borrow)]
    org_id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    org_name: Option<&'a RawValue>,
    #[serde(borrow)]
    email: Option<&'a RawValue>,
    #[serde(borrow)]
    max_cycle_acu_limit: Option<&'a RawValue>,
}

/// Reads a page record by record: what does not fit costs itself alone, and so
/// does a name that is none. Text that would show the key is no name.
///
/// # Errors
///
/// A body that is no whole page.
pub(super) fn read(body: &str, api: Api, subject: Subject, key: &Secret) -> Result<Page, PageError> {
    let mended = page::mended(body);
    let Object(page) = serde_json::from_str::<Object<Enveloped<'_, Option<Vec<&RawValue>>>>>(&mended)?;
    let Some(records) = &page.items else {
        return Err(PageError::Contract("`items` is missing or not a list".to_owned()));
    };
    let envelope = page.envelope(api, records.len() as u64)?;
    let entry = |record: &&RawValue| {
        let Object::<Entry<'_>>(entry) = serde_json::from_str(record.get()).ok()?;
        let cycle_limit = entry.max_cycle_acu_limit.filter(|_| subject == Subject::Organisations);
        Some(Listed { member: member(&entry, subject, key)?, cycle_limit: cycle_limit.and_then(limit) })
    };
    Ok(Page { envelope, entries: records.iter().filter_map(entry).collect() })
}

/// A number of ACUs that can be a limit: null, a text and a number that is not above 0 are none.
fn limit(value: &RawValue) -> Option<f64> {
    let limit: f64 = serde_json::from_str(value.get()).ok()?;
    Some(limit).filter(|limit| limit.is_finite() && *limit > 0.0)
}

fn member(entry: &Entry<'_>, subject: Subject, key: &Secret) -> Option<Member> {
    let said = |value: Option<&RawValue>| {
        let text = Text::lenient(value);
        let text = text.trimmed().filter(|text| !sanitize::shows(text, key))?;
        let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(end, _)| end);
        text.get(..end).map(str::to_owned)
    };
    // A member of an organisation tells that one's id and name as well.
    let (ids, names) = match subject {
        Subject::People => ([entry.user_id, entry.service_user_id], [entry.name; 2]),
        Subject::Organisations => ([entry.org_id; 2], [entry.org_name, entry.name]),
    };
    Some(Member {
        // Half an id would be somebody else's.
        id: ids.into_iter().find_map(said).filter(|id| id.chars().count() < LONGEST)?,
        name: names.into_iter().find_map(said),
        email: said(entry.email).filter(|_| subject == Subject::People),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_V2: &str = r#""total": 2, "skip": 0, "limit": 200, "has_more": false, "next_cursor": null"#;
    const LAST_V3: &str = r#""end_cursor": null, "has_next_page": false, "total": null"#;

    fn page(items: &str, rest: &str) -> String {
        format!(r#"{{"items": [{items}], {rest}}}"#)
    }

    fn read_as(body: &str, api: Api, subject: Subject) -> Result<Page, PageError> {
        super::read(body, api, subject, &Secret::new("cog_k3y".to_owned()))
    }

    /// Each entry's id, name and email; nothing is a dash.
    fn entries(items: &str, api: Api, subject: Subject) -> Vec<[String; 3]> {
        let rest = if api == Api::V2 { LAST_V2 } else { LAST_V3 };
        let reported = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let page = read_as(&page(items, rest), api, subject).unwrap();
        let members = page.entries.into_iter().map(|one| one.member);
        members.map(|one| [one.id, reported(one.name), reported(one.email)]).collect()
    }

    #[test]
    fn the_documented_shapes_are_read() {
        let people = [
            (
                Api::V2,
                r#"{"user_id": "user_318", "email": "ida.berg@acme.example", "name": "Ida Berg",
                    "enterprise_role": "account_member", "created_at": "2024-02-12T09:00:00Z",
                    "last_login": null, "login_count": null, "saml_id": null,
                    "searches_created_count": 0, "sessions_created_count": 3}"#,
            ),
            (
                Api::V2,
                r#"{"user_id": "user_318", "email": "ida.berg@acme.example", "name": "Ida Berg",
                    "org_id": "org_512", "org_name": "Harbour", "org_role": "member",
                    "enterprise_role": "account_member"}"#,
            ),
            (
                Api::V3,
                r#"{"user_id": "user_318", "email": "ida.berg@acme.example", "name": "Ida Berg",
                    "role_assignments": [{"org_id": "org-1", "role": {"role_id": "r"}}]}"#,
            ),
        ];
        for (api, item) in people {
            let expected = ["user_318", "Ida Berg", "ida.berg@acme.example"].map(str::to_owned);
            assert_eq!(entries(item, api, Subject::People), [expected], "{item}");
        }
        let service = r#"{"service_user_id": "service-user-7", "name": "Nightly", "created_at": 1}"#;
        let expected = ["service-user-7", "Nightly", "-"].map(str::to_owned);
        assert_eq!(entries(service, Api::V3, Subject::People), [expected]);
        for (api, item) in [
            (
                Api::V2,
                r#"{"org_id": "org_512", "org_name": "Harbour", "org_member_count": 4, "org_admin_count": 1}"#,
            ),
            (Api::V3, r#"{"org_id": "org_512", "name": "Harbour", "created_at": 1}"#),
        ] {
            let expected = ["org_512", "Harbour", "-"].map(str::to_owned);
            assert_eq!(entries(item, api, Subject::Organisations), [expected], "{item}");
        }
    }

    #[test]
    fn an_odd_part_costs_itself_alone() {
        let items = r#"{"user_id": " email|62f0 ", "name": null, "email": "  "},
            {"user_id": "b", "name": {"first": "x"}, "email": ["y"], "unheard_of": [1e999]},
            {"user_id": 7, "name": true, "email": 12},
            {"user_id": null, "name": "Nobody"}, {"name": "Nobody"}, {"user_id": " "}, null, 3, "text", [],
            {"user_id": "twice", "user_id": "thrice"},
            {"user_id": "half", "name": "x\ud83d", "email": "\ud83d\ude00@acme.example"}"#;
        let expected = [
            ["email|62f0", "-", "-"],
            ["b", "-", "-"],
            ["7", "-", "12"],
            ["half", "x\u{fffd}", "😀@acme.example"],
        ];
        assert_eq!(entries(items, Api::V3, Subject::People), expected);
        let count = read_as(&page(items, LAST_V3), Api::V3, Subject::People).unwrap().envelope.count;
        assert_eq!(count, 12, "the next page begins after all of them");
    }

    #[test]
    fn names_stay_as_they_are_unless_they_show_the_key_or_have_no_end() {
        let hostile = r#"{"user_id": "a", "name": "<b>&\"\u001b[31m\u202ex", "email": "a\nb"}"#;
        assert_eq!(entries(hostile, Api::V3, Subject::People), [["a", "<b>&\"\u{1b}[31m\u{202e}x", "a\nb"]]);
        let thief =
            r#"{"user_id": "a", "name": "cog_k3y", "email": "x-cog_\u200bk3y@x"}, {"user_id": "cog_k3y"}"#;
        assert_eq!(entries(thief, Api::V3, Subject::People), [["a", "-", "-"]]);
        let long = format!(r#"{{"user_id": "a", "name": "{0}"}}, {{"user_id": "{0}"}}"#, "é".repeat(5000));
        let read = entries(&long, Api::V3, Subject::People);
        assert_eq!((read.len(), read[0][1].chars().count()), (1, LONGEST));
    }

    #[test]
    fn a_cycle_limit_is_a_number_above_0_of_an_organisation() {
        let items = r#"{"org_id": "a", "max_cycle_acu_limit": 1500, "max_session_acu_limit": 50},
            {"org_id": "b", "max_cycle_acu_limit": 0.5}, {"org_id": "c", "max_cycle_acu_limit": null},
            {"org_id": "d"}, {"org_id": "e", "max_cycle_acu_limit": 0}, {"org_id": "f", "max_cycle_acu_limit": -1},
            {"org_id": "g", "max_cycle_acu_limit": "900"}, {"org_id": "h", "max_cycle_acu_limit": 1e999},
            {"org_id": "i", "max_cycle_acu_limit": [9]}, {"org_id": "j", "max_cycle_acu_limit": true}"#;
        for (api, rest) in [(Api::V2, LAST_V2), (Api::V3, LAST_V3)] {
            let page = read_as(&page(items, rest), api, Subject::Organisations).unwrap();
            let limits: Vec<(&str, Option<f64>)> =
                page.entries.iter().map(|one| (one.member.id.as_str(), one.cycle_limit)).collect();
            assert_eq!(limits[..2], [("a", Some(1500.0)), ("b", Some(0.5))], "{api}");
            assert_eq!(limits.len(), 10, "an entry with an odd limit is an entry all the same");
            assert!(limits[2..].iter().all(|(_, limit)| limit.is_none()), "{limits:?}");
        }
        let person = r#"{"user_id": "a", "max_cycle_acu_limit": 5}"#;
        let page = read_as(&page(person, LAST_V3), Api::V3, Subject::People).unwrap();
        assert_eq!(page.entries[0].cycle_limit, None);
    }

    #[test]
    fn invalid_pages_are_reported() {
        let error = |body: &str, api| read_as(body, api, Subject::People).unwrap_err();
        assert_eq!(error(r#"{"items": [{"user_"#, Api::V2), PageError::CutShort);
        assert_eq!(error("<html>", Api::V2), PageError::NotJson);
        for bad in [
            "[]".to_owned(),
            "{}".to_owned(),
            page("", LAST_V3),
            r#"{"items": null, "has_more": false, "total": 0}"#.to_owned(),
            r#"{"items": {"user_id": "a"}, "has_more": false, "total": 1}"#.to_owned(),
        ] {
            assert!(matches!(error(&bad, Api::V2), PageError::Contract(_)), "{bad}");
        }
        let endless = page("", r#""has_next_page": true, "end_cursor": null"#);
        assert!(matches!(error(&endless, Api::V3), PageError::Contract(_)));
    }
}
