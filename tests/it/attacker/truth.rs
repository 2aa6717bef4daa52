//! Who is behind a group: plain loops over the records that the API serves.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::Value;

use crate::oracle::records::{self, Session};

/// The fewest people that anything in a covered report may rest on.
pub const K: usize = 5;
/// The time zone of every report here.
pub const ZONE: Tz = chrono_tz::Europe::Berlin;

/// The keys of a group by dimension; a null key is the group without a value.
pub type Group = BTreeMap<String, Option<String>>;
/// Sessions, by their place in the truth.
pub type Rows = BTreeSet<usize>;
/// A user's id, or the id of a session without a user.
pub type Person = String;

const IMPACTS: [&str; 4] = ["high", "medium", "low", "other"];
/// Names of states, the strongest first.
const STATES: [&str; 5] = ["merged", "closed", "open", "draft", "unknown"];

/// A whole week, month or quarter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    pub label: String,
    pub first: NaiveDate,
    /// The day after the last.
    pub after: NaiveDate,
}

impl Period {
    /// Reads `2026-W41`, `2026-10` or `2026-Q4`.
    pub fn new(label: &str) -> Self {
        let (year, rest) = label.split_once('-').expect("a year");
        let year: i32 = year.parse().expect("a year");
        let (first, after) = match rest.split_at(1) {
            ("W", week) => {
                let week = week.parse().expect("a week");
                let first = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon).expect("a week of the year");
                (first, first + Days::new(7))
            }
            ("Q", quarter) => {
                let quarter: u32 = quarter.parse().expect("a quarter");
                let first = NaiveDate::from_ymd_opt(year, quarter * 3 - 2, 1).expect("a quarter of the year");
                (first, first + Months::new(3))
            }
            _ => {
                let first =
                    NaiveDate::from_ymd_opt(year, rest.parse().expect("a month"), 1).expect("a month");
                (first, first + Months::new(1))
            }
        };
        Self { label: label.to_owned(), first, after }
    }

    /// The period of the same kind right before.
    pub fn before(&self) -> Self {
        let last = self.first - Days::new(1);
        let label = match self.label.as_bytes().get(5) {
            Some(b'W') => format!("{}-W{:02}", last.iso_week().year(), last.iso_week().week()),
            Some(b'Q') => format!("{}-Q{}", last.year(), last.month().div_ceil(3)),
            _ => last.format("%Y-%m").to_string(),
        };
        Self::new(&label)
    }

    pub fn is_week(&self) -> bool {
        self.label.contains('W')
    }

    pub fn contains(&self, other: &Self) -> bool {
        self.first <= other.first && other.after <= self.after
    }
}

/// What narrows a report: a tag, a team, an organisation, several of them or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Filter {
    pub tag: Option<String>,
    pub team: Option<String>,
    pub org: Option<String>,
}

impl Filter {
    /// Each flag with its key.
    pub fn flags(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let flags = [("--tag", &self.tag), ("--team", &self.team), ("--org", &self.org)];
        flags.into_iter().filter_map(|(flag, key)| Some((flag, key.as_deref()?)))
    }

    /// Whether this is the other one with something more.
    pub fn narrows(&self, other: &Self) -> bool {
        let own: Vec<_> = self.flags().collect();
        self != other && other.flags().all(|flag| own.contains(&flag))
    }
}

/// The sessions of an organisation.
pub struct Truth {
    pub sessions: Vec<Session>,
}

/// A distinct pull request of a period: the place of its owner, repository, state.
pub struct Pull {
    pub owner: usize,
    pub repo: String,
    pub state: &'static str,
}

impl Truth {
    pub fn new(records: &[Value]) -> Self {
        Self { sessions: records::sessions(records, DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC) }
    }

    /// The sessions that a filter leaves.
    pub fn filtered(&self, filter: &Filter) -> Self {
        let keeps = |session: &&Session| {
            filter.tag.as_ref().is_none_or(|tag| session.tags.contains(tag))
                && filter.team.as_ref().is_none_or(|name| team(session).as_ref() == Some(name))
                && filter.org.as_ref().is_none_or(|org| session.org.as_ref() == Some(org))
        };
        Self { sessions: self.sessions.iter().filter(keeps).cloned().collect() }
    }

