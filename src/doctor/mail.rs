//! Whether a mail would leave, and whether what must outlive a run can be kept.

use std::path::Path;

use super::line::{Line, failed, ok};
use crate::deliver::{self, Place, PostError, SmtpError};
use crate::error::Error;
use crate::settings::mail::{Mail, Security, Server, Way};
use crate::text::shown;

/// The mail's settings and its server, which is greeted and no more; no line
/// where no mail is wanted.
pub async fn mail(wanted: &Result<Option<Mail>, Error>) -> Option<Line> {
    const NAME: &str = "mail";
    let wrong = |error: &Error| failed(NAME, error.to_string(), error.hint(), error.exit_code());
    let settings = match wanted {
        Ok(settings) => settings.as_ref()?,
        Err(error) => return Some(wrong(error)),
    };
    let server = match &settings.way {
        Way::Server(delivery) => &delivery.server,
        Way::File(path) => {
            return Some(ok(NAME, format!("the message goes into {}, and nothing is sent", shown(path))));
        }
    };
    Some(match deliver::greet(server).await {
        Ok(()) => ok(NAME, greeted(server)),
        Err(error @ (SmtpError::Refused { .. } | SmtpError::Later { .. } | SmtpError::Login { .. })) => {
            let hint = "it is there, but does not talk to this machine: ask whoever runs it";
            failed(NAME, error.to_string(), hint, error.exit_code())
        }
        Err(error) => wrong(&PostError::from(error).into()),
    })
}

fn greeted(server: &Server) -> String {
    let how = match server.security {
        Security::Plain => "on this machine and without TLS",
        Security::Tls => "over TLS, and its certificate is trusted",
        Security::StartTls => "over STARTTLS, and its certificate is trusted",
    };
    let login = if server.login.is_some() { "; the login is not tried" } else { "" };
    format!("{} answers {how}{login}", server.place())
}

/// Whether the folder can keep the log of sent mails.
pub fn state(folder: &Path) -> Line {
    const NAME: &str = "state";
    match look(folder) {
        Ok(None) => ok(NAME, format!("what is kept in {} can be read", shown(folder))),
        Ok(Some(Place::There)) => ok(NAME, format!("{} can be written to", shown(folder))),
        Ok(Some(Place::Missing(above))) => {
            ok(NAME, format!("{} is not there and can be made in {}", shown(folder), shown(&above)))
        }
        Err(error) => failed(NAME, error.to_string(), error.hint(), error.exit_code()),
    }
}

/// Nothing is to be made where the log is there.
fn look(folder: &Path) -> Result<Option<Place>, Error> {
    match deliver::look_ledger(folder).map_err(PostError::from)? {
        true => Ok(None),
        false => Ok(Some(deliver::look_state(folder)?)),
    }
}
