//! What stays the same across the sessions of an invented organisation.

use chrono::{DateTime, TimeDelta, Utc};

use super::random::{Random, running_sums};
use super::recipe::Recipe;
use super::words::{KINDS, TEAMS};

/// A stream that no session has.
const STREAM: u64 = u64::MAX;
/// Of 14 tags 8 are teams; the others are kinds of work.
const TEAM_SHARE: (usize, usize) = (8, 14);

/// Names, people and rates.
#[derive(Debug)]
pub struct World {
    /// How often odd values occur, see [`Recipe::oddity`].
    pub oddity: f64,
    /// See [`Recipe::name_length`].
    pub name_length: Option<usize>,
    /// The moment after the last session.
    pub end: DateTime<Utc>,
    /// Tags of teams, then tags of kinds of work.
    pub teams: Vec<String>,
    pub kinds: Vec<String>,
    /// User ids, the busiest first, and their running weights.
    pub users: Vec<String>,
    pub user_weights: Vec<f64>,
    /// Service users, which start sessions by a schedule.
    pub service_users: [String; 2],
    /// At least one.
    pub orgs: Vec<String>,
    /// How many repositories there are.
    pub repos: usize,
}

impl World {
    /// The world of a recipe.
    pub fn new(recipe: &Recipe) -> Self {
        let mut random = Random::stream(recipe.seed, STREAM);
        let teams = (recipe.tags * TEAM_SHARE.0).div_ceil(TEAM_SHARE.1);
        let named = |index: usize, known: Option<&str>, other: &str| match known {
            Some(name) => pad(name.to_owned(), recipe.name_length),
            None => pad(format!("{other}-{}", index + 1), recipe.name_length),
        };
        Self {
            oddity: recipe.oddity,
            name_length: recipe.name_length,
            end: recipe.end(),
            teams: (0..teams).map(|i| named(i, TEAMS.get(i).map(|team| team.0), "team")).collect(),
            kinds: (0..recipe.tags - teams)
                .map(|i| named(i, KINDS.get(i).map(|kind| kind.0), "topic"))
                .collect(),
            users: (0..recipe.users).map(|_| format!("email|{}", random.hex(24))).collect(),
            // Zipf's law, flattened so that the quietest still work every week.
            user_weights: running_sums((0..recipe.users).map(|rank| 1.0 / (rank as f64 + 2.0))),
            service_users: [(); 2].map(|()| format!("service-user-{}", random.hex(32))),
            orgs: org_ids(recipe).collect(),
            repos: recipe.repos,
        }
    }

    /// True with this probability, scaled by how odd the world is.
    pub fn odd(&self, random: &mut Random, probability: f64) -> bool {
        random.chance(probability * self.oddity)
    }

    /// The last seven days, which have a story to tell.
    pub fn is_story(&self, at: DateTime<Utc>) -> bool {
        self.end - at <= TimeDelta::days(7)
    }
}

/// The organisations of a recipe, at least one.
pub fn org_ids(recipe: &Recipe) -> impl Iterator<Item = String> {
    (0..recipe.orgs.max(1)).map(org_id)
}

/// `org_demo`, `org_demo_2` …
pub fn org_id(index: usize) -> String {
    match index {
        0 => "org_demo".to_owned(),
        _ => format!("org_demo_{}", index + 1),
    }
}

/// Lengthens a name to this many characters by repeating it.
pub fn pad(name: String, length: Option<usize>) -> String {
    let Some(length) = length else { return name };
    let count = name.chars().count();
    if count == 0 || count >= length {
        return name;
    }
    let filler = name.chars().chain([' ']).cycle().take(length - count - 1).collect::<String>();
    format!("{name} {filler}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_padded_to_length() {
        assert_eq!(pad("auth".to_owned(), Some(12)), "auth auth au");
        assert_eq!(pad("支付".to_owned(), Some(6)), "支付 支付 ");
        assert_eq!(pad("auth".to_owned(), Some(2)), "auth");
        assert_eq!(pad("auth".to_owned(), None), "auth");
    }

    #[test]
    fn any_number_of_tags_can_be_had() {
        for tags in [0, 1, 2, 14, 400] {
            let world = World::new(&Recipe { tags, ..Recipe::demo() });
            assert_eq!(world.teams.len() + world.kinds.len(), tags);
        }
    }
}
