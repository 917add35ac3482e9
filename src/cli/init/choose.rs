//! What is chosen from lists: the sites, and the first sink with its options.

use super::super::Exit;
use super::super::load::Loader;
use super::super::output::{complain, plain};
use super::files::Answer;
use super::offers::{Form, OFFERS};
use super::talk::Talk;
use super::{Init, failed};
use crate::config::Sites;
use crate::source::Probe;

impl Init {
    pub(super) fn choose_sites(&self, talk: Talk, found: &Probe) -> Result<Vec<String>, Exit> {
        let version = found.version.as_deref().unwrap_or("of unknown version");
        complain(&format!("logged in; Network {}", plain(version)));
        if !self.sites.is_empty() {
            let wanted = self.sites.iter().map(|site| site.as_str().into()).collect();
            let resolved = crate::unifi::sites::resolve(&Sites::Named(wanted), &found.sites);
            if !resolved.unknown.is_empty() {
                let sentence =
                    crate::unifi::sites::unknown_sentence(&resolved.unknown, &found.sites);
                return Err(failed(&sentence, Exit::Refused));
            }
            return Ok(self.sites.clone());
        }
        let all = vec!["*".to_owned()];
        if let [only] = found.sites.as_slice() {
            return Ok(vec![only.name.to_string()]);
        }
        if talk == Talk::Nobody {
            return Ok(all);
        }
        let mut list = vec![("all".to_owned(), "every site, later ones too".to_owned())];
        let sites = found.sites.iter();
        list.extend(sites.map(|site| (plain(&site.name), plain(&site.display))));
        match talk.choose("Site", "--site", &list)? {
            0 => Ok(all),
            index => Ok(vec![found.sites[index - 1].name.to_string()]),
        }
    }

    pub(super) fn choose_sink(
        &self,
        talk: Talk,
        loader: &Loader,
    ) -> Result<(String, Vec<(String, Answer)>), Exit> {
        let plugin = match (&self.sink, talk) {
            (Some(plugin), _) => plugin.clone(),
            (None, Talk::Nobody) => "console".to_owned(),
            (None, Talk::With) => {
                complain("Where should messages go?");
                let list: Vec<(String, String)> = OFFERS
                    .iter()
                    .map(|offer| (offer.plugin.to_owned(), offer.what.to_owned()))
                    .collect();
                OFFERS[talk.choose("Sink", "--sink", &list)?]
                    .plugin
                    .to_owned()
            }
        };
        if !loader.registry.sinks().any(|(name, _)| name == plugin) {
            let sentence =
                format!("there is no plugin {plugin:?}: `herald plugins list` names them");
            return Err(failed(&sentence, Exit::Usage));
        }
        let asks = OFFERS.iter().find(|offer| offer.plugin == plugin);
        let asks = asks.map_or(&[][..], |offer| offer.asks);
        let form = |key: &str| asks.iter().find(|ask| ask.key == key).map(|ask| ask.form);
        let mut options: Vec<(String, Answer)> = self
            .options
            .iter()
            .map(|(key, value)| (key.clone(), answer(form(key), value.clone())))
            .collect();
        for ask in asks {
            if options.iter().any(|(key, _)| key == ask.key) {
                continue;
            }
            let flag = format!("--sink-option {}=…", ask.key);
            let given = match ask.form {
                Form::Secret => talk.ask_secret(ask.question, &flag)?,
                Form::Text | Form::Number => talk.ask(ask.question, &flag, ask.usual)?,
            };
            options.push((ask.key.to_owned(), answer(Some(ask.form), given)));
        }
        Ok((plugin, options))
    }
}

fn answer(form: Option<Form>, text: String) -> Answer {
    match form {
        Some(Form::Secret) => Answer::Secret(text),
        Some(Form::Number) => Answer::Number(text),
        Some(Form::Text) | None => Answer::Plain(text),
    }
}
