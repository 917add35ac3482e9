//! What the tests of this module share: a plan, and a TLS server with certificates made on the spot.

use crate::config::{AuthPlan, ControllerPlan, Sites};
use crate::tasks::Tasks;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WantsServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig};
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use unifi_herald_plugin::http::TlsOptions;

/// A plan for one controller named `home`.
pub(crate) fn plan(url: &str) -> ControllerPlan {
    ControllerPlan {
        name: "home".into(),
        url: url.to_owned(),
        kind: None,
        sites: Sites::Named(vec!["default".into()]),
        auth: AuthPlan {
            username: "herald".to_owned(),
            password: "password".to_owned().into(),
            totp: None,
            api_key: None,
        },
        tls: TlsOptions::default(),
        socket_query: String::new(),
        backfill: crate::config::BackfillPlan::default(),
    }
}

/// A certificate for `name` signed by an authority of its own.
pub(crate) struct Identity {
    /// The authority, in PEM.
    pub(crate) authority: String,
    /// The server's certificate.
    pub(crate) leaf: CertificateDer<'static>,
    /// For the server.
    pub(crate) config: Arc<ServerConfig>,
    key: KeyPair,
}

impl Identity {
    /// Made anew.
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &authority)
            .unwrap();
        let leaf = leaf.der().clone();
        Self {
            authority: authority.pem(),
            config: config(&leaf, &key),
            leaf,
            key,
        }
    }

    /// Signed by nobody, and calls itself an authority as the certificates of some consoles do.
    pub(crate) fn of_its_own(name: &str) -> Self {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let leaf = params.self_signed(&key).unwrap();
        let (authority, leaf) = (leaf.pem(), leaf.der().clone());
        Self {
            authority,
            config: config(&leaf, &key),
            leaf,
            key,
        }
    }

    /// This certificate in the hands of somebody who has another key.
    pub(crate) fn with_key_of(&self, thief: &Self) -> Self {
        let key = KeyPair::try_from(thief.key.serialize_der()).unwrap();
        let signer = rustls::crypto::ring::sign::any_ecdsa_type(&private(&key)).unwrap();
        let certified = Arc::new(CertifiedKey::new(vec![self.leaf.clone()], signer));
        let config = builder().with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        Self {
            authority: self.authority.clone(),
            leaf: self.leaf.clone(),
            config: Arc::new(config),
            key,
        }
    }
}

/// A server with this identity on loopback that answers each request's head with what `answer` makes of it, one
/// request a connection; its port.
pub(crate) async fn serve(
    identity: &Identity,
    tasks: &Tasks,
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::clone(&identity.config));
    let stop = tasks.stop_token();
    tasks.spawn(stop.run_until_cancelled_owned(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => break,
                }
            }
            let answer = answer(&String::from_utf8(head).unwrap());
            // Whoever asked may be gone again.
            let _sent = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    }));
    port
}

fn config(leaf: &CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    Arc::new(
        builder()
            .with_single_cert(vec![leaf.clone()], private(key))
            .unwrap(),
    )
}

fn builder() -> ConfigBuilder<ServerConfig, WantsServerCert> {
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()))
}
