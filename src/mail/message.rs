//! Assembles a message: attachments around chart images around text and HTML.

use std::time::SystemTime;

use chrono::{DateTime, Datelike, Utc};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Part, Mailbox, Message, MultiPart, MultiPartBuilder, SinglePart};

use super::{Addresses, Attachment, MailError, OutgoingMail, identity, png};
use crate::metrics::Facts;
use crate::render::email::{self, ReportLocation};
use crate::report::report;

/// The message about a report whose page is called `page`, sent at this time.
///
/// # Errors
/// The report is incomplete or matches nothing, its period cannot be read, the date is invalid, or
/// an internal error.
pub fn compose(
    facts: &Facts,
    page: &str,
    addresses: &Addresses,
    attachments: &[Attachment],
    at: DateTime<Utc>,
) -> Result<OutgoingMail, MailError> {
    check_mailable(facts)?;
    let Addresses { from, to, cc } = addresses;
    let report = identity::report(facts);
    let recipients = addresses.recipients(&report);
    let name = identity::message(&recipients, &facts.to_json());
    let domain = from.email.domain();
    let id = format!("<{}@{domain}>", identity::sending(&name, at));

    let summary = email::summarize(&self::report(facts))?;
    let mut names = attachments.iter().map(|attachment| attachment.name.as_str());
    let location = ReportLocation {
        page,
        is_attached: names.clone().any(|name| name == page),
        pdf: names.find(|name| name.ends_with(".pdf")),
    };
    let content_id = |id: &str| format!("{id}.{name}@{domain}");
    let html = email::html(&summary, &location, &content_id)?;
    let boundary =
        |builder: MultiPartBuilder, level: &str| builder.boundary(format!("acumen-{level}-{name}"));

    let said = boundary(MultiPart::alternative(), "said")
        .singlepart(SinglePart::plain(email::text(&summary, &location)))
        .singlepart(SinglePart::html(html));
    let mut shown = boundary(MultiPart::related(), "shown").multipart(said);
    for one in &summary.charts {
        let png = png::render(&one.svg).map_err(|cause| MailError::Png { id: one.id, cause })?;
        let part = Part::new_inline_with_name(content_id(one.id), format!("{}.png", one.id));
        shown = shown.singlepart(part.body(png, kind("image/png")?));
    }
    let mut whole = boundary(MultiPart::mixed(), "whole").multipart(shown);
    for attachment in attachments {
        let part = Part::new(attachment.name.clone());
        whole = whole.singlepart(part.body(attachment.bytes.clone(), kind(attachment.content_type)?));
    }

    let mut builder = Message::builder()
        .from(from.clone())
        .date(moment(at)?)
        .message_id(Some(id.clone()))
        .subject(summary.subject.clone());
    builder = once(to).fold(builder, |builder, mailbox| builder.to(mailbox.clone()));
    builder = once(cc).fold(builder, |builder, mailbox| builder.cc(mailbox.clone()));
    // Suppresses absence notices, by the standard and in Outlook.
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")] {
        builder =
            builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    let message = builder.multipart(whole).map_err(|error| MailError::Message(error.to_string()))?;
    Ok(OutgoingMail {
        report,
        id,
        subject: summary.subject,
        from: from.email.clone(),
        recipients,
        bytes: message.formatted(),
    })
}

/// Refuses a report that must not be mailed.
///
/// # Errors
/// It is incomplete or matches nothing.
pub fn check_mailable(facts: &Facts) -> Result<(), MailError> {
    if !facts.source.is_complete() {
        return Err(MailError::Incomplete);
    }
    if facts.source.no_match {
        return Err(MailError::NoMatch);
    }
    Ok(())
}

/// Each address once, ignoring case, in the given order.
fn once(mailboxes: &[Mailbox]) -> impl Iterator<Item = &Mailbox> {
    let seen = |index: usize, mailbox: &Mailbox| {
        let own = identity::plain(&mailbox.email);
        mailboxes.iter().take(index).any(|earlier| identity::plain(&earlier.email) == own)
    };
    mailboxes
        .iter()
        .enumerate()
        .filter(move |(index, mailbox)| !seen(*index, mailbox))
        .map(|(_, mailbox)| mailbox)
}

