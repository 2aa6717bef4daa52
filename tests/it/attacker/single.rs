//! Attacks on one report: no number of it, and no difference of its numbers, may
//! rest on fewer than `K` people.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Days;

use super::runs::{Fact, Report};
use super::truth::{Group, K, Period, Person, Rows, Truth, local_date};

/// The key of the group that small groups are combined into.
pub const COMBINED: &str = "fewer than five people";

/// Something that a report discloses.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The attack.
    pub attack: &'static str,
    pub report: String,
    /// The number, and how it is found out.
    pub what: String,
    /// The people that it rests on.
    pub people: BTreeSet<Person>,
}

/// A report under attack.
pub struct Target<'a> {
    pub report: &'a Report,
    /// The sessions that its filter leaves.
    pub truth: &'a Truth,
    groups: BTreeMap<(String, Vec<String>), BTreeMap<Group, Rows>>,
    findings: Vec<Finding>,
}

/// What the numbers of a report disclose.
pub fn attack(report: &Report, truth: &Truth) -> Vec<Finding> {
    let mut target = Target::new(report, truth);
    let facts: Vec<&Fact> = report.facts.iter().filter(|fact| !fact.group.contains_key("user")).collect();
    for fact in &facts {
        target.group(fact);
        target.previous(fact);
        target.basis(fact);
        target.parts(fact, &facts);
    }
    target.remainders(&facts);
    target.remainders_before(&facts);
    target.days(&facts);
    target.prices(&facts);
    target.quality();
    target.source();
    target.budget();
    target.form();
    target.findings
}

/// Whether a number may rest on these sessions: on none, or on enough people.
fn is_enough(people: &BTreeSet<Person>, rows: &Rows) -> bool {
    rows.is_empty() || people.len() >= K
}

/// The same of what a difference leaves: sessions of machines alone disclose nothing.
fn is_harmless(people: &BTreeSet<Person>) -> bool {
    people.is_empty() || people.len() >= K
}

pub fn names(group: &Group) -> BTreeSet<String> {
    group.keys().filter(|name| *name != "period").cloned().collect()
}

pub fn without_period(group: &Group) -> Group {
    group
        .iter()
        .filter(|(name, _)| *name != "period")
        .map(|(name, key)| (name.clone(), key.clone()))
        .collect()
}

/// Whether a key of a group is the combined one.
pub fn is_combined(group: &Group) -> bool {
    group.values().any(|key| key.as_deref() == Some(COMBINED))
}

fn is_combined_by(group: &Group, name: &str) -> bool {
    group.get(name).is_some_and(|key| key.as_deref() == Some(COMBINED))
}

/// Whether a truth's group is one of those that a combined group stands for.
fn is_within(group: &Group, combined: &Group) -> bool {
    combined.iter().all(|(name, key)| key.as_deref() == Some(COMBINED) || group.get(name) == Some(key))
}

/// The period that a fact speaks of.
pub fn period_of(report: &Report, fact: &Fact) -> Period {
    match fact.group.get("period").and_then(Option::as_deref) {
        Some(label) => Period::new(label),
        None => report.period.clone(),
    }
}

/// The period that its previous value speaks of: of a point of a trend the one right before.
pub fn before_of(report: &Report, fact: &Fact) -> Period {
    match fact.group.contains_key("period") {
        true => period_of(report, fact).before(),
        false => report.compared(),
    }
}

fn text(group: &Group) -> String {
    Fact { group: group.clone(), ..Fact::default() }.text().trim().to_owned()
}

impl<'a> Target<'a> {
    pub fn new(report: &'a Report, truth: &'a Truth) -> Self {
        Self { report, truth, groups: BTreeMap::new(), findings: Vec::new() }
    }

    fn find(&mut self, attack: &'static str, what: String, people: BTreeSet<Person>) {
        self.findings.push(Finding { attack, report: self.report.name(), what, people });
    }

