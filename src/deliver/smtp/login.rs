//! The login to a mail server: PLAIN, LOGIN and XOAUTH2.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::conversation::{Conversation, SmtpReply, StepError};
use crate::settings::mail::{Auth, Login};
use crate::text::clean;

/// The longest status that is shown.
const STATUS: usize = 60;

/// Logs in with a mechanism that settings and server have in common.
pub async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    conversation: &mut Conversation<S>,
    login: &Login,
    capabilities: &[Vec<String>],
) -> Result<(), StepError> {
    let reply = match choose(login.auth, capabilities)? {
        "PLAIN" => conversation.command(&format!("AUTH PLAIN {}", plain(login))).await?,
        "LOGIN" => {
            challenged(conversation.command("AUTH LOGIN").await?)?;
            challenged(conversation.command(&STANDARD.encode(&login.user)).await?)?;
            conversation.command(&STANDARD.encode(login.password.expose_secret())).await?
        }
        _ => {
            let reply = conversation.command(&format!("AUTH XOAUTH2 {}", xoauth2(login))).await?;
            if reply.code == 334 {
                return Err(refused(&reply, conversation.command("").await?));
            }
            reply
        }
    };
    reply.require(2).map(drop)
}

/// All encodings of the password that a server may repeat.
pub fn secrets(login: &Login) -> Vec<String> {
    let password = login.password.expose_secret();
    let dot_stuffed = [STANDARD.encode(password), plain(login), xoauth2(login)];
    // A server may omit the padding.
    let dot_stuffed = dot_stuffed.iter().map(|text| text.trim_end_matches('=').to_owned());
    std::iter::once(password.to_owned()).chain(dot_stuffed).collect()
}

/// The configured mechanism, else the first one offered.
fn choose(auth: Auth, capabilities: &[Vec<String>]) -> Result<&'static str, StepError> {
    let wanted: &[&'static str] = match auth {
        Auth::Auto => &["PLAIN", "LOGIN"],
        Auth::Plain => &["PLAIN"],
        Auth::Login => &["LOGIN"],
        Auth::XOAuth2 => &["XOAUTH2"],
    };
    let is_auth = |words: &&Vec<String>| words.first().is_some_and(|word| word == "AUTH");
    let offered: Vec<&String> =
        capabilities.iter().filter(is_auth).flat_map(|words| words.iter().skip(1)).collect();
    let is_offered = |name: &&&str| offered.iter().any(|word| word == *name);
    wanted
        .iter()
        .find(is_offered)
        .copied()
        .ok_or_else(|| StepError::NoCommonMechanism(offered.into_iter().cloned().collect()))
}

/// Hint for a server that offers only these mechanisms.
pub fn hint(auth: Auth, offered: &[String]) -> String {
    let offers = |name: &str| offered.iter().any(|word| word == name);
    match () {
        () if offered.is_empty() => "omit --smtp-user if the server accepts mail from this machine \
            without a login; else use the port for logins, smtps://HOST:465 or smtp://HOST:587"
            .to_owned(),
        () if offers("PLAIN") || offers("LOGIN") => {
            "omit --smtp-auth, and use the password instead of an access token".to_owned()
        }
        () if offers("XOAUTH2") && auth != Auth::XOAuth2 => {
            "set --smtp-auth xoauth2, and an OAuth 2.0 access token with --smtp-password-command or \
             --smtp-password-file"
                .to_owned()
        }
        () => "acumen supports PLAIN, LOGIN and XOAUTH2: ask the server's administrator to allow one of \
            them over TLS"
            .to_owned(),
    }
}

fn plain(login: &Login) -> String {
    STANDARD.encode(format!("\0{}\0{}", login.user, login.password.expose_secret()))
}

fn xoauth2(login: &Login) -> String {
    STANDARD.encode(format!(
        "user={}\u{1}auth=Bearer {}\u{1}\u{1}",
        login.user,
        login.password.expose_secret()
    ))
}

fn challenged(reply: SmtpReply) -> Result<(), StepError> {
    reply.require(3).map(drop)
}

/// The refusal of an access token, with the status in the preceding challenge.
fn refused(challenge: &SmtpReply, mut reply: SmtpReply) -> StepError {
    #[derive(Deserialize)]
    struct Challenge {
        status: String,
    }
    let status = challenge.lines.first().and_then(|line| {
        let json = STANDARD.decode(line.trim()).ok()?;
        Some(serde_json::from_slice::<Challenge>(&json).ok()?.status)
    });
    if let Some(status) = status {
        reply.lines.insert(0, format!("status {}:", clean(&status, STATUS)));
    }
    match reply.require(5) {
        Ok(reply) => StepError::Refused(reply),
        Err(failure) => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(line: &str) -> Vec<Vec<String>> {
        vec![vec!["SIZE".to_owned()], line.split(' ').map(str::to_owned).collect()]
    }

    #[test]
    fn the_mechanism_is_the_configured_or_first_offered_one() {
        let chosen = |auth, line| choose(auth, &offer(line)).ok();
        assert_eq!(chosen(Auth::Auto, "AUTH LOGIN PLAIN XOAUTH2"), Some("PLAIN"));
        assert_eq!(chosen(Auth::Auto, "AUTH CRAM-MD5 LOGIN"), Some("LOGIN"));
        assert_eq!(chosen(Auth::Login, "AUTH PLAIN LOGIN"), Some("LOGIN"));
        assert_eq!(chosen(Auth::XOAuth2, "AUTH PLAIN XOAUTH2"), Some("XOAUTH2"));
        for (auth, line) in [
            (Auth::Auto, "AUTH CRAM-MD5 XOAUTH2"),
            (Auth::Plain, "AUTH LOGIN"),
            (Auth::XOAuth2, "AUTH PLAIN"),
            (Auth::Auto, "AUTH"),
            (Auth::Auto, "PLAIN LOGIN"),
        ] {
            let refusal = choose(auth, &offer(line));
            assert!(matches!(refusal, Err(StepError::NoCommonMechanism(_))), "{auth:?} {line}");
        }
    }

    #[test]
    fn hints_depend_on_offered_mechanisms() {
        for (auth, offered, word) in [
            (Auth::Auto, "XOAUTH2 OAUTHBEARER", "--smtp-auth xoauth2"),
            (Auth::Plain, "XOAUTH2", "--smtp-auth xoauth2"),
            (Auth::XOAuth2, "PLAIN", "omit --smtp-auth"),
            (Auth::Plain, "LOGIN", "omit --smtp-auth"),
            (Auth::Auto, "CRAM-MD5", "PLAIN, LOGIN and XOAUTH2"),
            (Auth::XOAuth2, "NTLM GSSAPI", "PLAIN, LOGIN and XOAUTH2"),
            (Auth::Auto, "", "omit --smtp-user"),
        ] {
            let words: Vec<String> = offered.split_whitespace().map(str::to_owned).collect();
            assert!(hint(auth, &words).contains(word), "{auth:?} {offered}: {}", hint(auth, &words));
        }
    }
}
