//! The layout of the page: each metric on the page is one row here.

use serde::Serialize;

use super::intro;
use crate::metrics::*;

/// The kind of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// Vertical columns over days or bins.
    Columns,
    /// Horizontal bars, largest first; the rest is one bar if it can be summed.
    Ranking,
    /// Horizontal bars of ratios with their basis.
    Rates,
    /// A line over the trend's periods.
    Trend,
    /// Horizontal bars split by impact.
    Stacks,
    /// All sessions, those with a pull request, those with a merged one.
    Funnel,
    /// Columns for each impact.
    Multiples,
    /// A table of labels, without a chart.
    Labels,
    /// A table of teams, without a chart.
    Teams,
    /// A table of what sessions cost and what came of them, by group, without a chart.
    PayOff,
    /// A table of what organisations used of their limits, without a chart.
    CycleLimits,
}

/// A chart on the page.
pub struct FigureSpec {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// One line under the heading; empty for none.
    pub note: &'static str,
    /// The metric.
    pub metric: &'static Metric,
    /// Its grouping.
    pub by: &'static [Dim],
    /// Its kind.
    pub kind: FigureKind,
    /// The figure is omitted if there are fewer groups.
    pub min_groups: usize,
    /// The cases of which a ratio has too few if it has fewer than [`FEW`](super::number::FEW): it is then faded. Empty
    /// where nothing is.
    pub faded: &'static str,
    /// Whether a mail shows it.
    pub mail: MailPlace,
}

/// What a mail shows of a figure: charts are images, which can be neither searched nor masked, so
/// only those without other people's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailPlace {
    /// Nothing.
    Nowhere,
    /// Its chart.
    Chart,
    /// Its chart, if the figure before it in the mail has no data.
    Spare,
    /// The first rows of its table.
    Rows,
}

impl FigureSpec {
    /// The head of the column of what the numbers rest on; `None` for a number that is its own basis.
    pub fn basis_head(&self) -> Option<&'static str> {
        Some(self.metric.basis.head()).filter(|head| *head != self.metric.title)
    }
}

/// A section of the page.
pub struct SectionSpec {
    /// Anchor.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Heading where nothing has a price.
    pub unpriced_title: &'static str,
    /// Numbers of the whole period above the charts.
    pub numbers: &'static [&'static Metric],
    /// Its charts.
    pub figures: &'static [FigureSpec],
    /// Its introduction.
    pub intro: fn(&Facts) -> String,
}

const fn figure(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    metric: &'static Metric,
    by: &'static [Dim],
    kind: FigureKind,
) -> FigureSpec {
    FigureSpec { id, title, note, metric, by, kind, min_groups: 0, faded: "", mail: MailPlace::Nowhere }
}

/// A tile at the top of the page.
pub struct TileSpec {
    /// Its title, short enough for one line on a phone.
    pub title: &'static str,
    /// The metric.
    pub metric: &'static Metric,
    /// The group; empty for the whole period.
    pub keys: &'static [(Dim, &'static str)],
    /// The name of the basis; empty to omit it.
    pub basis: &'static str,
}

const fn headline(
    title: &'static str,
    metric: &'static Metric,
    keys: &'static [(Dim, &'static str)],
    basis: &'static str,
) -> TileSpec {
    TileSpec { title, metric, keys, basis }
}

impl TileSpec {
    fn by(&self) -> Vec<Dim> {
        self.keys.iter().map(|(dim, _)| *dim).collect()
    }
}

/// The tiles with data.
pub fn headlines(capabilities: Capabilities) -> impl Iterator<Item = &'static TileSpec> {
    HEADLINES.iter().filter(move |headline| headline.metric.is_shown(&headline.by(), capabilities))
}

/// The sections with data. Without ACUs, usage replaces spend.
pub fn sections(known: Capabilities) -> impl Iterator<Item = &'static SectionSpec> {
    let first = if known.metered { &SECTIONS[0] } else { &USAGE };
    std::iter::once(first).chain(&SECTIONS[1..]).filter(move |section| {
        let has_number = section.numbers.iter().any(|metric| metric.is_shown(&[], known));
        has_number || section.figures.iter().any(|figure| figure.metric.is_shown(figure.by, known))
    })
}

