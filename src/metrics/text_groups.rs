//! What the analyses of a period say in words, merged over its sessions: proposed
//! improvements, recurring issues, feedback on prompts. Customer text, which covered
//! reports never have.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use super::capabilities::Capabilities;
use super::clusters::clusters;
use super::dimension::Dim;
use super::period_frames::PeriodFrames;
use crate::tables::normal::IMPACTS;
use crate::tables::schema as c;
use crate::text::clean;
use devin_api::{Api, Records};

/// How many groups a list has at most.
const LONGEST: usize = 100;
/// How many issues of a label are listed, and of how many sessions each is at least.
const LONGEST_OF_LABEL: usize = 5;
const RECURRING: usize = 2;
/// How many repositories and sessions a group names at most.
const MOST_REPOS: usize = 3;
const MOST_EXAMPLES: usize = 3;
/// The most characters of a text in the facts.
const LONGEST_TEXT: usize = 500;
/// A pull request whose address is of no known form has no repository to name.
const NO_REPO: &str = "unknown";

/// A session as an example; the title and the address are untrusted text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionExample {
    /// Normalised id.
    pub id: String,
    /// Title, or null.
    pub title: Option<String>,
    /// Address, or null.
    pub url: Option<String>,
    /// Local date of its creation.
    pub day: String,
}

/// What several analyses recommend, in the words that are most frequent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Improvement {
    /// The text, of at most 500 characters.
    pub text: String,
    /// The type of the action items with this text, or null.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Distinct sessions.
    pub sessions: f64,
    /// Action items.
    pub items: f64,
    /// ACUs of the sessions; null where work is not metered.
    pub acus: Option<f64>,
    /// Repositories of their pull requests, most frequent first, three at most.
    pub repos: Vec<String>,
    /// Issues of high impact that the action items are about; null with v2, which does not tell.
    pub high_issues: Option<f64>,
    /// Three of the sessions at most, the costliest first.
    pub examples: Vec<SessionExample>,
}

/// What went wrong in several sessions, in the words that are most frequent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecurringIssue {
    /// The label, or null.
    pub label: Option<String>,
    /// The text, of at most 500 characters.
    pub text: String,
    /// Distinct sessions.
    pub sessions: f64,
    /// Issues of high impact …
    pub high: f64,
    /// … of medium impact …
    pub medium: f64,
    /// … of low impact …
    pub low: f64,
    /// … and of any other.
    pub other: f64,
    /// ACUs of the sessions; null where work is not metered.
    pub acus: Option<f64>,
    /// Repositories of their pull requests, most frequent first, three at most.
    pub repos: Vec<String>,
    /// Three of the sessions at most, the costliest first.
    pub examples: Vec<SessionExample>,
}

/// What analyses remark on prompts, in the words that are most frequent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PromptFeedback {
    /// The text, of at most 500 characters.
    pub text: String,
    /// Distinct sessions.
    pub sessions: f64,
    /// Remarks.
    pub items: f64,
    /// ACUs of the sessions; null where work is not metered.
    pub acus: Option<f64>,
    /// Repositories of their pull requests, most frequent first, three at most.
    pub repos: Vec<String>,
    /// Three of the sessions at most, the costliest first.
    pub examples: Vec<SessionExample>,
}

/// A list, and how many groups there are in all.
pub struct Listed<T> {
    /// At most a hundred groups: most sessions first, then most ACUs, then by text.
    pub groups: Vec<T>,
    /// How many there are.
    pub total: f64,
}

/// The three lists of the report's period.
pub struct TextGroups {
    /// Recommendations.
    pub improvements: Listed<Improvement>,
    /// Issues of at least two sessions, at most five of a label.
    pub issues: Listed<RecurringIssue>,
    /// Remarks on prompts.
    pub feedback: Listed<PromptFeedback>,
}