    fn people(&self, rows: &Rows) -> BTreeSet<Person> {
        self.truth.people(rows)
    }

    /// The truth's groups, worked out once for each period.
    pub fn truth_groups(&mut self, period: &Period, dimensions: &BTreeSet<String>) -> BTreeMap<Group, Rows> {
        let key = (period.label.clone(), dimensions.iter().cloned().collect());
        let truth = self.truth;
        self.groups.entry(key).or_insert_with(|| truth.groups(period, dimensions)).clone()
    }

    /// The sessions of a group. The combined group has those of all groups of
    /// its dimensions that the metric does not show.
    pub fn members(&mut self, fact: &Fact) -> Rows {
        let period = period_of(self.report, fact);
        let group = without_period(&fact.group);
        let groups = self.truth_groups(&period, &names(&group));
        if !is_combined(&group) {
            return groups.get(&group).cloned().unwrap_or_default();
        }
        if names(&group).contains("issues") && is_combined_by(&group, "impact") {
            return self.by_number_of_issues(&period, &group);
        }
        let shown = self.shown(&fact.metric, &names(&group), |fact| fact.shows());
        let hidden = groups.into_iter().filter(|(own, _)| !shown.contains(own) && is_within(own, &group));
        hidden.flat_map(|(_, rows)| rows).collect()
    }

    /// Sessions by their number of issues of all impacts that are combined.
    fn by_number_of_issues(&self, period: &Period, group: &Group) -> Rows {
        let shown = self.shown("issues", &BTreeSet::from(["impact".to_owned()]), Fact::shows);
        let is_hidden = |impact: &str| shown.iter().all(|own| own["impact"].as_deref() != Some(impact));
        let bin = |at: &usize| {
            let analysis = self.truth.sessions[*at].analysis.as_ref()?;
            let number = analysis.issues.iter().filter(|issue| is_hidden(issue.impact)).count();
            Some(if number >= 5 { "5+".to_owned() } else { number.to_string() })
        };
        let wanted = group["issues"].as_deref();
        let is_own = |at: &usize| match (bin(at), wanted) {
            (Some(bin), Some(COMBINED)) => {
                let own = Group::from([
                    ("impact".to_owned(), group["impact"].clone()),
                    ("issues".to_owned(), Some(bin)),
                ]);
                self.shown("issue_count_histogram", &names(group), Fact::shows)
                    .iter()
                    .all(|shown| *shown != own)
            }
            (Some(bin), wanted) => wanted == Some(&bin),
            (None, _) => false,
        };
        self.truth.of(period).into_iter().filter(is_own).collect()
    }

    /// The groups of some dimensions of the report's period that a metric shows.
    fn shown(
        &self,
        metric: &str,
        dimensions: &BTreeSet<String>,
        has: impl Fn(&Fact) -> bool,
    ) -> BTreeSet<Group> {
        let facts = self.report.facts.iter().filter(|fact| fact.metric == metric && has(fact));
        let own = facts.filter(|fact| fact.group.keys().eq(dimensions.iter()));
        own.map(|fact| fact.group.clone()).collect()
    }

    /// Every shown group rests on enough people, in the period that it speaks of.
    fn group(&mut self, fact: &Fact) {
        if !fact.shows() {
            return;
        }
        let rows = self.members(fact);
        let people = self.people(&rows);
        let attack = match fact.group.contains_key("period") {
            true => "trend",
            false if is_combined(&fact.group) => "combined",
            false => "group",
        };
        if !is_enough(&people, &rows) {
            self.find(attack, format!("{} rests on {} people", fact.text(), people.len()), people);
        }
        if is_combined(&fact.group) && fact.group.contains_key("period") {
            self.find("trend", format!("{} is a point of the combined group", fact.text()), BTreeSet::new());
        }
        // The truth is checked as well: a number that disagrees was misread.
        if fact.metric == "sessions" && fact.value.is_some_and(|value| value != rows.len() as f64) {
            let what = format!("{} is {:?}, not {}", fact.text(), fact.value, rows.len());
            self.find("another number", what, BTreeSet::new());
        }
    }

