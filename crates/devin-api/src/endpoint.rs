//! A server whose URL holds a token: nothing shows the URL, and no redirect is followed.

use std::fmt;

use reqwest::{Client, ClientBuilder, Url, redirect};

use super::address;
use super::attempt::secured;
use crate::proxy::Proxy;
use crate::tls::Trust;

/// The URL of such a server, and how it is reached.
#[derive(Clone)]
pub(super) struct Endpoint {
    /// `https`, or `http` to loopback, which the caller has checked.
    pub(super) url: Url,
    trust: Trust,
    proxy: Option<Proxy>,
}

impl Endpoint {
    pub(super) fn new(url: Url, trust: Trust, proxy: Option<Proxy>) -> Self {
        Self { url, trust, proxy }
    }

    /// The host, which may be shown.
    pub(super) fn host(&self) -> String {
        address::host(&self.url)
    }

    /// A client for this server, with `more` settings.
    ///
    /// # Errors
    ///
    /// This machine has no trusted root certificates.
    pub(super) fn client(
        &self,
        more: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Client, NoCertificates> {
        // A provider may be there already, and any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(concat!("acumen/", env!("CARGO_PKG_VERSION")))
            // A token that is sent elsewhere is exposed.
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false);
        let builder =
            secured(builder, &self.url, &self.trust, self.proxy.as_ref()).map_err(|_| NoCertificates)?;
        more(builder).build().map_err(|_| NoCertificates)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// No TLS client can be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoCertificates;

impl fmt::Display for NoCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this machine has no trusted root certificates")
    }
}
