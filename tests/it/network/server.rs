//! An API over TLS on loopback that counts its connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::mail::server::tls_config;
use crate::support::repository;

pub fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().expect("a runtime")
}

/// A fixture of the folder `tls`.
pub fn fixture(name: &str) -> std::path::PathBuf {
    repository("tests/fixtures/tls").join(name)
}

/// TLS in front of a plain server, with a certificate of the folder `tls`.
pub struct TlsApi {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl TlsApi {
    /// Begins to serve what `upstream`, as http://127.0.0.1:80, serves.
    pub fn start(upstream: &str, certificate: &str) -> Self {
        let config = tls_config(&fixture(certificate));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let upstream: SocketAddr = upstream.trim_start_matches("http://").parse().expect("an address");
        let runtime = runtime();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that does not trust the certificate leaves.
                    let Ok(mut tls) = acceptor.accept(stream).await else { return };
                    let mut plain = TcpStream::connect(upstream).await.expect("the plain server");
                    let _ = copy_bidirectional(&mut tls, &mut plain).await;
                });
            }
        });
        Self { port, connections, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