    /// So does what it had in the period before.
    fn previous(&mut self, fact: &Fact) {
        let Some(previous) = fact.previous else { return };
        if is_combined(&fact.group) {
            self.find(
                "previous",
                format!("{} is combined and has a previous value", fact.text()),
                BTreeSet::new(),
            );
            return;
        }
        let before = before_of(self.report, fact);
        let group = without_period(&fact.group);
        let rows = self.truth_groups(&before, &names(&group)).remove(&group).unwrap_or_default();
        let people = self.people(&rows);
        if previous != 0.0 && !is_enough(&people, &rows) {
            let what = format!("{} had {previous} of {} people", fact.text(), people.len());
            self.find("previous", what, people);
        }
    }

    /// The sessions that `n` counts: owners of pull requests, analysed sessions.
    fn basis(&mut self, fact: &Fact) {
        if !fact.shows() || is_combined(&fact.group) {
            return;
        }
        let period = period_of(self.report, fact);
        let rows = match Basis::of(&fact.metric) {
            Basis::Sessions => return,
            Basis::Pulls(states) => self.owners(&period, fact, states),
            Basis::Analysed => {
                let mut group = without_period(&fact.group);
                group.retain(|name, _| !["impact", "label", "issues", "type"].contains(&name.as_str()));
                let rows = self.truth_groups(&period, &names(&group)).remove(&group).unwrap_or_default();
                rows.into_iter().filter(|at| self.truth.sessions[*at].analysis.is_some()).collect()
            }
        };
        let people = self.people(&rows);
        if !is_enough(&people, &rows) {
            let what = format!("{} counts what {} people have", fact.text(), people.len());
            self.find("basis", what, people);
        }
    }

    /// The sessions of a group that own a pull request in one of these states.
    fn owners(&mut self, period: &Period, fact: &Fact, states: &[&str]) -> Rows {
        let group = without_period(&fact.group);
        let key = |name: &str| group.get(name).cloned().flatten();
        let mut session_group = group.clone();
        session_group.retain(|name, _| name != "repo" && name != "state");
        let members =
            self.truth_groups(period, &names(&session_group)).remove(&session_group).unwrap_or_default();
        let own = |pull: &super::truth::Pull| {
            states.contains(&pull.state)
                && key("repo").is_none_or(|repo| repo == pull.repo)
                && key("state").is_none_or(|state| state == pull.state)
        };
        let pulls = self.truth.pulls(period).into_iter().filter(|pull| own(pull));
        pulls.map(|pull| pull.owner).filter(|at| members.contains(at)).collect()
    }

