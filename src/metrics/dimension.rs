//! Dimensions: what facts are grouped by, and the keys of their groups.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::capabilities::Needs;
use crate::tables::normal::{IMPACTS, STATES};

/// The enum and, for each dimension, its name, the head of its column, the plural of
/// its groups, the word for null and what it needs to be known.
macro_rules! dimensions {
    ($($(#[$doc:meta])+ $dim:ident, $name:literal, $head:literal, $plural:literal, $none:literal, $needs:ident;)+) => {
        /// What facts are grouped by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Dim {
            $($(#[$doc])+ $dim,)+
        }

        /// All of them.
        const ALL: &[Dim] = &[$(Dim::$dim,)+];

        impl Dim {
            /// Its key in `facts.json`, and its column in frames.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$dim => $name,)+
                }
            }

            /// The head of its column.
            pub fn head(self) -> &'static str {
                match self {
                    $(Self::$dim => $head,)+
                }
            }

            /// The plural of its groups.
            pub fn plural(self) -> &'static str {
                match self {
                    $(Self::$dim => $plural,)+
                }
            }

            /// The word for null.
            pub fn none(self) -> &'static str {
                match self {
                    $(Self::$dim => $none,)+
                }
            }

            /// What it needs to be known.
            pub fn needs(self) -> Needs {
                match self {
                    $(Self::$dim => Needs::$needs,)+
                }
            }
        }
    };
}

dimensions! {
    /// Lower edge of a bin of ACUs a session.
    Bin, "bin", "ACUs", "bins", "none", Nothing;
    /// Kind of work of a session.
    Category, "category", "Category", "categories", "no category", V3;
    /// Local date.
    Day, "day", "Day", "days", "none", Nothing;
    /// Impact of an issue.
    Impact, "impact", "Impact", "impacts", "none", Api;
    /// Number of issues that a session has.
    Issues, "issues", "Issues", "counts", "none", Api;
    /// Label of an issue.
    Label, "label", "Label", "labels", "no label", Api;
    /// The mode that Devin worked in.
    Mode, "mode", "Mode", "modes", "no mode", V3;
    /// Organisation id.
    Org, "org", "Organisation", "organisations", "no organisation", Nothing;
    /// Where a session was started from.
    Origin, "origin", "Origin", "origins", "no origin", V3;
    /// A period of the trend.
    Period, "period", "Period", "periods", "none", Nothing;
    /// Playbook that a session follows.
    Playbook, "playbook", "Playbook", "playbooks", "no playbook", V3;
    /// Repository of a pull request.
    Repo, "repo", "Repository", "repositories", "none", Nothing;
    /// Size of a session.
    Size, "size", "Size", "sizes", "no size", V3;
    /// State of a pull request.
    State, "state", "State", "states", "none", Nothing;
    /// Status of a session.
    Status, "status", "Status", "statuses", "none", Api;
    /// Reason of a session's status.
    StatusDetail, "status_detail", "Status detail", "status details", "no detail", V3;
    /// Tag of a session.
    Tag, "tag", "Tag", "tags", "untagged", Api;
    /// Team of a session, by the user's own rules and people file.
    Team, "team", "Team", "teams", "no team", Teams;
    /// Type of an action item.
    Type, "type", "Type", "types", "no type", Api;
    /// User of a session.
    User, "user", "User", "users", "no user", Nothing;
}

impl Dim {
    /// The dimension with this name.
    pub fn named(name: &str) -> Option<Self> {
        ALL.iter().copied().find(|dim| dim.name() == name)
    }

    /// The names of all.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ALL.iter().map(|dim| dim.name())
    }
}

/// Its name in `facts.json`.
impl Serialize for Dim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Dim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("the dimension {name:?} is not known")))
    }
}

/// The key of the group that the small groups of a dimension are combined in.
pub const SMALL_GROUP: &str = "fewer than five people";

/// The key of a group in one dimension. In closed sets keys are in the order of the
/// set, otherwise in alphabetical order; the key of the combined group is the last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    place: usize,
    text: Arc<str>,
}

impl Key {
    /// The key with this text.
    pub fn new(dim: Dim, text: &str) -> Self {
        let among = |set: &[&str]| set.iter().position(|own| *own == text).unwrap_or(set.len());
        let place = match dim {
            _ if text == SMALL_GROUP => usize::MAX,
            Dim::Impact => among(&IMPACTS),
            Dim::State => among(&STATES),
            Dim::Bin => text.parse().expect("a bin is named by its lower edge"),
            _ => 0,
        };
        Self { place, text: text.into() }
    }

    /// Its text in facts.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is that of the combined group.
    pub fn is_combined(&self) -> bool {
        &*self.text == SMALL_GROUP
    }
}

/// The keys of a group, one a dimension; null is `None` and the first.
pub type GroupKey = Vec<Option<Key>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_closed_sets_are_in_the_order_of_the_set_and_others_alphabetical() {
        let sorted = |dim, texts: &[&str]| {
            let mut keys: Vec<Key> = texts.iter().map(|text| Key::new(dim, text)).collect();
            keys.sort();
            keys.iter().map(|key| key.text().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            sorted(Dim::Impact, &[SMALL_GROUP, "other", "low", "high"]),
            ["high", "low", "other", SMALL_GROUP]
        );
        assert_eq!(sorted(Dim::Bin, &["10", "2", "0"]), ["0", "2", "10"]);
        assert_eq!(sorted(Dim::Tag, &["z", SMALL_GROUP, "a"]), ["a", "z", SMALL_GROUP]);
        assert!(None < Some(Key::new(Dim::Tag, "")));
    }
}
