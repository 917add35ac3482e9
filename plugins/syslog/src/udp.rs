//! Messages as datagrams (RFC 5426).

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::{UdpSocket, lookup_host};

/// How long an address is used before the name is looked up again.
const FRESH: Duration = Duration::from_secs(60);

/// A socket with the collector at its other end, as far as UDP knows ends.
#[derive(Debug)]
pub(crate) struct Datagrams {
    socket: UdpSocket,
    opened: Instant,
}

impl Datagrams {
    /// Look up the collector and make a socket for its kind of address.
    pub(crate) async fn open(host: &str, port: u16, now: Instant) -> io::Result<Self> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in lookup_host((host, port)).await? {
            match connected(address).await {
                Ok(socket) => {
                    return Ok(Self {
                        socket,
                        opened: now,
                    });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.opened) < FRESH
    }

    /// Send one message. An error may be about the one before: that is when a refusal comes back.
    pub(crate) async fn send(&self, message: &str) -> io::Result<()> {
        self.socket.send(message.as_bytes()).await.map(drop)
    }
}

async fn connected(address: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if address.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(address).await?;
    Ok(socket)
}