    /// What a fact and the whole that belongs to it say of a part of the people:
    /// the part and the rest.
    fn parts(&mut self, fact: &Fact, facts: &[&Fact]) {
        if !fact.shows() || is_combined(&fact.group) {
            return;
        }
        let period = period_of(self.report, fact);
        let members = self.members(fact);
        let truth = self.truth;
        let is_shown = |metric: &str, group: &Group| {
            facts.iter().any(|fact| fact.metric == metric && fact.group == *group && fact.shows())
        };
        let analysed = |rows: &Rows| -> Rows {
            rows.iter().copied().filter(|at| truth.sessions[*at].analysis.is_some()).collect()
        };
        let minus = |one: &Rows, other: &Rows| -> Rows { one.difference(other).copied().collect() };
        let mut found: Vec<(&str, Rows)> = Vec::new();
        match fact.metric.as_str() {
            "sessions_with_pr" | "acus_without_pr_share" => {
                let has = |at: &usize| !truth.sessions[*at].addresses().is_empty();
                let with: Rows = members.iter().copied().filter(has).collect();
                found.push(("without a pull request", minus(&members, &with)));
                found.push(("with a pull request", with));
            }
            "sessions_with_merged_pr" => {
                let pulls = truth.pulls(&period);
                let merged: Rows =
                    pulls.iter().filter(|pull| pull.state == "merged").map(|pull| pull.owner).collect();
                found.push(("without a merged pull request", minus(&members, &merged)));
                found.push(("with a merged pull request", merged));
            }
            "analysed_sessions" | "analysis_coverage" => {
                let with = analysed(&members);
                found.push(("without an analysis", minus(&members, &with)));
                found.push(("with an analysis", with));
            }
            "sessions_with_prompt_feedback" => {
                let has = |at: &usize| {
                    truth.sessions[*at].analysis.as_ref().is_some_and(|one| one.feedback_items > 0)
                };
                let with: Rows = members.iter().copied().filter(has).collect();
                found.push(("analysed without feedback", minus(&analysed(&members), &with)));
                found.push(("with feedback", with));
            }
            "sessions_with_issue" => {
                let all = analysed(&truth.of(&period));
                found.push(("analysed without such an issue", minus(&all, &members)));
            }
            "prs_merged" | "merge_rate" => {
                let mut of = |states: &[&str]| self.owners(&period, fact, states);
                found.push(("merged", of(&["merged"])));
                if fact.metric == "merge_rate" {
                    found.push(("closed", of(&["closed"])));
                    if is_shown("prs", &fact.group) {
                        found.push(("undecided", of(&["open", "draft", "unknown"])));
                    }
                }
            }
            "acus_top_decile_share" => {
                let nobody = |at: &usize| truth.sessions[*at].user.is_none();
                found.push(("without a user", members.iter().copied().filter(nobody).collect()));
                let heaviest = self.heaviest(&members);
                found.push(("of the heaviest users", heaviest));
            }
            // All pull requests minus the undecided ones.
            "undecided_prs" | "undecided_share" => {
                found.push(("decided", self.owners(&period, fact, &["merged", "closed"])));
            }
            "large_session_share" => {
                let size = |at: &usize| truth.sessions[*at].size.clone();
                let sized: Rows = members.iter().copied().filter(|at| size(at).is_some()).collect();
                let is_large = |at: &usize| ["l", "xl"].contains(&size(at).unwrap_or_default().as_str());
                let large: Rows = sized.iter().copied().filter(is_large).collect();
                found.push(("large", large.clone()));
                found.push(("not large", minus(&sized, &large)));
                found.push(("of unknown size", minus(&members, &sized)));
            }
            "one_message_share" => {
                let pulls = truth.pulls(&period);
                // Sessions that list one of somebody else's are merged, too; what is counted here is less.
                let merged: Rows =
                    pulls.iter().filter(|pull| pull.state == "merged").map(|pull| pull.owner).collect();
                let messages = |at: &usize| truth.sessions[*at].messages;
                let known: Rows = merged.iter().copied().filter(|at| messages(at).is_some()).collect();
                let one: Rows = known.iter().copied().filter(|at| messages(at) == Some(1)).collect();
                found.push(("merged with one message", one.clone()));
                found.push(("merged with more messages", minus(&known, &one)));
            }
            "new_users" | "returning_users" | "lapsed_users" => {
                for (part, people) in self.come_and_go() {
                    if people.len() < K {
                        let what = format!("{}, {part}: {} people", fact.text(), people.len());
                        self.find("part of users", what, people);
                    }
                }
            }
            "acus_split" if fact.group.get("tag").is_some_and(Option::is_some) => {
                // ACUs of the tag minus its split ones: sessions with more tags.
                let several = |at: &usize| truth.sessions[*at].tags.len() > 1;
                if is_shown("acus", &fact.group) {
                    let several: Rows = members.iter().copied().filter(several).collect();
                    found.push(("with several tags", several.clone()));
                    found.push(("with this tag alone", minus(&members, &several)));
                }
            }
            _ => {}
        }
        let attack = match fact.metric.as_str() {
            "prs_merged" | "merge_rate" => "part by state",
            "acus_split" => "part by tags",
            "undecided_prs" | "undecided_share" => "part by decision",
            "large_session_share" | "one_message_share" => "part by size",
            "acus_top_decile_share" => "part by user",
            _ => "part of sessions",
        };
        for (part, rows) in found {
            let people = self.people(&rows);
            if !is_harmless(&people) {
                let what = format!("{}, {part}: {} people", fact.text(), people.len());
                self.find(attack, what, people);
            }
        }
    }

