//! A way between two that can be cut and mended.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use unifi_herald::tasks::thread;

/// Passes connections on to another port for as long as it is not cut.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    way: Arc<Mutex<Way>>,
}

#[derive(Debug, Default)]
struct Way {
    cut: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// To this port of this machine.
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(Mutex::new(Way::default()));
        let ours = Arc::clone(&way);
        thread("proxy", move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", target)))
                else {
                    continue;
                };
                let mut way = ours.lock().unwrap();
                if way.cut {
                    continue;
                }
                pass(&client, &server);
                pass(&server, &client);
                way.open.extend([client, server]);
            }
        })
        .unwrap();
        Self { port, way }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Break every connection, and let no other come to be.
    pub fn cut(&self) {
        let mut way = self.way.lock().unwrap();
        way.cut = true;
        for stream in way.open.drain(..) {
            // It may have ended by itself.
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    pub fn mend(&self) {
        self.way.lock().unwrap().cut = false;
    }
}

fn pass(from: &TcpStream, to: &TcpStream) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    thread("proxy", move || {
        let mut bytes = [0; 16 << 10];
        while let Ok(count) = from.read(&mut bytes)
            && count > 0
            && to.write_all(&bytes[..count]).is_ok()
        {}
        to.shutdown(Shutdown::Both).ok();
    })
    .unwrap();
}
