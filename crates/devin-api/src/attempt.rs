//! One attempt at one answer: send, status, content type, body, and what it says.

use std::error::Error;
use std::io;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::RETRY_AFTER;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};

use super::envelope::PageError;
use super::retry::{Class, RetryAfter, retry_after};
use super::{ApiConfig, FetchError, Secret, address, redact, sanitize, time};
use crate::proxy::Proxy;
use crate::tls::{self, Problem, Trust};

/// Bounds of one attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Until a connection is established.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub read: Duration,
    /// From the request to the last byte.
    pub attempt: Duration,
    /// Decoded bytes of a page.
    pub page_bytes: usize,
}

/// No error text needs more; the rest of an error's body is not read.
pub(super) const ERROR_BYTES: usize = 16 * 1024;

/// An attempt that brought no page.
#[derive(Debug)]
pub(super) struct Failure {
    /// What kind it is: decides whether to try again.
    pub class: Class,
    /// What happened, in words; for a refusal the server's quoted words.
    pub cause: String,
    /// What to do about it, where the cause implies it; else empty.
    pub hint: String,
    /// Whether it came as an HTML page, as a gateway sends it.
    pub is_page: bool,
    /// The pause that the server asks for.
    pub retry_after: Option<RetryAfter>,
}

impl Failure {
    pub(super) fn new(class: Class, cause: impl Into<String>) -> Self {
        Self { class, cause: cause.into(), hint: String::new(), retry_after: None, is_page: false }
    }
}

/// A client that sends the key to the base address and nowhere else.
///
/// # Errors
///
/// A key that no header can carry; no trusted root certificates on this machine.
pub(super) fn build(config: &ApiConfig, bounds: &Bounds) -> Result<Client, FetchError> {
    // A provider may be there already, and any will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut bearer =
        HeaderValue::try_from(format!("Bearer {}", config.key.expose())).map_err(|_| FetchError::Unfit {
            why: format!(
                "the key from {} contains characters that are invalid in a header",
                config.key_source
            ),
        })?;
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let mut builder = Client::builder()
        .user_agent(concat!("acumen/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        // The one retry layer is ours.
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(bounds.connect)
        .read_timeout(bounds.read)
        .timeout(bounds.attempt);
    builder = secured(builder, &config.base_url, &config.trust, config.proxy.as_ref()).map_err(|error| {
        let host = address::host(&config.base_url);
        match tls::problem(&error, OPTION) {
            Some(Problem { cause, hint }) => FetchError::Tls { host, cause, hint },
            None => FetchError::Unfit { why: format!("TLS cannot be set up: {error}") },
        }
    })?;
    builder.build().map_err(|error| FetchError::Unfit {
        why: format!("the HTTP client cannot be set up: {}", causes(&error.without_url(), &config.key)),
    })
}

/// The option that names the server.
const OPTION: &str = "--base-url";

/// A client for this address: over TLS with certificates that are trusted, or on this machine.
pub(super) fn secured(
    builder: ClientBuilder,
    url: &Url,
    trust: &Trust,
    proxy: Option<&Proxy>,
) -> Result<ClientBuilder, rustls::Error> {
    // Without this the library reads the environment itself.
    let mut builder = builder.no_proxy();
    if url.scheme() == "http" {
        // Plain text stays on this machine: no proxy, and no certificates to look for.
        return Ok(builder.tls_certs_only([]));
    }
    if let Some(proxy) = proxy {
        let proxy = reqwest::Proxy::all(proxy.url().clone());
        builder = builder.proxy(proxy.expect("the URL of a proxy is http or https and has a host"));
    }
    let mut tls = trust.client_config()?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(builder.tls_backend_preconfigured(tls))
}

/// Asks once, and gives what `read` makes of the body; `heard` gets the status of an
/// answer and the server's time, whatever else it says.
///
/// # Errors
///
/// A [`Failure`], whether or not it may pass.
pub(super) async fn send<T>(
    client: &Client,
    url: Url,
    bounds: &Bounds,
    key: &Secret,
    read: impl Fn(&str) -> Result<T, PageError>,
    heard: impl Fn(u16, Option<DateTime<Utc>>),
) -> Result<T, Failure> {
    let broken = |error: reqwest::Error| broken(error.without_url(), key, OPTION);
    let mut response = client.get(url.clone()).send().await.map_err(broken)?;
    let status = response.status();
    heard(status.as_u16(), text(response.headers(), &DATE).and_then(time::http_date));
    if !status.is_success() {
        return Err(refusal(response, &url, key).await);
    }
    let kind = text(response.headers(), &CONTENT_TYPE).map(|kind| sanitize::clean(kind, key));
    if let Some(kind) = kind.as_deref().filter(|kind| !is_json(kind)) {
        return Err(Failure::new(Class::NotJson, kind));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > bounds.page_bytes {
            let cause = format!("the page is larger than {} MiB", bounds.page_bytes / (1024 * 1024));
            return Err(Failure::new(Class::Contract, cause));
        }
        body.extend_from_slice(&chunk);
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Failure::new(Class::NotJson, "an empty body"));
    }
    let rubbish = || {
        let kind = kind.clone().unwrap_or_else(|| "a body without a content type".to_owned());
        Failure::new(Class::NotJson, format!("{kind} that is not JSON"))
    };
    // A byte that is no UTF-8 costs its character, not the page.
    let mut body = String::from_utf8(body)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    if body.starts_with('\u{feff}') {
        body.drain(..'\u{feff}'.len_utf8());
    }
    // Here all that is read of an answer comes by: what a server takes from our
    // head and puts into its records must not reach the page or the facts.
    let body = redact::body(body, key);
    match read(&body) {
        Ok(answer) => Ok(answer),
        Err(PageError::CutShort) => Err(Failure::new(Class::CutShort, "the JSON ends in the middle")),
        Err(PageError::NotJson) => Err(rubbish()),
        Err(PageError::Contract(what)) => {
            // An answer that is no page may say why.
            let said = sanitize::detail(body.as_bytes(), key);
            Err(Failure::new(Class::Contract, format!("{}{said}", sanitize::clean(&what, key))))
        }
    }
}

/// Reads what a status other than success comes with.
async fn refusal(mut response: Response, url: &Url, key: &Secret) -> Failure {
    let status = response.status();
    let headers = response.headers();
    let retry_after = text(headers, &RETRY_AFTER).and_then(|value| retry_after(value, text(headers, &DATE)));
    if status.is_redirection() {
        let to = text(headers, &LOCATION).and_then(|to| url.join(to).ok());
        let to = to.map_or_else(|| "an unknown place".to_owned(), |to| place(&to, url));
        return Failure::new(Class::Status(status.as_u16()), sanitize::clean(&to, key));
    }
    let mut body = Vec::new();
    let kind = text(headers, &CONTENT_TYPE).map(str::to_ascii_lowercase);
    let is_page = kind.is_some_and(|kind| kind.trim_start().starts_with("text/html"));
    // Whatever goes wrong here: the status is what counts.
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > ERROR_BYTES {
            break;
        }
    }
    let said = if is_page { sanitize::title(&body, key) } else { sanitize::detail(&body, key) };
    Failure { retry_after, is_page, ..Failure::new(Class::Status(status.as_u16()), said) }
}

