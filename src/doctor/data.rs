//! What comes of a question: whether the server keeps to it, and how much there is.

use super::access;
use super::line::{Line, failure, note, ok, skipped};
use crate::period::Period;
use crate::unit::Unit;
use devin_api::{Api, Archived, FetchError, Probes, Sample, Week};

const WINDOW: &str = "time window";
const PAGE: &str = "page size";
const WEEK: &str = "last week";
const ARCHIVED: &str = "archived";

/// Time window, page size, the last complete week and its archived sessions.
pub fn lines(probes: &Probes, api: Api, page_size: u32, week: &Period) -> Vec<Line> {
    if let Some(why) = access::obstacle(probes) {
        return [WINDOW, PAGE, WEEK, ARCHIVED].map(|name| skipped(name, why)).into();
    }
    vec![window(probes), page(probes, page_size), last_week(probes, week), archived(probes, api)]
}

fn window(probes: &Probes) -> Line {
    let is_empty = matches!(probes.first, Some(Ok(Sample { rows: 0, .. })));
    let is_void = [&probes.first, &probes.before].into_iter().any(is_void);
    match (&probes.before, &probes.week) {
        (None, _) => skipped(WINDOW, "not checked"),
        (Some(Err(error)), _) | (_, Some(Err(error @ FetchError::FilterIgnored { .. }))) => {
            failure(WINDOW, error)
        }
        (Some(Ok(Sample { outside: outside @ 1.., rows, .. })), _) => {
            failure(WINDOW, &FetchError::FilterIgnored { outside: *outside, rows: *rows })
        }
        (_, Some(Ok(Week { outside: outside @ 1.., .. }))) => {
            note(WINDOW, format!("the server also returned {} of other times; dropped", sessions(*outside)))
        }
        _ if is_void => note(WINDOW, "not checked: the server returned empty pages that announce more"),
        _ if is_empty => note(WINDOW, "not checked: there is no session to test it with"),
        (_, Some(Ok(Week { sessions: 1.., .. }))) => {
            ok(WINDOW, "respected: a day without sessions returned none, and a week only its own")
        }
        _ => ok(WINDOW, "respected: a day without sessions returned none"),
    }
}

/// An empty page that promises more, which says nothing of what there is.
fn is_void(sample: &Option<Result<Sample, FetchError>>) -> bool {
    matches!(sample, Some(Ok(Sample { rows: 0, more: true, .. })))
}

fn page(probes: &Probes, size: u32) -> Line {
    match (&probes.page, &probes.first) {
        (None, _) => skipped(PAGE, "not checked"),
        (Some(Err(error)), _) => failure(PAGE, error),
        (sample, _) if is_void(sample) => note(
            PAGE,
            format!(
                "requested {}, received none, although the server announces more: a report requests an \
                 empty page once more, then ends with exit code 65",
                sessions(u64::from(size))
            ),
        ),
        (_, Some(Ok(Sample { rows: rows @ 2.., .. }))) => note(
            PAGE,
            format!(
                "requested one session, received {}: the server ignores the page size; no data is lost",
                sessions(*rows)
            ),
        ),
        (Some(Ok(page)), _) if page.more && page.rows < u64::from(size) => note(
            PAGE,
            format!(
                "requested {}, received {}, although there are more: pages are shorter; no data is lost",
                sessions(u64::from(size)),
                sessions(page.rows)
            ),
        ),
        (Some(Ok(page)), _) => ok(PAGE, format!("{size} requested, {} received", sessions(page.rows))),
    }
}

fn last_week(probes: &Probes, week: &Period) -> Line {
    let name = format!("{} ({}, {})", week.name().to_lowercase(), week.dates_in_words(), week.tz().name());
    match &probes.week {
        None | Some(Err(FetchError::FilterIgnored { .. })) => {
            skipped(WEEK, "the server does not respect the time window")
        }
        Some(Err(FetchError::Deadline { deadline, .. })) => note(
            WEEK,
            format!("{name} could not be counted in {} s; a report takes longer", deadline.as_secs()),
        ),
        Some(Err(error)) => failure(WEEK, error),
        Some(Ok(found)) if !found.complete => note(
            WEEK,
            format!(
                "{name}: received {}, which differs from the server's count; a report would read again \
                 and, if the difference remains, end with exit code 4",
                sessions(found.sessions)
            ),
        ),
        Some(Ok(Week { sessions: 0, .. })) => {
            note(WEEK, format!("{name} has no sessions: its report would be empty"))
        }
        Some(Ok(Week { sessions: all, analysed: 0, .. })) => note(
            WEEK,
            format!(
                "{name}: {}, none with an analysis, so a report has no data on issues; analyses are made \
                 on request",
                sessions(*all)
            ),
        ),
        Some(Ok(found)) => ok(
            WEEK,
            format!("{name}: {}, {} with an analysis", sessions(found.sessions), count(found.analysed)),
        ),
    }
}

/// Whether archived sessions are listed with all others.
fn archived(probes: &Probes, api: Api) -> Line {
    let found = match &probes.archived {
        None if api == Api::V2 => return ok(ARCHIVED, "v2 has no filter for them: listed sessions count"),
        None => return skipped(ARCHIVED, "the server does not respect the time window"),
        Some(Err(FetchError::BadRequest { .. })) => {
            return note(
                ARCHIVED,
                "the server refuses the filter is_archived: a report has the listed sessions",
            );
        }
        Some(Err(FetchError::Deadline { deadline, .. })) => {
            let seconds = deadline.as_secs();
            return note(ARCHIVED, format!("last week could not be counted three times in {seconds} s"));
        }
        Some(Err(error)) => return failure(ARCHIVED, error),
        Some(Ok(found)) => found,
    };
    let Archived { unasked: Some(all), archived: Some(archived), others: Some(others) } = *found else {
        return note(
            ARCHIVED,
            "the server does not count sessions, and last week has too many to count here; a report also \
             fetches archived ones if they are not listed",
        );
    };
    match (archived, others) {
        (0, 0) if all == 0 => ok(ARCHIVED, "not checked: last week has no sessions"),
        (0, _) if all == others => {
            ok(ARCHIVED, "not checked: last week has no archived sessions; a report fetches them as well")
        }
        _ if all == archived && all == others => note(
            ARCHIVED,
            format!("the server ignores the filter is_archived: it counts {} each time", sessions(all)),
        ),
        _ if Some(all) == archived.checked_add(others) => {
            ok(ARCHIVED, format!("listed, {} of {} last week", count(archived), sessions(all)))
        }
        _ if all == others => ok(
            ARCHIVED,
            format!(
                "not listed, {} of {} last week: a report fetches them as well",
                count(archived),
                sessions(archived.saturating_add(others))
            ),
        ),
        _ => note(
            ARCHIVED,
            format!(
                "the counts of last week do not add up: {} without the filter is_archived, {} with true and \
                 {} with false",
                count(all),
                count(archived),
                count(others)
            ),
        ),
    }
}

fn sessions(number: u64) -> String {
    format!("{} session{}", count(number), if number == 1 { "" } else { "s" })
}

fn count(number: u64) -> String {
    Unit::Count.text(Some(number as f64))
}
