//! Whether the API lets this key in, and to what.

use super::line::{Line, failed, failure, note, ok, skipped};
use crate::error::hint_to;
use crate::exit::Explain;
use crate::text::clean;
use devin_api::{Api, ApiConfig, FetchError, Principal, Probes, SessionQuery};

/// Address, access, organisation and the right to list sessions.
pub fn lines(probes: &Probes, api: &ApiConfig, query: &SessionQuery) -> Vec<Line> {
    vec![address(probes, api), access(probes, api), organisation(probes, query), sessions(probes, api, query)]
}

/// Why what comes after cannot be looked at, if the key does not get so far.
pub fn obstacle(probes: &Probes) -> Option<&'static str> {
    match (unreached(probes), &probes.first) {
        (Some(_), _) => Some(NO_ANSWER),
        (None, Some(Ok(_))) => None,
        (None, _) => Some("sessions could not be listed"),
    }
}

const NO_ANSWER: &str = "the API did not answer";

fn errors(probes: &Probes) -> impl Iterator<Item = &FetchError> {
    let myself = probes.myself.iter().filter_map(|answer| answer.as_ref().err());
    myself.chain(probes.first.iter().filter_map(|answer| answer.as_ref().err()))
}

/// The error that shows that there is no API at the address, or no route to it.
/// One answer shows that there is: what fails after it has another cause.
fn unreached(probes: &Probes) -> Option<&FetchError> {
    let is_answered = probes.myself.as_ref().is_some_and(|myself| myself.as_ref().err().is_none_or(answers));
    errors(probes).find(|error| !is_answered && !answers(error))
}

/// Whether an error is the API's own word.
fn answers(error: &FetchError) -> bool {
    matches!(
        error,
        FetchError::Refused { .. }
            | FetchError::NotFound { .. }
            | FetchError::BadRequest { .. }
            | FetchError::Contract { .. }
    )
}

fn address(probes: &Probes, api: &ApiConfig) -> Line {
    const NAME: &str = "address";
    let url = &api.base_url;
    match unreached(probes) {
        Some(error) => failure(NAME, error),
        None if url.scheme() == "https" => ok(NAME, format!("{url} answers, and its certificate is trusted")),
        None => ok(NAME, format!("{url} answers, on this machine and without TLS")),
    }
}

fn access(probes: &Probes, api: &ApiConfig) -> Line {
    const NAME: &str = "access";
    if let Some(error) = errors(probes).find(|error| matches!(error, FetchError::Refused { status: 401, .. }))
    {
        return failure(NAME, error);
    }
    match (&probes.myself, unreached(probes)) {
        (Some(Ok(principal)), _) => ok(NAME, format!("the key is accepted: {}", who(principal))),
        (_, Some(_)) => skipped(NAME, NO_ANSWER),
        // Who knows no such address has not looked at the key.
        (Some(Err(FetchError::NotFound { path, .. })), None) => {
            let text = format!("the server has no {path}; see below whether it accepts the key");
            if matches!(probes.first, Some(Ok(_))) { ok(NAME, text) } else { note(NAME, text) }
        }
        (Some(Err(_)), None) => ok(NAME, "the key is accepted; the server does not report its owner"),
        (None, None) => match &probes.first {
            Some(Err(FetchError::NotFound { .. })) => ok(NAME, "the key is not refused"),
            _ => ok(NAME, format!("the key is accepted by {}", api.api)),
        },
    }
}

/// `a service user's key, “Weekly report”, for the whole enterprise`.
fn who(principal: &Principal) -> String {
    let text = |text: &str| clean(text, 120);
    let name = principal.name.as_deref().map_or_else(String::new, |name| format!(", “{}”", text(name)));
    let of = principal.org.as_deref().map_or_else(|| "the whole enterprise".to_owned(), text);
    format!("{}{name}, for {of}", text(&principal.key()))
}

fn organisation(probes: &Probes, query: &SessionQuery) -> Line {
    const NAME: &str = "organisation";
    let Some(org) = query.org.as_deref() else {
        return ok(NAME, "none set: the whole enterprise");
    };
    match &probes.first {
        Some(Ok(_)) => ok(NAME, format!("{} exists", clean(org, 80))),
        Some(Err(error @ FetchError::NotFound { .. })) => failure(NAME, error),
        _ if unreached(probes).is_some() => skipped(NAME, NO_ANSWER),
        _ => skipped(NAME, "the answer does not show whether it exists"),
    }
}

fn sessions(probes: &Probes, api: &ApiConfig, query: &SessionQuery) -> Line {
    const NAME: &str = "sessions";
    match &probes.first {
        _ if unreached(probes).is_some() => skipped(NAME, NO_ANSWER),
        Some(Ok(_)) => ok(NAME, "the key may list sessions"),
        Some(Err(FetchError::NotFound { .. })) if query.org.is_some() => {
            skipped(NAME, "there is no such organisation")
        }
        None | Some(Err(FetchError::Refused { status: 401, .. })) => skipped(NAME, "the key was refused"),
        Some(Err(error @ FetchError::Refused { .. })) => match elsewhere(probes, api, query) {
            Some(hint) => failed(NAME, error.to_string(), hint, error.exit()),
            None => failed(NAME, error.to_string(), to_holder(probes, error), error.exit()),
        },
        Some(Err(error)) => failure(NAME, error),
    }
}

/// What to do about a right that the key lacks, where it is known whose the key is.
fn to_holder(probes: &Probes, error: &FetchError) -> String {
    match &probes.myself {
        Some(Ok(principal)) => hint_to(error, principal.holder()),
        _ => error.hint(),
    }
}

/// What to do where the key belongs to another organisation than the one asked for.
fn elsewhere(probes: &Probes, api: &ApiConfig, query: &SessionQuery) -> Option<String> {
    let Some(Ok(Principal { org: Some(org), .. })) = &probes.myself else { return None };
    let named = query.org.as_deref() == Some(org);
    (api.api == Api::V3 && !named)
        .then(|| format!("the key belongs to the organisation {0} only: use --org {0}", clean(org, 80)))
}
