//! The names of an event's fields, as scripts read them.

use rhai::ImmutableString;
use std::sync::LazyLock;
use unifi_herald_plugin::{Kind, Severity};

macro_rules! names {
    ($($ident:ident $name:literal,)*) => {
        /// A name that some part of an event has. Reading by it costs a table look-up, by any other text a search.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Property { $($ident,)* }

        impl Property {
            pub(super) const ALL: &'static [Self] = &[$(Self::$ident,)*];

            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$ident => $name,)* }
            }

            pub(super) fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$ident),)* _ => None }
            }
        }
    };
}

names! {
    Action "action",
    Admin "admin",
    Alert "alert",
    Band "band",
    Body "body",
    Category "category",
    Channel "channel",
    Client "client",
    Code "code",
    Controller "controller",
    Count "count",
    Counts "counts",
    Device "device",
    Digest "digest",
    Direction "direction",
    Dst "dst",
    DurationS "duration_s",
    Events "events",
    Fields "fields",
    From "from",
    Guest "guest",
    Hostname "hostname",
    Id "id",
    Incidents "incidents",
    Interface "interface",
    Ip "ip",
    Isp "isp",
    Key "key",
    Kind "kind",
    Level "level",
    Mac "mac",
    Model "model",
    Name "name",
    Network "network",
    Number "number",
    Origin "origin",
    Port "port",
    RandomMac "random_mac",
    Raw "raw",
    RawTruncated "raw_truncated",
    Reason "reason",
    Received "received",
    ReceivedMs "received_ms",
    Severity "severity",
    Signature "signature",
    Since "since",
    Site "site",
    SiteName "site_name",
    Src "src",
    Ssid "ssid",
    State "state",
    Summary "summary",
    Threat "threat",
    Time "time",
    TimeMs "time_ms",
    Title "title",
    To "to",
    Top "top",
    Type "type",
    Until "until",
    Uplink "uplink",
    V "v",
    Vlan "vlan",
    Voucher "voucher",
    Vpn "vpn",
    Wan "wan",
    Wired "wired",
}

/// The name of `kind`, made once, so that comparing it allocates nothing.
pub(super) fn kind(kind: Kind) -> ImmutableString {
    static NAMES: LazyLock<Vec<ImmutableString>> =
        LazyLock::new(|| Kind::ALL.iter().map(|kind| kind.as_str().into()).collect());
    NAMES[kind.index()].clone()
}

/// The category of `kind`, made once.
pub(super) fn category(kind: Kind) -> ImmutableString {
    static NAMES: LazyLock<Vec<ImmutableString>> = LazyLock::new(|| {
        Kind::ALL
            .iter()
            .map(|kind| kind.category().into())
            .collect()
    });
    NAMES[kind.index()].clone()
}

/// The name of `severity`, made once.
pub(super) fn severity(severity: Severity) -> ImmutableString {
    static NAMES: LazyLock<Vec<ImmutableString>> = LazyLock::new(|| {
        Severity::ALL
            .iter()
            .map(|severity| severity.as_str().into())
            .collect()
    });
    NAMES[usize::from(severity.level())].clone()
}
