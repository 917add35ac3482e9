//! The `mqtt` sink: events to a broker, states that stay there, and Home Assistant finding them by itself.
//!
//! ```toml
//! [sinks.home]
//! plugin = "mqtt"
//!
//! [sinks.home.options]
//! url       = "mqtts://broker.example.org"      # "mqtt://" (port 1883), "mqtts://" (port 8883)
//! username  = "herald"
//! password  = { env = "MQTT_PASSWORD" }
//! client_id = "herald"                          # default: the sink's name and a random number
//! prefix    = "unifi-herald"                    # the default
//! qos       = 1                                 # of events: 0, 1 or 2. Default: 1
//! tls       = { ca_file = "ca.pem" }            # or { pin_sha256 = "…" }, { insecure = true }
//!
//! [sinks.home.options.discovery]                # for Home Assistant 2024.11 or later
//! prefix     = "homeassistant"                  # the default
//! devices    = true                             # the default
//! clients    = ["aa:bb:cc:00:00:01", "Anna's iPhone"]
//! away_after = "5m"                             # the default
//! ```
//!
//! Speaks MQTT 5. An event is acknowledged when the broker has acknowledged every message made of it.
//!
//! # Topics
//!
//! | topic | what |
//! |---|---|
//! | `<prefix>/<controller>/<site>/event/<kind>` | the event; not retained |
//! | `<prefix>/<controller>/<site>/state/device/<mac>` | a device: `online`, `since`, name, model; retained |
//! | `<prefix>/<controller>/<site>/state/client/<mac>` | a client: `connected`, where, since; retained, a week for those nobody watches |
//! | `<prefix>/<controller>/<site>/event/device/<mac>` | what Home Assistant's event entities read; only with discovery |
//! | `<prefix>/status` | `online`, or `offline` by last will; retained |
//!
//! A `<mac>` has no colons. In names `/`, `+`, `#`, spaces and what no topic may hold become `_`.

mod config;
mod discovery;
mod fault;
mod house;
mod link;
mod sink;
mod state;
mod topic;

pub use config::Config;
pub use sink::Mqtt;
