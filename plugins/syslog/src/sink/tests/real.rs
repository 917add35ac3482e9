//! A real rsyslogd takes what the sink sends, and understands every part of it.

use super::*;
use std::fs;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A process that ends with the test.
struct Rsyslogd {
    child: Child,
    folder: TempDir,
}

impl Drop for Rsyslogd {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that was free a moment ago, for both protocols. Not one that the system gives to those who connect: who tries
/// such a port again and again is at last connected to himself.
fn free_port() -> u16 {
    loop {
        let given = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = 10_000 + given.local_addr().unwrap().port() % 20_000;
        let address = ("127.0.0.1", port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

impl Rsyslogd {
    /// Listens on this port by UDP and TCP, and writes what it has understood.
    fn start(port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let at = folder.path().display();
        let config = format!(
            "global(workDirectory=\"{at}\" maxMessageSize=\"64k\")\n\
             module(load=\"imtcp\")\nmodule(load=\"imudp\")\n\
             input(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n\
             input(type=\"imudp\" port=\"{port}\" address=\"127.0.0.1\")\n\
             template(name=\"parts\" type=\"string\" string=\"%syslogfacility-text%|%syslogseverity-text%|%hostname%|%app-name%|%msgid%|%structured-data%|%msg%\\n\")\n\
             action(type=\"omfile\" file=\"{at}/out\" template=\"parts\")\n"
        );
        fs::write(folder.path().join("conf"), config).unwrap();
        let child = Command::new("/usr/sbin/rsyslogd")
            .args(["-n", "-iNONE", "-f"])
            .arg(folder.path().join("conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("rsyslogd is installed by `make packages`");
        Self { child, folder }
    }

    /// Wait until it has written so many lines.
    async fn lines(&self, count: usize) -> Vec<String> {
        loop {
            let text = fs::read_to_string(self.folder.path().join("out")).unwrap_or_default();
            let whole = text.lines().map(str::to_owned).collect::<Vec<_>>();
            if whole.len() >= count && text.ends_with('\n') {
                return whole;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_real_collector_understands_every_part() {
    let port = free_port();
    let rsyslogd = Rsyslogd::start(port);
    let context = TestContext::new();
    let events = batch(3);
    let mut stream = build(&context, &format!("tcp://127.0.0.1:{port}"), &json!({}));
    // Until it listens.
    while stream.deliver(Batch::new(&events)).await.is_err() {
        tokio::task::yield_now().await;
    }
    let lines = rsyslogd.lines(3).await;
    for (line, event) in lines.iter().zip(&events) {
        let kind = event.kind;
        let start = format!(
            "|h|unifi-herald|{kind}|[unifi-herald@32473 id=\"{}\" kind=\"{kind}\" controller=\"home\" site=\"default\"]|",
            event.id
        );
        let (_, rest) = line.split_once("local0|").unwrap();
        let (_, rest) = rest.split_at(rest.find('|').unwrap());
        let body = rest.strip_prefix(&*start).unwrap();
        let read: BufferedEvent = serde_json::from_str(body.trim_start()).unwrap();
        assert_eq!(read, *event);
    }
    let url = format!("udp://127.0.0.1:{port}");
    let mut datagrams = build(&context, &url, &json!({"format": "cef"}));
    datagrams.deliver(Batch::new(&events[..1])).await.unwrap();
    let lines = rsyslogd.lines(4).await;
    assert!(
        lines[3].contains("|CEF:0|unifi-herald|") || lines[3].contains("| CEF:0|unifi-herald|")
    );
    assert!(lines[3].contains(" externalId=test-1 "), "{}", lines[3]);
}
