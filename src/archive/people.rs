//! Who the ids in sessions belong to, kept beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The API's lists of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct People {
    /// By id.
    pub users: BTreeMap<String, User>,
    /// What to show for the id of an organisation.
    pub organisations: BTreeMap<String, String>,
    /// The most ACUs an organisation may use in a billing cycle, by its id; those without a limit are
    /// absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cycle_limits: BTreeMap<String, f64>,
    /// How many members the archive's scope had at the last sync; none if their list was not read to
    /// its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u64>,
}

/// A person or a service user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Untrusted text.
    pub name: Option<String>,
    /// The same.
    pub email: Option<String>,
}

impl People {
    /// Its place in an archive.
    pub(super) const PATH: &str = "people.json";

    /// What the lists say now; of a list that could not be read to its end what
    /// was known before stays.
    pub fn renewed(self, lists: &devin_api::People) -> Self {
        let before = if lists.notes.is_empty() { Self::default() } else { self };
        let Self { mut users, mut organisations, mut cycle_limits, .. } = before;
        users.extend(lists.members.iter().map(|member| {
            (member.id.clone(), User { name: member.name.clone(), email: member.email.clone() })
        }));
        // An organisation that is listed now may have lost its limit.
        cycle_limits.retain(|org, _| !lists.organisations.contains_key(org));
        cycle_limits.extend(lists.cycle_limits.clone());
        organisations.extend(lists.organisations.clone());
        Self { users, organisations, cycle_limits, members: lists.count }
    }

    /// As in the lists.
    pub fn into_lists(self) -> devin_api::People {
        let member = |(id, User { name, email })| devin_api::Member { id, name, email };
        devin_api::People {
            members: self.users.into_iter().map(member).collect(),
            organisations: self.organisations,
            // The file may be another's: a limit that no list has would be divided by.
            cycle_limits: self.cycle_limits.into_iter().filter(|(_, limit)| *limit > 0.0).collect(),
            notes: Vec::new(),
            count: self.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(orgs: &[(&str, Option<f64>)], notes: &[&str]) -> devin_api::People {
        let limit = |(org, limit): &(&str, Option<f64>)| limit.map(|limit| ((*org).to_owned(), limit));
        devin_api::People {
            organisations: orgs.iter().map(|(org, _)| ((*org).to_owned(), org.to_uppercase())).collect(),
            cycle_limits: orgs.iter().filter_map(limit).collect(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            ..devin_api::People::default()
        }
    }

    #[test]
    fn limits_are_kept_and_are_those_of_the_last_list() {
        let first = People::default().renewed(&lists(&[("a", Some(100.5)), ("b", Some(9.0))], &[]));
        let text = serde_json::to_string(&first).unwrap();
        let read: People = serde_json::from_str(&text).unwrap();
        assert_eq!(read, first);
        let kept = [("a".to_owned(), 100.5), ("b".to_owned(), 9.0)];
        assert_eq!(read.into_lists().cycle_limits, kept.into());
        // The list was not read to its end: b is as it was, a has no limit any more.
        let cut = first.clone().renewed(&lists(&[("a", None), ("c", Some(1.0))], &["cut short"]));
        assert_eq!(cut.cycle_limits, [("b".to_owned(), 9.0), ("c".to_owned(), 1.0)].into());
        let none = first.renewed(&lists(&[("a", None)], &[]));
        assert!(!serde_json::to_string(&none).unwrap().contains("cycle_limits"));
    }

    #[test]
    fn an_impossible_limit_of_a_file_is_none() {
        let text = r#"{"users": {}, "organisations": {}, "cycle_limits": {"a": 0, "b": -1, "c": 3}}"#;
        let read: People = serde_json::from_str(text).unwrap();
        assert_eq!(read.into_lists().cycle_limits, [("c".to_owned(), 3.0)].into());
    }
}
