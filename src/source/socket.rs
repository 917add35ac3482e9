//! The WebSocket: connected over our own TLS stream, with the session's cookie, bounded in message size.

use super::address::Address;
use super::http::{cannot_reach, secret};
use super::tls::Tls;
use super::untyped::Untyped;
use crate::unifi::close::Seen;
use crate::unifi::session::Pass;
use http::{HeaderName, Uri, header};
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, handshake::client::Request};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tokio_util::either::Either;

/// A socket to a controller; all that is said on it comes as [`Message::Binary`](tokio_tungstenite::tungstenite::Message).
pub(super) type Socket = WebSocketStream<Untyped<Either<TlsStream<TcpStream>, TcpStream>>>;

/// Largest message: a `device:sync` frame holds several devices of up to 40 KB each.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// For address, TLS and upgrade together.
const CONNECT: Duration = Duration::from_secs(20);

/// Connect the socket at `path`.
///
/// # Errors
/// What was seen instead, for the catalogue of closes.
pub(super) async fn connect(
    address: &Address,
    tls: &Tls,
    path: &str,
    pass: &Pass,
) -> Result<Socket, Seen> {
    let unreachable = |why: &str| Seen::Unreachable(cannot_reach(address, why));
    let request = request(address, path, pass).map_err(|error| unreachable(&error.to_string()))?;
    match tokio::time::timeout(CONNECT, open(address, tls, request)).await {
        Err(_) => Err(unreachable("no answer in time")),
        Ok(Ok(socket)) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(Seen::Rejected {
            status: response.status().as_u16(),
            retry_after: unifi_herald_plugin::http::retry_after(response.headers()),
        }),
        Ok(Err(Error::Io(error))) => match tls.explain(&error) {
            Some(about) => Err(Seen::Unreachable(about)),
            None => Err(unreachable(&error.to_string())),
        },
        Ok(Err(error)) => Err(unreachable(&error.to_string())),
    }
}

async fn open(address: &Address, tls: &Tls, request: Request) -> Result<Socket, Error> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    let stream = if address.encrypted {
        let connector = TlsConnector::from(tls.config());
        Either::Left(connector.connect(address.name.clone(), stream).await?)
    } else {
        Either::Right(stream)
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .max_write_buffer_size(2 * MAX_MESSAGE);
    let (socket, _response) =
        client_async_with_config(request, Untyped::new(stream), Some(config)).await?;
    Ok(socket)
}

fn request(address: &Address, path: &str, pass: &Pass) -> Result<Request, Error> {
    let url = address.url.replacen("http", "ws", 1) + path;
    let uri: Uri = url
        .parse()
        .map_err(|error| Error::Io(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let mut request = uri.into_client_request()?;
    secret(request.headers_mut(), header::COOKIE, &pass.cookie);
    if let Some(csrf) = &pass.csrf {
        secret(
            request.headers_mut(),
            HeaderName::from_static("x-csrf-token"),
            csrf,
        );
    }
    Ok(request)
}
