//! Connects to a mail server: TCP, and TLS as its URL says.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::conversation::{Conversation, StepError, within};
use crate::settings::mail::{Security, Server};

/// How long a server may stay silent before a second connection checks whether it expects TLS.
const SILENCE: Duration = Duration::from_secs(5);
/// The timeout of that check.
const PROBE: Duration = Duration::from_secs(4);

/// A plain or a TLS stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection after greeting and EHLO.
pub struct Greeted {
    /// The conversation with it.
    pub conversation: Conversation<Box<dyn Stream>>,
    /// The capabilities, each split into words; with TLS only those announced over TLS.
    pub capabilities: Vec<Vec<String>>,
    /// The name this machine gave in EHLO.
    pub helo: String,
}

/// The step that failed, with its error.
#[derive(Debug)]
pub enum ConnectError {
    /// No connection.
    Connect(StepError),
    /// The connection is not secure.
    Safety(StepError),
    /// The server expects TLS from the first byte, where plain text was configured.
    SpeaksTls,
    /// No greeting.
    Greeting(StepError),
    /// The server rejected this machine's name.
    Hello(String, StepError),
}

/// Connects, reads the greeting and sends EHLO. With TLS, nothing received before it is trusted,
/// and there is no fallback to plain text.
pub async fn connect(server: &Server, step: Duration) -> Result<Greeted, ConnectError> {
    let tcp = tcp(server, step).await.map_err(ConnectError::Connect)?;
    let helo = server.helo.clone().unwrap_or_else(|| own_name(&tcp));
    let hello_failed = |failure| ConnectError::Hello(helo.clone(), failure);
    let (stream, is_greeted): (Box<dyn Stream>, bool) = match server.security {
        Security::Plain => (Box::new(tcp), false),
        Security::Tls => {
            let tls = within(step, handshake(server, tcp)).await;
            (
                Box::new(tls.map_err(|failure| match failure {
                    StepError::Tls(_) => ConnectError::Safety(failure),
                    _ => ConnectError::Connect(failure),
                })?),
                false,
            )
        }
        Security::StartTls => {
            let mut plain = Conversation::new(tcp, step);
            plain_greeting(server, &mut plain, step).await?;
            let capabilities = plain.hello(&helo).await.map_err(hello_failed)?;
            let tls = start_tls(server, plain, &capabilities, step).await.map_err(ConnectError::Safety)?;
            (Box::new(tls), true)
        }
    };
    let mut conversation = Conversation::new(stream, step);
    match server.security {
        _ if is_greeted => {}
        Security::Plain => plain_greeting(server, &mut conversation, step).await?,
        _ => drop(conversation.greeting().await.map_err(ConnectError::Greeting)?),
    }
    let capabilities = conversation.hello(&helo).await.map_err(hello_failed)?;
    Ok(Greeted { conversation, capabilities, helo })
}

/// Reads the greeting in plain text. A server that expects TLS waits for the client to begin; so
/// do, for some time, servers that reject clients which talk before the greeting. A second
/// connection tells them apart.
async fn plain_greeting<S: AsyncRead + AsyncWrite + Unpin>(
    server: &Server,
    plain: &mut Conversation<S>,
    step: Duration,
) -> Result<(), ConnectError> {
    let is_heard = plain.hears_within(SILENCE.min(step)).await;
    let found_out = async {
        if is_heard || !speaks_tls(server).await {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        greeting = plain.greeting() => greeting.map(drop).map_err(ConnectError::Greeting),
        () = found_out => Err(ConnectError::SpeaksTls),
    }
}

/// Whether a server answers to a TLS handshake.
async fn speaks_tls(server: &Server) -> bool {
    let tried = within(PROBE, async { handshake(server, tcp(server, PROBE).await?).await }).await;
    match tried {
        Ok(_) => true,
        // It speaks plain text, or this machine has no root certificates.
        Err(StepError::Tls(rustls::Error::InvalidMessage(_) | rustls::Error::General(_))) => false,
        Err(failure) => matches!(failure, StepError::Tls(_)),
    }
}

async fn tcp(server: &Server, step: Duration) -> Result<TcpStream, StepError> {
    let place = (server.host.as_str(), server.port);
    let found: Vec<SocketAddr> = within(step, async { Ok(lookup_host(place).await?.collect()) }).await?;
    let mut failure = StepError::Malformed("its name has no address".to_owned());
    for address in found {
        // The name can resolve to another machine than the settings mean.
        if server.security == Security::Plain && !address.ip().is_loopback() {
            failure = StepError::Malformed(format!("{} is not on loopback", address.ip()));
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
) -> Result<TlsStream<TcpStream>, StepError> {
    if !capabilities.iter().any(|words| words.first().is_some_and(|word| word == "STARTTLS")) {
        return Err(StepError::Malformed("it does not offer STARTTLS".to_owned()));
    }
    plain.command("STARTTLS").await?.require(2)?;
    within(step, handshake(server, plain.into_inner()?)).await
}

async fn handshake(server: &Server, tcp: TcpStream) -> Result<TlsStream<TcpStream>, StepError> {
    let config = server.trust.client_config()?;
    let name = ServerName::try_from(server.host.clone())
        .map_err(|_| StepError::Malformed("no certificate can match its name".to_owned()))?;
    Ok(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}

/// The name of this machine in EHLO.
fn own_name(tcp: &TcpStream) -> String {
    let name = hostname::get().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    introduction(&name, tcp.local_addr().map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip()))
}

/// The full name of the host, else its address: many servers reject a name without a dot, or one
/// that is no host in particular.
fn introduction(name: &str, address: IpAddr) -> String {
    let is_label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let is_full = name.contains('.')
        && name.split('.').all(is_label)
        && name.parse::<IpAddr>().is_err()
        && !name.ends_with(".localdomain");
    match address.to_canonical() {
        _ if is_full => name.to_owned(),
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ehlo_uses_the_full_name_or_the_address() {
        let v4 = "192.0.2.1".parse().unwrap();
        assert_eq!(introduction("vm-1.example.com", v4), "vm-1.example.com");
        for short in
            ["", "vm", "vm.", ".example", "a..b", "vm_1.example.com", "10.0.0.1", "localhost.localdomain"]
        {
            assert_eq!(introduction(short, v4), "[192.0.2.1]", "{short}");
        }
        assert_eq!(introduction("vm", "2001:db8::1".parse().unwrap()), "[IPv6:2001:db8::1]");
        assert_eq!(introduction("vm", "::ffff:192.0.2.1".parse().unwrap()), "[192.0.2.1]");
    }
}
