//! How servers are reached.

use std::path::Path;

use url::Url;

use super::line::{Line, failure, note, ok, skipped};
use crate::regular_file::{self, Links};
use crate::settings::{Network, SettingsError};
use crate::text::{clean, shown};
use devin_api::tls;

/// Which certificates are trusted.
pub fn certificates(network: &Result<Network, SettingsError>) -> Line {
    const NAME: &str = "certificates";
    let network = match network {
        Ok(network) => network,
        Err(error) => return failure(NAME, error),
    };
    let extra = match (&network.ca_file, network.trust.extra()) {
        (None, _) => String::new(),
        (Some(path), 1) => format!(" and the one in {} (--ca-file)", shown(path)),
        (Some(path), many) => format!(" and the {many} in {} (--ca-file)", shown(path)),
    };
    let store: Vec<String> =
        network.store.iter().map(|(name, path)| format!("{name}={}", shown(path))).collect();
    let store = match store.is_empty() {
        true => "the system's are trusted".to_owned(),
        false => format!("those of {} are trusted instead of the system's", store.join(" and ")),
    };
    let text = format!("{store}{extra}");
    match network.store.iter().find(|(name, _)| *name == "SSL_CERT_FILE").and_then(|(_, path)| flaw(path)) {
        Some(flaw) => Line {
            hint:
                "unset SSL_CERT_FILE, and name the file of a company's certificate authority with --ca-file"
                    .to_owned(),
            ..note(NAME, format!("{text}, but SSL_CERT_FILE cannot be used: {flaw}"))
        },
        None => ok(NAME, text),
    }
}

/// The name of the line about the proxy.
pub const PROXY: &str = "proxy";

/// Which proxy leads to the API.
pub fn proxy(network: &Result<Network, SettingsError>, base_url: &str) -> Line {
    let (Ok(network), Ok(url)) = (network, Url::parse(base_url.trim())) else {
        return skipped(PROXY, "the settings cannot be used");
    };
    match network.proxy(&url) {
        Err(error) => failure(PROXY, &error),
        Ok(Some(proxy)) => {
            let login = if proxy.authorization().is_some() { ", with user and password" } else { "" };
            ok(PROXY, format!("{}, from {}{login}", proxy.place(), proxy.variable()))
        }
        Ok(None) if network.proxies.proxy.is_none() => ok(PROXY, "none"),
        Ok(None) if url.scheme() == "http" => ok(PROXY, "none: plain http is loopback only"),
        Ok(None) => match url.host_str() {
            Some(host) => ok(PROXY, format!("none: NO_PROXY lists {}", clean(host, 100))),
            None => skipped(PROXY, "the settings cannot be used"),
        },
    }
}

/// How a certificate begins in PEM.
const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Why a file gives no certificates to the system's own reader, which says nothing of it.
fn flaw(path: &Path) -> Option<String> {
    match regular_file::read(path, Links::Follow, regular_file::CERTIFICATES) {
        // The system's reader knows PEM alone, and no byte order mark.
        Ok(bytes) if !bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(BEGIN)) => {
            Some("it contains no PEM certificate".to_owned())
        }
        Ok(bytes) => tls::certificates(&bytes).err(),
        Err(error) => Some(error.to_string()),
    }
}