/// Where a redirect leads: scheme and host, or the path alone where those stay.
fn place(to: &Url, from: &Url) -> String {
    match to.origin() == from.origin() {
        true => to.path().to_owned(),
        false => format!("{}://{}", to.scheme(), address::host(to)),
    }
}

pub(super) fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// `application/json`, `application/problem+json`; parameters do not matter.
fn is_json(kind: &str) -> bool {
    let essence = kind.split_once(';').map_or(kind, |(essence, _)| essence).trim().to_ascii_lowercase();
    matches!(essence.as_str(), "application/json" | "text/json") || essence.ends_with("+json")
}

/// Sorts an error of the transport; `option` is what names the server, for a hint.
pub(super) fn broken(error: reqwest::Error, key: &Secret, option: &str) -> Failure {
    let tls = chain(&error).find_map(|cause| cause.downcast_ref());
    if let Some(Problem { cause, hint }) = tls.and_then(|error| tls::problem(error, option)) {
        return Failure { hint, ..Failure::new(Class::Tls, sanitize::clean(&cause, key)) };
    }
    let class = if is_no_tls(&error) {
        Class::NoTls
    } else if error.is_timeout() {
        Class::Timeout
    } else if error.is_body() || error.is_decode() {
        Class::CutShort
    } else {
        Class::Connection
    };
    Failure::new(class, causes(&error, key))
}

/// The whole chain of causes on one line, each said once.
fn causes(error: &reqwest::Error, key: &Secret) -> String {
    let mut line = error.to_string();
    for cause in chain(error).skip(1) {
        let cause = cause.to_string();
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    sanitize::clean(&line, key)
}

pub(super) fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn Error + 'static) = *error;
        // The source of an I/O error is that of the error inside, which would be passed over.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn is_no_tls(error: &reqwest::Error) -> bool {
    let odd = |cause: &rustls::Error| {
        matches!(cause, rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType))
    };
    chain(error).any(|cause| cause.downcast_ref().is_some_and(odd))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_does_not_show_its_key() {
        let config = super::super::tests::config("http://127.0.0.1:9");
        let client = build(&config, &super::super::LIMITS.bounds).unwrap();
        let shown = format!("{client:?} {:?}", client.get("http://127.0.0.1:9"));
        assert!(shown.contains("authorization") && !shown.contains("k3y"), "{shown}");
    }

    #[test]
    fn json_goes_by_several_names() {
        for good in ["application/json", "application/JSON; charset=utf-8", "application/problem+json"] {
            assert!(is_json(good), "{good}");
        }
        for bad in ["text/html", "text/plain; application/json", "", "application/jsonp"] {
            assert!(!is_json(bad), "{bad}");
        }
    }
}
