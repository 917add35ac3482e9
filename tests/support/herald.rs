//! The real binary as a process, in a folder of its own and with an environment of its own.

use super::eventually;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tempfile::TempDir;
use unifi_herald::tasks::thread;

/// A folder to run herald in. Nothing of the environment of the tests reaches it.
pub struct Herald {
    pub folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a herald ended, and all it said.
#[derive(Debug)]
pub struct Ended {
    /// Nothing when a signal killed it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A herald at work. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// What is read from one of its streams, line by line.
struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Herald {
    /// In an empty folder.
    pub fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            environment: Vec::new(),
        }
    }

    /// In a folder with this `config.toml`.
    pub fn with(config: &str) -> Self {
        let herald = Self::new();
        herald.write("config.toml", config);
        herald
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The text of a file, empty when there is none.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// The whole events in a file of JSON lines.
    pub fn events(&self, name: &str) -> Vec<serde_json::Value> {
        let text = self.read(name);
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// Run it to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).ended()
    }

    /// Run it to its end in a shell, where `herald` is its name.
    pub fn shell(&self, script: &str) -> Ended {
        let script = format!("herald() {{ \"$HERALD\" \"$@\"; }}\n{script}");
        let mut command = self.command(OsStr::new("/bin/sh"));
        command
            .args(["-c", &script])
            .env("HERALD", env!("CARGO_BIN_EXE_herald"));
        Running::start(command).ended()
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut command = self.command(OsStr::new(env!("CARGO_BIN_EXE_herald")));
        command.args(arguments);
        Running::start(command)
    }

    fn command(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("TZ", "UTC")
            .envs(self.environment.iter().cloned());
        command
    }
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self {
            child,
            stdout: Stream::of(stdout),
            stderr: Stream::of(stderr),
        }
    }

    /// What it said on standard error up to now.
    pub fn stderr(&self) -> String {
        self.stderr.text.lock().unwrap().clone()
    }

    /// Wait until it has said this on standard error.
    ///
    /// # Panics
    /// When it ends before, or does not say it in time.
    pub fn says(&mut self, text: &str) {
        eventually(&format!("it says {text:?}"), || {
            let ended = self.child.try_wait().unwrap();
            let said = self.stderr().contains(text);
            assert!(said || ended.is_none(), "{ended:?}: {}", self.stderr());
            said
        });
    }

    /// Whether it is still there.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Send a signal: `TERM`, `INT`.
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("/bin/sh").args(["-c", &command]).status();
        assert!(sent.unwrap().success());
    }

    /// Send a signal again and again until it ends.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn signalled_until_it_ends(mut self, name: &str) -> Ended {
        eventually("herald ends", || {
            let runs = self.runs();
            if runs {
                self.signal(name);
            }
            !runs
        });
        self.ended()
    }

    /// Wait for its end.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn ended(mut self) -> Ended {
        let mut status = None;
        eventually("herald ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        Ended {
            code: status.unwrap().code(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        }
    }

    /// Tell it to stop, and wait for its end.
    pub fn stopped(self) -> Ended {
        self.signal("TERM");
        self.ended()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended long ago, which is as well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Stream {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let sink = Arc::clone(&text);
        let read = move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                sink.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        };
        Self {
            text,
            reader: Some(thread("herald-output", read).unwrap()),
        }
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text.lock().unwrap().clone()
    }
}

impl Ended {
    /// # Panics
    /// With all it said when it ended otherwise.
    pub fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}
