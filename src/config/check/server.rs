//! The table `server`: who may come near, and with what.

use super::Check;
use crate::config::ServerPlan;
use crate::config::read::Flaw;
use crate::config::tree::Path;
use std::net::SocketAddr;

/// A token that can be guessed is worth a word.
const SHORT: usize = 16;

impl Check<'_> {
    pub(super) fn server(&mut self) -> Option<ServerPlan> {
        let table = self.reading.file.server.as_ref()?;
        let path = |key| Path::of(&["server", key]);
        let token = table.token.as_ref();
        let token = token.and_then(|secret| match secret.reveal(&self.reading.base) {
            Ok(token) => Some(token),
            Err(error) => {
                self.flaw(Flaw::value(path("token"), error.to_string()));
                None
            }
        });
        if let Some(token) = &token {
            let text = token.expose();
            if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                let flaw =
                    Flaw::value(path("token"), "expected letters, digits and signs of ASCII");
                let help = "it travels in a header: make one with `openssl rand -hex 24`";
                self.flaw(flaw.help(help.to_owned()));
            } else if text.len() < SHORT {
                self.warnings.push(format!(
                    "`server.token` has fewer than {SHORT} characters and may be guessed"
                ));
            }
        }
        for (index, host) in table.hosts.iter().enumerate() {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            if host.is_empty() || !host.chars().all(allowed) {
                let flaw = Flaw::value(path("hosts").join(index.to_string()), "not a host name");
                self.flaw(
                    flaw.help("the name alone, without https:// and without a port".to_owned()),
                );
            }
        }
        let Ok(listen) = table.listen.parse::<SocketAddr>() else {
            let flaw = Flaw::value(path("listen"), "expected an address and a port");
            self.flaw(flaw.help("write \"127.0.0.1:8480\", or \"[::1]:8480\"".to_owned()));
            return None;
        };
        if !listen.ip().is_loopback() && table.token.is_none() {
            let flaw = Flaw::value(
                path("listen"),
                "others can reach this address, and there is no `token`",
            );
            let help = "add token = { env = \"HERALD_TOKEN\" }, or listen on 127.0.0.1";
            self.flaw(flaw.help(help.to_owned()));
        }
        let hosts = table.hosts.iter().map(|host| host.to_ascii_lowercase());
        Some(ServerPlan {
            listen,
            token,
            hosts: hosts.collect(),
        })
    }
}
