//! Loading a site's lists of names: devices, connected clients, and the names people gave.

use super::account::{Account, Failure};
use super::http::LIST;
use crate::unifi::answer::Answer;
use crate::unifi::{Names, NamesError, endpoint};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use std::sync::Arc;
use unifi_herald_plugin::Text;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Devices,
    Clients,
    Users,
}

/// The lists as they come, one in memory at a time.
pub(super) type Lists = BoxStream<'static, (List, Result<Answer, Failure>)>;

impl List {
    /// The path behind the site.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Devices => "stat/device",
            Self::Clients => "stat/sta",
            Self::Users => "rest/user",
        }
    }

    /// Whether it is one of those that tell who the clients are.
    pub(super) fn tells_of_clients(self) -> bool {
        matches!(self, Self::Clients | Self::Users)
    }

    /// Take in the list; the number of names in it.
    pub(super) fn load(self, names: &mut Names, body: &[u8]) -> Result<usize, NamesError> {
        match self {
            Self::Devices => names.load_devices(body),
            Self::Clients => names.load_clients(body),
            Self::Users => names.load_users(body),
        }
    }
}

/// Ask for the lists of `site`, one after the other.
pub(super) fn lists(account: Arc<Account>, site: Text) -> Lists {
    stream::iter([List::Devices, List::Clients, List::Users])
        .then(move |list| {
            let (account, site) = (Arc::clone(&account), site.clone());
            async move {
                let answer = account
                    .get(|kind| endpoint::site_path(kind, &site, list.path()), LIST)
                    .await;
                (list, answer)
            }
        })
        .boxed()
}
