//! Names of groups.

use crate::metrics::{Dim, Facts, SMALL_GROUP};
use crate::text::clean;

/// The longest name on the page; charts truncate to their own width.
const LONGEST: usize = 120;

/// A group's name: its key, cleaned, or a word for null.
pub fn name(dim: Dim, key: Option<&str>) -> String {
    let Some(key) = key else { return dim.none().to_owned() };
    let text = match dim {
        Dim::Bin => return bin(key),
        Dim::Type | Dim::Status | Dim::StatusDetail | Dim::Category | Dim::Origin => key.replace('_', " "),
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