    /// The sessions of a period.
    pub fn of(&self, period: &Period) -> Rows {
        let inside = |session: &Session| (period.first..period.after).contains(&local_date(session));
        (0..self.sessions.len()).filter(|at| inside(&self.sessions[*at])).collect()
    }

    /// The distinct people behind sessions: service users and automation are
    /// none, and each session without a user is one.
    pub fn people<'a>(&self, rows: impl IntoIterator<Item = &'a usize>) -> BTreeSet<Person> {
        rows.into_iter().filter_map(|at| person(&self.sessions[*at])).collect()
    }

    /// Those that have a user's id.
    pub fn users<'a>(&self, rows: impl IntoIterator<Item = &'a usize>) -> BTreeSet<Person> {
        let users = rows.into_iter().map(|at| &self.sessions[*at]).filter(|session| !session.automation);
        users.filter_map(|session| session.user.clone()).collect()
    }

    /// The ACUs of sessions.
    pub fn acus<'a>(&self, rows: impl IntoIterator<Item = &'a usize>) -> f64 {
        rows.into_iter().map(|at| self.sessions[*at].spent()).sum()
    }

    /// The distinct pull requests of a period. The owner is the earliest of the
    /// sessions that list one; the strongest state counts.
    pub fn pulls(&self, period: &Period) -> Vec<Pull> {
        let mut pulls: BTreeMap<&str, Pull> = BTreeMap::new();
        let mut rows: Vec<usize> = self.of(period).into_iter().collect();
        rows.sort_by_key(|at| (self.sessions[*at].created, &self.sessions[*at].id));
        for at in rows {
            for entry in &self.sessions[at].pulls {
                let Some(address) = entry.address.as_deref() else { continue };
                let pull = pulls.entry(address).or_insert_with(|| Pull {
                    owner: at,
                    repo: repo(address),
                    state: entry.state,
                });
                if rank(entry.state) < rank(pull.state) {
                    pull.state = entry.state;
                }
            }
        }
        pulls.into_values().collect()
    }

    /// The sessions of every group of these dimensions in a period. A group by
    /// `impact` or `label` holds the sessions with such an issue, one by `repo`
    /// or `state` those that own such a pull request.
    pub fn groups(&self, period: &Period, dimensions: &BTreeSet<String>) -> BTreeMap<Group, Rows> {
        let mut pulls: BTreeMap<usize, Vec<Pull>> = BTreeMap::new();
        if has(dimensions, "repo") || has(dimensions, "state") {
            for pull in self.pulls(period) {
                pulls.entry(pull.owner).or_default().push(pull);
            }
        }
        let mut groups: BTreeMap<Group, Rows> = BTreeMap::new();
        for at in self.of(period) {
            let own = pulls.get(&at).map_or(&[][..], Vec::as_slice);
            for group in keys(&self.sessions[at], own, dimensions) {
                groups.entry(group).or_default().insert(at);
            }
        }
        groups
    }
}

fn has(dimensions: &BTreeSet<String>, name: &str) -> bool {
    dimensions.contains(name)
}

fn rank(state: &str) -> usize {
    STATES.iter().position(|known| *known == state).expect("every state is one of five")
}

/// Who started a session, if that is a person.
pub fn person(session: &Session) -> Option<Person> {
    let nobody = || format!("session {}", session.id);
    (!session.automation).then(|| session.user.clone().unwrap_or_else(nobody))
}

/// The rest of its tag `team:…`; no session here has two.
pub fn team(session: &Session) -> Option<String> {
    session.tags.iter().find_map(|tag| tag.strip_prefix("team:").map(str::to_owned))
}

/// The date in the time zone of the reports.
pub fn local_date(session: &Session) -> NaiveDate {
    session.created.with_timezone(&ZONE).date_naive()
}

/// The moment of a local time, for organisations made by hand.
pub fn moment(day: NaiveDate, hour: u32, minute: u32) -> DateTime<Utc> {
    let local = day.and_hms_opt(hour, minute, 0).expect("a time of day");
    ZONE.from_local_datetime(&local).earliest().expect("no clock change by day").to_utc()
}

