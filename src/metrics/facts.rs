//! Everything that a report shows, as `facts.json` holds it: already masked, and the only input
//! of every output.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::alerts::Alert;
use super::budget::Budget;
use super::capabilities::Capabilities;
use super::cycle_limit::{self, CycleLimit};
use super::dimension::Dim;
use super::fact::Fact;
use super::finance::FinanceRow;
use super::highlights::Highlights;
use super::metric::Metric;
use crate::money::Prices;
use crate::period::Period;
use crate::unit::Unit;
use devin_api::{Consumption, Counts, Records};

/// The version of `facts.json`.
pub const SCHEMA: u32 = 2;

/// The whole of `facts.json`.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What made the facts.
    pub tool: Tool,
    /// RFC 3339, UTC.
    pub generated_at: String,
    /// The report's period.
    pub period: Bounds,
    /// The one it is compared with.
    pub previous: Bounds,
    /// The labels of the points of the trend, newest first: the report's period and earlier ones.
    pub trend: Vec<String>,
    /// Where the sessions come from.
    pub source: Source,
    /// What could not be read as documented.
    pub quality: Quality,
    /// What the vendor counts in the period; `None` if it was not requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<VendorTotals>,
    /// Values that exceed a threshold of the settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// What to know before any number, beyond what the other fields say; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// What was noticed of filters, prices, the budget and people; a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What a covered report leaves out, by metric, then by dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<Withheld>,
    /// The prices of an ACU; none without money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    /// How much of each month's or billing cycle's budget is used, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// How much of each organisation's limit of the billing cycle is used; empty where no limit is
    /// known, and in a covered report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cycle_limits: Vec<CycleLimit>,
    /// What teams and cost centres spent at each price, by team, cost centre and day; none in a
    /// covered report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finance: Vec<FinanceRow>,
    /// What groups are called.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Rows that are no facts: sessions and labels worth a look.
    pub highlights: Highlights,
    /// The numbers in canonical order.
    pub facts: Vec<Fact>,
    /// In a report about a team, the same numbers of all sessions, without groups. A covered report has only
    /// those of which the report about all sessions shows the team, and no previous values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub whole: Vec<Fact>,
}

/// A program and its version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Tool {
    /// This program.
    pub fn acumen() -> Self {
        Self { name: "acumen".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// The bounds of a period.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Its name.
    pub label: String,
    /// RFC 3339, the first instant.
    pub from: String,
    /// RFC 3339, the first instant after it.
    pub to: String,
    /// IANA name of the zone; of the report's period only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    /// Whether it was over at the fetch; of the report's period only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
}

/// Whether all sessions are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// The source proves it.
    Proven,
    /// It is not known: saved arrays and lines, and exports, prove nothing.
    Unproven,
    /// Sessions are missing.
    Incomplete,
}

/// Where the sessions come from, and what happened on the way. A covered report has null for the
/// counts of rows: minus the points of the trend they would give away a point that is not shown.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who wrote the records.
    #[serde(rename = "api")]
    pub records: Records,
    /// Organisation id, or `enterprise`.
    pub scope: String,
    /// Whether the organisation is invented.
    #[serde(default, skip_serializing_if = "is_false")]
    pub demo: bool,
    /// Whether work is billed in ACUs.
    pub metered: bool,
    /// Whether sessions have teams.
    #[serde(default, skip_serializing_if = "is_false")]
    pub teams: bool,
    /// Tags that the sessions were narrowed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Users that the sessions were narrowed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Team that the sessions were narrowed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// `hidden` in a covered report; none in one with names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleMode>,
    /// For whom the report is; none for the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ReportProfile>,
    /// RFC 3339, UTC: all changes before this moment are in the archive that the sessions come
    /// from; `None` if they do not come from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// The saved pages that the sessions come from; `None` for other sources.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<SavedFiles>,
    /// No session matches the tags, users and organisation that were asked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub no_match: bool,
    /// Whether all sessions are there.
    pub completeness: Completeness,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that repeated a failed one.
    pub retries: u64,
    /// Pages read.
    pub pages: Option<u64>,
    /// Rows received: the sum of the next four.
    pub received: Option<u64>,
    /// Distinct sessions, trend included.
    pub unique: Option<u64>,
    /// Rows of a session that had a row before.
    pub duplicates: Option<u64>,
    /// Rows outside the window or the filter, dropped.
    pub outside: Option<u64>,
    /// Rows without an id or a readable creation time, dropped.
    pub rejected: Option<u64>,
    /// Creation times that named no zone and were taken as UTC.
    pub naive_times: Option<u64>,
}

