//! The registry of metrics: the catalogue, the definitions on the page and the facts
//! follow it.

use super::acus::*;
use super::analysis::*;
use super::capabilities::Capabilities;
use super::merged_in_time::MERGED_WITHIN_7D_RATE;
use super::metric::Metric;
use super::pull_requests::*;
use super::sessions::*;
use super::spend::*;
use super::users::*;

/// Every metric, in the order of the catalogue.
pub static METRICS: &[Metric] = &[
    SESSIONS,
    ACTIVE_USERS,
    NEW_USERS,
    RETURNING_USERS,
    LAPSED_USERS,
    MEMBERS,
    ACTIVATION,
    AUTOMATION_SESSIONS,
    ACUS,
    ACUS_SPLIT,
    ACUS_PER_SESSION_MEDIAN,
    ACUS_PER_SESSION_P90,
    ACUS_PER_SESSION_MAX,
    ACUS_HISTOGRAM,
    ACUS_TOP_DECILE_SHARE,
    PRS,
    PRS_MERGED,
    MERGE_RATE,
    MERGE_RATE_ALL,
    UNDECIDED_PRS,
    UNDECIDED_SHARE,
    MERGED_WITHIN_7D_RATE,
    SESSIONS_WITH_PR,
    SESSIONS_WITH_MERGED_PR,
    ACUS_PER_MERGED_PR,
    ACUS_PER_MERGED_PR_EXPECTED,
    ACUS_WITHOUT_PR_SHARE,
    ANALYSED_SESSIONS,
    ANALYSIS_COVERAGE,
    ISSUES,
    ISSUE_RATE,
    SESSIONS_WITH_ISSUE,
    ISSUE_COUNT_HISTOGRAM,
    ACTION_ITEMS,
    SESSIONS_WITH_PROMPT_FEEDBACK,
    LARGE_SESSION_SHARE,
    ONE_MESSAGE_SHARE,
    USER_MESSAGES_MEDIAN,
    SESSIONS_STOPPED_BY_LIMIT,
    SPEND,
    SPEND_SPLIT,
    SPEND_PER_MERGED_PR,
];

/// The metrics that the data can answer.
pub fn known_to(capabilities: Capabilities) -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(move |metric| metric.groups.iter().any(|by| metric.is_known(by, capabilities)))
}
