//! The mail about a report: for `acumen report --mail` and `acumen send`.

use std::path::{Path, PathBuf};
use std::pin::pin;

use chrono::{DateTime, SecondsFormat, Utc};

use super::stored::StoredReport;
use super::{Context, Ended, Signals, output};
use crate::cli::{Attach, MailArgs, Paper, ReportArgs};
use crate::console::Console;
use crate::deliver::{self, SendOutcome, Submission};
use crate::environment;
use crate::error::Error;
use crate::exit::{Exit, Explain};
use crate::mail::{self, Addresses, Attachment, OutgoingMail};
use crate::metrics::Facts;
use crate::render::{self, RenderError, RenderedFile};
use crate::report::report;
use crate::settings::mail::{Delivery, Destination, Mail as MailSettings};
use crate::settings::{FoundKey, Network};
use crate::text::clean;

/// What a mail needs, checked before the long work: addresses, server, password, place.
///
/// # Errors
/// The first thing that is missing or cannot be used.
pub(super) fn settings(
    args: &MailArgs,
    password: Option<FoundKey>,
    state: Option<PathBuf>,
    network: &Network,
) -> Result<MailSettings, Error> {
    let settings = MailSettings::resolve(args, password, state, &network.trust)?;
    mail::addresses(&settings.from, &settings.to, &settings.cc)?;
    Ok(settings)
}

/// Whether a report with these options is mailed.
pub(super) fn is_wanted(args: &ReportArgs) -> bool {
    // To write the message is to want one.
    args.mail || args.post.eml.is_some()
}

/// Whether a report could be mailed with no more than `--mail`.
pub(super) fn is_possible(args: &ReportArgs) -> bool {
    let post = &args.post;
    is_wanted(args) || (post.mail_from.is_some() && !post.mail_to.is_empty() && post.smtp.is_some())
}

/// [`settings`] for a report that is yet to be written, with what is attached to it.
///
/// # Errors
/// As there, or the password cannot be had.
pub(super) fn of_report(args: &ReportArgs, network: &Network) -> Result<MailSettings, Error> {
    let (password, state) = (environment::password(&args.post)?, environment::state(args.state.clone()));
    settings(&args.post, password, state, network)
}

/// The mail about a report on disk, made from its facts, as it is sent at this time.
///
/// # Errors
/// There is no such report, or it is incomplete.
pub fn message(report: &Path, settings: &MailSettings, at: DateTime<Utc>) -> Result<OutgoingMail, Error> {
    let StoredReport { name, facts } = StoredReport::read(report)?;
    let addresses = mail::addresses(&settings.from, &settings.to, &settings.cc)?;
    let attach = Attachments { formats: settings.attach.clone(), paper: settings.paper };
    message_about(&facts, &name, &attach, &addresses, at)
}

/// What is attached to a mail.
pub(super) struct Attachments {
    /// The outputs, each once.
    pub formats: Vec<Attach>,
    /// The paper size of the PDF.
    pub paper: Paper,
}

/// The mail about a report of this name.
///
/// # Errors
/// The report is incomplete, or a part of the mail cannot be made: an internal error.
pub(super) fn message_about(
    facts: &Facts,
    name: &str,
    attach: &Attachments,
    addresses: &Addresses,
    at: DateTime<Utc>,
) -> Result<OutgoingMail, Error> {
    let report = report(facts);
    let attachment = |format: &Attach| -> Result<Option<Attachment>, RenderError> {
        let (content_type, file) = match format {
            Attach::None => return Ok(None),
            Attach::Html => {
                let bytes = render::html(&report)?.into_bytes();
                ("text/html; charset=utf-8", RenderedFile { ending: ".html".to_owned(), bytes })
            }
            Attach::Pdf => ("application/pdf", render::pdf(&report, attach.paper)?),
            Attach::Xlsx => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                render::workbook(&report)?,
            ),
        };
        let RenderedFile { ending, bytes } = file;
        Ok(Some(Attachment { name: format!("{name}{ending}"), content_type, bytes }))
    };
    let attachments = attach.formats.iter().filter_map(|format| attachment(format).transpose());
    let attachments: Vec<Attachment> = attachments.collect::<Result<_, _>>()?;
    Ok(mail::compose(facts, &format!("{name}.html"), addresses, &attachments, at)?)
}