impl Source {
    /// Whether no session is missing as far as that can be known.
    pub fn is_complete(&self) -> bool {
        self.completeness != Completeness::Incomplete
    }
}

/// How people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeopleMode {
    /// Not at all.
    Hidden,
}

/// For whom a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportProfile {
    /// Leadership: covered, without titles and links.
    Leadership,
}

/// Saved pages as a source.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFiles {
    /// Files read.
    pub files: u64,
    /// Files beside them that hold no pages by their names.
    pub other_files: u64,
    /// The times that exports say they cover; empty where they do not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<[DateTime<Utc>; 2]>,
    /// When the oldest session was created; none in a covered report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<DateTime<Utc>>,
    /// When the newest session was created; none in a covered report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<DateTime<Utc>>,
}

/// Counts of what could not be read as documented, over the report's period. In a
/// covered report a count that rests on fewer than five people is null.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Sessions whose ACUs are unknown.
    pub acus_unknown: Option<u64>,
    /// Sessions whose status is none of the documented ones.
    pub unknown_status: Option<u64>,
    /// Issues whose impact is none of the documented ones.
    pub unknown_impact: Option<u64>,
    /// Pull requests whose state is none of the documented ones.
    pub unknown_pr_state: Option<u64>,
    /// Pull request entries without an address, which are no pull requests.
    pub prs_without_url: Option<u64>,
    /// Fields of sessions whose values could not be read.
    pub unreadable_fields: Option<u64>,
    /// Sessions whose tags are of several teams; each counts in the first one by the order of the rules. Absent
    /// where no rule maps tags to teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub several_teams: Option<u64>,
}

/// What the vendor counts in the report's period, as far as the report may show it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VendorTotals {
    /// Sessions, pull requests and what became of them.
    pub counts: Counts,
    /// ACUs by the vendor's days; `None` if unknown.
    pub consumption: Option<Consumption>,
    /// What is missing, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingTotal>,
}

/// Totals that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MissingTotal {
    /// Which ones.
    pub what: String,
    /// Why, in a few words.
    pub reason: String,
}

/// A grouping of a metric that a covered report leaves out because it rests on
/// fewer than five people, or would give away a number that does.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// The metric.
    pub metric: &'static Metric,
    /// The dimensions; empty for the whole period.
    pub by: Vec<Dim>,
}

/// What groups are called, by their key; empty where that is not known or not to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labels {
    /// Organisations.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub org: BTreeMap<String, String>,
    /// Users.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
}

impl Labels {
    fn is_empty(&self) -> bool {
        self.org.is_empty() && self.user.is_empty()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Facts {
    /// The facts of a metric that are grouped by exactly these dimensions.
    pub fn by(&self, metric: &Metric, by: &[Dim]) -> &[Fact] {
        // A page asks hundreds of times: the canonical order finds the block at once.
        let from = self.facts.partition_point(|fact| fact.block_order(metric, by.iter().copied()).is_lt());
        let rest = self.facts.get(from..).expect("a partition point is at most the length");
        let length = rest.partition_point(|fact| fact.block_order(metric, by.iter().copied()).is_eq());
        rest.get(..length).expect("a partition point is at most the length")
    }

    /// The fact of another metric of the same group; both are grouped alike.
    pub fn sibling(&self, fact: &Fact, metric: &Metric) -> Option<&Fact> {
        let by: Vec<Dim> = fact.dims().collect();
        let block = self.by(metric, &by);
        block.binary_search_by(|other| other.keys().cmp(fact.keys())).ok().and_then(|at| block.get(at))
    }

    /// A metric's fact of the whole period.
    pub fn whole(&self, metric: &Metric) -> Option<&Fact> {
        self.by(metric, &[]).first()
    }

    /// Whether the report is covered: it has nothing about single people.
    pub fn is_covered(&self) -> bool {
        self.source.people.is_some()
    }

    /// Whether the report's period was over when the sessions were fetched.
    pub fn is_over(&self) -> bool {
        self.period.complete.unwrap_or(true)
    }

    /// Whether a covered report leaves out a metric in a grouping.
    pub fn withholds(&self, metric: &Metric, by: &[Dim]) -> bool {
        self.withheld.iter().any(|withheld| withheld.metric.id == metric.id && withheld.by == by)
    }

    /// What the data can answer.
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            records: self.source.records,
            metered: self.source.metered,
            teams: self.source.teams,
            currency: self.prices.as_ref().map(Prices::currency),
            synced: self.source.archive.as_deref().and_then(|moment| moment.parse().ok()),
        }
    }

