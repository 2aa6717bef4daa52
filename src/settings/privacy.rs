//! What a report shows of single people and sessions.

use super::SettingsError;
use crate::cli::{People, ReportArgs};
use crate::period::{Period, PeriodKind};

/// What a report shows of single people and sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Privacy {
    /// Whether the report is covered: it says nothing of single people, and no
    /// number in it rests on fewer than five.
    pub covered: bool,
    /// Whether it is for leadership. Such a report is covered.
    pub leadership: bool,
    /// Whether the beginnings of prompts are printed.
    pub prompts: bool,
}

/// What the profile and the flags beside it say of people and sessions.
///
/// # Errors
/// The flags beside the profile ask for what it does not show.
pub fn privacy(args: &ReportArgs) -> Result<Privacy, SettingsError> {
    let leadership = args.profile == "leadership";
    if leadership && args.people == Some(People::Names) {
        return Err(SettingsError::new(
            "--people names: a leadership report has no names",
            "use --profile lead for a report with names",
        ));
    }
    let covered = leadership || args.people == Some(People::Hidden);
    if covered {
        check_covered(args)?;
    }
    Ok(Privacy { covered, leadership, prompts: args.include_prompts })
}

/// What a covered report cannot be asked for, whatever its period.
fn check_covered(args: &ReportArgs) -> Result<(), SettingsError> {
    const HINT: &str = "omit it, or use --profile lead with --people names for a report with names";
    let refuse = |what: &str| Err(SettingsError::new(what, HINT));
    if args.include_prompts {
        return refuse("--include-prompts: a report that hides people shows no prompts");
    }
    if !args.users.is_empty() {
        return refuse("--user: a report that hides people cannot cover single people");
    }
    if args.tags.len() > 1 {
        return refuse("--tag: a report that hides people accepts one tag at most");
    }
    if args.tags.iter().any(|tag| tag.contains('*')) {
        return refuse("--tag: a report that hides people accepts one tag, not a pattern");
    }
    if args.export.contains(&crate::cli::Format::Parquet) {
        return Err(SettingsError::new(
            "--export parquet: a report that hides people has no rows of single sessions",
            "use --export csv,xlsx, or --profile lead with --people names for a report with names",
        ));
    }
    if args.export.contains(&crate::cli::Format::Improvements) {
        return Err(SettingsError::new(
            "--export improvements: a report that hides people has no texts of single sessions",
            "use --export csv,xlsx, or --profile lead with --people names for a report with names",
        ));
    }
    Ok(())
}

/// Refuses a comparison of a covered report with anything but a whole period of its own kind: such
/// periods are the same or disjoint, so that none minus others, such as a month minus the weeks of
/// the trend, is the day of a few people.
///
/// # Errors
/// The period is of another kind.
pub fn check_covered_comparison(period: &Period, compared: &Period) -> Result<(), SettingsError> {
    if compared.kind() == period.kind() {
        return Ok(());
    }
    let noun = period.noun();
    Err(SettingsError::new(
        format!(
            "--compare-with {}: a report that hides people is compared with a whole {noun}",
            compared.label()
        ),
        format!("choose a {noun}, such as same-{noun}-last-year"),
    ))
}

/// Refuses a covered report of anything but a whole week, month or quarter that is
/// over: the difference between two such reports could be the day of a few people.
///
/// # Errors
/// The period is another one.
pub fn check_covered_period(period: &Period, complete: bool) -> Result<(), SettingsError> {
    if period.kind() == PeriodKind::Days {
        return Err(SettingsError::new(
            "a report that hides people covers a whole week, month or quarter",
            "use --week 2026-W41, --month 2026-10 or --quarter 2026-Q4",
        ));
    }
    if !complete {
        return Err(SettingsError::new(
            format!("a report that hides people covers a whole {}, and this one is not over", period.noun()),
            format!("choose an earlier {}", period.noun()),
        ));
    }
    Ok(())
}
