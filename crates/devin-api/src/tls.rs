//! TLS with servers: which certificates are trusted, and what a failure means.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::DateTime;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError,
    PeerIncompatible, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use crate::text::clean;

/// The certificates that are trusted: those of the system, and more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// The system's certificates and these.
    pub fn in_addition(extra: Vec<CertificateDer<'static>>) -> Self {
        Self { extra }
    }

    /// How many certificates are trusted in addition to the system's.
    pub fn extra(&self) -> usize {
        self.extra.len()
    }

    /// What a client needs to connect with TLS.
    ///
    /// # Errors
    /// The system has no certificates, and there are no others.
    pub fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = PlatformAndExtra::new(&self.extra, Arc::clone(&provider))?;
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}

/// The certificates of a file: PEM with one or more, or DER with one, after a byte
/// order mark or not. PowerShell writes text as UTF-16, which is read as well.
///
/// # Errors
/// What is wrong with the file, as a clause.
pub fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = without_mark(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    // Every certificate in DER is a SEQUENCE.
    let found =
        match bytes.first() {
            Some(0x30) => vec![CertificateDer::from(bytes.to_vec())],
            _ => CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>().map_err(|error| {
                match error {
                    pem::Error::MissingSectionEnd { .. } => {
                        "it is damaged: a certificate has no -----END line".to_owned()
                    }
                    pem::Error::Base64Decode(_) => "it is damaged: a certificate is not in base64".to_owned(),
                    error => format!("it is damaged: {}", clean(&error.to_string(), 100)),
                }
            })?,
        };
    if found.is_empty() {
        return Err(format!("it contains no certificate{}", label(&bytes)));
    }
    for (index, certificate) in found.iter().enumerate() {
        // Checked one by one, so that the message can say which.
        if RootCertStore::empty().add(certificate.clone()).is_err() {
            return Err(match found.len() {
                1 => "it cannot be read as a certificate".to_owned(),
                all => format!("certificate {} of {all} in it cannot be read", index + 1),
            });
        }
    }
    Ok(found)
}

/// What a PEM file holds instead of certificates.
fn label(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let label = text.split_once("-----BEGIN ").and_then(|(_, rest)| rest.split_once("-----"));
    match label {
        None => String::new(),
        Some(("CERTIFICATE", _)) => " with -----BEGIN at the start of a line".to_owned(),
        Some((label, _)) => format!(", but {}", clean(label, 40)),
    }
}

/// The bytes without a byte order mark; UTF-16 becomes UTF-8.
fn without_mark(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decoded = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units).into_bytes())
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        [0xff, 0xfe, rest @ ..] => decoded(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => decoded(rest, u16::from_be_bytes),
        bytes => Cow::Borrowed(bytes),
    }
}

/// The platform's verification. It also accepts a server whose certificate is,
/// byte for byte, one of the extra ones: `openssl req -x509` marks a self-signed
/// certificate as an authority's, and WebPKI refuses that mark on a server.
#[derive(Debug)]
struct PlatformAndExtra {
    platform: Verifier,
    extra: Vec<CertificateDer<'static>>,
}

impl PlatformAndExtra {
    fn new(extra: &[CertificateDer<'static>], provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        let platform = Verifier::new_with_extra_roots(extra.iter().cloned(), provider)?;
        Ok(Self { platform, extra: extra.to_vec() })
    }
}

impl ServerCertVerifier for PlatformAndExtra {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.platform.verify_server_cert(certificate, intermediates, name, ocsp, now);
        match verified {
            // WebPKI looks at the validity first, so the certificate has not expired.
            Err(Error::InvalidCertificate(CertificateError::Other(cause)))
                if is_authority(&cause) && self.extra.iter().any(|extra| extra == certificate) =>
            {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.platform.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.platform.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.platform.supported_verify_schemes()
    }
}

/// A failure that stays until somebody changes the server, this machine or the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, as a clause: "its certificate expired on 3 May 2026".
    pub cause: String,
    /// What to do about it.
    pub hint: String,
}

/// What a TLS error means; `option` is the option that names the server. `None`
/// for an error that another attempt may not meet.
pub fn problem(error: &Error, option: &str) -> Option<Problem> {
    let of = |cause: &str, hint: &str| Some(Problem { cause: cause.to_owned(), hint: hint.to_owned() });
    match error {
        Error::InvalidCertificate(error) => Some(certificate_problem(error, option)),
        Error::NoCertificatesPresented => of("it sent no certificate", RENEW),
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => of(
            "it supports only TLS 1.1 or older, which is not secure",
            "ask the server's administrator to enable TLS 1.2 or 1.3",
        ),
        Error::PeerIncompatible(_)
        | Error::AlertReceived(AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity) => {
            of(
                "it supports no secure TLS parameters, or requires a client certificate",
                "ask the server's administrator to enable TLS 1.2 or 1.3 with current cipher suites; client \
             certificates are not supported",
            )
        }
        Error::AlertReceived(AlertDescription::CertificateRequired) => of(
            "it requires a client certificate",
            "client certificates are not supported: ask the server's administrator for another way to log in",
        ),
        Error::AlertReceived(AlertDescription::UnrecognisedName) => Some(Problem {
            cause: "it does not know this host name".to_owned(),
            hint: format!("check the host name in {option}"),
        }),
        // The platform verifier found no certificate at all.
        Error::General(text) if text.contains("No CA certificates") => of(
            "this machine has no trusted certificates",
            "install the system's certificates (package ca-certificates), check SSL_CERT_FILE and \
             SSL_CERT_DIR if they are set, or name a file of certificates with --ca-file",
        ),
        _ => None,
    }
}

const RENEW: &str = "ask the server's administrator for a valid certificate";
const CLOCK: &str = "ask the server's administrator for a valid certificate, and check this machine's clock";
const TRUST: &str = "if a company proxy or a private authority signs certificates, name the authority's \
                     certificate with --ca-file";

fn certificate_problem(error: &CertificateError, option: &str) -> Problem {
    let of = |cause: &str, hint: &str| Problem { cause: cause.to_owned(), hint: hint.to_owned() };
    let name = |whose: String| Problem {
        cause: format!("its certificate is not for this host name{whose}"),
        hint: format!("check the host name in {option}"),
    };
    match error {
        CertificateError::UnknownIssuer => {
            of("its certificate is not trusted: an unknown authority signed it", TRUST)
        }
        CertificateError::NotValidForName => name(String::new()),
        CertificateError::NotValidForNameContext { presented, .. } => name(names(presented)),
        CertificateError::Expired => of("its certificate has expired", CLOCK),
        CertificateError::ExpiredContext { not_after, .. } => {
            of(&format!("its certificate expired on {}", day(*not_after)), CLOCK)
        }
        CertificateError::NotValidYet => of("its certificate is not valid yet", CLOCK),
        CertificateError::NotValidYetContext { not_before, .. } => {
            of(&format!("its certificate is not valid before {}", day(*not_before)), CLOCK)
        }
        CertificateError::Revoked => of("its certificate was revoked", RENEW),
        CertificateError::BadEncoding => of("its certificate is malformed", RENEW),
        // An authority of the same name as a trusted one, but with another key, gives these too.
        CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            of("its certificate is not trusted: no trusted authority signed it in a supported way", TRUST)
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            of("its certificate is not meant for servers", RENEW)
        }
        CertificateError::Other(cause) if is_authority(cause) => of(
            "its certificate is an authority's own (CA:TRUE)",
            "name that certificate with --ca-file, or issue the server one without CA:TRUE",
        ),
        CertificateError::Other(cause) if is_named(cause, "EkuError") => {
            of("its certificate is not meant for servers", RENEW)
        }
        CertificateError::Other(cause) if is_named(cause, "UnsupportedCertVersion") => of(
            "its certificate has X.509 version 1, and version 3 is required",
            "issue the server a certificate of version 3, with its host name as subjectAltName",
        ),
        other => of(&format!("its certificate cannot be used: {}", clean(&other.to_string(), 200)), RENEW),
    }
}

