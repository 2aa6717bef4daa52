//! The messages to chats about a report: for `acumen report --chat`.

use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use chrono::SecondsFormat;
use tokio::time::sleep;

use super::stored::StoredReport;
use super::{Context, Ended, Signals};
use crate::cli::ReportArgs;
use crate::console::Console;
use crate::deliver::{ChatError, ChatLog, ChatMessage, PastDelivery, Posting};
use crate::environment;
use crate::error::Error;
use crate::exit::{Exit, Explain};
use crate::mail;
use crate::metrics::Facts;
use crate::render::chat as render;
use crate::report::{AlertText, Report, report};
use crate::settings::chat::{ChatService, ChatSettings};
use crate::settings::{Network, SettingsError};
use crate::text::clean;

type Signal = (&'static str, Exit);

/// What the posts of a report need, checked before the long work.
///
/// # Errors
/// No chat is configured, or one that cannot be used.
pub(super) fn settings(args: &ReportArgs, network: &Network) -> Result<ChatSettings, SettingsError> {
    let (found, state) = (environment::find_webhooks(&args.chat)?, environment::state(args.state.clone()));
    ChatSettings::resolve(found, state, args.chat.repost, network)
}

/// The same for the doctor, which looks at every webhook that is configured.
///
/// # Errors
/// As there.
pub(super) fn check(args: &ReportArgs, network: &Network) -> Result<(), SettingsError> {
    let is_configured = !environment::find_webhooks(&args.chat)?.is_empty();
    if args.chat.chat || is_configured { settings(args, network).map(drop) } else { Ok(()) }
}

/// What became of a report in its chats.
pub(super) struct Posted {
    /// How many chats got it.
    pub now: usize,
    /// How many had it already.
    pub earlier: usize,
    /// The signal that came while the last chat answered: the report is posted all the same.
    pub signal: Option<Signal>,
}

/// Posts the report at a path to each chat that has not got it.
///
/// # Errors
/// There is no such report, it is incomplete, it is not posted to every chat, or the signal.
pub(super) async fn post(
    report: &Path,
    settings: &ChatSettings,
    context: &mut Context,
) -> Result<Posted, Ended> {
    let facts = StoredReport::read(report)?.facts;
    check_facts(&facts)?;
    let Context { console, signals, clock, .. } = context;
    let at = clock().to_rfc3339_opts(SecondsFormat::Secs, true);
    let state = settings.state.clone();
    let mut log = signals.until(async move { Ok(ChatLog::open(&state).await?) }).await?;
    let (key, report) = (mail::report_key(&facts), self::report(&facts));
    let mut failures = Vec::new();
    let mut chats = settings.chats.iter().peekable();
    let mut ended = None;
    let mut outcome = Posted { now: 0, earlier: 0, signal: None };
    while let Some(chat) = chats.next().filter(|_| ended.is_none()) {
        let name = chat.service.name();
        match log.past(chat, &key) {
            PastDelivery::Sent(at) if !settings.repost => {
                // The log may hold any text.
                let at = clean(&at, 40);
                console.say(&format!(
                    "skipped: {name} got it from the run of {at}; use --repost to post it again"
                ));
                outcome.earlier += 1;
                continue;
            }
            PastDelivery::Possible(at) if !settings.repost => {
                failures.push(ChatError::PossiblyPosted { service: chat.service, at });
                continue;
            }
            _ => {}
        }
        // A chat is shown an alert of a period once, whatever reports have it.
        let is_new = |alert: &&AlertText| settings.repost || log.is_new(chat, &alert.key);
        let alerts: Vec<&AlertText> = report.alerts.iter().filter(is_new).collect();
        let message = message(&report, &key, chat.service, &alerts);
        let (posted, signal) = post_to(log.posting(chat, &message, &at), name, console, signals).await;
        let is_left = chats.peek().is_some() || !matches!(posted, Ok(true));
        (ended, outcome.signal) = if is_left { (signal, None) } else { (None, signal) };
        match posted {
            Ok(true) => {
                outcome.now += 1;
                console.say(&format!("posted to {name}: {}", message.subject));
            }
            Ok(false) => {}
            Err(error) => failures.push(error),
        }
    }
    let mut failures = failures.into_iter();
    let worst = if ended.is_none() { failures.next() } else { None };
    failures.for_each(|failure| console.warn(&format!("{failure}; {}", failure.hint())));
    match (ended, worst) {
        (Some(signal), _) => Err(Ended::signal(signal)),
        (None, Some(failure)) => Err(failure.into()),
        (None, None) => Ok(outcome),
    }
}

/// Posts a message, as often as its chat asks to wait. Gives whether it is posted, and a signal
/// that came meanwhile: it ends a wait at once, but never a request before its answer, which would
/// leave a doubt.
async fn post_to(
    mut posting: Posting<'_>,
    name: &str,
    console: &Console,
    signals: &mut Signals,
) -> (Result<bool, ChatError>, Option<Signal>) {
    loop {
        let (done, signal) = attempt(&mut posting, name, console, signals).await;
        let wait = match done {
            Ok(None) => return (Ok(true), signal),
            Err(error) => return (Err(error), signal),
            Ok(Some(_)) if signal.is_some() => return (Ok(false), signal),
            Ok(Some(wait)) => wait,
        };
        if wait > Duration::ZERO {
            let seconds = wait.as_secs();
            console.say(&format!("{name} accepts no more messages for now; next attempt in {seconds} s"));
        }
        tokio::select! {
            () = sleep(wait) => {}
            signal = signals.next() => return (Ok(false), Some(signal)),
        }
    }
}

async fn attempt(
    posting: &mut Posting<'_>,
    name: &str,
    console: &Console,
    signals: &mut Signals,
) -> (Result<Option<Duration>, ChatError>, Option<Signal>) {
    let mut attempt = pin!(posting.attempt());
    tokio::select! {
        done = &mut attempt => (done, None),
        (word, exit) = signals.next() => {
            console.say(&format!("{word}: waiting for the answer of {name} to the message"));
            (attempt.await, Some((word, exit)))
        }
    }
}

/// The message about a report, with these of its alerts.
fn message(report: &Report, key: &str, service: ChatService, alerts: &[&AlertText]) -> ChatMessage {
    let text = |alert: &&AlertText| alert.text.iter().map(|piece| piece.text.as_str()).collect();
    let texts: Vec<String> = alerts.iter().map(text).collect();
    let payload = match service {
        ChatService::Slack => render::slack(report, &texts),
        ChatService::Teams => render::teams(report, &texts),
    };
    ChatMessage {
        report: key.to_owned(),
        subject: report.subject.clone(),
        payload: payload.to_string().into_bytes(),
        // Those that are only counted are shown in the next message.
        topics: alerts.iter().take(render::MOST_ALERTS).map(|alert| alert.key.clone()).collect(),
    }
}

/// Refuses a report that must not be posted.
fn check_facts(facts: &Facts) -> Result<(), ChatError> {
    match (facts.source.is_complete(), facts.source.no_match) {
        (false, _) => Err(ChatError::Incomplete),
        (true, true) => Err(ChatError::NoMatch),
        (true, false) => Ok(()),
    }
}

/// What became of a report that is mailed and posted: the failure of the mail comes first, and that
/// of the chats is a warning beside it.
///
/// # Errors
/// Either.
pub(super) fn both(
    mailed: Result<(), Ended>,
    posted: Result<(), Ended>,
    console: &Console,
) -> Result<(), Ended> {
    let warn = |error: &Error| console.warn(&format!("{error}; {}", error.hint()));
    match (&mailed, &posted) {
        (Err(_), Err(Ended::Failed { error, .. })) => {
            warn(error);
            mailed
        }
        (Err(Ended::Failed { error, .. }), Err(_)) => {
            warn(error);
            posted
        }
        _ => posted.and(mailed),
    }
}