    /// The unit in which values of a metric are written.
    pub fn unit(&self, metric: &Metric) -> Unit {
        metric.unit_in(self.capabilities(), self.is_covered())
    }

    /// What a group of users or organisations is called, where that is known and
    /// may be shown; else its key.
    pub fn called<'n>(&'n self, dim: Dim, key: &'n str) -> &'n str {
        let name = match dim {
            Dim::User => self.labels.user.get(key),
            Dim::Org => self.labels.org.get(key),
            _ => None,
        };
        name.filter(|name| !name.trim().is_empty()).map_or(key, String::as_str)
    }

    /// The zone of the report.
    pub fn tz(&self) -> Tz {
        self.zone().expect("the zone is checked when facts are read")
    }

    /// The report's period.
    pub fn report_period(&self) -> Period {
        self.parsed(&self.period.label).expect("labels are checked when facts are read")
    }

    /// The period that the report's is compared with.
    pub fn previous_period(&self) -> Period {
        self.parsed(&self.previous.label).expect("labels are checked when facts are read")
    }

    /// What totals of the period that is compared are multiplied by to be compared per day: the days
    /// of the report's period by its days. Exactly 1 if both have as many.
    pub fn per_day_scale(&self) -> f64 {
        self.report_period().per_day_scale(&self.previous_period())
    }

    /// Whether the period that is compared was chosen: whether it is not the one right before.
    pub fn is_comparison_chosen(&self) -> bool {
        self.report_period().previous().as_ref() != Some(&self.previous_period())
    }

    /// The points of the trend, newest first.
    pub fn trend_periods(&self) -> Vec<Period> {
        let parsed = |label: &String| self.parsed(label).expect("labels are checked when facts are read");
        self.trend.iter().map(parsed).collect()
    }

    /// The first label that is none of a period in the zone, or the zone that is none.
    pub(super) fn unreadable_label(&self) -> Option<&str> {
        if self.zone().is_none() {
            return Some(self.period.tz.as_deref().unwrap_or("no zone"));
        }
        let mut labels = [&self.period.label, &self.previous.label].into_iter().chain(&self.trend);
        labels.find(|label| self.parsed(label).is_none()).map(String::as_str)
    }

