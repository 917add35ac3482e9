//! Controllers: addresses, accounts, trust.

use super::Check;
use crate::config::file::{AuthTable, ControllerTable, KindKey};
use crate::config::read::Flaw;
use crate::config::tree::Path;
use crate::config::{AuthPlan, BackfillPlan, ControllerKind, ControllerPlan, Controllers, Sites};
use http::Uri;
use std::net::IpAddr;
use unifi_herald_plugin::http::TlsOptions;
use unifi_herald_plugin::{Revealed, Secret};

impl ControllerTable {
    /// What it is, when that is written.
    pub(super) fn kind(&self) -> Option<ControllerKind> {
        match self.kind {
            KindKey::Auto => None,
            KindKey::UnifiOs => Some(ControllerKind::UnifiOs),
            KindKey::SelfHosted => Some(ControllerKind::SelfHosted),
        }
    }
}

impl Check<'_> {
    pub(super) fn controllers(&mut self) -> Vec<ControllerPlan> {
        let names = self.reading.names("controllers");
        let wanted = self.reading.file.host.role.collects();
        let elsewhere = !self.reading.names("sources").is_empty();
        if wanted
            && names.is_empty()
            && !elsewhere
            && self.locator.controllers == Controllers::Checked
        {
            self.missing(
                Path::of(&["controllers"]),
                "add a table such as [controllers.home] with `url` and `auth`",
            );
        }
        let tables = &self.reading.file.controllers;
        names
            .iter()
            .filter_map(|name| Some(self.controller(name, tables.get(name)?)))
            .collect()
    }

    fn controller(&mut self, name: &str, table: &ControllerTable) -> ControllerPlan {
        let path = Path::of(&["controllers", name]);
        let url = match &table.url {
            None => {
                self.missing(
                    path.join("url"),
                    "write where it is: url = \"https://192.168.1.1\"",
                );
                String::new()
            }
            Some(url) => self.url(path.join("url"), url),
        };
        if table.sites.is_empty() {
            let flaw = Flaw::value(path.join("sites"), "an empty list");
            self.flaw(flaw.help("name a site, or write [\"*\"] for all".to_owned()));
        }
        if let Some(index) = table.sites.iter().position(|site| site.trim().is_empty()) {
            let path = path.join("sites").join(index.to_string());
            let flaw = Flaw::value(path, "an empty name");
            self.flaw(flaw.help("name a site, or write [\"*\"] for all".to_owned()));
        }
        let sites = if table.sites.iter().any(|site| site == "*") {
            Sites::All
        } else {
            Sites::Named(
                table
                    .sites
                    .iter()
                    .map(|site| site.as_str().into())
                    .collect(),
            )
        };
        let socket_query = table.socket_query.trim_start_matches('?').to_owned();
        if format!("https://a/?{socket_query}").parse::<Uri>().is_err()
            || socket_query.contains('#')
        {
            self.flaw(Flaw::value(
                path.join("socket_query"),
                "not the query of a URL",
            ));
        }
        ControllerPlan {
            name: name.into(),
            url,
            kind: table.kind(),
            sites,
            auth: self.auth(&path.join("auth"), table.auth.as_ref()),
            tls: self.tls(name, &path.join("tls"), table),
            socket_query,
            backfill: BackfillPlan {
                max_age: table.backfill.max_age.0,
                first_run: table.backfill.first_run,
                ..BackfillPlan::default()
            },
        }
    }

    /// `https://host[:port]`, or plain HTTP to this machine.
    fn url(&mut self, path: Path, url: &str) -> String {
        match base_url(url) {
            Ok(url) => url,
            Err((message, help)) => {
                self.flaw(Flaw::value(path, message).help(help.to_owned()));
                String::new()
            }
        }
    }

    fn auth(&mut self, path: &Path, table: Option<&AuthTable>) -> AuthPlan {
        let mut plan = AuthPlan {
            username: String::new(),
            password: Revealed::from(String::new()),
            totp: None,
            api_key: None,
        };
        let Some(table) = table else {
            let help =
                "write auth = { username = \"herald\", password = { env = \"UNIFI_PASSWORD\" } }";
            self.missing(path.clone(), help);
            return plan;
        };
        match table.username.as_deref() {
            Some("") => self.flaw(Flaw::value(path.join("username"), "an empty name")),
            Some(name) => name.clone_into(&mut plan.username),
            None => self.missing(path.join("username"), "the name of a local account"),
        }
        match &table.password {
            Some(password) => {
                if let Some(password) = self.reveal(path.join("password"), password) {
                    plan.password = password;
                }
            }
            None => self.missing(
                path.join("password"),
                "the socket wants a login; write password = { env = \"…\" }",
            ),
        }
        plan.totp = table
            .totp
            .as_ref()
            .and_then(|secret| self.totp(path.join("totp"), secret));
        plan.api_key = table
            .api_key
            .as_ref()
            .and_then(|secret| self.reveal(path.join("api_key"), secret));
        plan
    }

    fn totp(&mut self, path: Path, secret: &Secret) -> Option<Revealed> {
        let secret = self.reveal(path.clone(), secret)?;
        let base32 = |c: char| {
            c.is_ascii_alphabetic() || ('2'..='7').contains(&c) || matches!(c, '=' | ' ' | '-')
        };
        if !secret.expose().chars().all(base32) {
            let help = "the secret under the QR code: letters A to Z and digits 2 to 7";
            self.flaw(Flaw::value(path, "not Base32").help(help.to_owned()));
        }
        Some(secret)
    }

    /// Read a secret of a controller, unless the controllers are not those that will be used.
    /// The secret at `path`; nothing when the controllers are simulated, which want none.
    pub(super) fn reveal(&mut self, path: Path, secret: &Secret) -> Option<Revealed> {
        if self.locator.controllers == Controllers::Replaced {
            return None;
        }
        match secret.reveal(&self.reading.base) {
            Ok(secret) => Some(secret),
            Err(error) => {
                self.flaw(Flaw::value(path, error.to_string()));
                None
            }
        }
    }

    fn tls(&mut self, name: &str, path: &Path, table: &ControllerTable) -> TlsOptions {
        let tls = &table.tls;
        let given = [
            tls.pin_sha256.is_some(),
            tls.ca_file.is_some(),
            tls.insecure,
        ];
        if given.into_iter().filter(|given| *given).count() > 1 {
            let flaw = Flaw::key(
                path.clone(),
                "only one of `pin_sha256`, `ca_file` and `insecure` can hold",
            );
            self.flaw(flaw);
        }
        if let Some(pin) = &tls.pin_sha256 {
            let digits = pin.chars().filter(|c| *c != ':');
            if digits.clone().count() != 64 || !digits.clone().all(|c| c.is_ascii_hexdigit()) {
                let found = digits.count();
                let message = format!(
                    "expected 64 hexadecimal digits, colons allowed; found {found} characters"
                );
                let help = "openssl x509 -in cert.pem -noout -fingerprint -sha256";
                self.flaw(Flaw::value(path.join("pin_sha256"), message).help(help.to_owned()));
            }
        }
        let ca_file = tls.ca_file.as_ref().map(|file| self.path(file));
        if let Some(file) = ca_file
            .as_ref()
            .filter(|_| self.locator.controllers == Controllers::Checked)
            && let Err(error) = std::fs::File::open(file)
        {
            self.flaw(Flaw::value(
                path.join("ca_file"),
                format!("cannot read {}: {error}", file.display()),
            ));
        }
        let plain = table
            .url
            .as_deref()
            .is_some_and(|url| url.starts_with("http://"));
        if plain && given.contains(&true) {
            self.warnings.push(format!(
                "controllers.{name}.tls: nothing is encrypted on the way to an http:// address; remove it"
            ));
        } else if tls.insecure {
            self.warnings.push(format!(
                "controllers.{name}.tls: insecure = true trusts anybody who answers; pin the certificate instead"
            ));
        }
        TlsOptions {
            pin_sha256: tls.pin_sha256.clone(),
            ca_file,
            insecure: tls.insecure,
        }
    }
}

