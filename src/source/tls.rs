//! Whom to trust: one policy makes one configuration for REST, socket and plugins, and remembers the certificate it
//! refused, so that the error can say how to trust it.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use unifi_herald_plugin::http::TlsOptions;

/// The certificate authorities of the system; reading them takes milliseconds, so it is done once.
static SYSTEM_ROOTS: LazyLock<RootCertStore> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (_added, _ignored) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(
            errors = found.errors.len(),
            "no certificate authorities were found on this system"
        );
    }
    roots
});

/// A policy made ready. A copy shares the memory of refused certificates.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    refused: Refused,
}

/// The policy cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The pin has another form.
    #[error(
        "pin_sha256 is not a SHA-256 fingerprint: it has 64 hex digits, with or without colons"
    )]
    Pin,
    /// The file cannot be read, or has no certificate in it.
    #[error("ca_file {}: {why}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The library refused.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// The sentence about the last certificate that was refused.
type Refused = Arc<Mutex<Option<String>>>;

impl Tls {
    /// Make the policy of `options`; a relative `ca_file` starts at `base`.
    ///
    /// # Errors
    /// When the pin is malformed or the CA file cannot be used.
    pub fn new(options: &TlsOptions, base: &Path) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let trust = Trust::of(options, base, &provider)?;
        let refused = Refused::default();
        let verifier = Verifier {
            trust,
            provider: Arc::clone(&provider),
            refused: Arc::clone(&refused),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            refused,
        })
    }

    /// The configuration for a connection. It offers no ALPN protocol, which means HTTP/1.1.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// When `error` is about a certificate: what is wrong with it, its fingerprint, and the line of configuration
    /// that would trust it.
    #[must_use]
    pub fn explain(&self, error: &(dyn std::error::Error + 'static)) -> Option<String> {
        if !is_about_certificate(error) {
            return None;
        }
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The SHA-256 of a certificate's DER in lower-case hex: what `pin_sha256` takes.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der)
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{byte:02x}");
            out
        })
}

#[derive(Debug)]
enum Trust {
    Anybody,
    Pin(String),
    Authorities {
        /// `None` when there is no authority at all: then every certificate has an unknown issuer.
        webpki: Option<Arc<WebPkiServerVerifier>>,
        /// Those of the file: the certificate of a console may be among them.
        file: Vec<CertificateDer<'static>>,
    },
}

impl Trust {
    fn of(
        options: &TlsOptions,
        base: &Path,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        if let Some(pin) = &options.pin_sha256 {
            return Ok(Self::Pin(pin_of(pin)?));
        }
        if options.insecure {
            return Ok(Self::Anybody);
        }
        let mut roots = SYSTEM_ROOTS.clone();
        let file = match &options.ca_file {
            Some(file) => add_file(&mut roots, &base.join(file))?,
            None => Vec::new(),
        };
        if roots.is_empty() {
            let webpki = None;
            return Ok(Self::Authorities { webpki, file });
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map(|webpki| Self::Authorities {
                webpki: Some(webpki),
                file,
            })
            .map_err(|error| TlsError::Setup(error.to_string()))
    }
}

fn pin_of(text: &str) -> Result<String, TlsError> {
    let hex: String = text
        .chars()
        .filter(|c| *c != ':' && !c.is_whitespace())
        .collect();
    let valid = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if valid {
        Ok(hex.to_ascii_lowercase())
    } else {
        Err(TlsError::Pin)
    }
}

fn add_file(
    roots: &mut RootCertStore,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |why: String| TlsError::CaFile {
        path: path.to_owned(),
        why,
    };
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))?;
    let mut found = Vec::new();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots
            .add(certificate.clone())
            .map_err(|error| wrong(error.to_string()))?;
        found.push(certificate);
    }
    if found.is_empty() {
        Err(wrong("there is no PEM certificate in it".to_owned()))
    } else {
        Ok(found)
    }
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    refused: Refused,
}

impl Verifier {
    fn refuse(&self, der: &[u8], error: &Error) {
        let found = fingerprint(der);
        let trust_it = format!("tls = {{ pin_sha256 = \"{found}\" }}");
        let sentence = match (&self.trust, error) {
            (Trust::Pin(pin), _) => format!(
                "the certificate has the SHA-256 fingerprint {found}, not the pinned {pin}: if the controller got a new certificate, write {trust_it}, else somebody is in between"
            ),
            (_, Error::InvalidCertificate(why)) => format!(
                "the certificate cannot be trusted ({}); its SHA-256 fingerprint is {found}: if that is the controller's, write {trust_it}",
                reason(why)
            ),
            (_, other) => {
                format!("the certificate with the SHA-256 fingerprint {found} was refused: {other}")
            }
        };
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(sentence);
    }
}

fn reason(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "it is self-signed, or signed by nobody this system knows".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host name".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check the clock of this machine".to_owned()
        }
        other if is_its_own_authority(other) => "it is self-signed".to_owned(),
        other => other.to_string(),
    }
}

/// What webpki says of a self-signed certificate that calls itself an authority, as some consoles' do, when all else about
/// it is right but perhaps its name.
fn is_its_own_authority(why: &CertificateError) -> bool {
    format!("{why:?}").contains("CaUsedAsEndEntity")
}

/// Whether `file` has this very certificate, and it is for this name.
fn is_in_file(
    file: &[CertificateDer<'_>],
    end_entity: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> Result<bool, Error> {
    if !file.contains(end_entity) {
        return Ok(false);
    }
    verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
    Ok(true)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = match &self.trust {
            Trust::Anybody => Ok(ServerCertVerified::assertion()),
            Trust::Pin(pin) if *pin == fingerprint(end_entity) => {
                Ok(ServerCertVerified::assertion())
            }
            Trust::Pin(_) => Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            )),
            Trust::Authorities { webpki: None, .. } => {
                Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
            }
            Trust::Authorities {
                webpki: Some(webpki),
                file,
            } => match webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ) {
                Err(Error::InvalidCertificate(why)) if is_its_own_authority(&why) => {
                    match is_in_file(file, end_entity, server_name) {
                        Ok(true) => Ok(ServerCertVerified::assertion()),
                        Ok(false) => Err(Error::InvalidCertificate(why)),
                        Err(error) => Err(error),
                    }
                }
                verdict => verdict,
            },
        };
        if let Err(error) = &verdict {
            self.refuse(end_entity, error);
        }
        verdict
    }

    // Whoever shows a certificate must own its key, pinned or not; only `insecure` asks nothing.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.trust, Trust::Anybody) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if matches!(self.trust, Trust::Anybody) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a certificate is at the bottom of `error`, through the layers of HTTP and I/O.
fn is_about_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Error::InvalidCertificate(_)) = error.downcast_ref::<Error>() {
            return true;
        }
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

#[cfg(test)]
mod tests;
