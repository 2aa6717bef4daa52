//! What stays the same across the sessions of an invented organisation.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::random::{Random, running_sums};
use super::recipe::Recipe;
use super::words::WORDS;

/// A stream that no session has.
const STREAM: u64 = u64::MAX;
/// The streams of when people join and leave, counted down by their place; no session has one of them.
const TENURES: u64 = u64::MAX - 1;
/// Of so many people in a row one joins and one leaves within the span, by their places.
const ROUND: usize = 12;
const JOINS: usize = 5;
const LEAVES: usize = 9;
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
    /// When each of them starts sessions; most do so all the time.
    pub tenures: Vec<Range<DateTime<Utc>>>,
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
        let named = |index: usize, known: Option<&str>, prefix: &str, other: &str| {
            let name = known.map_or_else(|| format!("{other}-{}", index + 1), str::to_owned);
            pad(format!("{prefix}{name}"), recipe.name_length)
        };
        Self {
            oddity: recipe.oddity,
            name_length: recipe.name_length,
            end: recipe.end(),
            teams: (0..teams)
                .map(|i| named(i, WORDS.teams.get(i).map(|team| team.0), "team:", "unit"))
                .collect(),
            kinds: (0..recipe.tags - teams)
                .map(|i| named(i, WORDS.kinds.get(i).map(|kind| kind.0), "", "topic"))
                .collect(),
            users: (0..recipe.users).map(|_| format!("email|{}", random.hex(24))).collect(),
            // Zipf's law, flattened so that the quietest still work every week.
            user_weights: running_sums((0..recipe.users).map(|rank| 1.0 / (rank as f64 + 2.0))),
            tenures: (0..recipe.users).map(|rank| tenure(recipe, rank)).collect(),
            service_users: [(); 2].map(|()| format!("service-user-{}", random.hex(32))),
            orgs: org_ids(recipe).collect(),
            repos: recipe.repos,
        }
    }

    /// Who starts a session at a moment in the place of somebody who has yet to join
    /// or has left: a colleague of the same organisation, of the same team if there is one.
    pub fn on_duty(&self, person: usize, at: DateTime<Utc>) -> usize {
        let is_there = |rank: usize| self.tenures.get(rank).is_none_or(|tenure| tenure.contains(&at));
        if is_there(person) {
            return person;
        }
        let (orgs, teams) = (self.orgs.len().max(1), self.teams.len().max(1));
        let is_of_org = |rank: &usize| rank % orgs == person % orgs && is_there(*rank);
        let of_org: Vec<usize> = (0..self.users.len()).filter(is_of_org).collect();
        let of_team: Vec<usize> =
            of_org.iter().copied().filter(|rank| rank % teams == person % teams).collect();
        let colleagues = if of_team.is_empty() { of_org } else { of_team };
        let id = self.users.get(person).map_or("", String::as_str);
        let drawn = Random::keyed(id, at.timestamp_micros().unsigned_abs()).below(colleagues.len());
        colleagues.get(drawn).copied().unwrap_or(person)
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

/// When somebody starts sessions. Nobody leaves in the last week, which has a story to tell.
fn tenure(recipe: &Recipe, rank: usize) -> Range<DateTime<Utc>> {
    let mut random = Random::stream(recipe.seed, TENURES - rank as u64);
    let seconds = 86_400.0 * f64::from(recipe.days);
    let first = recipe.end() - TimeDelta::seconds(seconds as i64);
    let within = |share: f64| first + TimeDelta::seconds((seconds * share) as i64);
    match rank % ROUND {
        JOINS if recipe.turnover => within(0.15 + 0.6 * random.unit())..recipe.end(),
        LEAVES if recipe.turnover => first..within(0.25 + 0.6 * random.unit()),
        _ => first..recipe.end(),
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
    fn somebody_who_is_not_there_is_stood_in_for_by_a_colleague() {
        let world = World::new(&Recipe { orgs: 2, ..Recipe::demo() });
        let (first, last) = (world.tenures[0].start, world.end - TimeDelta::seconds(1));
        for person in 0..world.users.len() {
            for (at, is_away) in [(first, person % ROUND == JOINS), (last, person % ROUND == LEAVES)] {
                let other = world.on_duty(person, at);
                assert_eq!(other != person, is_away, "{person}");
                assert!(
                    other % 2 == person % 2 && other % 8 == person % 8 && world.tenures[other].contains(&at)
                );
            }
        }
        let alone = World::new(&Recipe { users: 6, orgs: 6, ..Recipe::demo() });
        assert_eq!(alone.on_duty(JOINS, first), JOINS, "nobody can stand in");
        let steady = World::new(&Recipe { turnover: false, ..Recipe::demo() });
        assert!(steady.tenures.iter().all(|tenure| *tenure == (first..world.end)));
    }

    #[test]
    fn any_number_of_tags_can_be_had() {
        for tags in [0, 1, 2, 14, 400] {
            let world = World::new(&Recipe { tags, ..Recipe::demo() });
            assert_eq!(world.teams.len() + world.kinds.len(), tags);
        }
    }
}