    /// The people of the period and of the one before by when else they were at work. Nobody at all
    /// says the same of everybody, and so of single people.
    fn come_and_go(&self) -> Vec<(&'static str, BTreeSet<Person>)> {
        let mut period = self.report.period.clone();
        let own = self.truth.users(&self.truth.of(&period));
        let mut before: Vec<BTreeSet<Person>> = Vec::new();
        for _ in 0..7 {
            period = period.before();
            before.push(self.truth.users(&self.truth.of(&period)));
        }
        let known: BTreeSet<Person> = before.iter().flatten().cloned().collect();
        let minus =
            |one: &BTreeSet<Person>, other: &BTreeSet<Person>| one.difference(other).cloned().collect();
        let back: BTreeSet<Person> = minus(&own.intersection(&known).cloned().collect(), &before[0]);
        vec![
            ("new", minus(&own, &known)),
            ("returning", own.intersection(&before[0]).cloned().collect()),
            ("back after a break", back),
            ("lapsed", minus(&before[0], &own)),
        ]
    }

    /// The sessions of the heaviest tenth of the users.
    fn heaviest(&self, members: &Rows) -> Rows {
        let mut users: BTreeMap<&str, f64> = BTreeMap::new();
        for at in members {
            let session = &self.truth.sessions[*at];
            session.user.iter().for_each(|user| *users.entry(user).or_default() += session.spent());
        }
        let mut users: Vec<(&str, f64)> = users.into_iter().collect();
        users.sort_by(|one, other| other.1.total_cmp(&one.1));
        users.truncate(users.len().div_ceil(10));
        let heavy = |at: &&usize| {
            users.iter().any(|(user, _)| self.truth.sessions[**at].user.as_deref() == Some(*user))
        };
        members.iter().filter(heavy).copied().collect()
    }

    /// A whole minus the groups of a dimension that are shown, and a group minus
    /// its sub-groups.
    fn remainders(&mut self, facts: &[&Fact]) {
        for (metric, dimensions) in kinds(facts) {
            for across in &dimensions {
                let Some(whole) = whole_of(&metric, across) else { continue };
                let rest: BTreeSet<String> =
                    dimensions.iter().filter(|name| *name != across).cloned().collect();
                let shown = self.shown(&metric, &dimensions, Fact::shows);
                if shown.is_empty() {
                    continue;
                }
                let period = self.report.period.clone();
                let mut hidden: BTreeMap<Group, Rows> = BTreeMap::new();
                for (group, rows) in self.truth_groups(&period, &dimensions) {
                    let combined = shown.iter().any(|own| is_combined(own) && is_within(&group, own));
                    let mut parent = group.clone();
                    parent.remove(across);
                    if !shown.contains(&group) && !combined && siblings(&shown, &parent) {
                        hidden.entry(parent).or_default().extend(rows);
                    }
                }
                for (parent, rows) in hidden {
                    let is_known = whole.iter().any(|whole| match *whole {
                        "n" => true,
                        whole => {
                            !self.shown(whole, &rest, |fact| fact.group == parent && fact.shows()).is_empty()
                        }
                    });
                    let people = self.people(&rows);
                    if is_known && !is_harmless(&people) {
                        let what = format!(
                            "{metric} {}: the whole minus what is shown by {across} is of {} people",
                            text(&parent),
                            people.len()
                        );
                        self.find("remainder", what, people);
                    }
                }
            }
        }
    }

