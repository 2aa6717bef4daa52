//! An HTTP proxy on loopback that keeps what it is asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::server::runtime;

/// A proxy that tunnels, or refuses with an answer.
pub struct Proxy {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    _runtime: Runtime,
}

impl Proxy {
    /// A proxy that answers each connection in turn with one of these heads, without the
    /// empty line, or with a tunnel; the last one holds for all later connections.
    pub fn start(answers: Vec<Option<&'static str>>) -> Self {
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&heads);
        runtime.spawn(async move {
            let last = answers.last().copied().flatten();
            let mut answers = answers.into_iter();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, answers.next().unwrap_or(last), Arc::clone(&heard)));
            }
        });
        Self { port, heads, _runtime: runtime }
    }

    /// Its address with this before the host, such as `user:password@`.
    pub fn url(&self, login: &str) -> String {
        format!("http://{login}127.0.0.1:{}", self.port)
    }

    /// The heads of the requests so far; one a connection.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic in the proxy").clone()
    }
}

async fn tunnel(mut stream: TcpStream, refusal: Option<&str>, heard: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heard.lock().expect("no panic").push(head);
    if let Some(refusal) = refusal {
        let _ = stream.write_all(format!("{refusal}\r\nContent-Length: 0\r\n\r\n").as_bytes()).await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await;
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}