/// The URL without path and slash, or what is wrong and what to write.
fn base_url(text: &str) -> Result<String, (String, &'static str)> {
    const EXAMPLE: &str = "write https://host or https://host:port";
    let uri: Uri = text
        .parse()
        .map_err(|_| ("not a URL".to_owned(), EXAMPLE))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(("not a URL with `https://`".to_owned(), EXAMPLE));
    };
    if authority.as_str().contains('@') {
        return Err((
            "an account has no place in a URL".to_owned(),
            "write it as auth = { username, password }",
        ));
    }
    let port = authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default();
    if authority.host().is_empty() || (!port.is_empty() && authority.port_u16().is_none()) {
        return Err(("not a URL".to_owned(), EXAMPLE));
    }
    if uri.query().is_some() || !matches!(uri.path(), "" | "/") {
        return Err((
            format!(
                "`{}` is too much: only the address is wanted",
                uri.path_and_query().map_or("", |path| path.as_str())
            ),
            "the API's paths are added by herald",
        ));
    }
    match scheme {
        "https" => {}
        "http" if is_loopback(authority.host()) => {}
        "http" => {
            return Err((
                "http:// would send the password in clear text".to_owned(),
                "write https://; plain HTTP is for this machine only",
            ));
        }
        other => return Err((format!("`{other}` is not a scheme of controllers"), EXAMPLE)),
    }
    Ok(format!("{scheme}://{authority}"))
}

/// Whether `host` of a URL is this machine, by name or by address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
