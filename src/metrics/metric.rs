//! What a metric is: one constant beside one function.

use polars::prelude::{Expr, LazyFrame};

use super::cube::Cube;
use crate::fetch::{Api, Records};
use crate::money::Currency;
use crate::unit::Unit;

/// What facts are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dim {
    /// Lower edge of a bin of ACUs a session.
    Bin,
    /// Kind of work of a session; v3 alone tells it.
    Category,
    /// Local date.
    Day,
    /// Impact of an issue.
    Impact,
    /// Number of issues a session has.
    Issues,
    /// Label of an issue.
    Label,
    /// Organisation id.
    Org,
    /// Where a session was started from; v3 alone tells it.
    Origin,
    /// A period of the trend.
    Period,
    /// Repository of a pull request.
    Repo,
    /// Size of a session; v3 alone tells it.
    Size,
    /// State of a pull request.
    State,
    /// Status of a session.
    Status,
    /// Tag of a session.
    Tag,
    /// Team of a session; told by the user's own rules and people file.
    Team,
    /// Type of an action item.
    Type,
    /// User of a session.
    User,
}

impl Dim {
    /// Its key in `facts.json`, and its column in a plan's answer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bin => "bin",
            Self::Category => "category",
            Self::Day => "day",
            Self::Impact => "impact",
            Self::Issues => "issues",
            Self::Label => "label",
            Self::Org => "org",
            Self::Origin => "origin",
            Self::Period => "period",
            Self::Repo => "repo",
            Self::Size => "size",
            Self::State => "state",
            Self::Status => "status",
            Self::Tag => "tag",
            Self::Team => "team",
            Self::Type => "type",
            Self::User => "user",
        }
    }

    /// How many bits its numbers take in the number of a group. No group has
    /// two dimensions of 32.
    pub fn bits(self) -> u32 {
        match self {
            Self::Bin | Self::Impact | Self::Issues | Self::State => 8,
            Self::Category | Self::Day | Self::Label | Self::Org | Self::Origin | Self::Period => 32,
            Self::Repo | Self::Size | Self::Status | Self::Tag | Self::Team | Self::Type | Self::User => 32,
        }
    }

    /// Whether the web app's export does not tell it, and both generations of the API do.
    pub fn is_told_by_api_alone(self) -> bool {
        match self {
            Self::Impact | Self::Issues | Self::Label | Self::Status | Self::Tag | Self::Type => true,
            Self::Bin | Self::Category | Self::Day | Self::Org | Self::Origin | Self::Period => false,
            Self::Repo | Self::Size | Self::State | Self::Team | Self::User => false,
        }
    }

    /// Whether it can be known at all.
    pub fn is_told_by(self, known: Known) -> bool {
        match self {
            Self::Category | Self::Origin | Self::Size => known.records == Records::Api(Api::V3),
            Self::Team => known.teams,
            _ => known.records != Records::Export || !self.is_told_by_api_alone(),
        }
    }
}

/// What there is to know for a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who wrote the records.
    pub records: Records,
    /// Whether work is billed in ACUs; else there is nothing to say of ACUs and money.
    pub metered: bool,
    /// Whether somebody told of teams.
    pub teams: bool,
    /// The currency of the price, where there is one.
    pub currency: Option<Currency>,
}

impl Known {
    /// Whether there is the data for a metric in a grouping.
    pub fn tells(self, metric: &Metric, by: &[Dim]) -> bool {
        let is_told = match metric.needs {
            Needs::Nothing => true,
            Needs::Api => self.records != Records::Export,
            Needs::V3 => self.records == Records::Api(Api::V3),
            Needs::Price => self.currency.is_some(),
        };
        is_told && by.iter().all(|dim| dim.is_told_by(self))
    }

    /// Whether a reader is shown it: ACUs only where they are billed.
    pub fn shows(self, metric: &Metric, by: &[Dim]) -> bool {
        self.tells(metric, by) && (self.metered || !metric.is_of_acus())
    }
}

/// What a metric needs beyond the sessions that everybody tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// What the API tells, and the web app's export does not.
    Api,
    /// What v3 alone tells.
    V3,
    /// The price of an ACU.
    Price,
}

