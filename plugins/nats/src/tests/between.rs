//! Somebody between a client and its server, who can keep what is sent to the server.

use super::server::Server;
use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// For one connection. Nothing moves unless one of its functions runs.
pub(crate) struct Between {
    listener: TcpListener,
    client: Option<TcpStream>,
    server: TcpStream,
    /// On its way to the server.
    there: BytesMut,
    /// On its way to the client.
    back: BytesMut,
}

impl Between {
    pub(crate) async fn before(server: &Server) -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            client: None,
            server: TcpStream::connect(server.address()).await.unwrap(),
            there: BytesMut::new(),
            back: BytesMut::new(),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://{}", self.listener.local_addr().unwrap())
    }

    /// Let everything pass, until dropped.
    pub(crate) async fn pass(&mut self) {
        if self.client.is_none() {
            self.client = Some(self.listener.accept().await.unwrap().0);
        }
        let client = self.client.as_mut().unwrap();
        loop {
            self.server.write_all_buf(&mut self.there).await.unwrap();
            client.write_all_buf(&mut self.back).await.unwrap();
            let read = tokio::select! {
                read = client.read_buf(&mut self.there) => read.unwrap(),
                read = self.server.read_buf(&mut self.back) => read.unwrap(),
            };
            assert!(read > 0, "one of the two has hung up");
        }
    }

    /// Ask the client in the server's name whether it is there, and wait for its answer. The server gets nothing.
    pub(crate) async fn ask(&mut self) {
        let client = self.client.as_mut().expect("`pass` came first");
        let answers = |kept: &BytesMut| kept.windows(6).filter(|it| it == b"PONG\r\n").count();
        let known = answers(&self.there);
        client.write_all(b"PING\r\n").await.unwrap();
        while answers(&self.there) == known {
            assert!(client.read_buf(&mut self.there).await.unwrap() > 0);
        }
    }
}
