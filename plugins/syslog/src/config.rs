//! The table `options` of a syslog sink, and what it becomes once checked.

use crate::frame::Framing;
use crate::message::{Format, Head, Protocol};
use serde::Deserialize;
use unifi_herald_plugin::http::{TlsOptions, Uri};
use unifi_herald_plugin::{BuildContext, BuildError, Connector, Size};

/// The table `options` of a syslog sink.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: String,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    protocol: Protocol,
    #[serde(default)]
    facility: Facility,
    app_name: Option<String>,
    hostname: Option<String>,
    max_size: Option<Size>,
    framing: Option<Framing>,
    tls: Option<TlsOptions>,
}

/// RFC 5424, section 6.2.1, by the names that syslog.conf uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Facility {
    Kern,
    User,
    Mail,
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Cron,
    Authpriv,
    Ftp,
    #[default]
    Local0 = 16,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

/// Where messages go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) way: Way,
}

/// How they get there.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    Udp,
    Stream(Connector, Framing),
}

/// What every receiver takes by UDP (RFC 5426, section 3.2).
const SMALLEST: u64 = 480;
/// What fits into a datagram of IPv4.
const LARGEST_UDP: u64 = 65_507;
const LARGEST_STREAM: u64 = 1024 * 1024;

impl Config {
    /// Check everything.
    pub(crate) fn resolve(&self, context: &BuildContext) -> Result<(Target, Head), BuildError> {
        let (scheme, host, port) = self.address()?;
        let udp = scheme == "udp";
        let unused = [
            ("tls", self.tls.is_some() && scheme != "tls", "tls://"),
            ("framing", self.framing.is_some() && udp, "tcp:// or tls://"),
        ];
        if let Some((option, _, with)) = unused.into_iter().find(|(_, there, _)| *there) {
            let message = format!("it is used only with a url that begins with {with}");
            return Err(BuildError::new(option, message));
        }
        let way = if udp {
            Way::Udp
        } else {
            let policy = self.tls.clone().unwrap_or_default();
            let connector = context.connector((scheme == "tls").then_some(&policy))?;
            Way::Stream(connector, self.framing.unwrap_or_default())
        };
        let head = Head {
            facility: self.facility as u8,
            hostname: self.hostname(self.protocol)?,
            app_name: self.app_name()?,
            protocol: self.protocol,
            format: self.format,
            max_size: self.max_size(udp)?,
        };
        Ok((Target { host, port, way }, head))
    }

    fn address(&self) -> Result<(&'static str, String, u16), BuildError> {
        let wrong = |message: &str| BuildError::new("url", message);
        let example = "write \"udp://host\", \"tcp://host:port\" or \"tls://host\"";
        let uri: Uri = self.url.trim().parse().map_err(|_| wrong(example))?;
        let (scheme, port) = match uri.scheme_str() {
            Some("udp") => ("udp", 514),
            Some("tcp") => ("tcp", 514),
            Some("tls") => ("tls", 6514),
            _ => return Err(wrong(example)),
        };
        let host = uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let more = uri.path().len() > 1 || uri.query().is_some();
        if host.is_empty() || more || self.url.contains('@') {
            return Err(wrong(example));
        }
        Ok((scheme, host.to_owned(), uri.port_u16().unwrap_or(port)))
    }

    fn app_name(&self) -> Result<String, BuildError> {
        let name = self.app_name.as_deref().unwrap_or("unifi-herald");
        printable("app_name", name, 48)
    }

    /// The name that was configured, else that of this machine.
    fn hostname(&self, protocol: Protocol) -> Result<String, BuildError> {
        if let Some(name) = &self.hostname {
            return printable("hostname", name, 255);
        }
        let system = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let name = printable("hostname", system.trim(), 255);
        let name = name.unwrap_or_else(|_| "unifi-herald".to_owned());
        // Old collectors know no domains (RFC 3164, section 4.1.2).
        Ok(match protocol {
            Protocol::Rfc3164 => name.split('.').next().unwrap_or_default().to_owned(),
            Protocol::Rfc5424 => name,
        })
    }

