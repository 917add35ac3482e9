//! `herald capture`

use super::load::Loader;
use super::output::complain;
use super::{Exit, log};
use crate::clock::Clock;
use crate::config::{ControllerPlan, Plan};
use crate::redact::Redactor;
use crate::source::{Body, Caught, ProbeError, capture};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use unifi_herald_plugin::{Size, Span, Timestamp};

/// Frames that may wait to be written; beyond it the controllers wait.
const WAITING: usize = 256;

/// Write what the controllers send to a file, frame by frame as received.
///
/// Connects and logs in as `herald run` does, and may run beside it. Each line is an object: time, controller, site, and
/// `text` as received, or `binary` in base64; frames that nobody can read are there as well. With --redact the file can be
/// shown to others: addresses, names, networks and serial numbers are replaced, the same always by the same within one
/// file, the vendor's part of MAC addresses stays, and secrets are gone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald capture --redact frames.jsonl --for 10m
  herald capture frames.jsonl --controller home --max-size 10MiB")]
pub(super) struct Capturing {
    /// The file, which must not be there yet.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace whatever could tell whose network it is.
    #[arg(long)]
    redact: bool,
    /// End after this time: 30s, 10m. Without it: Ctrl-C.
    #[arg(long = "for", value_name = "TIME")]
    length: Option<Span>,
    /// End before the file is larger than this.
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    max_size: Size,
    /// Only from this controller.
    #[arg(long, value_name = "NAME")]
    controller: Option<String>,
}

impl Capturing {
    pub(super) fn main(self, loader: &Loader) -> Exit {
        self.run(loader).unwrap_or_else(|exit| exit)
    }

    fn run(self, loader: &Loader) -> Result<Exit, Exit> {
        let plan = loader.plan()?;
        log::start(&plan.log);
        let controllers = self.controllers(plan)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file);
        let file = file.map_err(|error| self.failed(&error))?;
        let mut writer = Writer {
            file,
            left: self.max_size.0,
            frames: 0,
            redactor: self.redact.then(Redactor::new),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| self.failed(&error))?;
        let outcome = runtime.block_on(self.listen(controllers, &mut writer));
        complain(&format!(
            "{} frames in {}",
            writer.frames,
            self.file.display()
        ));
        outcome
    }

    fn controllers(&self, plan: Plan) -> Result<Vec<ControllerPlan>, Exit> {
        let mut controllers = plan.controllers;
        if let Some(name) = &self.controller {
            controllers.retain(|controller| *controller.name == **name);
            if controllers.is_empty() {
                complain(&format!("error: there is no controller `{name}`"));
                return Err(Exit::Usage);
            }
        }
        Ok(controllers)
    }

    /// Until the time is up, a signal, the file is full, or nobody can be listened to.
    async fn listen(
        &self,
        controllers: Vec<ControllerPlan>,
        writer: &mut Writer,
    ) -> Result<Exit, Exit> {
        let stop = CancellationToken::new();
        let mut listening = futures_util::stream::FuturesUnordered::new();
        let (sender, mut caught) = mpsc::channel(WAITING);
        for controller in controllers {
            let (stop, sender) = (stop.clone(), sender.clone());
            listening.push(async move { listen_to(controller, sender, stop).await });
        }
        drop(sender);
        let mut signals = (
            signal(SignalKind::interrupt()).map_err(|error| self.failed(&error))?,
            signal(SignalKind::terminate()).map_err(|error| self.failed(&error))?,
        );
        let time_up = async {
            match self.length {
                Some(length) => tokio::time::sleep(length.0).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_up);
        let mut worst = Ok(Exit::Done);
        let mut open = true;
        // After a stop the rest of what came is still taken.
        loop {
            use futures_util::StreamExt as _;
            tokio::select! {
                biased;
                found = caught.recv() => {
                    let Some((controller, found)) = found else { return worst };
                    if open && !writer.take(&controller, found).map_err(|error| self.failed(&error))? {
                        complain("the file has reached --max-size");
                        open = false;
                        stop.cancel();
                    }
                }
                Some(ended) = listening.next() => {
                    if let Err(error) = ended {
                        complain(&format!("error: {error}"));
                        worst = Err(match error {
                            ProbeError::Login(_) | ProbeError::SecondFactor(_) => Exit::Refused,
                            ProbeError::Unavailable(_) => Exit::Unavailable,
                        });
                    }
                }
                () = &mut time_up, if !stop.is_cancelled() => stop.cancel(),
                _ = signals.0.recv() => stop.cancel(),
                _ = signals.1.recv() => stop.cancel(),
            }
        }
    }

    fn failed(&self, error: &io::Error) -> Exit {
        complain(&format!("error: {}: {error}", self.file.display()));
        Exit::Failed
    }
}

/// Send what a controller sends, with its name.
async fn listen_to(
    controller: ControllerPlan,
    sender: mpsc::Sender<(String, Caught)>,
    stop: CancellationToken,
) -> Result<(), ProbeError> {
    let name = controller.name.to_string();
    let (own, mut caught) = mpsc::channel(1);
    let clock = Clock::system();
    let pass_on = async {
        while let Some(found) = caught.recv().await {
            if sender.send((name.clone(), found)).await.is_err() {
                break;
            }
        }
    };
    let (captured, ()) = tokio::join!(capture(&controller, &clock, own, stop), pass_on);
    captured
}

/// Writes frames, as long as there is room.
struct Writer {
    file: File,
    left: u64,
    frames: u64,
    redactor: Option<Redactor>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    controller: &'a str,
    site: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary: Option<String>,
}

impl Writer {
    /// False when there is no room for it.
    fn take(&mut self, controller: &str, caught: Caught) -> io::Result<bool> {
        let (site, time, body) = match caught {
            Caught::Names(list) => {
                if let Some(redactor) = &mut self.redactor {
                    redactor.learn(&list);
                }
                return Ok(true);
            }
            Caught::Note(site, trouble) => {
                complain(&format!("{controller}, site {site}: {trouble}"));
                return Ok(true);
            }
            Caught::Frame { site, time, body } => (site.to_string(), time, body),
        };
        let mut controller = controller.to_owned();
        let mut site = site;
        let (text, binary) = match (body, &mut self.redactor) {
            (Body::Text(text), None) => (Some(text), None),
            (Body::Text(text), Some(redactor)) => (Some(redactor.frame(&text)), None),
            (Body::Binary(bytes), None) => (None, Some(BASE64_STANDARD.encode(bytes))),
            // Nobody knows what is in it.
            (Body::Binary(bytes), Some(_)) => {
                (None, Some(format!("{} bytes, redacted", bytes.len())))
            }
        };
        if let Some(redactor) = &self.redactor {
            site = redactor.name(&site);
            controller = redactor.name(&controller);
        }
        let line = Line {
            time,
            controller: &controller,
            site: &site,
            text: text.as_deref(),
            binary,
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        let Some(left) = self.left.checked_sub(bytes.len() as u64) else {
            return Ok(false);
        };
        self.left = left;
        self.frames += 1;
        self.file.write_all(&bytes)?;
        Ok(true)
    }
}
