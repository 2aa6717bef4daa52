//! Who the ids in sessions belong to, kept beside them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The API's lists of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// By id.
    pub users: BTreeMap<String, User>,
    /// What to show for the id of an organisation.
    pub organisations: BTreeMap<String, String>,
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
        let Self { mut users, mut organisations, .. } = before;
        users.extend(lists.members.iter().map(|member| {
            (member.id.clone(), User { name: member.name.clone(), email: member.email.clone() })
        }));
        organisations.extend(lists.organisations.clone());
        Self { users, organisations, members: lists.count }
    }

    /// As in the lists.
    pub fn into_lists(self) -> devin_api::People {
        let member = |(id, User { name, email })| devin_api::Member { id, name, email };
        devin_api::People {
            members: self.users.into_iter().map(member).collect(),
            organisations: self.organisations,
            notes: Vec::new(),
            count: self.members,
        }
    }
}