/// Host and path before the part that names a pull request.
fn repo(address: &str) -> String {
    let path = address.split_once("://").map_or(address, |(_, path)| path);
    let markers =
        ["/pull/", "/pulls/", "/-/merge_requests/", "/merge_requests/", "/pull-requests/", "/pullrequest/"];
    let end = markers.iter().filter_map(|marker| path.find(marker)).min();
    end.map_or("unknown", |end| &path[..end]).to_owned()
}

/// The bin of a number of ACUs: its lower edge.
pub fn bin(acus: f64) -> &'static str {
    let edges = [("50", 50.0), ("20", 20.0), ("10", 10.0), ("5", 5.0), ("2", 2.0), ("1", 1.0)];
    edges.iter().find(|(_, edge)| acus >= *edge).map_or("0", |(name, _)| name)
}

/// The groups of these dimensions that a session is in.
fn keys(session: &Session, pulls: &[Pull], dimensions: &BTreeSet<String>) -> BTreeSet<Group> {
    let one = |name: &str, key: Option<String>| Group::from([(name.to_owned(), key)]);
    let mut all = BTreeSet::from([Group::new()]);
    let mut cross = |parts: BTreeSet<Group>| {
        let joined = |whole: &Group| -> Vec<Group> {
            parts.iter().map(|part| whole.clone().into_iter().chain(part.clone()).collect()).collect()
        };
        all = all.iter().flat_map(joined).collect();
    };
    for name in dimensions {
        match name.as_str() {
            "tag" => cross(session.tag_groups().into_iter().map(|tag| one(name, tag)).collect()),
            "team" => cross([one(name, team(session))].into()),
            "org" => cross([one(name, session.org.clone())].into()),
            "status" => cross([one(name, session.status.clone())].into()),
            "origin" => cross([one(name, session.origin.clone())].into()),
            "size" => cross([one(name, session.size.clone())].into()),
            "category" => cross([one(name, session.category.clone())].into()),
            "status_detail" => cross([one(name, session.status_detail.clone())].into()),
            "playbook" => cross([one(name, session.playbook.clone())].into()),
            "mode" => cross([one(name, session.mode.clone())].into()),
            "day" => cross([one(name, Some(local_date(session).to_string()))].into()),
            "bin" => cross(session.acus.iter().map(|acus| one(name, Some(bin(*acus).to_owned()))).collect()),
            "type" => {
                let types = session.analysis.iter().flat_map(|analysis| &analysis.action_types);
                cross(types.map(|kind| one(name, kind.clone())).collect());
            }
            // What belongs together comes below.
            "impact" | "label" | "issues" | "repo" | "state" => {}
            other => panic!("the attacker does not know the dimension {other}"),
        }
    }
    if has(dimensions, "issues") {
        let bins = session.analysis.iter().flat_map(|analysis| {
            IMPACTS.map(|impact| {
                let number = analysis.issues.iter().filter(|issue| issue.impact == impact).count();
                let bin = if number >= 5 { "5+".to_owned() } else { number.to_string() };
                Group::from([
                    ("impact".to_owned(), Some(impact.to_owned())),
                    ("issues".to_owned(), Some(bin)),
                ])
            })
        });
        cross(bins.collect());
    } else if has(dimensions, "impact") || has(dimensions, "label") {
        let issues = session.analysis.iter().flat_map(|analysis| &analysis.issues);
        let of = issues.map(|issue| {
            let mut group = one("impact", Some(issue.impact.to_owned()));
            group.extend(one("label", issue.label.clone()));
            group.retain(|name, _| has(dimensions, name));
            group
        });
        cross(of.collect());
    }
    if has(dimensions, "repo") || has(dimensions, "state") {
        let of = pulls.iter().map(|pull| {
            let mut group = one("repo", Some(pull.repo.clone()));
            group.extend(one("state", Some(pull.state.to_owned())));
            group.retain(|name, _| has(dimensions, name));
            group
        });
        cross(of.collect());
    }
    all
}

/// The first days of so many weeks.
pub fn weeks(first: NaiveDate, number: u64) -> impl Iterator<Item = NaiveDate> {
    (0..number).map(move |week| first + Duration::days(7 * week as i64))
}
