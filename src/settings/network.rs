//! How servers are reached: which certificates are trusted.

use std::path::{Path, PathBuf};

use super::SettingsError;
use crate::text::shown;
use crate::tls::{self, Trust};

/// What the environment and the options say about the network, checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The file of `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// The variables that replace the system's store, and their values.
    pub store: Vec<(&'static str, PathBuf)>,
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

/// What to name with `--ca-file`.
pub const CA_FILE_HINT: &str =
    "name a file of certificates in PEM or DER; `openssl x509 -in FILE -text` shows whether it is one";
