//! Of a record what only the third version filters by.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::Record;
use crate::parameters::bare;
use crate::random::Random;

/// What is invented about a record comes from streams of its own, so that one
/// thing can be tested without the others, and version 2 never changes by it.
#[derive(Clone, Copy, Debug)]
pub enum Topic {
    Origin = 1,
    Playbook,
    Family,
    Session,
    Analysis,
    Archived,
    Mode,
}

/// How many playbooks there are.
const PLAYBOOKS: usize = 6;

/// Where a session came from, and what it followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    pub service_user: Option<String>,
    pub origin: Option<String>,
    pub playbook: Option<String>,
    /// Somebody put it away.
    pub is_archived: bool,
}

/// The stream of a record and a topic.
pub fn stream(record: &Record, topic: Topic) -> Random {
    Random::keyed(bare(&record.session_id), topic as u64)
}

/// The marks of a record: its own, or invented ones.
pub fn marks(record: &Record) -> Marks {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(&record.body).unwrap_or_default();
    let text = |name: &str| {
        let raw = fields.get(name)?;
        Some(serde_json::from_str::<Value>(raw.get()).ok()?.as_str()?.to_owned())
    };
    let service_user = text("service_user_id");
    let automatic = is_automatic(record, service_user.is_some());
    let reported = |name: &str, invented: Option<String>| match fields.contains_key(name) {
        true => text(name),
        false => invented,
    };
    Marks {
        origin: reported("origin", Some(origin(record, automatic).to_owned())),
        playbook: reported("playbook_id", playbook(record, automatic)),
        service_user,
        is_archived: match fields.get("is_archived") {
            Some(raw) => raw.get() == "true",
            None => is_archived(record),
        },
    }
}

/// Whether somebody has archived it.
pub fn is_archived(record: &Record) -> bool {
    stream(record, Topic::Archived).chance(0.05)
}

/// Whether no person started it.
pub fn is_automatic(record: &Record, has_service_user: bool) -> bool {
    has_service_user || record.user_id.as_deref() == Some("bot_apk")
}

/// Where a session was started.
pub fn origin(record: &Record, automatic: bool) -> &'static str {
    let mut random = stream(record, Topic::Origin);
    if automatic {
        return random.weighted(&[(45, "scheduled"), (33, "api"), (20, "automation"), (2, "code_scan")]);
    }
    random.weighted(&[
        (50, "webapp"),
        (22, "slack"),
        (8, "linear"),
        (7, "jira"),
        (4, "teams"),
        (4, "cli"),
        (3, "desktop"),
        (2, "other"),
    ])
}

/// The playbook that a session follows, mostly none.
pub fn playbook(record: &Record, automatic: bool) -> Option<String> {
    let mut random = stream(record, Topic::Playbook);
    let follows = random.chance(if automatic { 0.7 } else { 0.27 });
    follows.then(|| format!("playbook-{:032x}", 1 + random.below(PLAYBOOKS)))
}

/// The mode that Devin worked in; none where the record is of a time before there were
/// modes, or of an organisation that has none: every other one but the first.
pub fn mode(record: &Record) -> Option<&'static str> {
    let without = record.org_id.ends_with(['2', '4', '6', '8', '0']);
    let mode = stream(record, Topic::Mode).weighted(&[
        (9, None),
        (66, Some("normal")),
        (12, Some("fast")),
        (7, Some("lite")),
        (4, Some("ultra")),
        (2, Some("fusion")),
    ]);
    mode.filter(|_| !without)
}
