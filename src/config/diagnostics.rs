//! What is wrong with a configuration, said so that it can be mended: file, line, column, key, and the fix.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, normalize_untrusted_str};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Everything that is wrong, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file it is in; none when the environment or a flag is to blame.
    pub file: Option<PathBuf>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// The environment variable that is to blame.
    pub variable: Option<String>,
    /// The key: `sinks.ops.options.url`; empty when it belongs to none.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The line, without secrets.
    pub(crate) snippet: Option<Snippet>,
}

/// A line to show and the bytes of it to mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Snippet {
    pub(crate) text: String,
    pub(crate) mark: Range<usize>,
}

impl ConfigErrors {
    pub(crate) fn new(mut errors: Vec<ConfigError>) -> Self {
        errors.sort_by(|a, b| {
            let place = |error: &ConfigError| {
                (
                    error.variable.is_some(),
                    error.file.clone(),
                    error.line,
                    error.column,
                )
            };
            place(a).cmp(&place(b))
        });
        Self { errors }
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }

    /// As text for people, each with its line and a caret; with colours or without.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let texts: Vec<String> = self
            .errors
            .iter()
            .map(|error| error.render(&renderer))
            .collect();
        texts.join("\n\n")
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ConfigErrors {}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self {
            errors: vec![error],
        }
    }
}

impl ConfigError {
    /// A mistake whose place is not known.
    pub(crate) fn unplaced(key: String, message: String, help: Option<String>) -> Self {
        Self {
            file: None,
            line: None,
            column: None,
            variable: None,
            key,
            message,
            help,
            snippet: None,
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let message = normalize_untrusted_str(&self.message);
        let title = if self.key.is_empty() {
            message
        } else {
            format!("`{}`: {message}", normalize_untrusted_str(&self.key))
        };
        let title = Level::ERROR.primary_title(title);
        let file = self.file.as_ref().map(|file| file.display().to_string());
        let mut group = match (&self.snippet, &file, self.line) {
            (Some(snippet), Some(file), Some(line)) => title.element(
                annotate_snippets::Snippet::source(snippet.text.as_str())
                    .path(file.as_str())
                    .line_start(line)
                    .annotation(AnnotationKind::Primary.span(snippet.mark.clone())),
            ),
            (_, Some(file), _) => title.element(Level::NOTE.message(format!("in {file}"))),
            _ => Group::with_title(title),
        };
        if let Some(variable) = &self.variable {
            group = group.element(
                Level::NOTE.message(format!("set by the environment variable {variable}")),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
        }
        let text = renderer.render(&[group]);
        match (&self.snippet, self.line, self.column) {
            // The renderer counts in the line it is given, where secrets have another length.
            (Some(snippet), Some(line), Some(column)) => {
                let shown = snippet.text[..snippet.mark.start].chars().count() + 1;
                text.replacen(&format!(":{line}:{shown}"), &format!(":{line}:{column}"), 1)
            }
            _ => text,
        }
    }
}
