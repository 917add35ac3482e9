//! The command line: one file per verb.

mod ask;
mod capture;
mod check;
mod completions;
mod config;
mod dead_letters;
mod demo;
mod doctor;
mod events;
mod exit;
mod health;
mod incidents;
mod init;
mod launch;
mod line;
mod load;
mod log;
mod man;
mod online;
mod output;
mod plugins;
mod presets;
mod reload;
mod replay;
mod run;
mod schema;
mod scripts;
mod send_test;
mod service;
mod silence;
mod status;
mod store;
mod tail;
mod test;
#[cfg(test)]
mod tests;
mod watch;
mod why;

pub(crate) use exit::Exit;

use crate::config::is_log_filter;
use crate::registry::Registry;
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use load::Loader;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the command line of the process with the plugins in `registry`, to its end.
#[must_use]
pub fn cli(registry: Registry) -> ExitCode {
    main(registry, std::env::args_os()).into()
}

/// Listens to UniFi controllers and brings every event to where it is wanted.
///
/// herald reads one file, config.toml: which controllers to listen to, which events matter, and where they go. Try it
/// without a controller first: `herald demo` runs your configuration against a simulated network.
#[derive(Debug, Parser)]
#[command(name = "herald", version, arg_required_else_help = true, after_long_help = HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Debug, clap::Args)]
struct Global {
    /// The configuration. Without it: $HERALD_CONFIG, ./config.toml, /etc/unifi-herald/config.toml.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    config: Option<PathBuf>,
    /// What to log, in place of [log] level: error, warn, info, debug, trace, off; also per module, as in
    /// `info,unifi_herald::source=debug`.
    #[arg(long, global = true, value_name = "LEVEL", value_parser = log_level, help_heading = "Global options")]
    log_level: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Run),
    Demo(demo::Demo),
    Init(init::Init),
    Check(check::Check),
    Doctor(doctor::Doctor),
    Reload(reload::Reload),
    Replay(replay::Replaying),
    Capture(capture::Capturing),
    Status(status::Status),
    Health(health::Health),
    Tail(tail::Tail),
    Events(events::Events),
    Incidents(incidents::Incidents),
    Silence(silence::Silence),
    DeadLetters(dead_letters::DeadLetters),
    Store(store::Store),
    SendTest(send_test::SendTest),
    Test(test::Test),
    Scripts(scripts::Scripts),
    Plugins(plugins::Plugins),
    Presets(presets::Presets),
    Config(config::Config),
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man(man::Man),
}

const HELP: &str = "\
Exit codes:
  0   done
  1   failed
  2   wrong usage
  69  a controller is unavailable
  77  a login or a permission was refused
  78  the configuration is wrong

Environment:
  HERALD_CONFIG    the configuration, unless --config names one
  HERALD__A__B     the value of key b in table [a], in place of the file's
  NO_COLOR         no colours, whatever the terminal can do";

fn main(registry: Registry, arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A reader who has gone needs no help text.
            let _gone = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
                _ => Exit::Usage,
            };
        }
    };
    let loader = Loader::new(registry, cli.global.config, cli.global.log_level);
    match cli.verb {
        Verb::Run(verb) => verb.main(loader),
        Verb::Demo(verb) => verb.main(loader),
        Verb::Init(verb) => verb.main(loader),
        Verb::Check(verb) => verb.main(&loader),
        Verb::Doctor(verb) => verb.main(&loader),
        Verb::Reload(verb) => verb.main(&loader),
        Verb::Replay(verb) => verb.main(loader),
        Verb::Capture(verb) => verb.main(&loader),
        Verb::Status(verb) => verb.main(&loader),
        Verb::Health(verb) => verb.main(&loader),
        Verb::Tail(verb) => verb.main(&loader),
        Verb::Events(verb) => verb.main(&loader),
        Verb::Incidents(verb) => verb.main(&loader),
        Verb::Silence(verb) => verb.main(&loader),
        Verb::DeadLetters(verb) => verb.main(&loader),
        Verb::Store(verb) => verb.main(&loader),
        Verb::SendTest(verb) => verb.main(&loader),
        Verb::Test(verb) => verb.main(&loader),
        Verb::Scripts(verb) => verb.main(&loader),
        Verb::Plugins(verb) => verb.main(&loader),
        Verb::Presets(verb) => verb.main(&loader),
        Verb::Config(verb) => verb.main(&loader),
        Verb::Schema(verb) => verb.main(&loader),
        Verb::Completions(verb) => verb.main(),
        Verb::Man(verb) => verb.main(),
    }
}

fn log_level(text: &str) -> Result<String, String> {
    if is_log_filter(text) {
        Ok(text.to_owned())
    } else {
        Err("not a log level: error, warn, info, debug, trace, off, or MODULE=LEVEL, separated by commas".to_owned())
    }
}
