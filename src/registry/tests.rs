//! Tests of the registry.

use super::{OptionError, OptionInfo, Registry, Role};
use crate::clock::Clock;
use crate::config::tree::from_table;
use crate::services::HostServices;
use crate::tasks::Tasks;
use serde::Deserialize;
use unifi_herald_plugin::{
    Batch, BoxError, BuildContext, BuildError, DeliveryError, Event, Filter, FilterPlugin, Secret,
    Sink, SinkPlugin, Verdict, async_trait,
};

struct Bell;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    key: Secret,
    #[serde(default)]
    loudness: u8,
    #[serde(default)]
    tone: Tone,
    #[serde(default)]
    room: Room,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tone {
    #[default]
    High,
    Low,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Room {
    door: Option<Secret>,
    names: Vec<String>,
}

impl SinkPlugin for Bell {
    const NAME: &'static str = "bell";
    const SUMMARY: &'static str = "rings";
    type Config = Config;
    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        context.reveal("key", &config.key)?;
        let room = (config.tone, config.room.door, config.room.names);
        drop(room);
        match config.loudness {
            0..=9 => Ok(Self),
            _ => Err(BuildError::new("loudness", "at most 9")),
        }
    }
}

#[async_trait]
impl Sink for Bell {
    async fn deliver(&mut self, _: Batch<'_>) -> Result<(), DeliveryError> {
        Ok(())
    }
}

impl FilterPlugin for Bell {
    const NAME: &'static str = "bell";
    type Config = toml::Table;
    fn build(_: toml::Table, _: &BuildContext) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Filter for Bell {
    fn apply(&mut self, _: &Event) -> Result<Verdict, BoxError> {
        Ok(Verdict::Keep)
    }
}

fn context() -> BuildContext {
    let services = HostServices::new(Clock::system(), Tasks::new());
    BuildContext::new("door", std::path::Path::new("/"), services)
}

fn build(options: &str) -> Result<(), OptionError> {
    let registry = Registry::new().sink::<Bell>();
    registry
        .build_sink("bell", &toml::from_str(options).unwrap(), &context())
        .map(drop)
}

#[test]
fn builds_as_often_as_wanted() {
    let registry = Registry::new().sink::<Bell>().filter::<Bell>();
    let options = toml::from_str("key = \"k\"").unwrap();
    for _ in 0..3 {
        assert!(registry.build_sink("bell", &options, &context()).is_ok());
        assert!(registry.build_filter("bell", &options, &context()).is_ok());
    }
    assert_eq!(registry.sinks().collect::<Vec<_>>(), [("bell", "rings")]);
    assert_eq!(registry.filters().collect::<Vec<_>>(), [("bell", "")]);
}

#[test]
fn says_which_option_is_wrong() {
    for (options, said) in [
        ("", "`key`: missing"),
        (
            "key = 5",
            "`key`: expected a secret: \"text\", { env = \"NAME\" }, { file = \"path\" } or { credential = \"name\" }, found a whole number",
        ),
        ("key = \"k\"\nloudness = 10", "`loudness`: at most 9"),
        (
            "key = \"k\"\nloudness = 300",
            "`loudness`: expected a whole number, 0 or more, found 300",
        ),
        (
            "key = \"k\"\nroom = { names = [\"a\", 5] }",
            "`room.names[1]`: expected text, found a whole number",
        ),
        ("key = \"k\"\nvolume = 1", "`volume`: unknown key"),
    ] {
        assert_eq!(build(options).unwrap_err().to_string(), said);
    }
    let unknown = Registry::new().sink::<Bell>();
    let error = unknown
        .build_sink("bel", &toml::Table::new(), &context())
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no plugin `bel`; did you mean `bell`?"
    );
}

#[test]
fn a_name_is_given_once() {
    let registry = Registry::new().sink::<Bell>().filter::<Bell>();
    assert_eq!(registry.misnamed(), Vec::<String>::new());
    assert_eq!(
        registry.sink::<Bell>().misnamed(),
        ["two sink plugins are called `bell`; give one of them another `NAME`"]
    );
}

#[test]
fn knows_the_options_of_a_plugin() {
    let registry = Registry::new().sink::<Bell>();
    let shown: Vec<String> = registry
        .options(Role::Sink, "bell")
        .into_iter()
        .map(
            |OptionInfo {
                 path,
                 expects,
                 required,
             }| {
                format!(
                    "{path}: {expects}{}",
                    if required { ", required" } else { "" }
                )
            },
        )
        .collect();
    assert_eq!(
        shown,
        [
            "key: a secret, required",
            "loudness: a whole number, 0 or more",
            "tone: one of high, low",
            "room: a table",
            "room.door: a secret",
            "room.names: a list",
        ]
    );
}

#[test]
fn finds_secrets_by_their_type_and_behind_mistakes() {
    let registry = Registry::new().sink::<Bell>();
    let secrets = |options: &str| {
        let options = from_table(&toml::from_str(options).unwrap());
        let mut paths: Vec<String> = registry
            .secret_options(Role::Sink, "bell", &options)
            .iter()
            .map(ToString::to_string)
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(
        secrets("key = \"k\"\nroom = { door = { env = \"X\" }, names = [\"a\"] }"),
        ["key", "room.door"]
    );
    assert_eq!(
        secrets("key = 5\nloudness = \"x\"\nroom = { door = \"d\" }"),
        ["key", "room.door"]
    );
}
