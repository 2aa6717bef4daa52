//! The names of all columns, in one place.

/// Joins a session's rows across frames; meaningless outside one run.
pub const ROW: &str = "row";

/// Session id, normalised; the total key that output is sorted by.
pub const ID: &str = "id";
/// Creation, UTC, microseconds.
pub const CREATED: &str = "created";
/// Last change, UTC, microseconds; null where it could not be read.
pub const UPDATED: &str = "updated";
/// Place in the server's order.
pub const POSITION: &str = "position";
/// Organisation id, or null.
pub const ORG: &str = "org";
/// Service user, else user, or null.
pub const USER: &str = "user";
/// Whether a machine started the session.
pub const AUTOMATION: &str = "automation";
/// Status as it came, or null.
pub const STATUS: &str = "status";
/// ACUs; null is unknown.
pub const ACUS: &str = "acus";
/// Title, or null.
pub const TITLE: &str = "title";
/// Address of the session, or null.
pub const URL: &str = "url";
/// Whether the session has an analysis object.
pub const ANALYSED: &str = "analysed";
/// Number of remarks on the prompt.
pub const FEEDBACK: &str = "feedback";
/// Number of a session's distinct tags.
pub const TAG_COUNT: &str = "tag_count";
/// Number of a session's distinct pull requests.
pub const PR_COUNT: &str = "pr_count";

/// Tag, trimmed and distinct within its session.
pub const TAG: &str = "tag";

/// Number of a pull request's canonical address, meaningless outside one run;
/// null for an entry without one.
pub const ADDRESS: &str = "address";
/// Host and path of the repository.
pub const REPO: &str = "repo";
/// State of a pull request as a rank: the smallest of disagreeing rows wins.
pub const STATE: &str = "state";

/// Impact of an issue: high, medium, low or other.
pub const IMPACT: &str = "impact";
/// Label of an issue, or null.
pub const LABEL: &str = "label";
/// Type of an action item, or null.
pub const TYPE: &str = "type";