    /// What cannot be true of facts that this program wrote, in words.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let lists = &self.highlights;
        let sessions = [&lists.costliest, &lists.costly_without_merge, &lists.high_impact];
        let has_people = !self.labels.user.is_empty()
            || sessions.iter().any(|list| !list.is_empty())
            || self.facts.iter().any(|fact| fact.key(Dim::User).is_some());
        let distinct: BTreeSet<&String> = self.trend.iter().collect();
        if DateTime::parse_from_rfc3339(&self.generated_at).is_err() {
            Some("generated_at is no time")
        } else if self.previous.label == self.period.label {
            Some("the period is compared with itself")
        } else if self.report_period().first() <= self.previous_period().last() {
            Some("the period is compared with one that does not end before it")
        } else if distinct.len() < self.trend.len() {
            Some("a period is in the trend twice")
        } else if self.is_covered() && has_people {
            Some("people are hidden, and users or sessions are listed")
        } else if self.is_covered() && lists.have_texts() {
            Some("people are hidden, and texts of analyses are listed")
        } else if self.source.team.is_none() && !self.whole.is_empty() {
            Some("the report is about no team, and has numbers of all sessions as well")
        } else if self.whole.iter().any(|fact| !fact.group.is_empty()) {
            Some("a number of all sessions has a group")
        } else if self.is_covered() && !self.finance.is_empty() {
            Some("people are hidden, and spend is listed by team and cost centre")
        } else if !self.finance.is_empty() && self.prices.is_none() {
            Some("spend is listed by team and cost centre, and there is no price")
        } else if !self.finance.iter().all(|row| self.has_days(row)) {
            Some("spend is listed for days that are not in the period")
        } else if !lists.have_whole_totals() {
            Some("a list has more rows than its total")
        } else if self.is_covered() && !self.cycle_limits.is_empty() {
            Some("people are hidden, and cycle limits are listed")
        } else {
            cycle_limit::contradiction(&self.cycle_limits)
        }
    }

    /// Whether the days of a row are in the report's period, in order.
    fn has_days(&self, row: &FinanceRow) -> bool {
        let period = self.report_period();
        period.first() <= row.from && row.from <= row.to && row.to <= period.last()
    }

    fn zone(&self) -> Option<Tz> {
        self.period.tz.as_deref()?.parse().ok()
    }

    fn parsed(&self, label: &str) -> Option<Period> {
        Period::parse_label(label, self.zone()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finance_rows_need_a_price_names_and_days_of_the_period() {
        let mut facts = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        let row = r#"{"team": "A", "cost_centre": null, "from": "2026-10-05", "to": "2026-10-11", "acus": 1,
            "per_acu": 2, "amount": 2, "previous_amount": null}"#;
        let row: FinanceRow = serde_json::from_str(row).unwrap();
        facts.finance = vec![row.clone()];
        assert!(facts.contradiction().is_some_and(|what| what.contains("there is no price")));
        let prices = r#"{"currency": "EUR", "steps": [{"from": "2026-01-01", "per_acu": 2}]}"#;
        facts.prices = Some(serde_json::from_str(prices).unwrap());
        assert_eq!(facts.contradiction(), None);
        let again = Facts::from_json(&facts.to_json()).unwrap();
        assert_eq!(again.finance, facts.finance);
        for (from, to) in
            [("2026-10-04", "2026-10-11"), ("2026-10-05", "2026-10-12"), ("2026-10-07", "2026-10-06")]
        {
            let [from, to] = [from, to].map(|day| day.parse().unwrap());
            facts.finance = vec![FinanceRow { from, to, ..row.clone() }];
            assert!(facts.contradiction().is_some_and(|what| what.contains("not in the period")), "{from}");
        }
        facts.finance = vec![row];
        facts.source.people = Some(PeopleMode::Hidden);
        facts.labels.user.clear();
        facts.facts.retain(|fact| fact.key(Dim::User).is_none());
        facts.highlights = Highlights::default();
        assert!(facts.contradiction().is_some_and(|what| what.contains("team and cost centre")));
    }

    #[test]
    fn covered_facts_have_no_texts_of_analyses() {
        let mut covered = Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap();
        covered.source.people = Some(PeopleMode::Hidden);
        covered.labels.user.clear();
        covered.facts.retain(|fact| fact.key(Dim::User).is_none());
        covered.highlights = Highlights::default();
        assert_eq!(covered.contradiction(), None);
        let counts: [fn(&mut Highlights) -> &mut f64; 3] = [
            |lists| &mut lists.improvements_total,
            |lists| &mut lists.issues_total,
            |lists| &mut lists.feedback_total,
        ];
        for count in counts {
            covered.highlights = Highlights::default();
            *count(&mut covered.highlights) = 1.0;
            assert!(covered.contradiction().is_some_and(|what| what.contains("texts of analyses")));
        }
        covered.highlights = Highlights::default();
        let text = r#"{"text": "x", "type": null, "sessions": 1, "items": 1, "acus": 1, "repos": [],
            "high_issues": null, "examples": []}"#;
        covered.highlights.improvements.push(serde_json::from_str(text).unwrap());
        assert!(covered.contradiction().is_some_and(|what| what.contains("texts of analyses")));
    }
}
