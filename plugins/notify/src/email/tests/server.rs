//! A real mail server, `aiosmtpd`, as a process beside the test.

use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// Runs until it is dropped.
pub(super) struct Server {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: TempDir,
    fingerprint: String,
    port: u16,
}

/// Debian's Python, for which `python3-aiosmtpd` is installed; another one may stand before it in the path.
const PYTHON: &str = "/usr/bin/python3";

impl Server {
    /// `way` is `plain`, `starttls` or `tls`. It takes the login `herald` with the password `pass word`.
    pub(super) fn start(way: &str) -> Self {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let folder = TempDir::new().unwrap();
        let certificate = made.cert.pem();
        std::fs::write(folder.path().join("ca.pem"), &certificate).unwrap();
        let both = folder.path().join("server.pem");
        std::fs::write(&both, certificate + &made.signing_key.serialize_pem()).unwrap();
        let log = folder.path().join("log");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/email/tests/server.py");
        let mut process = Command::new(PYTHON)
            .arg(script)
            .arg(way)
            .arg(both)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let mut port = String::new();
        answers.read_line(&mut port).unwrap();
        let port = port.trim().parse().unwrap_or_else(|_| {
            let log = std::fs::read_to_string(log).unwrap();
            panic!("the mail server did not start; is python3-aiosmtpd there?\n{log}")
        });
        Self {
            commands: process.stdin.take().unwrap(),
            answers,
            process,
            folder,
            fingerprint: super::super::smtp::fingerprint(made.cert.der()),
            port,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The file with the certificate to trust.
    pub(super) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// SHA-256 of its certificate.
    pub(super) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// After so many mails more, say this at that stage: `auth`, `mail`, `rcpt`, `data`.
    pub(super) fn trouble(&mut self, stage: &str, after: usize, say: &str) {
        self.ask(&json!({"trouble": {"stage": stage, "after": after, "say": say}}));
    }

    pub(super) fn healthy(&mut self) {
        self.ask(&json!({"trouble": null}));
    }

    /// The mails since the last call, once every connection is closed, so that none can come any more.
    pub(super) fn mails(&mut self) -> Vec<Value> {
        self.ask(&json!({"mails": true}))
            .as_array()
            .unwrap()
            .clone()
    }

    fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _status = self.process.wait();
    }
}
