//! Which sites a controller has, and which of them were asked for.

use super::Site;
use crate::config::Sites;
use serde::Deserialize;
use serde_json::Value;
use unifi_herald_plugin::Text;

/// Most sites of one controller; what comes after is not looked at.
const MAX_SITES: usize = 1000;
/// Longest name of a site, in characters.
const MAX_NAME: usize = 200;

/// The site-less things of a self-hosted controller, such as logins of administrators.
pub const SUPER: &str = "super";

/// The list of sites is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the controller's list of sites cannot be read: check url and kind")]
pub struct NotSites;

/// The sites to listen to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Found, each once, in the order they were asked for.
    pub found: Vec<Site>,
    /// Asked for and not found.
    pub unknown: Vec<Text>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Vec<Value>,
}

/// Read the body of `self/sites`. An entry without a short name is passed over; one without a display name goes by
/// its short name.
///
/// # Errors
/// When the body is not the list.
pub fn parse(body: &[u8]) -> Result<Vec<Site>, NotSites> {
    let envelope: Envelope = serde_json::from_slice(body).map_err(|_| NotSites)?;
    let sites = envelope.data.iter().take(MAX_SITES).filter_map(|site| {
        let name = site
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| fits(name))?;
        let display = site
            .get("desc")
            .and_then(Value::as_str)
            .filter(|display| fits(display));
        Some(Site {
            name: name.into(),
            display: display.unwrap_or(name).into(),
        })
    });
    Ok(sites.collect())
}

fn fits(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().count() <= MAX_NAME
}

/// Find the wanted among the known: by short name first, then by display name, then by display name in any case.
#[must_use]
pub fn resolve(wanted: &Sites, known: &[Site]) -> Resolved {
    let Sites::Named(names) = wanted else {
        return Resolved {
            found: known.to_vec(),
            unknown: Vec::new(),
        };
    };
    let mut resolved = Resolved::default();
    for name in names {
        let found = known
            .iter()
            .find(|site| site.name == *name)
            .or_else(|| known.iter().find(|site| site.display == *name))
            .or_else(|| {
                known
                    .iter()
                    .find(|site| site.display.to_lowercase() == name.to_lowercase())
            });
        match found {
            Some(site) if !resolved.found.contains(site) => resolved.found.push(site.clone()),
            Some(_) => {}
            None => resolved.unknown.push(name.clone()),
        }
    }
    resolved
}

/// The sites as they were written, for accounts that may not read the list.
#[must_use]
pub fn unchecked(wanted: &Sites) -> Vec<Site> {
    match wanted {
        Sites::All => Vec::new(),
        Sites::Named(names) => names
            .iter()
            .map(|name| Site {
                name: name.clone(),
                display: name.clone(),
            })
            .collect(),
    }
}

/// What is wrong when some were not found, in one sentence with the fix.
#[must_use]
pub fn unknown_sentence(unknown: &[Text], known: &[Site]) -> String {
    let list = |names: Vec<&str>| {
        names
            .iter()
            .take(20)
            .map(|name| format!("{name:?}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let wanted = list(unknown.iter().map(|name| &**name).collect());
    let there = list(known.iter().map(|site| &*site.display).collect());
    if known.is_empty() {
        return format!(
            "the account sees no site, so {wanted} cannot be found: give it rights for the site"
        );
    }
    format!(
        "the controller has no site {wanted}: write one of {there} into sites, or give the account rights for the missing one"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str, display: &str) -> Site {
        Site {
            name: name.into(),
            display: display.into(),
        }
    }

    fn named(names: &[&str]) -> Sites {
        Sites::Named(names.iter().map(|name| Text::from(*name)).collect())
    }

    #[test]
    fn the_captured_list() {
        let corpus = include_str!("../../tests/fixtures/corpus/login_responses.jsonl");
        let mut rows = corpus
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let row = rows.find(|row| row["kind"] == "self_sites").unwrap();
        assert_eq!(
            parse(row["body"].to_string().as_bytes()),
            Ok(vec![site("default", "Default")])
        );
    }

    #[test]
    fn short_names_go_before_display_names() {
        let known = [
            site("default", "Home"),
            site("mmu5lnvg", "Cabin"),
            site("x1", "default"),
        ];
        let found = |names: &[&str]| resolve(&named(names), &known);
        assert_eq!(found(&["default"]).found, [known[0].clone()]);
        assert_eq!(
            found(&["Cabin", "home", "mmu5lnvg"]).found,
            [known[1].clone(), known[0].clone()]
        );
        assert_eq!(found(&["Home", "Shop"]).unknown, ["Shop".into()]);
        assert_eq!(resolve(&Sites::All, &known).found, known);
        let sentence = unknown_sentence(&["Shop".into()], &known);
        assert!(
            sentence.contains("\"Shop\"") && sentence.contains("\"Cabin\""),
            "{sentence}"
        );
        assert!(unknown_sentence(&["Shop".into()], &[]).contains("rights"));
        assert_eq!(unchecked(&named(&["a"])), [site("a", "a")]);
        assert_eq!(unchecked(&Sites::All), []);
    }

    #[test]
    fn a_hostile_list_is_bounded() {
        let many = format!(
            r#"{{"data":[{}{{}}]}}"#,
            r#"{"name":"a","desc":7},"#.repeat(5000)
        );
        let sites = parse(many.as_bytes()).unwrap();
        assert_eq!(sites.len(), MAX_SITES);
        assert_eq!(sites[0], site("a", "a"));
        let odd = format!(
            r#"{{"data":[1,null,{{"name":""}},{{"name":"{}"}},{{"desc":"x"}}]}}"#,
            "n".repeat(300)
        );
        assert_eq!(parse(odd.as_bytes()), Ok(vec![]));
        for text in ["", "[]", "{}", "<html>", r#"{"data":7}"#] {
            assert_eq!(parse(text.as_bytes()), Err(NotSites));
        }
    }
}