    /// The period before minus what the groups had in it.
    fn remainders_before(&mut self, facts: &[&Fact]) {
        let before = self.report.compared();
        for (metric, dimensions) in kinds(facts) {
            let [across] = dimensions.iter().collect::<Vec<_>>()[..] else { continue };
            let Some(whole) = whole_of(&metric, across) else { continue };
            let has_previous = |fact: &Fact| fact.previous.is_some_and(|previous| previous != 0.0);
            let shown = self.shown(&metric, &dimensions, has_previous);
            let is_point = |fact: &&&Fact| {
                let of_before = Group::from([("period".to_owned(), Some(before.label.clone()))]);
                fact.group == of_before && fact.shows() || fact.group.is_empty() && has_previous(fact)
            };
            let mut points = facts.iter().filter(is_point);
            let is_known = points.any(|fact| whole.contains(&fact.metric.as_str()));
            if shown.is_empty() || !is_known {
                continue;
            }
            let groups = self.truth_groups(&before, &dimensions);
            let rows = groups.into_iter().filter(|(group, _)| !shown.contains(group));
            let people = self.people(&rows.flat_map(|(_, rows)| rows).collect());
            if !is_harmless(&people) {
                let what = format!(
                    "{metric}: the period before minus the previous values by {across} is of {} people",
                    people.len()
                );
                self.find("remainder before", what, people);
            }
        }
    }

    /// The days that are not shown are two at least, and of enough people.
    fn days(&mut self, facts: &[&Fact]) {
        let day = BTreeSet::from(["day".to_owned()]);
        for (metric, dimensions) in kinds(facts) {
            let shown = self.shown(&metric, &dimensions, Fact::shows);
            if dimensions != day || shown.is_empty() {
                continue;
            }
            let period = self.report.period.clone();
            let groups = self.truth_groups(&period, &day);
            let hidden: Vec<(Group, Rows)> =
                groups.into_iter().filter(|(group, _)| !shown.contains(group)).collect();
            let people = self.people(&hidden.iter().flat_map(|(_, rows)| rows).copied().collect());
            if hidden.len() == 1 && !people.is_empty() {
                let what = format!("{metric}: {} alone is not shown", text(&hidden[0].0));
                self.find("one day", what, people);
            }
        }
    }

    /// ACUs and money of a group determine its parts before and after a change of the
    /// price: two equations with two unknowns.
    fn prices(&mut self, facts: &[&Fact]) {
        let Some(from) = self.report.price_from else { return };
        for fact in
            facts.iter().filter(|fact| fact.metric == "spend" && fact.shows() && !is_combined(&fact.group))
        {
            let truth = self.truth;
            let is_after = |at: &usize| local_date(&truth.sessions[*at]) >= from;
            let (after, before): (Rows, Rows) = self.members(fact).into_iter().partition(is_after);
            let is_split = !before.is_empty() && !after.is_empty();
            for (part, rows) in [("before", before), ("after", after)] {
                let people = self.people(&rows);
                if is_split && !is_harmless(&people) {
                    let what =
                        format!("{}, {part} the change of the price: {} people", fact.text(), people.len());
                    self.find("price", what, people);
                }
            }
        }
    }

    /// Counts of what could not be read are numbers of few people as well.
    fn quality(&mut self) {
        const STATUSES: [&str; 8] =
            ["new", "creating", "claimed", "running", "exit", "error", "suspended", "resuming"];
        let report = self.report;
        let Some(quality) = report.json["quality"].as_object() else { return };
        let pulls = self.truth.pulls(&report.period);
        for name in quality
            .iter()
            .filter(|(_, number)| number.as_f64().is_some_and(|number| number > 0.0))
            .map(|(name, _)| name)
        {
            let is_odd = |at: &usize| {
                let session = &self.truth.sessions[*at];
                match name.as_str() {
                    "acus_unknown" => session.acus.is_none(),
                    "unknown_status" => !session.status.as_deref().is_some_and(|own| STATUSES.contains(&own)),
                    "unknown_impact" => session
                        .analysis
                        .iter()
                        .flat_map(|one| &one.issues)
                        .any(|issue| issue.impact == "other"),
                    "unknown_pr_state" => {
                        pulls.iter().any(|pull| pull.owner == *at && pull.state == "unknown")
                    }
                    "prs_without_url" => session.pulls.iter().any(|pull| pull.address.is_none()),
                    "unreadable_fields" => session.unreadable > 0,
                    other => panic!("the attacker does not know the count {other}"),
                }
            };
            let rows: Rows = self.truth.of(&report.period).into_iter().filter(is_odd).collect();
            let people = self.people(&rows);
            if !is_harmless(&people) {
                self.find("quality", format!("{name} counts what {} people have", people.len()), people);
            }
        }
    }

