//! The words of the invented organisation, kept in `words.json`.

use std::sync::LazyLock;

use serde::Deserialize;

/// All of them.
pub static WORDS: LazyLock<Words<'static>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("words.json")).expect("words.json has the fields of Words")
});

/// The label that the last week is about.
pub const STORY_LABEL: &str = "Environment setup";
/// What happened in the last week.
pub const STORY_ISSUE: &str =
    "The private package registry refused the machine's token, so the build image had to be set up by hand";
/// A name that no column is wide enough for.
pub const LONG_NAME: &str =
    "Maria Theresia Friederike Auguste von und zu Hohenstein-Wittelsberg auf Oberkirchen-Niederau";

/// The lists of words; no list is empty.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words<'w> {
    /// Teams by their tag, and what they work on.
    #[serde(borrow)]
    pub teams: Vec<(&'w str, Vec<&'w str>)>,
    /// Kinds of work by their tag, with the verbs that open a title.
    #[serde(borrow)]
    pub kinds: Vec<(&'w str, Vec<&'w str>)>,
    /// What the schedule updates at night.
    #[serde(borrow)]
    pub packages: Vec<&'w str>,
    /// Titles in other alphabets.
    #[serde(borrow)]
    pub foreign_titles: Vec<&'w str>,
    /// Titles with markup, as people write them when markup is the subject.
    pub markup_titles: Vec<String>,
    /// Repositories: host, and the address before the number as that host writes it.
    #[serde(borrow)]
    pub repositories: Vec<(&'w str, &'w str)>,
    /// What analyses find, the frequent first.
    #[serde(borrow)]
    pub frictions: Vec<Friction<'w>>,
    /// Steps of a session's timeline: title, and the words before the session's subject.
    #[serde(borrow)]
    pub steps: Vec<(&'w str, &'w str)>,
    /// What people add to a request.
    #[serde(borrow)]
    pub details: Vec<&'w str>,
    /// Remarks on prompts: summary and details.
    #[serde(borrow)]
    pub remarks: Vec<(&'w str, &'w str)>,
    /// Given names, and how an email address writes them.
    #[serde(borrow)]
    pub given_names: Vec<(&'w str, &'w str)>,
    /// The same of surnames.
    #[serde(borrow)]
    pub surnames: Vec<(&'w str, &'w str)>,
    /// Whole names in other alphabets, and how an email address writes them.
    #[serde(borrow)]
    pub foreign_names: Vec<(&'w str, &'w str)>,
    /// Names of service users.
    #[serde(borrow)]
    pub services: Vec<&'w str>,
}

/// A kind of issue that analyses find.
#[derive(Debug, Deserialize)]
pub struct Friction<'w> {
    pub label: &'w str,
    pub weight: u32,
    /// What happened, in the words of an analysis.
    #[serde(borrow)]
    pub issues: Vec<&'w str>,
    /// The type of the action item that would help, and its text.
    #[serde(borrow)]
    pub action: (&'w str, &'w str),
}
