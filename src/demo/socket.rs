//! The event socket: the handshake, what is written to it, and the ways in which it ends.

use super::auth::Caller;
use super::hub::Hub;
use super::mischief::{ConnectTrouble, Drip};
use super::peers::{Ending, Next, Peer};
use super::reply::{self, Reply};
use super::server::{forbidden, unauthorized};
use super::state::frame;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// How long a reader has to answer a close frame, or to take what was told it before the end.
const GRACE: Duration = Duration::from_secs(1);

/// Answer the handshake of a socket for `site`.
pub(super) fn handshake(
    hub: &Arc<Hub>,
    mut request: Request<Incoming>,
    site: &str,
    caller: &Caller,
) -> Reply {
    let refused = |reply| {
        hub.stats.update(|counts| counts.refused_connects += 1);
        reply
    };
    let close_at_once = match hub.mischief.take_connect() {
        Some(ConnectTrouble::WebPage) => return refused(reply::html(200, reply::LOGIN_PAGE)),
        Some(ConnectTrouble::Status(status)) => {
            return refused(reply::html(status, reply::BAD_GATEWAY));
        }
        Some(ConnectTrouble::TooMany(seconds)) => {
            let reply = reply::text(429, "Too Many Requests");
            return refused(reply::with(reply, "retry-after", &seconds.to_string()));
        }
        Some(ConnectTrouble::CloseAtOnce(code)) => Some(code),
        None => match caller {
            Caller::Session { .. } => None,
            // Accepted, and never told anything.
            Caller::ApiKey | Caller::Stale => Some(1000),
            Caller::Mixed => return refused(forbidden()),
            Caller::Nobody => return refused(unauthorized(hub)),
        },
    };
    if !hub.knows(site) {
        return refused(reply::error(404, "api.err.NoSiteContext"));
    }
    let Some(key) = websocket_key(request.headers()) else {
        return refused(reply::text(400, "Bad Request"));
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    hub.stats.update(|counts| counts.connects += 1);
    match close_at_once {
        Some(code) => hub.tasks.spawn(close_unheard(upgrade, code)),
        // It is subscribed before the client can know, so nothing after the handshake passes it by.
        None => hub
            .tasks
            .spawn(attend(Arc::clone(hub), hub.peers.join(site), upgrade)),
    };
    let reply = reply::with(reply::text(101, ""), "upgrade", "websocket");
    reply::with(
        reply::with(reply, "connection", "Upgrade"),
        "sec-websocket-accept",
        &accept,
    )
}

fn websocket_key(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let wants = text("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    text("sec-websocket-key")
        .filter(|_| wants)
        .map(str::to_owned)
}

async fn open(upgrade: OnUpgrade) -> Option<Socket> {
    let upgraded = upgrade.await.ok()?;
    Some(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await)
}

async fn close_unheard(upgrade: OnUpgrade, code: u16) {
    if let Some(mut socket) = open(upgrade).await {
        close(&mut socket, code).await;
    }
}

async fn attend(hub: Arc<Hub>, peer: Arc<Peer>, upgrade: OnUpgrade) {
    hub.stats.update(|counts| counts.sockets += 1);
    let stop = hub.tasks.stop_token();
    if let Some(mut socket) = open(upgrade).await {
        let ending = tokio::select! {
            ending = converse(&hub, &peer, &mut socket) => ending,
            () = stop.cancelled() => (!peer.frozen()).then_some(Ending::Close(1001)),
        };
        // The peer leaves first: what happens from here on is not for this socket.
        hub.peers.leave(&peer);
        hub.stats.update(|counts| counts.sockets -= 1);
        match ending {
            Some(Ending::Close(code)) => close(&mut socket, code).await,
            Some(Ending::Cut) => {
                tokio::time::timeout(GRACE, cut(&mut socket)).await.ok();
            }
            Some(Ending::Abort) | None => {}
        }
    } else {
        hub.peers.leave(&peer);
        hub.stats.update(|counts| counts.sockets -= 1);
    }
}

/// Write what there is to tell and answer what is heard, until the socket shall end or the reader is gone.
async fn converse(hub: &Hub, peer: &Peer, socket: &mut Socket) -> Option<Ending> {
    let hello = frame(
        "session-metadata:sync",
        &format!(
            r#"{{"session_id":"{}","site":"{}"}}"#,
            hub.options.seed, peer.site
        ),
    );
    if let Some(ending) = tell(hub, peer, socket, vec![hello.into()]).await? {
        return Some(ending);
    }
    loop {
        // Both branches are cancel-safe: `Peer::next` takes nothing before it is ready, and so does a socket's `next`.
        let heard = tokio::select! {
            next = peer.next() => match next {
                Next::Frames(frames) => {
                    if let Some(ending) = tell(hub, peer, socket, frames).await? {
                        return Some(ending);
                    }
                    continue;
                }
                Next::End(ending) => return Some(ending),
                Next::Freeze => return frozen(peer, socket).await,
            },
            heard = socket.next() => heard,
        };
        match heard?.ok()? {
            Message::Ping(_) => {
                // The library has queued the pong.
                socket.flush().await.ok()?;
                hub.stats.update(|counts| counts.pings += 1);
            }
            Message::Text(text) if text == "ping" => {
                socket.send(Message::text("pong")).await.ok()?;
            }
            _ => {}
        }
    }
}

/// Say nothing more. What comes is thrown away: that is how it shows when the reader gives up.
async fn frozen(peer: &Peer, socket: &mut Socket) -> Option<Ending> {
    let mut waste = [0; 1024];
    loop {
        tokio::select! {
            ending = peer.ended() => return Some(ending),
            read = socket.get_mut().read(&mut waste) => if !read.is_ok_and(|read| read > 0) {
                return None;
            },
        }
    }
}

/// Write the frames. `None` when the connection failed, an ending when one was ordered and the reader does not read.
async fn tell(
    hub: &Hub,
    peer: &Peer,
    socket: &mut Socket,
    frames: Vec<Bytes>,
) -> Option<Option<Ending>> {
    let count = frames.len() as u64;
    let written = tokio::select! {
        written = write(socket, frames, hub.mischief.dripping()) => written,
        ending = given_up(peer) => return Some(Some(ending)),
    };
    written.ok()?;
    hub.stats.update(|counts| counts.frames += count);
    Some(None)
}

async fn write(
    socket: &mut Socket,
    frames: Vec<Bytes>,
    drip: Option<Drip>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    let Some(drip) = drip else {
        for frame in frames {
            // Not `Message::Text`: what is told need not be text.
            let frame = Frame::message(frame, OpCode::Data(Data::Text), true);
            socket.feed(Message::Frame(frame)).await?;
        }
        return socket.flush().await;
    };
    socket.flush().await?;
    for frame in frames {
        for piece in encode(&frame).chunks(drip.bytes.max(1)) {
            socket.get_mut().write_all(piece).await?;
            socket.get_mut().flush().await?;
            tokio::time::sleep(drip.pause).await;
        }
    }
    Ok(())
}

/// Resolves when a write that is under way shall be left: at once to freeze, after a grace to end.
async fn given_up(peer: &Peer) -> Ending {
    match peer.interrupted().await {
        Next::End(ending) => {
            tokio::time::sleep(GRACE).await;
            ending
        }
        Next::Freeze | Next::Frames(_) => peer.ended().await,
    }
}

async fn close(socket: &mut Socket, code: u16) {
    let frame = CloseFrame {
        code: code.into(),
        reason: Utf8Bytes::from_static(""),
    };
    let handshake = async {
        if socket.close(Some(frame)).await.is_ok() {
            while let Some(Ok(_)) = socket.next().await {}
        }
    };
    tokio::time::timeout(GRACE, handshake).await.ok();
}

/// Break off in the middle of a frame.
async fn cut(socket: &mut Socket) {
    let whole = encode(frame(
        "events",
        r#"{"key":"EVT_WU_Connected","user":"02:00:00:00:00:01","ssid":"Home"}"#,
    ));
    socket.flush().await.ok();
    if socket
        .get_mut()
        .write_all(&whole[..whole.len() / 2])
        .await
        .is_ok()
    {
        socket.get_mut().flush().await.ok();
    }
}

/// A whole text frame as a server writes it.
fn encode(text: impl AsRef<[u8]>) -> Vec<u8> {
    let (text, mut bytes) = (text.as_ref(), vec![0x81]);
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(short), _) if short < 126 => bytes.push(short),
        (_, Ok(medium)) => {
            bytes.push(126);
            bytes.extend(medium.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend((text.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(text);
    bytes
}
