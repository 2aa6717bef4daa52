//! Where the sessions of a report come from: the API, pages that were saved, or
//! an archive.

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use rayon::prelude::*;

use super::filters::{self, Values};
use super::people;
use crate::archive::{Archive, ArchiveError, State};
use crate::cli::Format;
use crate::deliver::Pages;
use crate::error::Error;
use crate::fetch::{
    self, Delivery, Ledger, Limits, People, Progress, Question, Records, Row, Saved, Sink, Vendor,
};
use crate::people::Teams;
use crate::period::{self, Period};
use crate::settings::{Settings, SettingsError};
use crate::tables::{Frames, KeptTexts, SessionFilter, Tables, TablesBuilder};
use crate::text::{clean, shown};

/// Sessions in columns, and all else that comes from outside.
pub(super) struct Taken {
    /// Those of the run, with what its source knows better.
    pub settings: Settings,
    pub tables: Tables,
    pub kept: Kept,
    pub ledger: Ledger,
    pub pages: Option<Pages>,
    pub saved: Option<Saved>,
    pub vendor: Vendor,
    pub people: People,
    /// When an archive was brought up to date, RFC 3339, where the sessions come
    /// from one.
    pub archived: Option<String>,
    /// No session matches the filters, and an empty report is allowed.
    pub no_match: bool,
    /// What else was noticed on the way.
    pub notes: Vec<String>,
}

/// What a report keeps of sessions besides their numbers.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub texts: KeptTexts,
    /// The rules for teams; none where there are no teams.
    pub teams: Option<Teams>,
}

/// What the API tells.
pub(super) async fn asked(
    settings: &Settings,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Taken, Error> {
    let mut pages = settings.save_pages.as_deref().map(Pages::begin).transpose()?;
    let cycles =
        if settings.asks_for_cycles() { fetch::cycles(&settings.question).await } else { Ok(Vec::new()) };
    let (settings, notes) = &billed(settings, cycles);
    // Emails tell teams, and names users, while the sessions come; else names can wait
    // until they are there.
    let by_email = settings.tells_teams() && settings.people.needs_emails();
    let is_early = by_email || !settings.question.users.is_empty();
    let early = if is_early { Some(fetch::people(&settings.question).await) } else { None };
    let typed = settings;
    let settings = &with_users(settings, early.as_ref())?;
    let kept = kept(settings, early.as_ref());
    let empty = || TablesBuilder::new(kept.texts);
    let mut builder = empty();
    let mut deliver = |delivery: Delivery<'_>| match delivery {
        Delivery::Restart => {
            builder = empty();
            pages.iter_mut().for_each(Pages::restart);
        }
        Delivery::Answer { place, body } => pages.iter_mut().for_each(|pages| pages.add(place, body)),
        Delivery::Page(rows) => builder.push(rows),
    };
    let ledger = fetch::fetch_within(&settings.question, limits, &mut deliver, progress).await?;
    let tables = super::blocking(move || Ok(builder.finish()?)).await?;
    // An incomplete walk says nothing about the filters.
    let no_match = ledger.unique == 0 && ledger.complete && filters::are_given(settings, false);
    if no_match && !settings.allow_empty {
        return Err(filters::refusal(
            typed,
            &settings.question.users,
            None,
            early.as_ref().unwrap_or(&People::default()),
        )
        .into());
    }
    let vendor = vendor(settings).await;
    let people = match early {
        Some(people) => people,
        None if !settings.privacy.covered => fetch::people(&settings.question).await,
        None => fetch::organisations(&settings.question).await,
    };
    // The pages of a walk that is not whole must not be taken for whole one day.
    let pages = pages.filter(|_| ledger.complete);
    let settings = settings.clone();
    Ok(Taken {
        settings,
        tables,
        kept,
        ledger,
        pages,
        saved: None,
        vendor,
        people,
        archived: None,
        no_match,
        notes: notes.clone(),
    })
}

