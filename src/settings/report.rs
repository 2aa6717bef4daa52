//! The reports of `acumen run`: a `[[report]]` table each.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::cli::{Choice, FileOption, Origin};
use crate::period::{Period, PeriodKind};

/// The keys of a table that are no options of a report …
pub(super) const KEYS: [&str; 4] = ["name", "each", "period", "chat"];
/// … and those that are. Only these differ between reports of one fetch.
pub(super) const OPTIONS: [&str; 14] = [
    "tag",
    "user",
    "team",
    "trend",
    "compare_with",
    "profile",
    "people",
    "include_prompts",
    "export",
    "allow_empty",
    "no_reconcile",
    "to",
    "cc",
    "attach",
];

/// Options of a run that no report inherits: it has its own recipients, and the run has one monitor.
const OF_THE_RUN: [&str; 9] =
    ["config", "mail-to", "mail-cc", "mail", "eml", "summary", "ping", "ping-file", "last"];

/// The longest name of a report: it is the name of a folder.
const LONGEST_NAME: usize = 60;

/// What is wrong with a value, and what to do about it.
type Fault = (String, &'static str);

/// A report of `acumen run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTable {
    /// Its name, and that of its folder.
    pub name: String,
    /// Whether there is one for each team.
    pub each_team: bool,
    /// The kind of its period: the last one that was over.
    pub period: PeriodKind,
    /// Whether its headline is posted to the chats.
    pub chat: bool,
    /// Its own options.
    pub options: Vec<FileOption>,
}

impl Default for ReportTable {
    fn default() -> Self {
        let (name, options) = (String::new(), Vec::new());
        Self { name, each_team: false, period: PeriodKind::Week, chat: false, options }
    }
}

impl ReportTable {
    /// Takes the value of one of [`KEYS`].
    pub(super) fn set(&mut self, key: &str, text: &str) -> Result<(), Fault> {
        let wrong = |hint| Err((format!("`{key}` cannot be {text:?}"), hint));
        match (key, text) {
            ("name", _) if !is_name(text) => {
                return wrong("use letters, digits, spaces, dots, dashes and underscores, 60 at most");
            }
            ("name", _) => self.name = text.to_owned(),
            ("each", "team") => self.each_team = true,
            ("each", _) => return wrong("the only value is \"team\""),
            ("period", "week") => self.period = PeriodKind::Week,
            ("period", "month") => self.period = PeriodKind::Month,
            ("period", "quarter") => self.period = PeriodKind::Quarter,
            ("period", _) => return wrong("write \"week\", \"month\" or \"quarter\": the last complete one"),
            ("chat", "true" | "false") => self.chat = text == "true",
            (_, _) => return wrong("write true or false"),
        }
        Ok(())
    }

    /// What is wrong with the whole, and what to do about it.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        if self.name.is_empty() {
            return Some(("a report needs a name", "write it as name = \"leadership\""));
        }
        if self.each_team && ["team", "tag", "user"].iter().any(|flag| self.option(flag).is_some()) {
            return Some((
                "a report for each team has no other filter",
                "remove team, tag and user, or each = \"team\"",
            ));
        }
        None
    }

    fn option(&self, flag: &str) -> Option<&FileOption> {
        self.options.iter().find(|option| option.flag == flag)
    }

    /// The options of its report: what was typed for the run, else what the table says, else what
    /// the environment and the rest of the settings file say.
    pub fn merged_options(&self, choices: &[Choice]) -> Vec<FileOption> {
        let is_typed =
            |flag: &str| choices.iter().any(|choice| choice.flag == flag && choice.origin == Origin::Flag);
        let own = self.options.iter().filter(|option| !is_typed(&option.flag)).cloned();
        let inherits = |choice: &&Choice| {
            let is_own = self.option(&choice.flag).is_some();
            let is_of_run = OF_THE_RUN.contains(&choice.flag.as_str());
            match choice.origin {
                Origin::Default => false,
                // A typed recipient takes the place of its own.
                Origin::Flag => !is_of_run || choice.flag.starts_with("mail-"),
                Origin::Environment | Origin::File => !is_own && !is_of_run,
            }
        };
        let others = choices.iter().filter(inherits);
        let others =
            others.map(|choice| FileOption { flag: choice.flag.clone(), texts: choice.texts.clone() });
        own.chain(others).collect()
    }

    /// The last period of its kind that was over when this local day began; `None` out of range.
    pub fn period_before(&self, day: NaiveDate, tz: Tz) -> Option<Period> {
        Period::containing(self.period, day, tz)?.previous()
    }
}

/// Whether a text can be the name of a report and of a folder.
fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
    let has_ends = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && !text.ends_with([' ', '.']);
    has_ends && text.len() <= LONGEST_NAME && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(flag: &str, text: &str, origin: Origin) -> Choice {
        let (flag, variable) = (flag.to_owned(), "ACUMEN_X".to_owned());
        Choice { flag, variable, texts: vec![text.to_owned()], origin }
    }

    fn option(flag: &str, text: &str) -> FileOption {
        FileOption { flag: flag.to_owned(), texts: vec![text.to_owned()] }
    }

    #[test]
    fn a_table_has_priority_over_environment_and_file_but_not_over_what_is_typed() {
        let table = ReportTable {
            options: vec![option("tag", "own"), option("trend", "3"), option("mail-to", "own@example.com")],
            ..ReportTable::default()
        };
        let choices = [
            choice("tag", "of the file", Origin::File),
            choice("trend", "9", Origin::Flag),
            choice("profile", "leadership", Origin::Environment),
            choice("mail-to", "all@example.com", Origin::Environment),
            choice("mail-cc", "all@example.com", Origin::File),
            choice("smtp", "smtps://mx", Origin::File),
            choice("page-size", "200", Origin::Default),
            choice("ping", "https://hc.example/token", Origin::Flag),
        ];
        let mut options = table.merged_options(&choices);
        options.sort_by(|a, b| a.flag.cmp(&b.flag));
        let expected = [
            option("mail-to", "own@example.com"),
            option("profile", "leadership"),
            option("smtp", "smtps://mx"),
            option("tag", "own"),
            option("trend", "9"),
        ];
        assert_eq!(options, expected);
        let typed = [choice("mail-to", "me@example.com", Origin::Flag)];
        let options = table.merged_options(&typed);
        assert!(options.contains(&option("mail-to", "me@example.com")));
        assert!(!options.contains(&option("mail-to", "own@example.com")));
    }

    #[test]
    fn a_name_is_that_of_a_folder() {
        for name in ["leadership", "Q4 board", "a.b_c-d", "7"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", ".hidden", "a/b", "a\\b", " a", "a ", "a.", "ä", "a\n", &"x".repeat(61)]
        {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn a_period_is_the_last_one_that_was_over() {
        let before = |period, day: &str| {
            let table = ReportTable { period, ..ReportTable::default() };
            table.period_before(day.parse().unwrap(), Tz::UTC).unwrap().label()
        };
        assert_eq!(before(PeriodKind::Week, "2026-10-12"), "2026-W41");
        assert_eq!(before(PeriodKind::Week, "2026-10-11"), "2026-W40");
        assert_eq!(before(PeriodKind::Month, "2026-10-01"), "2026-09");
        assert_eq!(before(PeriodKind::Quarter, "2026-10-12"), "2026-Q3");
    }
}
