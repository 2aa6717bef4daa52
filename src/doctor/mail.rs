//! Whether a mail would leave, and whether what must outlive a run can be kept.

use std::path::Path;

use super::line::{Line, failed, failure, ok};
use crate::deliver::{self, DryRun, FolderState, SendError, SmtpError};
use crate::error::Error;
use crate::exit::Explain;
use crate::mail as letter;
use crate::settings::mail::{Destination, Mail, Security, Server};
use crate::text::{clean, shown};

/// The mail's settings and its server, with which it goes as far as the recipients;
/// no line where no mail is wanted.
pub async fn mail(wanted: &Result<Option<Mail>, Error>) -> Option<Line> {
    const NAME: &str = "mail";
    let settings = match wanted {
        Ok(settings) => settings.as_ref()?,
        Err(error) => return Some(failure(NAME, error)),
    };
    let server = match &settings.destination {
        Destination::Server(delivery) => &delivery.server,
        Destination::File(path) => {
            return Some(ok(NAME, format!("the message is written to {}; nothing is sent", shown(path))));
        }
    };
    let addresses = match letter::addresses(&settings.from, &settings.to, &settings.cc) {
        Ok(addresses) => addresses,
        Err(error) => return Some(failure(NAME, &error)),
    };
    let sender = addresses.sender();
    let recipients = addresses.recipients("");
    let all = recipients.len();
    let dry_run = match deliver::dry_run(server, sender, recipients).await {
        Ok(dry_run) => dry_run,
        Err(error @ (SmtpError::Refused { .. } | SmtpError::Later { .. })) => {
            let hint = "the server answers, but does not accept mail from this machine and sender: ask its \
                 administrator";
            return Some(failed(NAME, error.to_string(), hint, error.exit()));
        }
        Err(error) => return Some(failure(NAME, &error)),
    };
    if !dry_run.refused.is_empty() {
        let others = dry_run.refused.len() < all;
        let error = SmtpError::Recipients { server: server.place(), refused: dry_run.refused, others };
        let hint = match others {
            true => "check the address; a run sends the mail to the others",
            false => "check the addresses, and what the server lets this user send",
        };
        return Some(failed(NAME, error.to_string(), hint, error.exit()));
    }
    Some(ok(
        NAME,
        taken(
            server,
            &dry_run,
            &format!("{sender} to {all} {}", if all == 1 { "recipient" } else { "recipients" }),
        ),
    ))
}

fn taken(server: &Server, dry_run: &DryRun, mail: &str) -> String {
    let how = match server.security {
        Security::Plain => "on this machine and without TLS",
        Security::Tls => "over TLS, and its certificate is trusted",
        Security::StartTls => "over STARTTLS, and its certificate is trusted",
    };
    let login = server
        .login
        .as_ref()
        .map_or_else(String::new, |login| format!(", the login of {}", clean(&login.user, 60)));
    let parts = match dry_run.envelopes {
        1 => String::new(),
        parts => format!(", in {parts} parts"),
    };
    format!(
        "{} answers {how}; it accepts this machine as {}{login}, and mail from {mail}{parts}; nothing sent",
        server.place(),
        clean(&dry_run.helo, 100)
    )
}

/// Whether the folder can keep the log of sent mails.
pub fn state(folder: &Path) -> Line {
    const NAME: &str = "state";
    match look(folder) {
        Ok(None) => ok(NAME, format!("the log of sent mails in {} can be read", shown(folder))),
        Ok(Some(FolderState::Exists)) => ok(NAME, format!("{} is writable", shown(folder))),
        Ok(Some(FolderState::Missing(above))) => {
            ok(NAME, format!("{} does not exist and can be created in {}", shown(folder), shown(&above)))
        }
        Err(error) => failure(NAME, &error),
    }
}

/// Nothing is to be made where the log is there.
fn look(folder: &Path) -> Result<Option<FolderState>, Error> {
    match deliver::check_send_log(folder).map_err(SendError::from)? {
        true => Ok(None),
        false => Ok(Some(deliver::probe_state_folder(folder)?)),
    }
}