    /// All sessions of the trend minus the points that it shows.
    fn source(&mut self) {
        let report = self.report;
        if report.json["source"]["unique"].as_f64().is_none_or(|number| number == 0.0) {
            return;
        }
        let shown = report.facts.iter().filter(|fact| fact.metric == "sessions" && fact.shows());
        let shown: BTreeSet<String> = shown.filter_map(|fact| fact.group.get("period")?.clone()).collect();
        let (mut period, mut rows) = (report.period.clone(), Rows::new());
        for _ in 0..8 {
            if !shown.contains(&period.label) {
                rows.extend(self.truth.of(&period));
            }
            period = period.before();
        }
        let people = self.people(&rows);
        if !shown.is_empty() && !is_harmless(&people) {
            let what = format!("source.unique minus the points of the trend is of {} people", people.len());
            self.find("source", what, people);
        }
    }

    /// What a page says of budgets: the spend of each month of the period up to its
    /// end, and with it the days of the period in other months.
    fn budget(&mut self) {
        let report = self.report;
        let pages = report.files.iter().filter(|(name, _)| name.ends_with(".html"));
        let is_shown = pages.into_iter().any(|(_, page)| {
            let page = String::from_utf8_lossy(page);
            let said =
                page.split("Budget of ").skip(1).map(|said| said.split(" used").next().unwrap_or_default());
            said.into_iter().any(|said| said.split_once(": ").is_some_and(|(_, used)| used.starts_with('€')))
        });
        if !is_shown {
            return;
        }
        let last = report.period.after - Days::new(1);
        let truth = self.truth;
        let is_used = |at: &usize| local_date(&truth.sessions[*at]) <= last;
        // Those of the page; a week has one or two.
        let months: BTreeSet<String> =
            [report.period.first, last].into_iter().map(|day| day.format("%Y-%m").to_string()).collect();
        for month in months {
            let used: Rows = truth.of(&Period::new(&month)).into_iter().filter(is_used).collect();
            let rest: Rows = truth.of(&report.period).difference(&used).copied().collect();
            for (part, rows) in [("used of the budget", used), ("the period minus what is used", rest)] {
                let people = self.people(&rows);
                if !is_harmless(&people) {
                    self.find("budget", format!("{part} of {month} is of {} people", people.len()), people);
                }
            }
        }
    }

