//! The way to a mail server: TCP, and TLS as its address asks for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::conversation::{Conversation, Failure, within};
use crate::settings::mail::{Security, Server};

/// Plain or TLS.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A server that has been greeted.
pub struct Greeted {
    /// The conversation with it.
    pub conversation: Conversation<Box<dyn Stream>>,
    /// What it offers, each split into words; over TLS only what it said over TLS.
    pub capabilities: Vec<Vec<String>>,
}

/// The step that failed, and how.
#[derive(Debug)]
pub enum Refusal {
    /// There is no connection.
    Connect(Failure),
    /// The connection is not safe.
    Safety(Failure),
    /// The server did not greet.
    Greeting(Failure),
}

/// Connects and greets. Where TLS is asked for, nothing that came before it is
/// believed, and there is no way on without it.
pub async fn connect(server: &Server, step: Duration) -> Result<Greeted, Refusal> {
    let tcp = tcp(server, step).await.map_err(Refusal::Connect)?;
    let (stream, is_greeted): (Box<dyn Stream>, bool) = match server.security {
        Security::Plain => (Box::new(tcp), false),
        Security::Tls => {
            let tls = within(step, handshake(server, tcp)).await;
            (
                Box::new(tls.map_err(|failure| match failure {
                    Failure::Tls(_) => Refusal::Safety(failure),
                    _ => Refusal::Connect(failure),
                })?),
                false,
            )
        }
        Security::StartTls => {
            let mut plain = Conversation::new(tcp, step);
            plain.greeting().await.map_err(Refusal::Greeting)?;
            let capabilities = plain.hello(&own_name()).await.map_err(Refusal::Greeting)?;
            let tls = start_tls(server, plain, &capabilities, step).await.map_err(Refusal::Safety)?;
            (Box::new(tls), true)
        }
    };
    let mut conversation = Conversation::new(stream, step);
    if !is_greeted {
        conversation.greeting().await.map_err(Refusal::Greeting)?;
    }
    let capabilities = conversation.hello(&own_name()).await.map_err(Refusal::Greeting)?;
    Ok(Greeted { conversation, capabilities })
}

async fn tcp(server: &Server, step: Duration) -> Result<TcpStream, Failure> {
    let place = (server.host.as_str(), server.port);
    let found: Vec<SocketAddr> = within(step, async { Ok(lookup_host(place).await?.collect()) }).await?;
    let mut failure = Failure::Garbled("its name has no address".to_owned());
    for address in found {
        // A name may stand for another machine than the settings believe.
        if server.security == Security::Plain && !address.ip().is_loopback() {
            failure = Failure::Garbled(format!("{} is not on loopback", address.ip()));
            continue;
        }
        match within(step, async { Ok(TcpStream::connect(address).await?) }).await {
            Ok(stream) => return Ok(stream),
            Err(own) => failure = own,
        }
    }
    Err(failure)
}

async fn start_tls(
    server: &Server,
    mut plain: Conversation<TcpStream>,
    capabilities: &[Vec<String>],
    step: Duration,
) -> Result<TlsStream<TcpStream>, Failure> {
    if !capabilities.iter().any(|words| words.first().is_some_and(|word| word == "STARTTLS")) {
        return Err(Failure::Garbled("it does not offer STARTTLS".to_owned()));
    }
    plain.command("STARTTLS").await?.require(2)?;
    within(step, handshake(server, plain.into_inner()?)).await
}

async fn handshake(server: &Server, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Failure> {
    let config = server.trust.client_config()?;
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| Failure::Garbled("no certificate can be for its name".to_owned()))?;
    Ok(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}

/// What this machine calls itself to a server.
fn own_name() -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name,
        false => "[127.0.0.1]".to_owned(),
    }
}
