//! The names of all columns, in one place.

/// Joins a session's rows across frames: the place of the session in the order of sessions.
pub const ROW: &str = "row";

/// Session id, normalised, in frames that are being built.
pub const ID: &str = "id";
/// Creation, UTC.
pub const CREATED: &str = "created";
/// Last change, UTC; null where it could not be read.
pub const UPDATED: &str = "updated";
/// Place in the server's order.
pub const POSITION: &str = "position";
/// Organisation id, or null.
pub const ORG: &str = "org";
/// Service user's id, else the user's, or null.
pub const USER: &str = "user";
/// Team, or null; null throughout where nobody told of teams.
pub const TEAM: &str = "team";
/// Whether a machine started the session.
pub const AUTOMATION: &str = "automation";
/// Status as it came, or null.
pub const STATUS: &str = "status";
/// ACUs; null is unknown.
pub const ACUS: &str = "acus";
/// Where it was started from, or null; v3 alone tells it.
pub const ORIGIN: &str = "origin";
/// The vendor's size of it, or null; v3 alone tells it.
pub const SIZE: &str = "size";
/// Kind of work, or null; v3 alone tells it.
pub const CATEGORY: &str = "category";
/// Whether it is suspended because a limit was reached; v3 alone tells it.
pub const LIMITED: &str = "limited";
/// Messages that people wrote in it, or null; v3 alone tells it.
pub const MESSAGES: &str = "messages";
/// Title, or null.
pub const TITLE: &str = "title";
/// Address of the session, or null.
pub const URL: &str = "url";
/// The prompt, where it is to be printed; else null.
pub const PROMPT: &str = "prompt";
/// Whether the session has an analysis object.
pub const ANALYSED: &str = "analysed";
/// Number of remarks on the prompt.
pub const FEEDBACK: &str = "feedback";
/// Fields of the session that could not be read.
pub const UNREADABLE: &str = "unreadable";
/// Number of a session's distinct tags.
pub const TAG_COUNT: &str = "tag_count";
/// Number of a session's distinct pull requests.
pub const PR_COUNT: &str = "pr_count";

/// Tag, trimmed and distinct within its session.
pub const TAG: &str = "tag";

/// Canonical address of a pull request; null for an entry without one.
pub const ADDRESS: &str = "address";
/// Repository: its host and path; null for an entry without an address.
pub const REPO: &str = "repo";
/// State of a pull request, one of [`STATES`](super::normal::STATES): the first of
/// disagreeing rows wins.
pub const STATE: &str = "state";

/// Impact of an issue, one of [`IMPACTS`](super::normal::IMPACTS).
pub const IMPACT: &str = "impact";
/// Label of an issue, or null.
pub const LABEL: &str = "label";
/// Type of an action item, or null.
pub const TYPE: &str = "type";

/// Session id, normalised; the total key that output is sorted by.
pub const SESSION: &str = "session";
/// Id of the person that started a session, as it came, or null; in stored tables alone.
pub const USER_ID: &str = "user_id";
/// The same of a service user.
pub const SERVICE_USER_ID: &str = "service_user_id";
