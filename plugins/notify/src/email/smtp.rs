//! One conversation with a mail server, and what its answers mean.

use super::mail::Sealed;
use crate::text::{Limit, line};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::path::Path;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{BuildError, DeliveryError, Fault};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    StartTls,
    Tls,
    Plain,
}

/// A mail server and how to speak with it.
pub(super) struct Server {
    host: String,
    port: u16,
    way: Way,
    tls: TlsParameters,
    /// SHA-256 of the only certificate that is trusted, in lower-case hex.
    pin: Option<String>,
    credentials: Option<Credentials>,
}

/// A connection that is logged in.
pub(super) struct Session(AsyncSmtpConnection);

impl Server {
    /// Read the certificates that are trusted; a relative `ca_file` starts at `base`.
    pub(super) fn new(
        host: &str,
        port: u16,
        way: Way,
        credentials: Option<Credentials>,
        tls: &TlsOptions,
        base: &Path,
    ) -> Result<Self, BuildError> {
        let pin = tls.pin_sha256.as_deref().map(pin_of).transpose()?;
        let mut builder = TlsParametersBuilder::new(host.to_owned());
        // A pinned certificate is compared once the handshake has proved that the server owns its key.
        if pin.is_some() || tls.insecure {
            builder = builder
                .dangerous_accept_invalid_certs(true)
                .dangerous_accept_invalid_hostnames(true)
                .certificate_store(CertificateStore::None);
        }
        if let Some(file) = &tls.ca_file {
            for certificate in certificates(&base.join(file))? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let wrong = |error: Error| BuildError::new("tls", error.to_string());
        Ok(Self {
            host: host.to_owned(),
            port,
            way,
            tls: builder.build_rustls().map_err(wrong)?,
            pin,
            credentials,
        })
    }

    /// Connect, protect the connection, and log in.
    pub(super) async fn open(&self) -> Result<Session, DeliveryError> {
        let hello = ClientId::default();
        let tls = (self.way == Way::Tls).then(|| self.tls.clone());
        let address = (self.host.as_str(), self.port);
        let connected = AsyncSmtpConnection::connect_tokio1(address, None, &hello, tls, None).await;
        let mut connection = connected.map_err(|error| weather(&error))?;
        if self.way == Way::StartTls {
            if !connection.can_starttls() {
                connection.abort().await;
                return Err(DeliveryError::misconfigured(
                    "the server does not offer STARTTLS; see `encryption` and `port`",
                ));
            }
            let protected = connection.starttls(self.tls.clone(), &hello).await;
            protected.map_err(|error| weather(&error))?;
        }
        if self.way != Way::Plain {
            self.check_pin(&connection)?;
        }
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            login.map_err(|error| about_us(&error, "the login"))?;
        }
        Ok(Session(connection))
    }

    fn check_pin(&self, connection: &AsyncSmtpConnection) -> Result<(), DeliveryError> {
        let Some(pin) = &self.pin else {
            return Ok(());
        };
        let certificate = connection.peer_certificate();
        let found = fingerprint(&certificate.map_err(|error| weather(&error))?);
        if found == *pin {
            return Ok(());
        }
        Err(DeliveryError::later(format!(
            "the certificate has the SHA-256 fingerprint {found}, not the pinned {pin}: if the server got a new certificate, write tls = {{ pin_sha256 = \"{found}\" }}, else somebody is in between"
        )))
    }
}

impl Session {
    /// Send one mail to all its recipients, or to none.
    pub(super) async fn send(&mut self, mail: &Sealed) -> Result<(), DeliveryError> {
        let parameters = self.parameters(mail)?;
        let from = Mail::new(Some(mail.from.clone()), parameters);
        let answer = self.0.command(from).await;
        answer.map_err(|error| about_us(&error, "the sender"))?;
        for to in &mail.to {
            let answer = self.0.command(Rcpt::new(to.clone(), Vec::new())).await;
            answer.map_err(|error| about_us(&error, &format!("the recipient {to}")))?;
        }
        let answer = self.0.command(Data).await;
        answer.map_err(|error| about_mail(&error))?;
        let answer = self.0.message(&mail.bytes).await;
        answer.map_err(|error| about_mail(&error))?;
        Ok(())
    }

    /// Say goodbye; what was accepted stays accepted whatever comes back.
    pub(super) async fn bye(mut self) {
        drop(self.0.quit().await);
    }

    fn parameters(&self, mail: &Sealed) -> Result<Vec<MailParameter>, DeliveryError> {
        let server = self.0.server_info();
        let mut parameters = Vec::new();
        let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        if !std::iter::once(&mail.from).chain(&mail.to).all(ascii) {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                return Err(DeliveryError::misconfigured(
                    "an address has letters that this server does not take (no SMTPUTF8)",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // Bodies are encoded, so only an address in a header can have such bytes.
        if !mail.bytes.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }
}

/// A refusal for good of what the configuration says.
fn about_us(error: &Error, what: &str) -> DeliveryError {
    if error.is_permanent() || error.is_client() {
        DeliveryError::misconfigured(format!("{what} was refused: {}", said(error)))
    } else {
        weather(error)
    }
}

/// A refusal for good of this mail.
fn about_mail(error: &Error) -> DeliveryError {
    if error.is_permanent() {
        DeliveryError::never(said(error))
    } else {
        weather(error)
    }
}

/// Anything that may be over next time.
fn weather(error: &Error) -> DeliveryError {
    let later = DeliveryError::later(said(error));
    if error.is_transient() || error.is_permanent() || error.is_response() {
        later.with_fault(Fault::Unavailable)
    } else {
        later
    }
}

fn said(error: &Error) -> String {
    Limit::chars(300).cut(&line(&error.to_string()))
}

fn pin_of(text: &str) -> Result<String, BuildError> {
    let hex: String = text
        .chars()
        .filter(|c| *c != ':' && !c.is_whitespace())
        .collect();
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hex.to_ascii_lowercase());
    }
    let message = "not a SHA-256 fingerprint: it has 64 hex digits, with or without colons";
    Err(BuildError::new("tls.pin_sha256", message))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, BuildError> {
    let wrong = |why: String| {
        BuildError::new(
            "tls.ca_file",
            format!("cannot use {}: {why}", path.display()),
        )
    };
    let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(wrong("there is no PEM certificate in it".to_owned()));
    }
    let read = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
    Ok(vec![read])
}

/// The SHA-256 of a certificate's DER in lower-case hex.
pub(super) fn fingerprint(der: &[u8]) -> String {
    use fmt::Write as _;
    let digest = Sha256::digest(der);
    digest
        .iter()
        .fold(String::with_capacity(64), |mut out, byte| {
            // Writing to a string cannot fail.
            let _infallible = write!(out, "{byte:02x}");
            out
        })
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}
