//! A plain client for the tests of the simulator: it knows the protocol and nothing of the simulator's inside.

use crate::config::ControllerKind;
use crate::demo::{Simulator, SimulatorOptions};
use futures_util::StreamExt;
use reqwest::{Method, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};

/// Far longer than anything here takes, even on a slow machine.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

pub(super) type Socket = WebSocketStream<TlsStream<TcpStream>>;

pub(super) struct Visitor {
    pub(super) http: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    base: String,
    kind: ControllerKind,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) csrf: Option<String>,
    pub(super) api_key: Option<String>,
}

impl Visitor {
    pub(super) fn new(simulator: &Simulator) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(simulator.certificate_pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            tls: Arc::new(tls),
            base: simulator.url().to_owned(),
            kind: simulator.options().kind,
            cookies: BTreeMap::new(),
            csrf: None,
            api_key: None,
        }
    }

    /// Logged in with the right account.
    pub(super) async fn logged_in(simulator: &Simulator) -> Self {
        let mut visitor = Self::new(simulator);
        let SimulatorOptions {
            username, password, ..
        } = simulator.options();
        let reply = visitor.login(username, password, "").await;
        assert_eq!(reply.status(), 200);
        visitor
    }

    pub(super) async fn login(&mut self, username: &str, password: &str, code: &str) -> Response {
        let os = self.kind == ControllerKind::UnifiOs;
        let path = if os { "/api/auth/login" } else { "/api/login" };
        let body = json!({
            "username": username, "password": password, "rememberMe": true, "remember": true, "strict": true,
            "token": code, "ubic_2fa_token": code,
        });
        self.cookies.clear();
        let reply = self
            .http
            .post(format!("{}{path}", self.base))
            .json(&body)
            .send()
            .await
            .unwrap();
        if reply.status() == 200 {
            for cookie in reply.headers().get_all("set-cookie") {
                let (name, value) = cookie
                    .to_str()
                    .unwrap()
                    .split(';')
                    .next()
                    .unwrap()
                    .split_once('=')
                    .unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
            let header = reply
                .headers()
                .get("x-csrf-token")
                .map(|value| value.to_str().unwrap().to_owned());
            self.csrf = header.or_else(|| self.cookies.get("csrf_token").cloned());
        }
        reply
    }

    /// The whole address of a path of the Network application.
    pub(super) fn address(&self, path: &str) -> String {
        let prefix = if self.kind == ControllerKind::UnifiOs {
            "/proxy/network"
        } else {
            ""
        };
        format!("{}{prefix}{path}", self.base)
    }

    fn cookie(&self) -> String {
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    pub(super) async fn send(&self, method: Method, url: String, body: Option<Value>) -> Response {
        let mut request = self.http.request(method, url);
        if !self.cookies.is_empty() {
            request = request.header("cookie", self.cookie());
        }
        if let Some(csrf) = &self.csrf {
            request = request.header("x-csrf-token", csrf);
        }
        if let Some(key) = &self.api_key {
            request = request.header("x-api-key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, self.address(path), None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Response {
        self.send(Method::POST, self.address(path), Some(body))
            .await
    }

    pub(super) async fn connect(&self, site: &str) -> Result<Socket, tungstenite::Error> {
        let url = self
            .address(&format!("/wss/s/{site}/events"))
            .replace("https://", "wss://");
        let mut request = url.into_client_request().unwrap();
        let headers = request.headers_mut();
        if !self.cookies.is_empty() {
            headers.insert("cookie", self.cookie().parse().unwrap());
        }
        if let Some(key) = &self.api_key {
            headers.insert("x-api-key", key.parse().unwrap());
        }
        let stream = TcpStream::connect(self.base.trim_start_matches("https://"))
            .await
            .unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
            .unwrap();
        let config = WebSocketConfig::default()
            .max_message_size(Some(64 << 20))
            .max_frame_size(Some(64 << 20));
        let connected =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await;
        connected.map(|(socket, _)| socket)
    }

    /// A socket that has had its first frame.
    pub(super) async fn subscribe(&self, site: &str) -> Socket {
        let mut socket = self.connect(site).await.unwrap();
        assert!(
            next_text(&mut socket)
                .await
                .contains("session-metadata:sync")
        );
        socket
    }
}

/// The next text frame.
pub(super) async fn next_text(socket: &mut Socket) -> String {
    match next(socket).await {
        Some(Ok(Message::Text(text))) => text.to_string(),
        other => panic!("no text frame but {other:?}"),
    }
}

pub(super) async fn next(socket: &mut Socket) -> Option<Result<Message, tungstenite::Error>> {
    tokio::time::timeout(LIMIT, socket.next())
        .await
        .expect("nothing came")
}

/// The code of the close frame that comes next; nothing when the connection breaks instead.
pub(super) async fn next_close(socket: &mut Socket) -> Option<u16> {
    match next(socket).await {
        Some(Ok(Message::Close(frame))) => frame.map(|frame| frame.code.into()),
        Some(Ok(other)) => panic!("a frame: {other:?}"),
        Some(Err(_)) | None => None,
    }
}

/// The items of a frame.
pub(super) fn items(frame: &str) -> Vec<Value> {
    let frame: Value = serde_json::from_str(frame).unwrap();
    frame["data"].as_array().unwrap().clone()
}

pub(super) async fn body(reply: Response) -> Value {
    serde_json::from_str(&reply.text().await.unwrap()).unwrap()
}
