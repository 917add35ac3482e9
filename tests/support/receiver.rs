//! A server that takes webhooks, remembers them, and answers as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use unifi_herald::tasks::thread;

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Hook {
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// Listens on loopback until the process ends.
#[derive(Clone)]
pub struct Receiver {
    url: String,
    hooks: Arc<Mutex<Vec<Hook>>>,
    /// The ids of the events in the hooks read so far, and how many hooks those are.
    ids: Arc<Mutex<(usize, Vec<String>)>>,
    /// Status of the answers to come, the next one last; 200 when none is left.
    answers: Arc<Mutex<Vec<u16>>>,
    /// Whether every connection is closed at once.
    down: Arc<AtomicBool>,
    /// Whether answers wait, and who waits to be told otherwise.
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Self {
            url,
            hooks: Arc::default(),
            ids: Arc::default(),
            answers: Arc::default(),
            down: Arc::default(),
            held: Arc::default(),
        };
        let server = receiver.clone();
        let accept = move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                thread("receiver-connection", move || server.serve(&stream)).unwrap();
            }
        };
        thread("receiver", accept).unwrap();
        receiver
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answer the next requests with these.
    pub fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses.iter().rev());
    }

    /// Be away from now on: connections end without an answer. Or be there again.
    pub fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    /// Let every answer wait from now on, or let them go.
    pub fn hold(&self, held: bool) {
        *self.held.0.lock().unwrap() = held;
        self.held.1.notify_all();
    }

    /// The requests that were answered with 200.
    pub fn hooks(&self) -> Vec<Hook> {
        self.hooks.lock().unwrap().clone()
    }

    /// The ids of the events in them, in order of arrival.
    pub fn ids(&self) -> Vec<String> {
        self.with_ids(<[String]>::to_vec)
    }

    /// Look at the ids of the events in them, in order of arrival.
    pub fn with_ids<T>(&self, look: impl FnOnce(&[String]) -> T) -> T {
        let mut known = self.ids.lock().unwrap();
        let hooks = self.hooks.lock().unwrap();
        for hook in &hooks[known.0..] {
            let body: serde_json::Value = serde_json::from_str(&hook.body).unwrap();
            let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
            let ids = events
                .iter()
                .map(|event| event["id"].as_str().unwrap().to_owned());
            known.1.extend(ids);
        }
        known.0 = hooks.len();
        drop(hooks);
        look(&known.1)
    }

    /// Serve one connection until the other side closes it.
    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut writer = stream;
        loop {
            let mut headers = BTreeMap::new();
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            loop {
                line.clear();
                reader.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(':') else {
                    break;
                };
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            let length = headers
                .get("content-length")
                .and_then(|length| length.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).ok()?;
            if self.is_down() {
                return None;
            }
            let held = self.held.0.lock().unwrap();
            drop(self.held.1.wait_while(held, |held| *held).unwrap());
            let status = self.answers.lock().unwrap().pop().unwrap_or(200);
            if status == 200 {
                let body = String::from_utf8(body).unwrap();
                self.hooks.lock().unwrap().push(Hook { headers, body });
            }
            write!(writer, "HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").ok()?;
        }
    }
}
