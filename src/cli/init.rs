//! `herald init`

mod choose;
mod files;
mod offers;
mod talk;

use super::load::Loader;
use super::output::{complain, plain, print};
use super::{Exit, online};
use crate::clock::Clock;
use crate::config::{AuthPlan, BackfillPlan, ControllerPlan, Sites};
use crate::source::{Certificate, Met, Probe, ProbeError, meet, probe};
use files::Answers;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;
use talk::Talk;
use tokio::runtime::Runtime;
use unifi_herald_plugin::http::TlsOptions;

/// Passwords tried before it gives up: controllers lock out after five.
const TRIES: usize = 3;

/// Write a configuration: finds the controller, tries the account, asks what it cannot find out.
///
/// Asks for address and account, shows the certificate's fingerprint where nobody vouches for it and pins it on yes,
/// logs in once, lists the sites, lets you choose a first sink and tries it, and writes config.toml and the secrets it
/// refers to, which nobody else can read. Every question has a flag; with --no-questions nothing is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald init
  herald init --url 192.168.1.1 --username herald
  herald init --no-questions --url unifi.lan --accept-certificate --username herald --password-file pw \\
      --sink webhook --sink-option url=https://example.org/hook")]
pub(super) struct Init {
    /// Name or IP address of the controller, with :port if it is an unusual one.
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    /// What to call it in the configuration.
    #[arg(long, value_name = "NAME", default_value = "home", value_parser = name)]
    name: String,
    /// Pin the certificate it shows without asking.
    #[arg(long, conflicts_with = "pin_sha256")]
    accept_certificate: bool,
    /// Pin the certificate with this SHA-256 fingerprint.
    #[arg(long, value_name = "HEX")]
    pin_sha256: Option<String>,
    /// Name of a local account; view-only is enough.
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// A file with its password; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A file with the base32 secret of its one-time password, if it has one.
    #[arg(long, value_name = "FILE")]
    totp_file: Option<PathBuf>,
    /// A site to listen to; may be given several times. Without it: all, or what is chosen from the list.
    #[arg(long = "site", value_name = "NAME")]
    sites: Vec<String>,
    /// Plugin of the first sink; see `herald plugins list`.
    #[arg(long, value_name = "PLUGIN")]
    sink: Option<String>,
    /// An option of it; may be given several times.
    #[arg(long = "sink-option", value_name = "KEY=VALUE", value_parser = option)]
    options: Vec<(String, String)>,
    /// Where to write the configuration; its secrets go into the folder `secrets` beside it.
    #[arg(short, long, value_name = "FILE", default_value = "config.toml")]
    output: PathBuf,
    /// Overwrite what is there.
    #[arg(long)]
    force: bool,
    /// Ask nothing: what is missing and has no default is an error.
    #[arg(long)]
    no_questions: bool,
}

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !text.is_empty() && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("lower-case letters, digits and _ only".to_owned())
    }
}

