//! The table `options` of a webhook, and what it becomes once checked.

use crate::body::Body;
use crate::signature::Signer;
use crate::template::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use unifi_herald_plugin::http::{
    HeaderMap, HeaderName, HeaderValue, Method, TlsOptions, Uri, header,
};
use unifi_herald_plugin::{BuildContext, BuildError, Secret};

/// The table `options` of a webhook.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    url: Secret,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    method: Verb,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    auth: Option<Auth>,
    secret: Option<Secret>,
    template: Option<Source>,
    content_type: Option<String>,
    #[serde(default)]
    pub(crate) tls: TlsOptions,
}

/// What a body is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    CloudEvents,
    Json,
    Template,
}

/// Methods that carry a body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Verb {
    #[default]
    Post,
    Put,
    Patch,
}

/// `{ bearer = … }` or `{ username = "…", password = … }`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Auth {
    bearer: Option<Secret>,
    username: Option<String>,
    password: Option<Secret>,
}

/// A template: its text, or `{ file = "…" }`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a template: its text, or { file = \"path\" }")]
enum Source {
    Text(String),
    File(TemplateFile),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFile {
    file: PathBuf,
}

/// Everything a request needs but its body.
pub(crate) struct Target {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// All headers that are the same for every request; the secret ones are marked as sensitive.
    pub(crate) headers: HeaderMap,
    pub(crate) signer: Option<Signer>,
    /// Texts that must not appear in an error, should the destination repeat them.
    pub(crate) secrets: Vec<String>,
}

impl Config {
    /// Check everything and read the secrets and the template.
    pub(crate) fn resolve(&self, context: &BuildContext) -> Result<(Target, Body), BuildError> {
        let mut secrets = Vec::new();
        let uri = self.uri(context, &mut secrets)?;
        let mut headers = self.headers(context, &mut secrets)?;
        if let Some(auth) = &self.auth {
            let value = auth.header(context, &mut secrets)?;
            if headers.insert(header::AUTHORIZATION, value).is_some() {
                return Err(BuildError::new(
                    "auth",
                    "there is an `authorization` in `headers` too; keep one of them",
                ));
            }
        }
        let body = self.body(context)?;
        if let Some(content_type) = body.content_type() {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        let signer = match &self.secret {
            Some(secret) => Some(Signer::new(context.reveal("secret", secret)?.expose())?),
            None => None,
        };
        let method = match self.method {
            Verb::Post => Method::POST,
            Verb::Put => Method::PUT,
            Verb::Patch => Method::PATCH,
        };
        // The longest first: one may be part of another.
        secrets.sort_by_key(|secret: &String| std::cmp::Reverse(secret.len()));
        let target = Target {
            method,
            uri,
            headers,
            signer,
            secrets,
        };
        Ok((target, body))
    }

    fn uri(&self, context: &BuildContext, secrets: &mut Vec<String>) -> Result<Uri, BuildError> {
        let text = context.reveal("url", &self.url)?;
        let text = text.expose().trim();
        let wrong = |message: &str| BuildError::new("url", message);
        let uri: Uri = text
            .parse()
            .map_err(|_| wrong("not a URL; write something like \"https://example.org/hook\""))?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(wrong("it must begin with https:// (or http://)"));
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return Err(wrong(
                "it has a user name before the host; use `auth = { username = …, password = … }`",
            ));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        // Many services put the key into the path.
        if let Some(path) = uri.path_and_query().filter(|path| path.as_str().len() > 16) {
            secrets.push(path.as_str().to_owned());
        }
        Ok(uri)
    }

    fn headers(
        &self,
        context: &BuildContext,
        secrets: &mut Vec<String>,
    ) -> Result<HeaderMap, BuildError> {
        let mut headers = HeaderMap::new();
        for (name, secret) in &self.headers {
            let option = format!("headers.{name}");
            let parsed = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| BuildError::new(&*option, "not the name of an HTTP header"))?;
            if let Some(instead) = ours(&parsed) {
                return Err(BuildError::new(option, instead));
            }
            let text = context.reveal(&option, secret)?;
            let value = sensitive(&option, text.expose())?;
            if headers.insert(parsed, value).is_some() {
                return Err(BuildError::new(option, "it is there twice"));
            }
            secrets.push(text.expose().to_owned());
        }
        Ok(headers)
    }

    fn body(&self, context: &BuildContext) -> Result<Body, BuildError> {
        if self.format != Format::Template {
            let unused = [
                ("template", self.template.is_some()),
                ("content_type", self.content_type.is_some()),
            ];
            if let Some((option, _)) = unused.into_iter().find(|(_, there)| *there) {
                return Err(BuildError::new(
                    option,
                    "it is used only with `format = \"template\"`; set that, or remove this",
                ));
            }
        }
        match self.format {
            Format::CloudEvents => Ok(Body::CloudEvents),
            Format::Json => Ok(Body::Json),
            Format::Template => {
                let content_type = self.content_type.as_deref().unwrap_or("application/json");
                let header = HeaderValue::from_str(content_type)
                    .map_err(|_| BuildError::new("content_type", "not a header value"))?;
                let source = self.template.as_ref().ok_or_else(|| {
                    BuildError::new("template", "`format = \"template\"` needs one")
                })?;
                let template = Template::new(source.read(context)?, content_type)?;
                Ok(Body::Template(Box::new(template), header))
            }
        }
    }
}

impl Source {
    fn read(&self, context: &BuildContext) -> Result<String, BuildError> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::File(TemplateFile { file }) => {
                let path = context.path(file);
                std::fs::read_to_string(&path).map_err(|error| {
                    let message = format!("cannot read {}: {error}", path.display());
                    BuildError::new("template.file", message)
                })
            }
        }
    }
}

impl Auth {
    fn header(
        &self,
        context: &BuildContext,
        secrets: &mut Vec<String>,
    ) -> Result<HeaderValue, BuildError> {
        let (option, text) = match (&self.bearer, &self.username, &self.password) {
            (Some(token), None, None) => {
                let token = context.reveal("auth.bearer", token)?;
                secrets.push(token.expose().to_owned());
                ("auth.bearer", format!("Bearer {}", token.expose()))
            }
            (None, Some(username), Some(password)) => {
                if username.contains(':') {
                    return Err(BuildError::new(
                        "auth.username",
                        "a user name cannot contain a colon (RFC 7617)",
                    ));
                }
                let password = context.reveal("auth.password", password)?;
                secrets.push(password.expose().to_owned());
                let encoded = STANDARD.encode(format!("{username}:{}", password.expose()));
                secrets.push(encoded.clone());
                ("auth.password", format!("Basic {encoded}"))
            }
            _ => {
                return Err(BuildError::new(
                    "auth",
                    "write { bearer = … } or { username = \"…\", password = … }",
                ));
            }
        };
        sensitive(option, &text)
    }
}

/// Why a header cannot be set by hand.
fn ours(name: &HeaderName) -> Option<&'static str> {
    let name = name.as_str();
    match name {
        "content-type" => Some("the format decides it; with a template set `content_type`"),
        "webhook-id" | "webhook-timestamp" | "webhook-signature" => {
            Some("herald writes it; see `secret`")
        }
        "host" | "content-length" | "transfer-encoding" | "connection" => {
            Some("HTTP itself writes it; remove it")
        }
        _ => None,
    }
}

fn sensitive(option: &str, text: &str) -> Result<HeaderValue, BuildError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| {
        BuildError::new(
            option,
            "it has a character that a header cannot carry, such as a line break",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
