//! When sessions start: office hours, quiet weekends, slow growth.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::random::{Random, running_sums};
use super::recipe::Recipe;

/// Monday to Sunday.
const WEEKDAY: [f64; 7] = [1.0, 1.1, 1.1, 1.05, 0.85, 0.12, 0.08];
/// The hours of a working day, in UTC, of people in Europe.
const HOUR: [f64; 24] = [
    0.4, 0.2, 0.1, 0.1, 0.2, 1.0, 6.0, 20.0, 34.0, 36.0, 30.0, 18.0, 20.0, 32.0, 36.0, 33.0, 24.0, 12.0, 6.0,
    4.0, 3.0, 2.0, 1.5, 0.8,
];
/// How much busier the last day is than the first.
const GROWTH: f64 = 0.3;
/// The share of sessions that a schedule starts.
const AUTOMATIC: f64 = 0.08;
/// The stream that draws the starts; sessions have the streams from 1 on.
const STREAM: u64 = 0;

/// The start of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Start {
    /// When, to the microsecond.
    pub at: DateTime<Utc>,
    /// A schedule started it, not a person.
    pub automatic: bool,
}

/// The starts of all sessions of a recipe, oldest first.
pub fn starts(recipe: &Recipe) -> Vec<Start> {
    let mut random = Random::stream(recipe.seed, STREAM);
    let growth = |day: u32| 1.0 + GROWTH * f64::from(day) / f64::from(recipe.days.max(1));
    let workdays = running_sums((0..recipe.days).map(|day| growth(day) * weekday(recipe.first_day, day)));
    let all_days = running_sums((0..recipe.days).map(growth));
    let hours = running_sums(HOUR.into_iter());

    let mut starts: Vec<Start> = (0..recipe.sessions)
        .map(|_| {
            let automatic = random.chance(AUTOMATIC);
            let day = random.cumulative(if automatic { &all_days } else { &workdays });
            let hour = if automatic { 1 + random.below(3) } else { random.cumulative(&hours) };
            let within = random.below(3_600_000_000) as i64;
            let at = midnight(recipe.first_day, day as u32)
                + TimeDelta::microseconds(hour as i64 * 3_600_000_000 + within);
            Start { at, automatic }
        })
        .collect();
    starts.sort_unstable();
    starts
}

fn weekday(first: NaiveDate, day: u32) -> f64 {
    let index = first.weekday().num_days_from_monday() + day;
    WEEKDAY.get(index as usize % WEEKDAY.len()).copied().unwrap_or_default()
}

fn midnight(first: NaiveDate, day: u32) -> DateTime<Utc> {
    let date = first.checked_add_days(Days::new(day.into())).unwrap_or(first);
    date.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    #[test]
    fn starts_keep_office_hours() {
        let recipe = Recipe::demo();
        let starts = starts(&recipe);
        assert_eq!(starts.len(), recipe.sessions);
        assert!(starts.is_sorted());
        let first = midnight(recipe.first_day, 0);
        assert!(starts.iter().all(|start| start.at >= first && start.at < recipe.end()));

        let people: Vec<_> = starts.iter().filter(|start| !start.automatic).map(|start| start.at).collect();
        let weekend = people.iter().filter(|at| at.weekday().num_days_from_monday() > 4).count();
        let office = people.iter().filter(|at| (6..18).contains(&at.hour())).count();
        assert!(weekend * 15 < people.len() && weekend > 0, "{weekend} of {}", people.len());
        assert!(office * 10 > people.len() * 8, "{office} of {}", people.len());
    }

    #[test]
    fn no_days_is_no_panic() {
        assert_eq!(starts(&Recipe { days: 0, sessions: 3, ..Recipe::demo() }).len(), 3);
    }
}