    fn max_size(&self, udp: bool) -> Result<usize, BuildError> {
        let (usual, largest) = if udp {
            (8 * 1024, LARGEST_UDP)
        } else {
            (64 * 1024, LARGEST_STREAM)
        };
        let size = self.max_size.map_or(usual, |size| size.0);
        usize::try_from(size)
            .ok()
            .filter(|_| (SMALLEST..=largest).contains(&size))
            .ok_or_else(|| {
                let message = format!("it is between {SMALLEST} and {largest} bytes here");
                BuildError::new("max_size", message)
            })
    }
}

/// RFC 5424 allows these fields visible ASCII only.
fn printable(option: &str, text: &str, longest: usize) -> Result<String, BuildError> {
    if (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(text.to_owned());
    }
    let message = format!("it has 1 to {longest} characters of visible ASCII, without spaces");
    Err(BuildError::new(option, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Syslog;
    use serde_json::{Value, json};
    use std::path::Path;
    use unifi_herald_plugin::testing::TestContext;

    fn resolve(options: Value) -> Result<(Target, Head), BuildError> {
        let config: Config = serde_json::from_value(options).unwrap();
        config.resolve(&TestContext::new().build_context("siem", Path::new("")))
    }

    fn refused(option: &str, value: Value) -> String {
        let mut options = json!({"url": "udp://192.0.2.1"});
        options[option] = value;
        let built = TestContext::new().build::<Syslog>(Path::new(""), options);
        built.expect_err("must be refused").to_string()
    }

    #[test]
    fn each_way_has_its_port() {
        let read = |url: &str| resolve(json!({ "url": url })).map(|(to, _)| (to.host, to.port));
        let host = |port| Ok(("h".to_owned(), port));
        assert_eq!(read("udp://h"), host(514));
        assert_eq!(read("tcp://h"), host(514));
        assert_eq!(read("tls://h"), host(6514));
        assert_eq!(read("tcp://h:601/"), host(601));
        assert_eq!(read("udp://[::1]:5514"), Ok(("::1".to_owned(), 5514)));
        for url in [
            "h:514",
            "http://h",
            "tcp://",
            "udp://u@h",
            "tcp://h/path",
            "udp://h?x=1",
        ] {
            let said = read(url).unwrap_err().to_string();
            assert!(
                said.starts_with("`url`: write \"udp://host\""),
                "{url}: {said}"
            );
        }
    }

    #[test]
    fn what_is_missing_has_a_default() {
        let (_, head) = resolve(json!({"url": "udp://h"})).unwrap();
        assert_eq!((head.facility, head.max_size), (16, 8192));
        assert_eq!(head.app_name, "unifi-herald");
        assert!(!head.hostname.is_empty());
        let (_, head) = resolve(json!({"url": "tls://h", "facility": "authpriv"})).unwrap();
        assert_eq!((head.facility, head.max_size), (10, 65_536));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        for (option, value, said) in [
            (
                "hostname",
                json!("my host"),
                "`hostname`: it has 1 to 255 characters of visible ASCII, without spaces",
            ),
            (
                "app_name",
                json!("h".repeat(49)),
                "`app_name`: it has 1 to 48 characters of visible ASCII, without spaces",
            ),
            (
                "max_size",
                json!("100KiB"),
                "`max_size`: it is between 480 and 65507 bytes here",
            ),
            (
                "tls",
                json!({"insecure": true}),
                "`tls`: it is used only with a url that begins with tls://",
            ),
            (
                "framing",
                json!("lines"),
                "`framing`: it is used only with a url that begins with tcp:// or tls://",
            ),
        ] {
            assert_eq!(refused(option, value), said);
        }
        assert!(refused("facility", json!("local8")).contains("unknown variant `local8`"));
        assert!(refused("ulr", json!("x")).contains("unknown field `ulr`"));
    }
}
