//! The names of all columns, in one place. Where a column holds a number for a
//! text, [`Words`](super::Words) has the text.

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
/// Number of the organisation's id, or null.
pub const ORG: &str = "org";
/// Number of the service user's id, else of the user's, or null.
pub const USER: &str = "user";
/// Number of the team, or null; null throughout where nobody told of teams.
pub const TEAM: &str = "team";
/// Whether a machine started the session.
pub const AUTOMATION: &str = "automation";
/// Number of the status as it came, or null.
pub const STATUS: &str = "status";
/// ACUs; null is unknown.
pub const ACUS: &str = "acus";
/// Number of where it was started from, or null; v3 alone tells it.
pub const ORIGIN: &str = "origin";
/// Number of the vendor's size of it, or null; v3 alone tells it.
pub const SIZE: &str = "size";
/// Number of the kind of work, or null; v3 alone tells it.
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

/// Number of a tag, trimmed and distinct within its session.
pub const TAG: &str = "tag";

/// Number of a pull request's canonical address, or null for an entry without
/// one. Its text is there only where the builder was told to keep it.
pub const ADDRESS: &str = "address";
/// Number of the repository: its host and path; null for an entry without an address.
pub const REPO: &str = "repo";
/// State of a pull request as its place in [`STATES`](super::normal::STATES): the
/// smallest of disagreeing rows wins.
pub const STATE: &str = "state";

/// Impact of an issue as its place in [`IMPACTS`](super::normal::IMPACTS).
pub const IMPACT: &str = "impact";
/// Number of an issue's label, or null.
pub const LABEL: &str = "label";
/// Number of an action item's type, or null.
pub const TYPE: &str = "type";

/// Id of the session that a row of a stored table belongs to.
pub const SESSION: &str = "session";
/// Id of the person that started a session, as it came, or null; in stored tables alone.
pub const USER_ID: &str = "user_id";
/// The same of a service user.
pub const SERVICE_USER_ID: &str = "service_user_id";