/// The names of a certificate that is for another host, `DnsName("mail.example.com")` each.
fn names(presented: &[String]) -> String {
    const MOST: usize = 5;
    let bare = |name: &String| {
        let quoted = name.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"'));
        clean(quoted.map_or(name.as_str(), |(name, _)| name), 100)
    };
    let shown: Vec<String> = presented.iter().take(MOST).map(bare).collect();
    let more = if presented.len() > MOST { " and others" } else { "" };
    if shown.is_empty() { String::new() } else { format!(", but for {}{more}", shown.join(", ")) }
}

fn day(moment: UnixTime) -> String {
    let seconds = i64::try_from(moment.as_secs()).ok();
    let moment = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    moment.map_or_else(|| "an unknown day".to_owned(), |moment| moment.format("%-d %B %Y").to_string())
}

fn is_authority(cause: &OtherError) -> bool {
    is_named(cause, "CaUsedAsEndEntity")
}

/// Whether a cause is of this name. Its type is of a crate that rustls does not export.
fn is_named(cause: &OtherError, name: &str) -> bool {
    format!("{:?}", cause.0).contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_problem_has_words_and_a_hint() {
        #[derive(Debug, thiserror::Error)]
        #[error("odd")]
        enum Cause {
            CaUsedAsEndEntity,
            UnsupportedCertVersion,
            SomethingNew,
        }
        let other = |cause: Cause| CertificateError::Other(OtherError(Arc::new(cause)));
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let expired =
            CertificateError::ExpiredContext { time: at(1_800_000_000), not_after: at(1_777_777_777) };
        let wrong_name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("a.example").unwrap().to_owned(),
            presented: vec![r#"DnsName("b.example")"#.to_owned()],
        };
        for (error, cause, hint) in [
            (CertificateError::UnknownIssuer, "unknown authority", "--ca-file"),
            (expired, "expired on 3 May 2026", "clock"),
            (wrong_name, "not for this host name, but for b.example", "--smtp"),
            (other(Cause::CaUsedAsEndEntity), "CA:TRUE", "--ca-file"),
            (other(Cause::UnsupportedCertVersion), "X.509 version 1", "version 3"),
            (CertificateError::BadSignature, "no trusted authority", "--ca-file"),
            (other(Cause::SomethingNew), "cannot be used", "valid certificate"),
        ] {
            let problem = problem(&Error::InvalidCertificate(error), "--smtp").unwrap();
            assert!(problem.cause.contains(cause) && problem.hint.contains(hint), "{problem:?}");
        }
    }

    #[test]
    fn only_lasting_failures_are_problems() {
        for lasting in [
            Error::AlertReceived(AlertDescription::ProtocolVersion),
            Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            Error::AlertReceived(AlertDescription::CertificateRequired),
            Error::General("No CA certificates were loaded from the system".to_owned()),
        ] {
            assert!(problem(&lasting, "--base-url").is_some(), "{lasting}");
        }
        for passing in [
            Error::DecryptError,
            Error::HandshakeNotComplete,
            Error::AlertReceived(AlertDescription::InternalError),
            Error::General("x".to_owned()),
        ] {
            assert_eq!(problem(&passing, "--base-url"), None, "{passing}");
        }
    }
}