    /// What a covered report must not hold at all, and how it writes numbers.
    fn form(&mut self) {
        let report = self.report;
        if report.json["labels"].get("user").is_some() {
            self.find("form", "facts.json names users".to_owned(), BTreeSet::new());
        }
        let whole = self.truth.of(&report.period);
        let users = self.truth.users(&whole);
        let mut found = BTreeSet::new();
        for fact in &report.facts {
            let mut wrong = |what: &str| {
                found.insert(format!("{} {what}", fact.metric));
            };
            if fact.metric == "acus_per_session_max" {
                wrong("is of one session");
            }
            if fact.group.contains_key("user") {
                wrong("is by user");
            }
            let is_percentile = ["_median", "_p90"].iter().any(|end| fact.metric.ends_with(end));
            let sessions = |period: &Period| self.truth.of(period).len();
            if is_percentile && fact.value.is_some() && fact.n.unwrap_or_default() < 50.0 {
                wrong("is a percentile of fewer than 50 sessions");
            }
            if is_percentile && fact.previous.is_some() && sessions(&report.compared()) < 50 {
                wrong("was a percentile of fewer than 50 sessions");
            }
            if fact.metric == "acus_top_decile_share" {
                if fact.value.is_some() && users.len() < 50 {
                    wrong("is of fewer than 50 users");
                }
                let before = self.truth.of(&report.compared());
                if fact.previous.is_some() && self.truth.users(&before).len() < 50 {
                    wrong("was of fewer than 50 users");
                }
            }
            if fact.unit == "acu" || fact.unit == "currency" || fact.metric.starts_with("acus") {
                not_whole(fact).into_iter().for_each(&mut wrong);
            }
        }
        found.into_iter().for_each(|what| self.find("form", what, BTreeSet::new()));
    }
}

/// Which numbers of ACUs or of money are not whole. A ratio must be that of the
/// whole numbers in the same fact; what it was before cannot be checked, so it is whole.
fn not_whole(fact: &Fact) -> Vec<&'static str> {
    let whole = |number: Option<f64>| number.is_none_or(|number| number.fract() == 0.0);
    let ratio = fact.numerator.zip(fact.denominator).map(|(one, other)| one / other);
    let is_ratio = |value: f64| ratio.is_some_and(|ratio| (ratio - value).abs() <= 1e-9 * ratio.abs());
    let mut found = Vec::new();
    if !whole(fact.value) && !fact.value.is_some_and(is_ratio) {
        found.push("is not a whole number");
    }
    if !whole(fact.numerator) || !whole(fact.denominator) {
        found.push("is a ratio of numbers that are not whole");
    }
    if !whole(fact.previous) && fact.unit != "share" && ratio.is_none() {
        found.push("was not a whole number");
    }
    found
}

/// Whether any of the shown groups has the same parent.
fn siblings(shown: &BTreeSet<Group>, parent: &Group) -> bool {
    shown.iter().any(|group| parent.iter().all(|(name, key)| group.get(name) == Some(key)))
}

/// The metrics and dimensions of facts of the report's own period.
fn kinds(facts: &[&Fact]) -> BTreeSet<(String, BTreeSet<String>)> {
    let own = facts.iter().filter(|fact| !fact.group.is_empty() && !fact.group.contains_key("period"));
    own.map(|fact| (fact.metric.clone(), fact.group.keys().cloned().collect())).collect()
}

/// The metrics that are the whole of a metric's groups by a dimension, if the
/// groups add up to one; `n` where every group has the whole.
fn whole_of<'a>(metric: &'a str, across: &str) -> Option<Vec<&'a str>> {
    match metric {
        "acus_split" => Some(vec!["acus"]),
        "spend_split" => Some(vec!["spend"]),
        "acus_histogram" | "issue_count_histogram" => Some(vec!["n"]),
        "sessions" | "acus" | "spend" | "prs" | "prs_merged" | "issues" if across != "tag" => {
            Some(vec![metric])
        }
        _ => None,
    }
}

/// What the `n` of a metric counts.
enum Basis {
    Sessions,
    Pulls(&'static [&'static str]),
    Analysed,
}

impl Basis {
    fn of(metric: &str) -> Self {
        match metric {
            "prs" | "prs_merged" | "merge_rate_all" | "undecided_prs" | "undecided_share" => {
                Self::Pulls(&["merged", "closed", "open", "draft", "unknown"])
            }
            "merge_rate" => Self::Pulls(&["merged", "closed"]),
            "acus_per_merged_pr" | "spend_per_merged_pr" => Self::Pulls(&["merged"]),
            "issues"
            | "issue_rate"
            | "sessions_with_issue"
            | "issue_count_histogram"
            | "action_items"
            | "sessions_with_prompt_feedback" => Self::Analysed,
            _ => Self::Sessions,
        }
    }
}
