//! The heartbeat: an address whose path is often a key, and how often it is asked for.

use super::Check;
use crate::config::HeartbeatPlan;
use crate::config::read::Flaw;
use crate::config::tree::Path;
use http::Uri;
use std::time::Duration;

impl Check<'_> {
    /// Nothing when the controllers are simulated: a ping would say that the real ones are heard.
    pub(super) fn heartbeat(&mut self) -> Option<HeartbeatPlan> {
        let table = self.reading.file.heartbeat.as_ref()?;
        let path = |key| Path::of(&["heartbeat", key]);
        if table.every.0 < Duration::from_secs(1) {
            self.flaw(Flaw::value(path("every"), "expected at least \"1s\""));
        }
        let Some(url) = &table.url else {
            let help = "write whom to tell that all is well: url = \"https://…\"";
            self.missing(path("url"), help);
            return None;
        };
        let url = self.reveal(path("url"), url)?;
        if !is_address(url.expose()) {
            let flaw = Flaw::value(path("url"), "not a URL with `https://` or `http://`");
            self.flaw(flaw.help("write something like \"https://hc.example.org/abc\"".to_owned()));
            return None;
        }
        Some(HeartbeatPlan {
            url,
            every: table.every.0,
        })
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("https" | "http"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}