/// Whether more of it is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// More is good.
    More,
    /// Less is good.
    Less,
    /// Neither: no colour.
    Neutral,
}

/// What a metric says of an empty group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A count or a sum: nothing is 0.
    Total,
    /// Numerator and denominator: nothing is null.
    Ratio,
    /// A percentile or extreme: nothing is null.
    Quantile,
}

/// What `n` counts beside a value; of two on one grain that with fewer rows comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Sessions of the group.
    Sessions,
    /// Sessions of the group whose ACUs are known.
    KnownSessions,
    /// Distinct pull requests of the group.
    PullRequests,
    /// Distinct pull requests of the group that are merged or closed.
    DecidedPullRequests,
    /// Distinct pull requests of the group that are merged.
    MergedPullRequests,
    /// Sessions of the group that have an analysis.
    AnalysedSessions,
    /// Sessions of the group whose number of messages is known.
    CountedSessions,
}

impl Basis {
    /// What it counts rows of.
    pub fn grain(self) -> Grain {
        match self {
            Self::PullRequests | Self::DecidedPullRequests | Self::MergedPullRequests => Grain::PullRequest,
            Self::Sessions | Self::KnownSessions | Self::AnalysedSessions | Self::CountedSessions => {
                Grain::Session
            }
        }
    }

    /// The head of a column with the number.
    pub fn head(self) -> &'static str {
        match self {
            Self::Sessions | Self::KnownSessions | Self::CountedSessions => "Sessions",
            Self::PullRequests => "Pull requests",
            Self::DecidedPullRequests => "Decided",
            Self::MergedPullRequests => "Merged",
            Self::AnalysedSessions => "Analysed sessions",
        }
    }

    /// The words that follow the number.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::KnownSessions => "sessions with known ACUs",
            Self::PullRequests => "pull requests",
            Self::DecidedPullRequests => "decided pull requests",
            Self::MergedPullRequests => "merged pull requests",
            Self::AnalysedSessions => "analysed sessions",
            Self::CountedSessions => "sessions with a known number of messages",
        }
    }
}

/// A number that the report can show, with its definition.
pub struct Metric {
    /// Its name in `facts.json`.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The unit of its value.
    pub unit: Unit,
    /// Whether more of it is good news.
    pub direction: Direction,
    /// What it says of an empty group.
    pub kind: Kind,
    /// What `n` counts.
    pub basis: Basis,
    /// Its definition in one or two sentences.
    pub definition: &'static str,
    /// What it needs to be known.
    pub needs: Needs,
    /// The groupings it comes in; `&[]` is the whole period.
    pub groups: &'static [&'static [Dim]],
    /// How it is worked out.
    pub plan: Plan,
}

impl Metric {
    /// Whether it is made of ACUs or of what they cost.
    pub fn is_of_acus(&self) -> bool {
        self.id.starts_with("acus") || self.needs == Needs::Price
    }

    /// The unit of its values in a report: of money with the currency, of a covered
    /// report in whole units.
    pub fn unit_in(&self, known: Known, covered: bool) -> Unit {
        let unit = match (self.unit, known.currency) {
            (Unit::Money(_), Some(currency)) => Unit::Money(currency),
            (unit, _) => unit,
        };
        if covered { unit.whole() } else { unit }
    }
}

/// How a metric is worked out, grouped by period and dimensions.
pub enum Plan {
    /// Its value, and `n`, over the rows of a grain: all such metrics of a grain and
    /// a grouping are worked out together.
    Total(Grain, fn() -> [Expr; 2]),
    /// The same of a ratio: numerator, denominator and `n`.
    Ratio(Grain, fn() -> [Expr; 3]),
    /// A frame of its own with the columns `group`, `value`, `n` and, of a ratio,
    /// `numerator` and `denominator`.
    Own(fn(&Cube, &[Dim]) -> LazyFrame),
}

impl Plan {
    /// The grain of one that is worked out together with others.
    pub(super) fn grain(&self) -> Option<Grain> {
        match self {
            Self::Total(grain, _) | Self::Ratio(grain, _) => Some(*grain),
            Self::Own(_) => None,
        }
    }
}

/// What a row of a frame stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grain {
    /// A session.
    Session,
    /// A distinct pull request of a period.
    PullRequest,
}
