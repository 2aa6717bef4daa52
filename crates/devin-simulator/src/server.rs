//! The answers over HTTP, on loopback only.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::answer::{self, answer};
use super::faults::{FaultKind, Mishaps, mishaps};
use super::options::Options;
use super::transport::{self, Body};
use super::{Organisation, organisation};

/// How long a stop waits for the answers under way, on top of the latency.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when the system has no connection to give.
const BREATH: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    state: Arc<State>,
    running: watch::Sender<bool>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    organisation: Arc<Organisation>,
    address: SocketAddr,
    options: Options,
    requests: AtomicU64,
    gets: AtomicU64,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// Serves an organisation on 127.0.0.1 until it is stopped.
///
/// # Errors
///
/// The port cannot be listened on.
pub async fn start(organisation: impl Into<Arc<Organisation>>, options: Options) -> io::Result<Simulator> {
    let mut organisation = organisation.into();
    if !organisation.is_in_order() {
        organisation::sort(&mut Arc::make_mut(&mut organisation).records);
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let state = Arc::new(State {
        organisation,
        address,
        options,
        requests: AtomicU64::new(0),
        gets: AtomicU64::new(0),
        in_flight: AtomicUsize::new(0),
        most_in_flight: AtomicUsize::new(0),
    });
    let (running, stopped) = watch::channel(true);
    let server = tokio::spawn(serve(listener, state.clone(), stopped));
    Ok(Simulator { address, state, running, server })
}

impl Simulator {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests have come in so far, refused ones included.
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    /// The most requests that were answered at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.state.most_in_flight.load(Ordering::Relaxed)
    }

    /// Takes no new connection, lets the answers under way finish, and returns
    /// when the last connection is closed, after a few seconds at the latest.
    pub async fn stop(self) {
        self.running.send_replace(false);
        // The server ends by itself; that it was cancelled is as good.
        let _ = self.server.await;
    }
}

async fn serve(listener: TcpListener, state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(talk(stream, state.clone(), stopped.clone()))),
                Err(_) => tokio::time::sleep(BREATH).await,
            },
        }
    }
    drop(listener);
    let rest = async { while connections.join_next().await.is_some() {} };
    // What is left then is aborted as the set is dropped.
    let _ = tokio::time::timeout(GRACE + state.options.latency, rest).await;
}

/// What an answer may do to its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doom {
    None,
    /// It is reset at once.
    Reset,
    /// It will never be done, so that a stop need not wait for it.
    Stall,
}

async fn talk(stream: TcpStream, state: Arc<State>, mut stopped: watch::Receiver<bool>) {
    // Small answers must not wait for the acknowledgement of earlier ones.
    let _ = stream.set_nodelay(true);
    let (doom, mut doomed) = watch::channel(Doom::None);
    let doom = Arc::new(doom);
    let service = service_fn(move |request| respond(state.clone(), doom.clone(), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that goes away is its own business: errors of a connection end it alone.
    loop {
        tokio::select! {
            _ = &mut connection => return,
            _ = stopped.changed() => break,
            Ok(()) = doomed.changed() => if *doomed.borrow_and_update() == Doom::Reset {
                let stream = connection.into_parts().io.into_inner();
                // Without time to linger, closing sends a reset.
                let _ = stream.set_zero_linger();
                return;
            },
        }
    }
    if *doomed.borrow() != Doom::Stall {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = connection.await;
    }
}

async fn respond(
    state: Arc<State>,
    doom: Arc<watch::Sender<Doom>>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let _guard = InFlight::enter(&state);
    let mishaps = match request.method() {
        &Method::GET => {
            let number = state.gets.fetch_add(1, Ordering::Relaxed) + 1;
            mishaps(&state.options.faults, &state.options.script, number)
        }
        _ => Mishaps::default(),
    };
    if !state.options.latency.is_zero() {
        tokio::time::sleep(state.options.latency).await;
    }
    let asked = answer::Request {
        method: request.method().as_str(),
        path: request.uri().path(),
        query: request.uri().query().unwrap_or_default(),
        authorization: request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()),
    };
    let answer = answer(&state.organisation, &state.options, asked, &mishaps.shape);
    let Some(kind) = mishaps.instead else { return Ok(transport::well(answer)) };
    match kind {
        FaultKind::Reset => {
            doom.send_replace(Doom::Reset);
            // The connection ends before this does.
            return std::future::pending().await;
        }
        FaultKind::Stall => drop(doom.send_replace(Doom::Stall)),
        _ => {}
    }
    Ok(transport::ill(kind, answer, asked, state.address))
}

/// Counts a request for as long as it lives, also when the client hangs up.
struct InFlight<'a>(&'a State);

