//! Where the sessions of a report come from: the API, or pages that were saved.

use crate::cli::Format;
use crate::deliver::Pages;
use crate::error::Error;
use crate::fetch::{
    self, Delivery, Ledger, Limits, PagesError, People, Progress, Question, Row, Saved, Sink, Vendor,
};
use crate::frame::{FramesBuilder, Kept};
use crate::people::Teams;
use crate::settings::{Settings, Shown};

/// Sessions in columns, and all else that comes from outside.
pub(super) struct Taken {
    pub builder: FramesBuilder,
    pub ledger: Ledger,
    pub pages: Option<Pages>,
    pub saved: Option<Saved>,
    pub vendor: Vendor,
    pub people: People,
}

/// What the API tells.
pub(super) async fn asked(
    settings: &Settings,
    limits: &Limits,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Taken, Error> {
    let mut pages = settings.save_pages.as_deref().map(Pages::begin).transpose()?;
    // Emails tell teams while the sessions come; names can wait until they are there.
    let by_email = settings.tells_teams() && settings.people.needs_emails();
    let early = if by_email { Some(fetch::people(&settings.question).await) } else { None };
    let kept = kept(settings, early.as_ref());
    let empty = || FramesBuilder::new(kept.clone());
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
    let vendor = vendor(settings).await;
    let people = match early {
        Some(people) => people,
        None if settings.privacy.people == Shown::Names => fetch::people(&settings.question).await,
        None => People::default(),
    };
    // The pages of a walk that is not whole must not be taken for whole one day.
    let pages = pages.filter(|_| ledger.complete);
    Ok(Taken { builder, ledger, pages, saved: None, vendor, people })
}

/// What saved pages tell: nobody is asked, not even for names.
pub(super) async fn read(
    settings: &Settings,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Taken, Error> {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (kept, settings) = (kept(settings, None), settings.clone());
    let work = move || {
        let Some(pages) = &settings.pages else { return Ok(None) };
        let empty = || FramesBuilder::new(kept.clone());
        let push = |builder: &mut FramesBuilder, first: u64, rows: &[Row<'_>]| {
            builder.push_from(u32::try_from(first).unwrap_or(u32::MAX), rows);
        };
        let sink = Sink { empty: &empty, push: &push };
        // Whoever listened has gone where the run was given up.
        let tell = |progress| tell.send(progress).unwrap_or_default();
        let (builders, ledger, saved) =
            fetch::saved(&pages.path, &settings.question, pages.api, &sink, &tell)?;
        let builder = builders.into_iter().reduce(FramesBuilder::join).unwrap_or_else(empty);
        Ok::<_, PagesError>(Some((builder, ledger, saved)))
    };
    // The disk and all cores are busy; meanwhile the runtime stays free for signals.
    let work = tokio::task::spawn_blocking(work);
    while let Some(news) = told.recv().await {
        progress(news);
    }
    let (builder, ledger, saved) = work.await.map_err(|_| Error::Panicked)??.ok_or(Error::Panicked)?;
    let (vendor, people) = (Vendor::NotAsked, People::default());
    Ok(Taken { builder, ledger, pages: None, saved: Some(saved), vendor, people })
}

/// As many texts as somebody will read: the page names sessions of the
/// report's period alone, an analyst gets all.
fn kept(settings: &Settings, people: Option<&People>) -> Kept {
    let emails = people.into_iter().flat_map(|people| &people.members);
    let emails = emails.filter_map(|member| Some((member.id.as_str(), member.email.as_deref()?)));
    let in_full = settings.exports.contains(&Format::Parquet) && !settings.privacy.leadership;
    Kept {
        named_from: if in_full { settings.question.from } else { settings.period.from().to_utc() },
        prompts: settings.privacy.prompts,
        addresses: settings.exports.contains(&Format::Parquet),
        teams: settings
            .tells_teams()
            .then(|| Teams::new(settings.rules.clone(), &settings.people, emails, settings.period.tz())),
    }
}

/// The vendor's own counts of the report's period, unless they are not wanted.
async fn vendor(settings: &Settings) -> Vendor {
    if !settings.reconcile {
        return Vendor::NotAsked;
    }
    // The window of the sessions ends with the period, or where that still runs; the trend is not asked about.
    let period = Question { from: settings.period.from().to_utc(), ..settings.question.clone() };
    fetch::vendor(&period).await
}