/// The tiles, in order.
static HEADLINES: [TileSpec; 8] = [
    headline("ACUs", &ACUS, &[], ""),
    headline("Sessions", &SESSIONS, &[], ""),
    headline("Active users", &ACTIVE_USERS, &[], ""),
    headline("Pull requests", &PRS, &[], ""),
    headline("Merge rate", &MERGE_RATE, &[], "decided"),
    headline("ACUs per merged PR", &ACUS_PER_MERGED_PR, &[], "merged"),
    headline("High-impact issues per 100", &ISSUE_RATE, &[(Dim::Impact, "high")], "analysed"),
    headline("Analysis coverage", &ANALYSIS_COVERAGE, &[], "sessions"),
];

/// The section that replaces spend without ACUs.
static USAGE: SectionSpec = SectionSpec {
    id: "usage",
    intro: intro::usage,
    title: "Usage",
    unpriced_title: "Usage",
    numbers: &[&AUTOMATION_SESSIONS],
    figures: &[
        FigureSpec {
            mail: MailPlace::Chart,
            ..figure("sessions-by-day", "Sessions by day", "", &SESSIONS, &[Dim::Day], FigureKind::Columns)
        },
        FigureSpec {
            min_groups: 1,
            mail: MailPlace::Rows,
            ..figure("sessions-by-team", "Sessions by team", "", &SESSIONS, &[Dim::Team], FigureKind::Ranking)
        },
        FigureSpec {
            mail: MailPlace::Rows,
            ..figure("sessions-by-user", "Sessions by user", "", &SESSIONS, &[Dim::User], FigureKind::Ranking)
        },
        FigureSpec {
            mail: MailPlace::Rows,
            ..figure(
                "sessions-by-tag",
                "Sessions by tag",
                "Tags overlap: a session counts fully under each of its tags, so there is no total.",
                &SESSIONS,
                &[Dim::Tag],
                FigureKind::Ranking,
            )
        },
        FigureSpec {
            min_groups: 2,
            ..figure(
                "sessions-by-org",
                "Sessions by organisation",
                "",
                &SESSIONS,
                &[Dim::Org],
                FigureKind::Ranking,
            )
        },
        FigureSpec {
            min_groups: 1,
            ..figure(
                "sessions-by-category",
                "Sessions by kind of work",
                "Categories as assigned by Devin.",
                &SESSIONS,
                &[Dim::Category],
                FigureKind::Ranking,
            )
        },
        FigureSpec {
            min_groups: 1,
            ..figure(
                "sessions-by-origin",
                "Sessions by origin",
                "Where sessions were started.",
                &SESSIONS,
                &[Dim::Origin],
                FigureKind::Ranking,
            )
        },
        FigureSpec {
            min_groups: 1,
            ..figure(
                "sessions-by-size",
                "Sessions by size",
                "Devin considers sizes L and XL unhealthy.",
                &SESSIONS,
                &[Dim::Size],
                FigureKind::Ranking,
            )
        },
        FigureSpec {
            min_groups: 2,
            ..figure("sessions-trend", "Sessions over time", "", &SESSIONS, &[Dim::Period], FigureKind::Trend)
        },
    ],
};

