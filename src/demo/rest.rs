//! The REST API of the Network application, below the prefix, for callers who may ask.

use super::history;
use super::hub::{Hub, SUPER};
use super::json::Object;
use super::mischief::History;
use super::reply::{self, Reply};
use super::story::Story;
use crate::config::ControllerKind;
use hyper::Method;

/// A request after authentication.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) method: &'a Method,
    /// Without the prefix of UniFi OS and without the query.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

impl Hub {
    pub(super) fn answer(&self, question: &Question<'_>) -> Reply {
        let path: Vec<&str> = question.path.trim_matches('/').split('/').collect();
        match *path.as_slice() {
            ["api", "self", "sites"] | ["api", "stat", "sites"] => reply::data(self.sites()),
            ["api", "self"] => reply::data([self.whoami()]),
            ["api", "s", SUPER, ref rest @ ..]
                if self.options.kind == ControllerKind::SelfHosted =>
            {
                self.answer_site(question, SUPER, None, rest)
            }
            ["api", "s", site, ref rest @ ..] => self.with_site(site, |story| {
                self.answer_site(question, site, Some(story), rest)
            }),
            ["v2", "api", "site", site, "system-log", class] => match self.history() {
                History::Both | History::SystemLogOnly if self.knows(site) => {
                    history::system_log(self, question, site, class)
                }
                _ => reply::json(404, r#"{"errorCode":404,"message":"api.err.NotFound"}"#),
            },
            _ => reply::error(404, "api.err.NotFound"),
        }
    }

    fn answer_site(
        &self,
        question: &Question<'_>,
        site: &str,
        story: Option<&Story>,
        rest: &[&str],
    ) -> Reply {
        let now = self.event_time().as_millis();
        let list = |render: fn(&Story, i64) -> Vec<String>| {
            reply::data(story.map(|story| render(story, now)).unwrap_or_default())
        };
        match *rest {
            ["self"] => reply::data([self.whoami()]),
            ["stat", "sysinfo"] => reply::data([self.sysinfo()]),
            ["stat", "device"] => list(Story::device_list),
            ["stat", "sta"] => list(Story::stations),
            ["rest" | "list", "user"] => list(Story::users),
            ["stat" | "rest", "event"] => match self.history() {
                History::Both | History::LegacyOnly => history::stat_event(self, question, site),
                History::SystemLogOnly | History::None => reply::error(404, "api.err.NotFound"),
            },
            _ => reply::error(404, "api.err.NotFound"),
        }
    }

    fn with_site(&self, name: &str, answer: impl FnOnce(&Story) -> Reply) -> Reply {
        let world = self.world();
        match world.stories.iter().find(|story| story.fleet.name == name) {
            Some(story) => answer(story),
            None => reply::error(400, "api.err.NoSiteContext"),
        }
    }

    /// Whether this controller has a site of this short name, the one for site-less things included.
    pub(super) fn knows(&self, site: &str) -> bool {
        site == SUPER
            || self
                .world()
                .stories
                .iter()
                .any(|story| story.fleet.name == site)
    }

    fn sites(&self) -> Vec<String> {
        let render = |story: &Story| {
            let mut site = Object::new();
            site.text("_id", &story.fleet.id)
                .text("anonymous_id", &story.fleet.uuid("anonymous"));
            site.text("name", story.fleet.name)
                .text("desc", story.fleet.desc)
                .text("role", "readonly");
            site.bool("role_hotspot", false);
            if story.fleet.name == "default" {
                site.text("attr_hidden_id", "default")
                    .bool("attr_no_delete", true);
            }
            site.finish()
        };
        self.world().stories.iter().map(render).collect()
    }

    fn whoami(&self) -> String {
        let mut me = Object::new();
        me.text("admin_id", &super::rng::object_id(self.options.seed, 1))
            .text("name", &self.options.username);
        me.text("email", "")
            .bool("is_super", false)
            .text("role", "readonly")
            .text("ui_settings", "");
        me.text(
            "last_site_name",
            self.options
                .networks()
                .first()
                .map_or("default", |network| network.site()),
        );
        me.finish()
    }

    fn sysinfo(&self) -> String {
        let version = self.version();
        let mut info = Object::new();
        info.text("timezone", "Europe/Berlin")
            .bool("autobackup", true)
            .text("build", &format!("atag_{version}_28912"));
        info.text("version", version)
            .text("previous_version", "9.0.114")
            .int("data_retention_days", 90);
        info.text("hostname", "unifi")
            .text("name", "UniFi Network")
            .raw("ip_addrs", r#"["192.0.2.1"]"#);
        info.int("inform_port", 8080)
            .int("https_port", 8443)
            .int("uptime", 468_695)
            .bool("update_available", false);
        if self.options.kind == ControllerKind::UnifiOs {
            info.text("ubnt_device_type", "UDMPRO")
                .text("udm_version", "4.4.6")
                .text("console_display_version", "4.4.6");
        }
        info.finish()
    }

    /// A version of the Network application that has these history APIs.
    fn version(&self) -> &'static str {
        match self.history() {
            History::Both => "9.5.21",
            History::SystemLogOnly => "10.2.105",
            History::LegacyOnly => "8.0.28",
            History::None => "9.0.114",
        }
    }
}