/// Merges the texts of a period; `feedback` has the remarks of all periods.
///
/// # Errors
/// Polars refused a step: an internal error.
pub(super) fn text_groups(
    frames: &PeriodFrames,
    feedback: &DataFrame,
    capabilities: Capabilities,
) -> PolarsResult<TextGroups> {
    let known = Sessions::of(frames, capabilities.metered)?;
    let issues = frames.issues(&[]).select([col(c::ROW), col(c::IMPACT), col(c::LABEL), col(c::TEXT)]);
    let issues = issues.collect()?;
    let impacts = issues.column(c::IMPACT)?.cast(&DataType::String)?;
    let impacts: Vec<&str> = impacts.str()?.iter().map(|impact| impact.unwrap_or_default()).collect();
    let items = frames.action_items(&[]).filter(col(c::TEXT).is_not_null());
    let items = items.select([col(c::ROW), col(c::TYPE), col(c::ISSUE), col(c::TEXT)]).collect()?;
    let own = frames.sessions(&[]).select([col(c::ROW)]);
    let remarks = feedback.clone().lazy().filter(col(c::TEXT).is_not_null());
    let remarks =
        remarks.semi_join(own, col(c::ROW), col(c::ROW)).sort([c::ROW], SortMultipleOptions::default());
    let remarks = remarks.collect()?;

    let linked = (capabilities.records == Records::Api(Api::V3)).then(|| high_issues(&issues, &impacts));
    let mut improvements = improvements(&items, &known, linked.transpose()?.as_ref())?;
    let mut recurring = recurring(&issues, &impacts, &known)?;
    let mut feedback = Listed::of(grouped(&texts(&remarks)?, &known), |group: Group<'_>| PromptFeedback {
        text: group.text(),
        sessions: group.sessions.len() as f64,
        items: group.rows.len() as f64,
        acus: group.acus,
        repos: known.repos(&group.sessions),
        examples: known.examples(&group.sessions),
    });
    let examples = improvements.groups.iter_mut().map(|group| &mut group.examples);
    let examples = examples.chain(recurring.groups.iter_mut().map(|group| &mut group.examples));
    let examples = examples.chain(feedback.groups.iter_mut().map(|group| &mut group.examples));
    name(examples.flatten(), frames)?;
    Ok(TextGroups { improvements, issues: recurring, feedback })
}

impl<T> Listed<T> {
    fn of<'t>(mut groups: Vec<Group<'t>>, shown: impl Fn(Group<'t>) -> T) -> Self {
        let total = groups.len() as f64;
        groups.truncate(LONGEST);
        Self { groups: groups.into_iter().map(shown).collect(), total }
    }
}

/// What a period has of its sessions, by their rows.
struct Sessions {
    /// Their rows, in order.
    numbers: Vec<u32>,
    ids: StringChunked,
    days: StringChunked,
    acus: Float64Chunked,
    metered: bool,
    /// The pull requests that sessions list, in the order of sessions.
    rows: Vec<u32>,
    repos: StringChunked,
    addresses: StringChunked,
}

impl Sessions {
    fn of(frames: &PeriodFrames, metered: bool) -> PolarsResult<Self> {
        let columns = [col(c::ROW), col(c::SESSION), col(Dim::Day.name()), col(c::ACUS)];
        let mut sessions = frames.sessions(&[]).select(columns).collect()?;
        sessions.rechunk_mut();
        let columns = [col(c::ROW), col(c::REPO).cast(DataType::String), col(c::ADDRESS)];
        let mut entries = frames.entries().select(columns).collect()?;
        entries.rechunk_mut();
        Ok(Self {
            numbers: sessions.column(c::ROW)?.u32()?.iter().flatten().collect(),
            ids: sessions.column(c::SESSION)?.str()?.clone(),
            days: sessions.column(Dim::Day.name())?.cast(&DataType::String)?.str()?.clone(),
            acus: sessions.column(c::ACUS)?.f64()?.clone(),
            metered,
            rows: entries.column(c::ROW)?.u32()?.iter().flatten().collect(),
            repos: entries.column(c::REPO)?.str()?.clone(),
            addresses: entries.column(c::ADDRESS)?.str()?.clone(),
        })
    }

    fn place(&self, row: u32) -> usize {
        self.numbers.binary_search(&row).expect("texts are of sessions of the period")
    }

    fn acus_of(&self, row: u32) -> Option<f64> {
        self.acus.get(self.place(row))
    }

    /// The repositories of the pull requests of some sessions.
    fn repos(&self, sessions: &[u32]) -> Vec<String> {
        let mut addresses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for row in sessions {
            let begin = self.rows.partition_point(|own| own < row);
            let entries = (begin..).zip(self.rows.iter().skip(begin)).take_while(|(_, own)| *own == row);
            for (at, _) in entries {
                if let (Some(repo), Some(address)) = (self.repos.get(at), self.addresses.get(at)) {
                    addresses.entry(repo).or_default().insert(address);
                }
            }
        }
        addresses.remove(NO_REPO);
        let mut repos: Vec<(&str, usize)> =
            addresses.into_iter().map(|(repo, addresses)| (repo, addresses.len())).collect();
        repos.sort_by_key(|(repo, count)| (Reverse(*count), *repo));
        repos.into_iter().take(MOST_REPOS).map(|(repo, _)| repo.to_owned()).collect()
    }