/// The sections, in order.
static SECTIONS: [SectionSpec; 5] = [
    SectionSpec {
        id: "spend",
        intro: intro::spend,
        title: "Spend",
        unpriced_title: "Usage",
        numbers: &[
            &ACUS_PER_SESSION_MEDIAN,
            &ACUS_PER_SESSION_P90,
            &ACUS_PER_SESSION_MAX,
            &ACUS_TOP_DECILE_SHARE,
            &ACUS_WITHOUT_PR_SHARE,
            &AUTOMATION_SESSIONS,
        ],
        figures: &[
            FigureSpec {
                mail: MailPlace::Chart,
                ..figure("acus-by-day", "ACUs by day", "", &ACUS, &[Dim::Day], FigureKind::Columns)
            },
            figure(
                "acus-by-session",
                "Sessions by ACUs used",
                "Bins include their lower bound: a session with 5 ACUs is in 5–10.",
                &ACUS_HISTOGRAM,
                &[Dim::Bin],
                FigureKind::Columns,
            ),
            FigureSpec {
                min_groups: 1,
                mail: MailPlace::Rows,
                ..figure("acus-by-team", "ACUs by team", "", &ACUS, &[Dim::Team], FigureKind::Ranking)
            },
            FigureSpec {
                mail: MailPlace::Rows,
                ..figure("acus-by-user", "ACUs by user", "", &ACUS, &[Dim::User], FigureKind::Ranking)
            },
            FigureSpec {
                mail: MailPlace::Rows,
                ..figure(
                    "acus-by-tag",
                    "ACUs by tag",
                    "Tags overlap: a session counts fully under each of its tags, so there is no total.",
                    &ACUS,
                    &[Dim::Tag],
                    FigureKind::Ranking,
                )
            },
            FigureSpec {
                min_groups: 2,
                ..figure("acus-by-org", "ACUs by organisation", "", &ACUS, &[Dim::Org], FigureKind::Ranking)
            },
            figure(
                "cycle-limits",
                "Cycle limits: ACUs by organisation",
                "",
                &ACUS,
                &[Dim::Org],
                FigureKind::CycleLimits,
            ),
            FigureSpec {
                min_groups: 1,
                ..figure(
                    "acus-by-category",
                    "ACUs by kind of work",
                    "Categories as assigned by Devin.",
                    &ACUS,
                    &[Dim::Category],
                    FigureKind::Ranking,
                )
            },
            FigureSpec {
                min_groups: 1,
                ..figure(
                    "acus-by-origin",
                    "ACUs by origin",
                    "Where sessions were started.",
                    &ACUS,
                    &[Dim::Origin],
                    FigureKind::Ranking,
                )
            },
            FigureSpec {
                min_groups: 1,
                ..figure(
                    "acus-by-size",
                    "ACUs by size of session",
                    "Devin considers sizes L and XL unhealthy.",
                    &ACUS,
                    &[Dim::Size],
                    FigureKind::Ranking,
                )
            },
            FigureSpec {
                min_groups: 2,
                ..figure(
                    "acus-trend",
                    "ACUs over time",
                    "By the period in which a session was created.",
                    &ACUS,
                    &[Dim::Period],
                    FigureKind::Trend,
                )
            },
        ],
    },
    SectionSpec {
        id: "delivery",
        intro: intro::delivery,
        title: "Delivery",
        unpriced_title: "Delivery",
        numbers: &[&PRS_MERGED, &MERGE_RATE_ALL, &MERGED_WITHIN_7D_RATE],
        figures: &[
            FigureSpec {
                min_groups: 1,
                faded: "merged or closed pull requests",
                ..figure(
                    "teams",
                    "Teams side by side",
                    "A session belongs to one team, so the parts add up to the total.",
                    &SESSIONS,
                    &[Dim::Team],
                    FigureKind::Teams,
                )
            },
            figure("funnel", "From session to merge", "", &SESSIONS_WITH_PR, &[], FigureKind::Funnel),
            figure("pr-states", "Pull requests by state", "", &PRS, &[Dim::State], FigureKind::Ranking),
            FigureSpec {
                min_groups: 2,
                mail: MailPlace::Chart,
                faded: "merged or closed pull requests",
                ..figure(
                    "merge-rate-trend",
                    "Merge rate over time",
                    "",
                    &MERGE_RATE,
                    &[Dim::Period],
                    FigureKind::Trend,
                )
            },
            FigureSpec {
                faded: "merged or closed pull requests",
                ..figure(
                    "merge-rate-by-tag",
                    "Merge rate by tag",
                    "",
                    &MERGE_RATE,
                    &[Dim::Tag],
                    FigureKind::Rates,
                )
            },
            FigureSpec {
                faded: "merged or closed pull requests",
                ..figure(
                    "merge-rate-by-repo",
                    "Merge rate by repository",
                    "",
                    &MERGE_RATE,
                    &[Dim::Repo],
                    FigureKind::Rates,
                )
            },
            FigureSpec {
                min_groups: 1,
                faded: "merged or closed pull requests",
                ..figure(
                    "merge-rate-by-category",
                    "Merge rate by kind of work",
                    "",
                    &MERGE_RATE,
                    &[Dim::Category],
                    FigureKind::Rates,
                )
            },
            FigureSpec {
                min_groups: 2,
                faded: "pull requests",
                ..figure(
                    "merged-within-7d-trend",
                    "Merged within 7 days over time",
                    "Weeks of any age can be compared. No value if syncs were too rare to know.",
                    &MERGED_WITHIN_7D_RATE,
                    &[Dim::Period],
                    FigureKind::Trend,
                )
            },
            FigureSpec {
                min_groups: 2,
                mail: MailPlace::Spare,
                faded: "merged pull requests",
                ..figure(
                    "acus-per-merged-pr-trend",
                    "ACUs per merged pull request over time",
                    "",
                    &ACUS_PER_MERGED_PR,
                    &[Dim::Period],
                    FigureKind::Trend,
                )
            },
        ],
    },
    SectionSpec {
        id: "work",
        intro: intro::work,
        title: "How work goes",
        unpriced_title: "How work goes",
        numbers: &[
            &LARGE_SESSION_SHARE,
            &ONE_MESSAGE_SHARE,
            &USER_MESSAGES_MEDIAN,
            &SESSIONS_STOPPED_BY_LIMIT,
        ],
        figures: &[
            FigureSpec {
                min_groups: 1,
                faded: "merged pull requests",
                ..figure(
                    "pay-off",
                    "What pays off",
                    "A session is in one row of each kind.",
                    &SESSIONS,
                    &[Dim::Size],
                    FigureKind::PayOff,
                )
            },
            FigureSpec {
                min_groups: 1,
                ..figure(
                    "sessions-by-status-detail",
                    "How sessions rest",
                    "At the time of the fetch. “Waiting for user” often means done: sessions with final \
                     results rest there.",
                    &SESSIONS,
                    &[Dim::StatusDetail],
                    FigureKind::Ranking,
                )
            },
        ],
    },
    SectionSpec {
        id: "friction",
        intro: intro::friction,
        title: "Friction",
        unpriced_title: "Friction",
        numbers: &[&ISSUES, &SESSIONS_WITH_PROMPT_FEEDBACK],
        figures: &[
            FigureSpec {
                mail: MailPlace::Chart,
                ..figure(
                    "issues-by-impact",
                    "Issues by impact",
                    "",
                    &ISSUES,
                    &[Dim::Impact],
                    FigureKind::Ranking,
                )
            },
            figure(
                "impact-by-label",
                "Impact by label",
                "Labels with most high-impact issues first.",
                &ISSUES,
                &[Dim::Label, Dim::Impact],
                FigureKind::Stacks,
            ),
            FigureSpec {
                min_groups: 1,
                ..figure(
                    "labels",
                    "Most frequent labels",
                    "With the number of distinct sessions and their ACUs. A session can have several labels.",
                    &SESSIONS_WITH_ISSUE,
                    &[Dim::Label],
                    FigureKind::Labels,
                )
            },
            figure(
                "issues-per-session",
                "Issues per session",
                "Analysed sessions by their number of issues of each impact.",
                &ISSUE_COUNT_HISTOGRAM,
                &[Dim::Impact, Dim::Issues],
                FigureKind::Multiples,
            ),
            figure(
                "action-items",
                "Action items by type",
                "",
                &ACTION_ITEMS,
                &[Dim::Type],
                FigureKind::Ranking,
            ),
        ],
    },
    SectionSpec {
        id: "people",
        intro: intro::people,
        title: "People",
        unpriced_title: "People",
        numbers: &[&NEW_USERS, &RETURNING_USERS, &LAPSED_USERS, &ACTIVATION, &MEMBERS],
        figures: &[FigureSpec {
            min_groups: 2,
            ..figure(
                "active-users-trend",
                "Active users over time",
                "",
                &ACTIVE_USERS,
                &[Dim::Period],
                FigureKind::Trend,
            )
        }],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_uses_only_groupings_of_its_metrics() {
        let sections = || SECTIONS.iter().chain([&USAGE]);
        for figure in sections().flat_map(|section| section.figures) {
            assert!(figure.metric.groups.contains(&figure.by), "{}", figure.id);
        }
        for metric in sections().flat_map(|section| section.numbers) {
            assert!(metric.groups.contains(&[].as_slice()), "{}", metric.id);
        }
        for headline in &HEADLINES {
            assert!(headline.metric.groups.contains(&headline.by().as_slice()), "{}", headline.title);
        }
    }

    #[test]
    fn charts_of_a_mail_have_no_free_text() {
        let figures = || SECTIONS.iter().chain([&USAGE]).flat_map(|section| section.figures);
        let is_chart = |figure: &&FigureSpec| matches!(figure.mail, MailPlace::Chart | MailPlace::Spare);
        for figure in figures().filter(is_chart) {
            let is_closed = |dim: &Dim| matches!(dim, Dim::Day | Dim::Period | Dim::Impact);
            assert!(figure.by.iter().all(is_closed), "{}", figure.id);
        }
        assert_eq!(figures().filter(is_chart).count(), 5);
    }
}
