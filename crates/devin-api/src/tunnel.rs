//! Whether a proxy lets a connection through to the server.
//!
//! reqwest says of a refused tunnel that it was unsuccessful, whatever the proxy
//! answered, so that a proxy that forbids the server cannot be distinguished from one that
//! is overloaded. The tunnel is therefore asked for once by itself, before the
//! first request and again after a connection has failed.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use hyper::client::conn::http1;
use hyper::header::{HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::attempt::{Bounds, Failure, chain};
use super::retry::{self, Class};
use crate::proxy::{Proxy, Refusal, Tunnel};
use crate::text::clean;
use crate::tls::{self, Trust};

/// Asks the proxy for a tunnel to a server, and leaves.
///
/// # Errors
/// The proxy cannot be reached, or refuses for now; the cause names it.
pub(super) async fn ask(
    proxy: &Proxy,
    trust: &Trust,
    server: &Url,
    bounds: &Bounds,
) -> Result<Tunnel, Failure> {
    let place = proxy.place();
    let late = |_| {
        let cause = format!("the proxy {place} did not answer within {} s", bounds.read.as_secs());
        Err(Failure::new(Class::Timeout, cause))
    };
    timeout(bounds.read, open(proxy, trust, server)).await.unwrap_or_else(late)
}

async fn open(proxy: &Proxy, trust: &Trust, server: &Url) -> Result<Tunnel, Failure> {
    let connection = TcpStream::connect((proxy.host(), proxy.port())).await;
    let tcp = connection.map_err(|error| broken(proxy, &error))?;
    match proxy.is_tls() {
        true => connect(handshake(proxy, trust, tcp).await?, proxy, server).await,
        false => connect(tcp, proxy, server).await,
    }
}

async fn handshake(
    proxy: &Proxy,
    trust: &Trust,
    tcp: TcpStream,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>, Failure> {
    let lasting = |error: &rustls::Error| {
        let problem = tls::problem(error, proxy.variable())?;
        let cause = format!("the proxy {}: {}", proxy.place(), problem.cause);
        Some(Failure { hint: problem.hint, ..Failure::new(Class::Tls, cause) })
    };
    let config = trust.client_config();
    let config = config.map_err(|error| lasting(&error).unwrap_or_else(|| broken(proxy, &error)))?;
    let name = ServerName::try_from(proxy.host().to_owned()).map_err(|error| broken(proxy, &error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
    stream.map_err(|error| {
        let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref());
        of_tls.and_then(lasting).unwrap_or_else(|| broken(proxy, &error))
    })
}

async fn connect(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    proxy: &Proxy,
    server: &Url,
) -> Result<Tunnel, Failure> {
    let broken = |error: hyper::Error| broken(proxy, &error);
    let host = server.host_str().expect("an https address has a host");
    let port = server.port_or_known_default().expect("https has a port");
    let target = format!("{host}:{port}");
    let mut request = Request::builder().method(Method::CONNECT).uri(&target).header(HOST, &target);
    if let Some(authorization) = proxy.authorization() {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    let request = request.body(String::new());
    let request = request.map_err(|error| Failure::new(Class::Contract, error.to_string()))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut answer = pin!(sender.send_request(request));
    let response = tokio::select! {
        biased;
        response = &mut answer => response,
        // A connection that becomes a tunnel ends as one of HTTP; its answer is there.
        ended = connection => {
            ended.map_err(broken)?;
            answer.await
        }
    };
    let response = response.map_err(broken)?;
    let status = response.status();
    if status.is_success() {
        return Ok(Tunnel::Open);
    }
    let schemes: Vec<&str> = response
        .headers()
        .get_all(PROXY_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split([' ', ',']).next())
        .collect();
    let answer = format!("HTTP {}", status.as_u16());
    let answer = status.canonical_reason().map_or(answer.clone(), |reason| format!("{answer} {reason}"));
    let cause = format!("the proxy {} refused the connection to {target}: {answer}", proxy.place());
    let code = status.as_u16();
    match retry::is_passing(code) {
        true => Err(Failure::new(Class::Proxy(code), cause)),
        false => {
            Ok(Tunnel::Refused(Refusal { status: code, cause, hint: hint(proxy, host, status, &schemes) }))
        }
    }
}

/// What to do about a refusal that stays.
fn hint(proxy: &Proxy, host: &str, status: StatusCode, schemes: &[&str]) -> String {
    let (place, variable) = (proxy.place(), proxy.variable());
    let is_basic = schemes.is_empty() || schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    match (status, proxy.authorization()) {
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, _) if !is_basic => format!(
            "the proxy requires {}, but only Basic is supported: ask its administrator for another way \
             to {host}",
            clean(&schemes.join(" or "), 60)
        ),
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, Some(_)) => {
            format!("check user and password in {variable}; write special characters as %40 for @, %3A for :")
        }
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, None) => {
            format!("set {variable} with user and password, such as http://user:password@{place}")
        }
        _ => format!(
            "ask the proxy's administrator to allow {host}, or list {host} in NO_PROXY if it can be \
             reached directly"
        ),
    }
}

/// A connection to the proxy that failed.
fn broken(proxy: &Proxy, error: &(dyn Error + 'static)) -> Failure {
    let causes = chain(error).map(ToString::to_string);
    let mut line = format!("the proxy {}", proxy.place());
    for cause in causes.filter(|cause| !cause.is_empty()) {
        if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    Failure::new(Class::Connection, line)
}