    /// The costliest of some sessions, without their names.
    fn examples(&self, sessions: &[u32]) -> Vec<SessionExample> {
        let id = |row: u32| self.ids.get(self.place(row)).expect("every session has an id");
        let mut rows = sessions.to_vec();
        rows.sort_by(|one, other| {
            let [a, b] = [*one, *other].map(|row| self.acus_of(row).unwrap_or(-1.0));
            b.total_cmp(&a).then_with(|| id(*one).cmp(id(*other)))
        });
        let day = |row| self.days.get(self.place(row)).expect("every session of a period has a local date");
        let example =
            |row| SessionExample { id: id(row).to_owned(), title: None, url: None, day: day(row).to_owned() };
        rows.into_iter().take(MOST_EXAMPLES).map(example).collect()
    }
}

/// Gives examples their titles and addresses.
fn name<'e>(
    examples: impl Iterator<Item = &'e mut SessionExample>,
    frames: &PeriodFrames,
) -> PolarsResult<()> {
    let examples: Vec<&mut SessionExample> = examples.collect();
    let ids: StringChunked = examples.iter().map(|example| Some(example.id.as_str())).collect();
    let wanted = DataFrame::new_infer_height(vec![ids.with_name(c::SESSION.into()).into_column()])?;
    let on = || col(c::SESSION);
    let sessions = frames.sessions(&[]).select([col(c::ROW), on()]).semi_join(wanted.lazy(), on(), on());
    let names = sessions.inner_join(frames.names(), col(c::ROW), col(c::ROW)).collect()?;
    let (ids, titles, urls) =
        (names.column(c::SESSION)?.str()?, names.column(c::TITLE)?.str()?, names.column(c::URL)?.str()?);
    let found = ids.iter().zip(titles.iter().zip(urls.iter()));
    let found: HashMap<&str, (Option<&str>, Option<&str>)> =
        found.filter_map(|(id, names)| Some((id?, names))).collect();
    for example in examples {
        if let Some((title, url)) = found.get(example.id.as_str()) {
            (example.title, example.url) = (title.map(str::to_owned), url.map(str::to_owned));
        }
    }
    Ok(())
}

/// Rows of a list that say the same.
struct Group<'t> {
    shown: &'t str,
    /// Their places in the list.
    rows: Vec<usize>,
    /// The sessions that they are of, each once, in order.
    sessions: Vec<u32>,
    acus: Option<f64>,
}

impl Group<'_> {
    fn text(&self) -> String {
        clean(self.shown, LONGEST_TEXT)
    }
}

/// The place, session and text of each row that has one.
type Texts<'t> = Vec<(usize, u32, &'t str)>;

fn texts(frame: &DataFrame) -> PolarsResult<Texts<'_>> {
    let rows = frame.column(c::ROW)?.u32()?.iter();
    let texts = frame.column(c::TEXT)?.cat32()?.iter_str();
    let of_row = |(place, (row, text)): (usize, (Option<u32>, Option<_>))| Some((place, row?, text?));
    Ok(rows.zip(texts).enumerate().filter_map(of_row).collect())
}

/// The groups of some texts, in the order of a list.
fn grouped<'t>(texts: &[(usize, u32, &'t str)], known: &Sessions) -> Vec<Group<'t>> {
    let mut rows: HashMap<&str, Vec<(usize, u32)>> = HashMap::new();
    for (place, row, text) in texts {
        rows.entry(text).or_default().push((*place, *row));
    }
    // Nothing to read is left of some texts.
    rows.retain(|text, _| !clean(text, 1).is_empty());
    let weighted: Vec<(&str, u64)> = rows.iter().map(|(text, rows)| (*text, rows.len() as u64)).collect();
    let group = |cluster: super::clusters::Cluster| {
        let text = |place: usize| weighted.get(place).expect("a cluster has places of texts").0;
        let members = cluster.members.iter().flat_map(|place| rows.get(text(*place)));
        let mut members: Vec<(usize, u32)> = members.flatten().copied().collect();
        members.sort_unstable();
        let mut sessions: Vec<u32> = members.iter().map(|(_, row)| *row).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let acus = known.metered.then(|| sessions.iter().filter_map(|row| known.acus_of(*row)).sum());
        Group {
            shown: text(cluster.shown),
            rows: members.into_iter().map(|(place, _)| place).collect(),
            sessions,
            acus,
        }
    };
    let mut groups: Vec<Group<'_>> = clusters(&weighted).into_iter().map(group).collect();
    groups.sort_by(in_order);
    groups
}