fn option(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

impl Init {
    pub(super) fn main(self, loader: Loader) -> Exit {
        match self.try_main(loader) {
            Ok(exit) | Err(exit) => exit,
        }
    }

    fn try_main(self, loader: Loader) -> Result<Exit, Exit> {
        if self.output.exists() && !self.force {
            complain(&format!(
                "error: {} is there already: --force overwrites it, --output writes elsewhere",
                self.output.display()
            ));
            return Err(Exit::Failed);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failed(&format!("cannot start a runtime: {error}"), Exit::Failed))?;
        let talk = if self.no_questions {
            Talk::Nobody
        } else {
            Talk::With
        };
        let met = self.find(talk, &runtime)?;
        let pin = self.trust(talk, &met)?;
        let (plan, totp, found) = self.log_in(talk, &runtime, &met, pin.clone())?;
        let sites = self.choose_sites(talk, &found)?;
        let (plugin, options) = self.choose_sink(talk, &loader)?;
        let answers = Answers {
            controller: self.name.clone(),
            url: met.url,
            pin,
            sites,
            username: plan.auth.username,
            password: plan.auth.password.expose().to_owned(),
            totp,
            sink: if plugin == self.name {
                format!("{plugin}_1")
            } else {
                plugin.clone()
            },
            plugin,
            options,
        };
        let written = answers
            .write(&self.output, self.force)
            .map_err(|error| failed(&format!("cannot write {error}"), Exit::Failed))?;
        let mut text = String::new();
        for path in written {
            text.push_str(&format!("wrote {}\n", path.display()));
        }
        print(&text);
        self.try_sink(loader, &runtime)
    }

    fn find(&self, talk: Talk, runtime: &Runtime) -> Result<Met, Exit> {
        let mut given = self.url.clone();
        loop {
            let address = match given.take() {
                Some(address) => address,
                None => talk.ask("Address of the controller", "--url", Some("192.168.1.1"))?,
            };
            match runtime.block_on(meet(&address)) {
                Ok(met) => {
                    complain(&format!(
                        "found {} at {}",
                        met.kind.as_str(),
                        plain(&met.url)
                    ));
                    return Ok(met);
                }
                Err(sentence) => {
                    let exit = failed(&sentence, Exit::Unavailable);
                    if self.url.is_some() || talk == Talk::Nobody {
                        return Err(exit);
                    }
                }
            }
        }
    }

    /// The fingerprint to pin, where one is needed.
    fn trust(&self, talk: Talk, met: &Met) -> Result<Option<String>, Exit> {
        let Certificate::Unknown { fingerprint } = &met.certificate else {
            return Ok(self.pin_sha256.clone());
        };
        if let Some(pin) = &self.pin_sha256 {
            let digits = |text: &str| text.replace(':', "").to_lowercase();
            if digits(pin) == *fingerprint {
                return Ok(Some(fingerprint.clone()));
            }
            let sentence = format!(
                "the controller's certificate has the fingerprint {fingerprint}, not the one given"
            );
            return Err(failed(&sentence, Exit::Unavailable));
        }
        complain(&format!(
            "its certificate is signed by nobody this system knows, as is usual; its SHA-256 fingerprint is\n  {fingerprint}"
        ));
        let flag = "--accept-certificate or --pin-sha256";
        if self.accept_certificate {
            return Ok(Some(fingerprint.clone()));
        }
        if talk == Talk::Nobody {
            return Err(failed(
                &format!("{flag} is needed to trust it"),
                Exit::Usage,
            ));
        }
        if talk.agree(
            "Trust this certificate and no other from now on?",
            flag,
            true,
        )? {
            return Ok(Some(fingerprint.clone()));
        }
        complain(
            "nothing was written; a certificate authority of your own goes into tls = { ca_file = \"…\" }",
        );
        Err(Exit::Failed)
    }

    /// Try the account until it works.
    fn log_in(
        &self,
        talk: Talk,
        runtime: &Runtime,
        met: &Met,
        pin: Option<String>,
    ) -> Result<(ControllerPlan, Option<String>, Probe), Exit> {
        let mut plan = ControllerPlan {
            name: self.name.as_str().into(),
            url: met.url.clone(),
            kind: Some(met.kind),
            sites: Sites::All,
            auth: AuthPlan {
                username: String::new(),
                password: String::new().into(),
                totp: None,
                api_key: None,
            },
            tls: TlsOptions {
                pin_sha256: pin,
                ..TlsOptions::default()
            },
            socket_query: String::new(),
            backfill: BackfillPlan::default(),
        };
        let mut totp = self.totp_file.as_deref().map(secret_of).transpose()?;
        let mut last = Exit::Refused;
        for _ in 0..TRIES {
            plan.auth.username = match &self.username {
                Some(username) => username.clone(),
                None => talk.ask(
                    "Name of a local account (view-only is enough)",
                    "--username",
                    Some("herald"),
                )?,
            };
            plan.auth.password = match &self.password_file {
                Some(file) => secret_of(file)?,
                None => talk.ask_secret("Its password", "--password-file")?,
            }
            .into();
            plan.auth.totp = totp.clone().map(Into::into);
            let mut found = runtime.block_on(probe(&plan, &Clock::system()));
            if let Err(ProbeError::SecondFactor(sentence)) = &found
                && talk == Talk::With
                && totp.is_none()
            {
                complain(&plain(sentence));
                totp = Some(talk.ask_secret("Base32 secret of its authenticator", "--totp-file")?);
                plan.auth.totp = totp.clone().map(Into::into);
                found = runtime.block_on(probe(&plan, &Clock::system()));
            }
            match found {
                Ok(found) => return Ok((plan, totp, found)),
                Err(error) => {
                    last = failed(&error.to_string(), online::class(&error));
                    if talk == Talk::Nobody || self.password_file.is_some() {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    /// Read what was written as `herald run` will, and let the sink look at its destination.
    fn try_sink(&self, loader: Loader, runtime: &Runtime) -> Result<Exit, Exit> {
        let loader = loader.naming(self.output.clone());
        let plan = loader.plan()?;
        let mut trouble = None;
        let tried = online::try_sinks(&plan, &loader.registry, |name, tried| {
            if let (None, Err((sentence, exit))) = (&trouble, tried) {
                trouble = Some((
                    format!("the sink {name} does not work yet: {sentence}"),
                    exit,
                ));
            }
        });
        runtime.block_on(tried);
        if let Some((sentence, exit)) = trouble {
            return Err(failed(&sentence, exit));
        }
        let file = self.output.display();
        complain(&format!(
            "the sink's destination answers; next: herald run -c {file}"
        ));
        Ok(Exit::Done)
    }
}

/// The first line of a file, or of standard input.
fn secret_of(file: &std::path::Path) -> Result<String, Exit> {
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        if io::stdin().is_terminal() {
            complain("reading the secret from standard input");
        }
        io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|found| text = found)
    };
    read.map_err(|error| failed(&format!("{}: {error}", file.display()), Exit::Failed))?;
    let line = text.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(failed(
            &format!("{} is empty", file.display()),
            Exit::Failed,
        ));
    }
    Ok(line)
}

/// Say what is wrong; the exit code is for the caller to pass on.
fn failed(sentence: &str, exit: Exit) -> Exit {
    complain(&format!("error: {}", plain(sentence)));
    exit
}