/// What saved pages tell: nobody is asked, not even for names.
pub(super) async fn read(
    settings: &Settings,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Taken, Error> {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let typed = settings;
    let (settings, notes) = billed(settings, Err("saved pages do not tell them".to_owned()));
    let settings = with_users(&settings, None)?;
    let kept = kept(&settings, None);
    let (mut asked, texts, wanted) = (settings.clone(), kept.texts, typed.clone());
    let work = move || {
        // Whoever listened has gone where the run was given up.
        let tell = |progress| tell.send(progress).unwrap_or_default();
        let (mut tables, mut ledger, mut saved) = saved_pages(&asked, texts, &tell)?;
        if saved.records == Records::Export && !asked.question.tags.is_empty() {
            return Err(no_tags().into());
        }
        let can_read_again = asked.pages.as_ref().is_some_and(|pages| pages.path != Path::new("-"));
        // An export names people itself, so that who is meant is known in the end.
        let named = with_users(&wanted, Some(&saved.people))?;
        if named.question.users != asked.question.users {
            if !can_read_again {
                return Err(read_once().into());
            }
            asked = named;
            (tables, ledger, saved) = saved_pages(&asked, texts, &|_| ())?;
        }
        // An incomplete walk says nothing about the filters.
        let is_empty = ledger.unique == saved.outdated.len() as u64 && ledger.complete;
        let no_match = is_empty && filters::are_given(&asked, true);
        let values = match no_match && !asked.allow_empty && !asked.privacy.covered && can_read_again {
            true => {
                let (all, ..) = saved_pages(&without_filters(&asked), texts, &|_| ())?;
                Some(Values::of(&Frames::new(all, texts.from, None)?)?)
            }
            false => None,
        };
        let period = asked.period.from().to_utc()..asked.period.to().to_utc();
        if saved.reach.misses(&period, asked.complete) {
            if asked.privacy.covered {
                return Err(not_covered(&asked).into());
            }
            ledger.complete = false;
        }
        Ok::<_, Error>((asked, tables, ledger, saved, no_match, values))
    };
    // The disk and all cores are busy; meanwhile the runtime stays free for signals.
    let work = tokio::task::spawn_blocking(work);
    while let Some(news) = told.recv().await {
        progress(news);
    }
    let (settings, tables, ledger, saved, no_match, values) = work.await.map_err(|_| Error::Panicked)??;
    if no_match && !settings.allow_empty {
        return Err(filters::refusal(typed, &settings.question.users, values.as_ref(), &saved.people).into());
    }
    let mut people = match settings.privacy.covered {
        false => saved.people.clone(),
        true => People { organisations: saved.people.organisations.clone(), ..People::default() },
    };
    // As the API, which tells of no other organisation then.
    people.organisations.retain(|id, _| settings.question.org.as_ref().is_none_or(|asked| asked == id));
    Ok(Taken {
        settings,
        tables,
        kept,
        ledger,
        pages: None,
        saved: Some(saved),
        vendor: Vendor::default(),
        people,
        archived: None,
        no_match,
        notes,
    })
}

/// Two exports of one period, one of which ends a little later, tell of few people.
fn not_covered(settings: &Settings) -> SettingsError {
    SettingsError::new(
        format!(
            "the web app's export does not cover all of {} ({}), and a report that hides people is of whole periods",
            settings.period.name().to_lowercase(),
            settings.period.dates_in_words()
        ),
        "ask for a period that it covers, or export again",
    )
}

fn no_tags() -> SettingsError {
    SettingsError::new(
        "--tag: the web app's export tells no tags, so that no session can be chosen by one",
        "leave --tag out, or report from the API, which needs a key",
    )
}

fn read_once() -> SettingsError {
    SettingsError::new(
        "--user: standard input cannot be read again for the user that a name stands for",
        "give the email, or name the file with --pages",
    )
}

/// The sessions of saved pages that are in question.
fn saved_pages(
    settings: &Settings,
    texts: KeptTexts,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Tables, Ledger, Saved), Error> {
    let pages = settings.pages.as_ref().ok_or(Error::Panicked)?;
    let empty = || TablesBuilder::new(texts);
    let push = |builder: &mut TablesBuilder, first: u64, rows: &[Row<'_>]| builder.push_from(first, rows);
    let sink = Sink { empty: &empty, push: &push };
    let (builders, ledger, saved) = fetch::saved(&pages.path, &settings.question, pages.api, &sink, tell)?;
    let mut tables = TablesBuilder::join(builders)?;
    if !saved.outdated.is_empty() {
        tables = tables.without_these(&saved.outdated)?;
    }
    Ok((tables, ledger, saved))
}

/// The same settings for all sessions of the period and the trend.
fn without_filters(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    let question = &mut settings.question;
    (question.org, question.tags, question.users) = (None, Vec::new(), Vec::new());
    settings
}

/// What an archive tells: nobody is asked.
pub(super) fn archived(settings: &Settings) -> Result<Taken, Error> {
    let root = settings.archive.as_deref().unwrap_or(Path::new(""));
    let archive = Archive::open(root)?;
    let typed = settings;
    let kept_of_vendor = archive.vendor()?;
    let cycles = match kept_of_vendor.cycles.is_empty() {
        true => Err("the archive does not have them".to_owned()),
        false => Ok(kept_of_vendor.cycles.clone()),
    };
    let (settings, notes) = billed(settings, cycles);
    let (settings, complete) = within_reach(&settings, root, archive.state())?;
    let people = archive.people()?.told();
    let settings = with_users(&settings, Some(&people))?;
    let kept = kept(&settings, Some(&people));
    let question = &settings.question;
    let micros = |moment: DateTime<Utc>| moment.timestamp_micros();
    let wanted = SessionFilter {
        created: micros(question.from)..micros(question.to),
        // An archive of one organisation keeps no other's sessions.
        org: question.org.as_deref().filter(|_| archive.state().org.is_none()),
        tags: &question.tags,
        users: &question.users,
    };
    let tables = months(&archive, root, question, kept.texts.from, &wanted)?;
    let sessions = tables.sessions.height() as u64;
    let rejected = archive.state().rejected;
    let ledger = Ledger { received: sessions, unique: sessions, complete, rejected, ..Ledger::default() };
    // As with the API, an organisation on the lists may have no session.
    let is_unlisted = wanted.org.is_some_and(|org| !people.organisations.contains_key(org));
    let no_match = sessions == 0 && complete && filters::are_given(&settings, is_unlisted);
    if no_match && !settings.allow_empty {
        let mut typed = typed.clone();
        // That of an archive of one organisation is no filter.
        typed.question.org = typed.question.org.filter(|_| wanted.org.is_some());
        let all = SessionFilter { org: None, tags: &[], users: &[], ..wanted };
        let values = match settings.privacy.covered {
            true => None,
            false => {
                let from = kept.texts.from;
                let all = months(&archive, root, question, from, &all)?;
                Some(Values::of(&Frames::new(all, from, None)?)?)
            }
        };
        return Err(filters::refusal(&typed, &settings.question.users, values.as_ref(), &people).into());
    }
    let mut people = match settings.privacy.covered {
        false => people,
        _ => People { organisations: people.organisations, ..People::default() },
    };
    // As from the API, which then tells of no other organisation.
    if let Some(asked) = &settings.question.org {
        people.organisations.retain(|org, _| org == asked);
    }
    let archived = Some(archive.state().watermark.to_rfc3339_opts(SecondsFormat::Secs, true));
    let is_whole = wanted.org.is_none() && wanted.tags.is_empty() && wanted.users.is_empty();
    let vendor = match settings.reconcile && is_whole {
        true => kept_of_vendor.told(&in_period(&settings), &days(&settings)),
        false => Vendor::default(),
    };
    Ok(Taken {
        settings,
        tables,
        kept,
        ledger,
        pages: None,
        saved: None,
        vendor,
        people,
        archived,
        no_match,
        notes,
    })
}

/// The settings with the vendor's billing cycles, where the budget follows them, and
/// what there is to say where they cannot be had.
fn billed(settings: &Settings, cycles: Result<Vec<Range<DateTime<Utc>>>, String>) -> (Settings, Vec<String>) {
    let mut settings = settings.clone();
    if !settings.asks_for_cycles() {
        return (settings, Vec::new());
    }
    let why = match cycles {
        Ok(told) if settings.follow(&told) => return (settings, Vec::new()),
        Ok(_) => "they do not cover the period".to_owned(),
        Err(why) => why,
    };
    let note =
        format!("the vendor's billing cycles cannot be had ({why}): the budget is for calendar months");
    (settings, vec![note])
}

/// The report's period, up to the start of the run where it is not over.
fn in_period(settings: &Settings) -> Range<DateTime<Utc>> {
    settings.period.from().to_utc()..settings.question.to
}

/// Its days.
fn days(settings: &Settings) -> RangeInclusive<NaiveDate> {
    let (first, last) = (settings.period.first(), settings.period.last());
    first..=last.min(settings.now.date_naive()).max(first)
}

/// The settings with the ids of the users that `--user` names.
fn with_users(settings: &Settings, people: Option<&People>) -> Result<Settings, SettingsError> {
    let mut settings = settings.clone();
    settings.question.users = people::resolved(people.unwrap_or(&People::default()), &settings)?;
    Ok(settings)
}

/// The wanted sessions of an archive; its months are read side by side on all cores.
fn months(
    archive: &Archive,
    root: &Path,
    question: &Question,
    named_from: DateTime<Utc>,
    wanted: &SessionFilter<'_>,
) -> Result<Tables, ArchiveError> {
    let months = archive.months_of(&(question.from..question.to));
    let parts = months.par_iter().map(|month| Ok(archive.for_report(month, named_from)?.wanted(wanted)?));
    let tables = Tables::joined(parts.collect::<Result<_, ArchiveError>>()?);
    tables.map_err(|error| ArchiveError::unfit(root, &error.to_string()))
}

/// The settings as an archive can answer them, and whether it holds all that is
/// asked for. A period that is not over ends for now where the archive does.
fn within_reach(settings: &Settings, root: &Path, state: &State) -> Result<(Settings, bool), Error> {
    let mut settings = settings.clone();
    let question = &mut settings.question;
    if let (Some(asked), Some(own)) = (&question.org, &state.org)
        && asked != own
    {
        let path = shown(root);
        let (own, asked) = (clean(own, 80), clean(asked, 80));
        return Err(ArchiveError::Other { path, what: "the organisation", own, asked }.into());
    }
    if settings.now < settings.period.from() {
        return Err(has_not_begun(&settings.period, settings.now).into());
    }
    question.org = question.org.take().or_else(|| state.org.clone());
    question.api = state.api;
    let day = |moment: DateTime<Utc>| moment.format("%-d %B %Y, %H:%M UTC").to_string();
    let begins_late = question.from < state.since;
    let ends_early = match settings.complete {
        true => state.until < question.to,
        false => state.until <= settings.period.from().to_utc(),
    };
    let fault = match (begins_late, ends_early) {
        (false, false) => None,
        (true, _) => Some(ArchiveError::Late { since: day(state.since) }),
        (_, true) => Some(ArchiveError::Short { until: day(state.until) }),
    };
    question.to = question.to.min(state.until).max(question.from);
    match fault {
        Some(fault) if !question.allow_partial => Err(fault.into()),
        fault => Ok((settings, fault.is_none())),
    }
}

/// Why no archive answers for a period that has not begun.
fn has_not_begun(period: &Period, now: DateTime<Utc>) -> SettingsError {
    let today = period::today(now, period.tz());
    let running = Period::containing(period.kind(), today, period.tz()).map(|running| running.label());
    let hint = match (period.kind(), running) {
        (period::Kind::Days, _) | (_, None) => format!("ask for days up to {today}"),
        (_, Some(running)) => {
            format!("ask for a {} that has begun: {running} is the one that runs", period.noun())
        }
    };
    SettingsError::new(format!("{} has not begun: its first day is {}", period.label(), period.first()), hint)
}

/// As many texts as somebody will read: none for a covered report, those of the
/// report's period for a page, all for an analyst.
fn kept(settings: &Settings, people: Option<&People>) -> Kept {
    let emails = people.into_iter().flat_map(|people| &people.members);
    let emails = emails.filter_map(|member| Some((member.id.as_str(), member.email.as_deref()?)));
    let in_full = settings.exports.contains(&Format::Parquet);
    let named_from = match (settings.privacy.covered, in_full) {
        (true, _) => DateTime::<Utc>::MAX_UTC,
        (_, true) => settings.question.from,
        _ => settings.period.from().to_utc(),
    };
    Kept {
        texts: KeptTexts { from: named_from, prompts: settings.privacy.prompts },
        teams: settings
            .tells_teams()
            .then(|| Teams::new(settings.rules.clone(), &settings.people, emails, settings.period.tz())),
    }
}

/// The vendor's own counts of the report's period, unless they are not wanted.
async fn vendor(settings: &Settings) -> Vendor {
    if !settings.reconcile {
        return Vendor::default();
    }
    // The trend is not asked about.
    let Range { start: from, end: to } = in_period(settings);
    let period = Question { from, to, ..settings.question.clone() };
    fetch::vendor(&period, Some(days(settings))).await
}