fn in_order(one: &Group<'_>, other: &Group<'_>) -> std::cmp::Ordering {
    let acus = |group: &Group<'_>| group.acus.unwrap_or_default();
    let by_sessions = other.sessions.len().cmp(&one.sessions.len());
    by_sessions.then_with(|| acus(other).total_cmp(&acus(one))).then_with(|| one.shown.cmp(other.shown))
}

/// The issues of high impact, each by its session and its place among those of the session.
fn high_issues(issues: &DataFrame, impacts: &[&str]) -> PolarsResult<BTreeSet<(u32, i64)>> {
    let mut high = BTreeSet::new();
    let (mut session, mut place) = (None, 0);
    for (row, impact) in issues.column(c::ROW)?.u32()?.iter().flatten().zip(impacts) {
        place = if session == Some(row) { place + 1 } else { 0 };
        session = Some(row);
        if *impact == "high" {
            high.insert((row, place));
        }
    }
    Ok(high)
}

fn improvements(
    items: &DataFrame,
    known: &Sessions,
    high: Option<&BTreeSet<(u32, i64)>>,
) -> PolarsResult<Listed<Improvement>> {
    let texts = texts(items)?;
    let kinds: Vec<Option<&str>> = items.column(c::TYPE)?.cat32()?.iter_str().collect();
    let rows: Vec<Option<u32>> = items.column(c::ROW)?.u32()?.iter().collect();
    let links: Vec<Option<i64>> = items.column(c::ISSUE)?.i64()?.iter().collect();
    let said: HashMap<usize, &str> = texts.iter().map(|(place, _, text)| (*place, *text)).collect();
    let kind = |group: &Group<'_>| {
        let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for place in group.rows.iter().filter(|place| said.get(place) == Some(&group.shown)) {
            *counts.entry(kinds.get(*place).copied().flatten()).or_default() += 1;
        }
        let most = counts.into_iter().max_by_key(|(kind, count)| (*count, kind.is_some(), Reverse(*kind)));
        most.and_then(|(kind, _)| kind).map(str::to_owned)
    };
    let link = |place: &usize| rows.get(*place).copied().flatten().zip(links.get(*place).copied().flatten());
    Ok(Listed::of(grouped(&texts, known), |group| Improvement {
        text: group.text(),
        kind: kind(&group),
        sessions: group.sessions.len() as f64,
        items: group.rows.len() as f64,
        acus: group.acus,
        repos: known.repos(&group.sessions),
        high_issues: high.map(|high| {
            let links = group.rows.iter().filter_map(link).filter(|link| high.contains(link));
            links.collect::<BTreeSet<_>>().len() as f64
        }),
        examples: known.examples(&group.sessions),
    }))
}

fn recurring(issues: &DataFrame, impacts: &[&str], known: &Sessions) -> PolarsResult<Listed<RecurringIssue>> {
    let labels: Vec<Option<&str>> = issues.column(c::LABEL)?.cat32()?.iter_str().collect();
    let mut by_label: BTreeMap<Option<&str>, Texts<'_>> = BTreeMap::new();
    for text in texts(issues)? {
        by_label.entry(labels.get(text.0).copied().flatten()).or_default().push(text);
    }
    let (mut listed, mut total) = (Vec::new(), 0);
    for (label, texts) in &by_label {
        let mut groups = grouped(texts, known);
        groups.retain(|group| group.sessions.len() >= RECURRING);
        total += groups.len();
        groups.truncate(LONGEST_OF_LABEL);
        listed.extend(groups.into_iter().map(|group| (*label, group)));
    }
    listed.sort_by(|(label, one), (other_label, other)| {
        in_order(one, other).then_with(|| label.cmp(other_label))
    });
    listed.truncate(LONGEST);
    let issue = |(label, group): (Option<&str>, Group<'_>)| {
        let [high, medium, low, other] = IMPACTS.map(|impact| {
            group.rows.iter().filter(|place| impacts.get(**place) == Some(&impact)).count() as f64
        });
        RecurringIssue {
            label: label.map(str::to_owned),
            text: group.text(),
            sessions: group.sessions.len() as f64,
            high,
            medium,
            low,
            other,
            acus: group.acus,
            repos: known.repos(&group.sessions),
            examples: known.examples(&group.sessions),
        }
    };
    Ok(Listed { groups: listed.into_iter().map(issue).collect(), total: total as f64 })
}
