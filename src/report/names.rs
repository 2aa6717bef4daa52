//! Names of groups and dimensions.

use crate::metrics::{Dim, Facts, SMALL_GROUP};
use crate::text::clean;

/// The longest name on the page; charts truncate to their own width.
const LONGEST: usize = 120;

/// A group's name: its key, cleaned, or a word for null.
pub fn name(dim: Dim, key: Option<&str>) -> String {
    let none = match dim {
        Dim::Tag => "untagged",
        Dim::Team => "no team",
        Dim::User => "no user",
        Dim::Label => "no label",
        Dim::Type => "no type",
        Dim::Org => "no organisation",
        Dim::Origin => "no origin",
        Dim::Size => "no size",
        Dim::Category => "no category",
        _ => "none",
    };
    let Some(key) = key else { return none.to_owned() };
    let text = match dim {
        Dim::Bin => return bin(key),
        Dim::Type | Dim::Status | Dim::Category | Dim::Origin => key.replace('_', " "),
        Dim::Size if key != SMALL_GROUP => key.to_uppercase(),
        _ => key.to_owned(),
    };
    let text = clean(&text, LONGEST);
    if text.is_empty() { "(unprintable)".to_owned() } else { text }
}

/// The name of a fact's group: users and organisations by name, if it is known and may be shown.
pub fn of(facts: &Facts, dim: Dim, key: Option<&str>) -> String {
    name(dim, key.map(|key| facts.called(dim, key)))
}

/// The plural of a dimension's groups.
pub fn plural(dim: Dim) -> &'static str {
    match dim {
        Dim::Bin => "bins",
        Dim::Category => "categories",
        Dim::Day => "days",
        Dim::Impact => "impacts",
        Dim::Issues => "counts",
        Dim::Label => "labels",
        Dim::Org => "organisations",
        Dim::Origin => "origins",
        Dim::Period => "periods",
        Dim::Repo => "repositories",
        Dim::Size => "sizes",
        Dim::State => "states",
        Dim::Status => "statuses",
        Dim::Tag => "tags",
        Dim::Team => "teams",
        Dim::Type => "types",
        Dim::User => "users",
    }
}

/// The head of a dimension's column.
pub fn head(dim: Dim) -> &'static str {
    match dim {
        Dim::Bin => "ACUs",
        Dim::Category => "Category",
        Dim::Day => "Day",
        Dim::Impact => "Impact",
        Dim::Issues => "Issues",
        Dim::Label => "Label",
        Dim::Org => "Organisation",
        Dim::Origin => "Origin",
        Dim::Period => "Period",
        Dim::Repo => "Repository",
        Dim::Size => "Size",
        Dim::State => "State",
        Dim::Status => "Status",
        Dim::Tag => "Tag",
        Dim::Team => "Team",
        Dim::Type => "Type",
        Dim::User => "User",
    }
}

fn bin(lower: &str) -> String {
    let edges = crate::metrics::BINS;
    let upper = edges.windows(2).find_map(|pair| match pair {
        [low, high] if low.to_string() == lower => Some(*high),
        _ => None,
    });
    match upper {
        Some(upper) => format!("{lower}–{upper}"),
        None => format!("{lower}+"),
    }
}
