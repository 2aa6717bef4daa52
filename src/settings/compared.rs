//! The period that a report is compared with, where it is not the one before.

use super::SettingsError;
use super::checks::quoted;
use crate::period::{Period, PeriodKind};

/// How to write a period to compare with.
const EXAMPLES: &str = "write it as 2026-W30, 2026-02, 2026-Q2, 2026-09-01_2026-09-15 or \
    same-week-last-year, or as \"\" for the period before";

/// The period that was asked for; `None` for the one before.
///
/// # Errors
/// It cannot be read, is of no kind that the report's period has, or does not lie before that.
pub(super) fn chosen(text: Option<&str>, period: &Period) -> Result<Option<Period>, SettingsError> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let refuse = |what: String, hint: String| {
        Err(SettingsError::new(format!("--compare-with: {} {what}", quoted(text)), hint))
    };
    let chosen = match a_year_before(text) {
        Some(kind) if kind != period.kind() => {
            let (kind, own) = (noun(kind), period.label());
            return refuse(format!("needs a report of a {kind}, not of {own}"), instead_of(period));
        }
        Some(_) => period.a_year_before(),
        None => Period::parse_label(text, period.tz()),
    };
    let Some(chosen) = chosen else { return refuse("cannot be read".to_owned(), EXAMPLES.to_owned()) };
    if chosen.last() < period.first() {
        return Ok(Some(chosen));
    }
    let relation = match () {
        () if chosen == *period => "is the report's own period",
        () if chosen.first() <= period.last() => "overlaps the report's period",
        () => "is after the report's period",
    };
    let hint = format!("choose a period that ends before {}, the first day of the report", period.first());
    refuse(relation.to_owned(), hint)
}

/// The kind of period that `same-week-last-year` and its like ask for; `None` for other texts.
fn a_year_before(text: &str) -> Option<PeriodKind> {
    [PeriodKind::Week, PeriodKind::Month, PeriodKind::Quarter]
        .into_iter()
        .find(|kind| text.eq_ignore_ascii_case(&format!("same-{}-last-year", noun(*kind))))
}

/// What to write for a period instead of the word for another kind.
fn instead_of(period: &Period) -> String {
    match period.kind() {
        PeriodKind::Days => EXAMPLES.to_owned(),
        kind => format!("use same-{}-last-year, or \"\" for the period before", noun(kind)),
    }
}

fn noun(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Week => "week",
        PeriodKind::Month => "month",
        PeriodKind::Quarter => "quarter",
        PeriodKind::Days => "run of days",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn compared(own: &str, text: &str) -> Result<Option<String>, String> {
        let period = Period::parse_label(own, Berlin).unwrap();
        match chosen(Some(text), &period) {
            Ok(chosen) => Ok(chosen.map(|chosen| chosen.label())),
            Err(error) => Err(format!("{error}; {}", error.hint)),
        }
    }

    #[test]
    fn labels_and_the_same_period_last_year_are_read() {
        for (own, text, label) in [
            ("2026-W41", "2026-W30", "2026-W30"),
            ("2026-W41", " 2026-w40 ", "2026-W40"),
            ("2026-W41", "2026-08", "2026-08"),
            ("2026-03", "2026-02", "2026-02"),
            ("2026-Q3", "2026-Q2", "2026-Q2"),
            ("2026-W41", "2026-09-01_2026-09-15", "2026-09-01_2026-09-15"),
            ("2026-10-05_2026-10-11", "2026-10-04", "2026-10-04"),
            ("2026-W41", "same-week-last-year", "2025-W41"),
            ("2026-W53", "same-week-last-year", "2025-W52"),
            ("2026-02", "Same-Month-Last-Year", "2025-02"),
            ("2026-Q3", "same-quarter-last-year", "2025-Q3"),
        ] {
            assert_eq!(compared(own, text), Ok(Some(label.to_owned())), "{own} {text}");
        }
        assert_eq!((compared("2026-W41", ""), compared("2026-W41", " ")), (Ok(None), Ok(None)));
        assert_eq!(chosen(None, &Period::parse_week("2026-W41", Berlin).unwrap()).unwrap(), None);
    }

    #[test]
    fn what_is_no_earlier_period_is_refused_with_what_to_do() {
        for (own, text, words, hint) in [
            ("2026-W41", "last week", "“last week” cannot be read", "2026-W30, 2026-02"),
            ("2026-W41", "2026-W54", "cannot be read", "2026-W30"),
            ("2026-W41", "2026-W41", "is the report's own period", "ends before 2026-10-05"),
            ("2026-W41", "2026-10", "overlaps the report's period", "ends before 2026-10-05"),
            ("2026-W41", "2026-10-01_2026-10-05", "overlaps", "ends before 2026-10-05"),
            ("2026-02", "2026-03", "is after the report's period", "ends before 2026-02-01"),
            ("2026-10", "same-week-last-year", "needs a report of a week, not of 2026-10", "same-month-last"),
            ("2026-W41", "same-month-last-year", "needs a report of a month", "use same-week-last-year"),
            (
                "2026-10-05_2026-10-11",
                "same-week-last-year",
                "needs a report of a week",
                "2026-09-01_2026-09-15",
            ),
        ] {
            let error = compared(own, text).unwrap_err();
            let (what, advice) = error.split_once("; ").unwrap();
            assert!(what.contains(words) && advice.contains(hint), "{own} {text}: {error}");
        }
    }
}