impl<'a> InFlight<'a> {
    fn enter(state: &'a State) -> Self {
        state.requests.fetch_add(1, Ordering::Relaxed);
        let now = state.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        state.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(state)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    fn organisation() -> Organisation {
        Organisation::from_values(vec![json!({
            "session_id": "xyz789", "org_id": "org|789", "user_id": "email|62f0",
            "created_at": "2026-10-05T12:00:00Z"
        })])
    }

    /// Sends one request and reads until the server closes.
    async fn ask(simulator: &Simulator, line: &str, headers: &str) -> (String, String) {
        let mut stream = TcpStream::connect(simulator.address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn answers_over_http() {
        let simulator = start(organisation(), Options::default()).await.unwrap();
        let key = "Authorization: Bearer apk_user_x\r\n";
        let path = "/v2/enterprise/organizations/org%7C789/sessions/insights?user_ids=email%7C62f0";
        let (head, body) = ask(&simulator, &format!("GET {path}"), key).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let page: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&page["total"], &page["items"][0]["session_id"]), (&json!(1), &json!("xyz789")));

        assert!(ask(&simulator, &format!("GET {path}"), "").await.0.starts_with("HTTP/1.1 401"));
        assert!(ask(&simulator, "GET /elsewhere", key).await.0.starts_with("HTTP/1.1 404"));
        let (head, _) = ask(&simulator, &format!("DELETE {path}"), key).await;
        assert!(head.starts_with("HTTP/1.1 405") && head.contains("allow: GET"), "{head}");
        let (head, body) = ask(&simulator, &format!("GET {path}&skip=x"), key).await;
        assert!(head.starts_with("HTTP/1.1 422") && body.contains("\"skip\""), "{head} {body}");
        assert_eq!(simulator.requests(), 5);
        assert!(simulator.base_url().starts_with("http://127.0.0.1:"));
        simulator.stop().await;
    }

    #[tokio::test]
    async fn requests_in_flight_are_counted() {
        let options = Options { latency: Duration::from_millis(200), ..Options::default() };
        let simulator = start(organisation(), options).await.unwrap();
        tokio::join!(
            ask(&simulator, "GET /a", ""),
            ask(&simulator, "GET /b", ""),
            ask(&simulator, "GET /c", "")
        );
        assert_eq!(simulator.most_in_flight(), 3);
        ask(&simulator, "GET /d", "").await;
        assert_eq!((simulator.most_in_flight(), simulator.requests()), (3, 4));
        simulator.stop().await;
    }

    #[tokio::test]
    async fn a_stop_finishes_what_is_under_way_and_frees_the_port() {
        let options = Options { latency: Duration::from_millis(200), ..Options::default() };
        let simulator = start(organisation(), options).await.unwrap();
        let address = simulator.address;
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        while simulator.requests() == 0 {
            tokio::task::yield_now().await;
        }
        tokio::time::timeout(Duration::from_secs(4), simulator.stop()).await.unwrap();
        let mut text = String::new();
        busy.read_to_string(&mut text).await.unwrap();
        assert!(text.starts_with("HTTP/1.1 404"), "{text}");
        assert_eq!(idle.read(&mut [0]).await.unwrap_or_default(), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn records_added_out_of_order_are_put_in_order() {
        let mut organisation = organisation();
        let mut early = organisation.records[0].clone();
        early.created_at -= chrono::TimeDelta::days(1);
        early.body = "{\"session_id\":\"early\"}".to_owned();
        organisation.records.push(early);
        let simulator = start(Arc::new(organisation), Options::default()).await.unwrap();
        let line = "GET /v2/enterprise/sessions/insights?order=asc&limit=1";
        let (_, body) = ask(&simulator, line, "Authorization: Bearer apk_user_x\r\n").await;
        assert!(body.contains("early"), "{body}");
        simulator.stop().await;
    }
}
