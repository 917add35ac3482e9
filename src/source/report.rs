//! What is wrong with a controller, gathered from its login, its list of sites and each socket.

use crate::status::ControllerStatus;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use unifi_herald_plugin::Text;

/// Which part has a trouble; the first in this order is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// Trust, address, login.
    Login,
    /// One site's socket.
    Site(Text),
    /// The list of sites: others may still work.
    Sites,
}

/// The troubles of one controller. Each is logged when it begins or changes, not each time it is met.
#[derive(Debug)]
pub(super) struct Report {
    controller: Text,
    status: ControllerStatus,
    troubles: Mutex<BTreeMap<Part, String>>,
}

impl Report {
    /// No trouble.
    pub(super) fn new(controller: Text, status: ControllerStatus) -> Self {
        Self {
            controller,
            status,
            troubles: Mutex::default(),
        }
    }

    /// The part is in trouble; `sentence` names the fix.
    pub(super) fn trouble(&self, part: Part, sentence: &str) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.get(&part).is_some_and(|known| known == sentence) {
            return;
        }
        tracing::warn!(controller = %self.controller, part = ?part, trouble = sentence, "controller in trouble");
        troubles.insert(part, sentence.to_owned());
        self.show(&troubles);
    }

    /// The part works.
    pub(super) fn well(&self, part: &Part) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        if troubles.remove(part).is_some() {
            tracing::info!(controller = %self.controller, part = ?part, "trouble is over");
            self.show(&troubles);
        }
    }

    fn show(&self, troubles: &BTreeMap<Part, String>) {
        let first = troubles.iter().next().map(|(part, sentence)| match part {
            Part::Site(site) => format!("site {site}: {sentence}"),
            Part::Login | Part::Sites => sentence.clone(),
        });
        self.status.update(|facts| facts.trouble = first);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_trouble_is_shown_until_it_is_over() {
        let status = ControllerStatus::default();
        let report = Report::new("home".into(), status.clone());
        report.trouble(Part::Sites, "no such site: check sites");
        report.trouble(Part::Site("default".into()), "lost: wait");
        assert_eq!(
            status.facts().trouble.as_deref(),
            Some("site default: lost: wait")
        );
        report.trouble(Part::Login, "refused: check auth");
        assert_eq!(
            status.facts().trouble.as_deref(),
            Some("refused: check auth")
        );
        report.well(&Part::Login);
        report.well(&Part::Site("default".into()));
        assert_eq!(
            status.facts().trouble.as_deref(),
            Some("no such site: check sites")
        );
        report.well(&Part::Sites);
        assert_eq!(status.facts().trouble, None);
    }
}
