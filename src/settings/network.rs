//! How servers are reached: which certificates are trusted, and through which proxy.

use std::path::{Path, PathBuf};

use url::Url;

use super::SettingsError;
use crate::text::shown;
use devin_api::proxy::{self, Proxy};
use devin_api::tls::{self, Trust};

/// What the environment and the options say about the network, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The file of `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// The variables that replace the system's store, and their values.
    pub store: Vec<(&'static str, PathBuf)>,
    /// What the environment says about proxies.
    pub proxies: proxy::Variables,
    /// Which certificates are trusted: the system's and those of the file.
    pub trust: Trust,
}

impl Network {
    /// Checks the bytes of the file of `--ca-file`.
    ///
    /// # Errors
    /// The file holds no certificate, or one that cannot be used.
    pub fn with_ca_file(path: &Path, bytes: &[u8]) -> Result<Self, SettingsError> {
        match tls::certificates(bytes) {
            Ok(certificates) => {
                let trust = Trust::in_addition(certificates);
                Ok(Self { ca_file: Some(path.to_owned()), trust, ..Self::default() })
            }
            Err(why) => Err(SettingsError::new(format!("--ca-file {}: {why}", shown(path)), CA_FILE_HINT)),
        }
    }
}

impl Network {
    /// The proxy that leads to a URL.
    ///
    /// # Errors
    /// The variable that names it cannot be read.
    pub fn proxy(&self, url: &Url) -> Result<Option<Proxy>, SettingsError> {
        proxy::choose(&self.proxies, url).map_err(|why| SettingsError::new(why, PROXY_HINT))
    }
}

const PROXY_HINT: &str = "write it as http://proxy.example.com:3128 or http://user:password@proxy.example.com:3128, \
                          with special characters as %40 for @, or unset it";

/// What to name with `--ca-file`.
pub const CA_FILE_HINT: &str =
    "name a file with certificates in PEM or DER; check it with `openssl x509 -in FILE -text`";