fn kind(text: &'static str) -> Result<ContentType, MailError> {
    ContentType::parse(text).map_err(|error| MailError::Message(error.to_string()))
}

/// A time within the years that a mail's date can express.
fn moment(at: DateTime<Utc>) -> Result<SystemTime, MailError> {
    match at.year() {
        1970..=9998 => Ok(at.into()),
        _ => Err(MailError::Clock(at.to_rfc3339())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::{Exit, Explain};
    use crate::mail::addresses;

    fn demo() -> Facts {
        Facts::from_json(include_str!("../../reports/org_demo_2026-W41.json")).unwrap()
    }

    fn page() -> Attachment {
        let bytes = b"<p>page</p>".to_vec();
        Attachment { name: "a.html".to_owned(), content_type: "text/html; charset=utf-8", bytes }
    }

    fn mail(facts: &Facts, to: &[&str], attachments: &[Attachment]) -> Result<OutgoingMail, MailError> {
        mail_at("2026-11-29T16:00:00.5Z", facts, to, attachments)
    }

    fn mail_at(
        at: &str,
        facts: &Facts,
        to: &[&str],
        attachments: &[Attachment],
    ) -> Result<OutgoingMail, MailError> {
        let to: Vec<String> = to.iter().map(|name| (*name).to_owned()).collect();
        let addresses = addresses("Acumen <acumen@example.com>", &to, &["c@x.com".to_owned()]).unwrap();
        compose(facts, "a.html", &addresses, attachments, at.parse().unwrap())
    }

    #[test]
    fn messages_differ_only_by_their_sending() {
        let one = mail(&demo(), &["a@x.com"], &[page()]).unwrap();
        assert_eq!(one, mail(&demo(), &["a@x.com"], &[page()]).unwrap());
        assert_ne!(one.id, mail(&demo(), &["b@x.com"], &[page()]).unwrap().id);
        let newer = Facts { generated_at: "2026-10-13T06:00:00Z".to_owned(), ..demo() };
        let newer = mail(&newer, &["a@x.com"], &[page()]).unwrap();
        assert_eq!(one.report, newer.report);
        assert_ne!(one.id, newer.id);
        // Within the same second: the date is the same, the id is not.
        let again = mail_at("2026-11-29T16:00:00.7Z", &demo(), &["a@x.com"], &[page()]).unwrap();
        assert_eq!((&one.report, &one.recipients), (&again.report, &again.recipients));
        let (old, new) = (String::from_utf8(one.bytes).unwrap(), String::from_utf8(again.bytes).unwrap());
        assert_eq!(old.replace(&one.id, &again.id), new);
        assert_ne!(one.id, again.id);
    }

    #[test]
    fn messages_are_ascii_with_parts_in_order() {
        let mail = mail(&demo(), &["Ada Löv <a@x.com>", "A@x.com"], &[page()]).unwrap();
        assert!(mail.bytes.is_ascii());
        let text = String::from_utf8(mail.bytes).unwrap();
        assert!(text.lines().all(|line| line.len() <= 998));
        let places: Vec<usize> = [
            "Date: Sun, 29 Nov 2026 16:00:00 +0000",
            "Message-ID: <",
            "Auto-Submitted: auto-generated",
            "multipart/mixed",
            "multipart/related",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "image/png",
            "filename=\"a.html\"",
        ]
        .map(|part| text.find(part).unwrap_or_else(|| panic!("{part}")))
        .to_vec();
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(text.to_lowercase().matches("a@x.com").count(), 1, "nobody is named twice");
        assert_eq!(mail.recipients.len(), 2, "copies included");
    }

    #[test]
    fn an_incomplete_report_is_not_mailed() {
        let mut facts = demo();
        facts.source.completeness = crate::metrics::Completeness::Incomplete;
        let error = mail(&facts, &["a@x.com"], &[]).unwrap_err();
        assert_eq!((error.exit(), error.to_string().contains("files are kept")), (Exit::Incomplete, true));
    }

    #[test]
    fn invalid_dates_are_errors() {
        for moment in ["1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"] {
            let error = mail_at(moment, &demo(), &["a@x.com"], &[]).unwrap_err();
            assert!(error.exit() == Exit::Usage && error.to_string().contains("clock"), "{moment}");
        }
    }
}