/// What became of a mail.
pub(super) struct Sent {
    /// What became of the message; `None` for one that was written to a file.
    pub outcome: Option<SendOutcome>,
    /// The signal that came while the server answered: the mail is sent all the same.
    pub signal: Option<(&'static str, Exit)>,
}

/// Sends the report at a path, or writes its message into a file with these rights.
///
/// # Errors
/// There is no such report, it is incomplete, the mail is not delivered to everybody, or the signal.
pub(super) async fn send(
    report: PathBuf,
    settings: MailSettings,
    mode: u32,
    context: &mut Context,
) -> Result<Sent, Ended> {
    let Context { console, signals, clock, .. } = context;
    // A mail has the date of its sending, not of the report.
    let now = clock();
    let delivery = match &settings.destination {
        Destination::File(file) => {
            deliver::write_file(file, &message(&report, &settings, now)?.bytes, mode)?;
            output::print(&format!("{}\n", file.display()))?;
            return Ok(Sent { outcome: None, signal: None });
        }
        Destination::Server(delivery) => delivery.clone(),
    };
    let offering = async move { offer(&report, &settings, &delivery, now).await };
    let mut offer = signals.until(offering).await?;
    loop {
        let signal = send_to_some(&mut offer, console, signals).await;
        let Some(number) = offer.partly_sent() else {
            return match (sent(offer, console), signal) {
                (Ok(outcome), signal) => Ok(Sent { outcome: Some(outcome), signal }),
                (Err(error), None) => Err(error.into()),
                (Err(error), Some(signal)) => {
                    console.warn(&format!("{error}; {}", error.hint()));
                    Err(Ended::signal(signal))
                }
            };
        };
        console.say(&format!("sent to {}; the server accepts no more at a time", recipients(number)));
        if let Some((word, exit)) = signal {
            return Err(Ended::Signal { word, exit, left: Some(deliver::PARTLY_SENT) });
        }
        let next = async move { Ok(offer.next().await) };
        offer = signals.until(next).await.map_err(|ended| ended.leaving(deliver::PARTLY_SENT))?;
    }
}

/// Sends a message to those whom its server has agreed to. A signal meanwhile would leave
/// a doubt, so it is given back only after the server's answer.
async fn send_to_some(
    offer: &mut Submission,
    console: &Console,
    signals: &mut Signals,
) -> Option<(&'static str, Exit)> {
    let mut sending = pin!(offer.send());
    tokio::select! {
        () = &mut sending => None,
        (word, exit) = signals.next() => {
            console.say(&format!("{word}: waiting for the mail server's answer to the message"));
            sending.await;
            Some((word, exit))
        }
    }
}

/// Offers the report at a path to a mail server. Nothing of the message has
/// left when this returns: until then the run may end at any time.
///
/// # Errors
/// There is no such report, it is incomplete, or the server does not agree to it.
async fn offer(
    report: &Path,
    settings: &MailSettings,
    delivery: &Delivery,
    now: DateTime<Utc>,
) -> Result<Submission, Error> {
    let message = message(report, settings, now)?;
    let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(deliver::submit(message, delivery, &at, deliver::SMTP_TIMEOUTS).await?)
}

/// Tells what became of a message.
///
/// # Errors
/// The mail is not delivered to everybody.
fn sent(offer: Submission, console: &Console) -> Result<SendOutcome, Error> {
    let (subject, posted, failures) = offer.end();
    outcome(&posted, &subject).iter().for_each(|line| console.say(line));
    let mut failures = failures.into_iter();
    let worst = failures.next();
    failures.for_each(|failure| console.warn(&format!("{failure}; {}", failure.hint())));
    worst.map_or(Ok(posted), |failure| Err(failure.into()))
}

fn recipients(number: usize) -> String {
    match number {
        1 => "1 recipient".to_owned(),
        many => format!("{many} recipients"),
    }
}

/// What became of a message, a line for those who got it now and one for those
/// who had it.
fn outcome(posted: &SendOutcome, subject: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if posted.sent > 0 {
        lines.push(format!("sent to {}: {subject}", recipients(posted.sent)));
    }
    // Moments of one form: their order as texts is that in time.
    if let (Some(first), Some(last)) = (posted.sent_earlier.iter().min(), posted.sent_earlier.iter().max()) {
        let from = if first == last { "the run of" } else { "earlier runs, the last of" };
        let whom = recipients(posted.sent_earlier.len());
        // The log may hold any text.
        let last = clean(last, 40);
        lines.push(format!("skipped: {whom} got it from {from} {last}; use --force to resend"));
    }
    lines
}
