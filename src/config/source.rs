//! The text of a configuration file and where in it each key stands.

use super::diagnostics::{ConfigError, Snippet};
use super::read::{Flaw, Part};
use super::secrets::{is_place, is_secret, may_be_secret, url_paths, userinfo};
use super::tree::Path;
use figment::value::{Dict, Tag, Value};
use std::ops::Range;
use std::path::PathBuf;
use toml::de::{DeTable, DeValue};

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its name as the user would write it.
    pub(crate) file: PathBuf,
    text: String,
    root: Node,
    hidden: Vec<Range<usize>>,
}

/// Where a value stands.
#[derive(Debug, Default)]
struct Node {
    key: Range<usize>,
    value: Range<usize>,
    scalar: bool,
    children: Vec<(String, Self)>,
}

impl Source {
    /// Read the values in `text`.
    ///
    /// # Errors
    /// What is not TOML.
    pub(crate) fn parse(file: PathBuf, text: String) -> Result<(Self, Dict), Vec<ConfigError>> {
        let (table, errors) = DeTable::parse_recoverable(&text);
        let mut flaws = Vec::new();
        let mut root = Node::default();
        let dict = if errors.is_empty() {
            table_of(table.get_ref(), &mut root, &Path::default(), &mut flaws)
        } else {
            Dict::new()
        };
        let mut syntax: Vec<(Range<usize>, String)> = Vec::new();
        for error in &errors {
            let at = error.span().unwrap_or_default();
            // What follows in the same line, or says the same again, is mostly a consequence.
            let repeated = syntax.last().is_some_and(|(before, message)| {
                message == error.message()
                    || line_of(&text, before.start).0 == line_of(&text, at.start).0
            });
            if !repeated {
                syntax.push((at, error.message().to_owned()));
            }
        }
        drop(table);
        let mut source = Self {
            file,
            text,
            root,
            hidden: Vec::new(),
        };
        source.hidden = if syntax.is_empty() {
            source.secrets()
        } else {
            source.suspicious()
        };
        if syntax.is_empty() && flaws.is_empty() {
            return Ok((source, dict));
        }
        let located = flaws.into_iter().map(|flaw| source.locate(flaw));
        let errors = syntax
            .into_iter()
            .map(|(at, message)| source.error(String::new(), at, message, None));
        Err(errors.chain(located).collect())
    }

    /// The keys of the table at `path`, in the order of the file.
    pub(crate) fn keys(&self, path: &[&str]) -> Vec<&str> {
        let found = path
            .iter()
            .try_fold(&self.root, |node, key| node.child(key));
        found.map_or_else(Vec::new, |node| {
            node.children.iter().map(|(key, _)| key.as_str()).collect()
        })
    }

    /// Whether the file has a value at `path`.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.find(path).1 == path.0.len()
    }

    /// Treat the value at `path` as a secret.
    pub(crate) fn hide(&mut self, path: &Path) {
        let (node, depth) = self.find(path);
        if depth == path.0.len() {
            let mut hidden = Vec::new();
            node.hide(&mut hidden);
            self.hidden.extend(hidden);
        }
    }

    /// A file in another language than TOML.
    pub(crate) fn plain(file: PathBuf, text: String) -> Self {
        Self {
            file,
            text,
            root: Node::default(),
            hidden: Vec::new(),
        }
    }

    /// A mistake at `line` and `column`, both from 1.
    pub(crate) fn at(&self, line: usize, column: usize, message: String) -> ConfigError {
        let feeds = self.text.match_indices('\n').map(|(at, _)| at + 1);
        let start = [0]
            .into_iter()
            .chain(feeds)
            .nth(line - 1)
            .unwrap_or(self.text.len());
        let rest = self.text[start..].lines().next().unwrap_or_default();
        let at = start + offset(rest, column - 1);
        let end = at + self.text[at..].chars().next().map_or(0, char::len_utf8);
        self.error(String::new(), at..end, message, None)
    }

    /// Say where `flaw` is.
    pub(crate) fn locate(&self, flaw: Flaw) -> ConfigError {
        let key = flaw.path.to_string();
        let (node, depth) = self.find(&flaw.path);
        if depth == 0 {
            return ConfigError {
                file: Some(self.file.clone()),
                ..ConfigError::unplaced(key, flaw.message, flaw.help)
            };
        }
        // The value of a table with a header of its own is that header.
        let has_value = depth == flaw.path.0.len() && node.value.start >= node.key.end;
        let at = match flaw.part {
            Part::Value | Part::Character(_) if !has_value && node.key.is_empty() => {
                node.value.clone()
            }
            Part::Character(skipped) if has_value => self.within(&node.value, skipped),
            Part::Value if has_value => node.value.clone(),
            _ if node.key.is_empty() => node.value.clone(),
            _ => node.key.clone(),
        };
        self.error(key, at, flaw.message, flaw.help)
    }

    /// The place of a character in a text, where that is written without escapes; else the whole text.
    fn within(&self, value: &Range<usize>, skipped: usize) -> Range<usize> {
        let text = &self.text[value.clone()];
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inner = quote
            .and_then(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
            .filter(|inner| !inner.starts_with(['"', '\'']) && !inner.contains('\\'));
        match inner {
            Some(inner) => {
                let start = value.start + 1 + offset(inner, skipped);
                start..start + self.text[start..].chars().next().map_or(0, char::len_utf8)
            }
            None => value.clone(),
        }
    }

    fn error(
        &self,
        key: String,
        at: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> ConfigError {
        let (line, range) = line_of(&self.text, at.start);
        let column = self.text[range.start..at.start].chars().count() + 1;
        let at = at.start..at.end.clamp(at.start, range.end.max(at.start));
        ConfigError {
            file: Some(self.file.clone()),
            line: Some(line),
            column: Some(column),
            snippet: Some(self.snippet(range, at)),
            ..ConfigError::unplaced(key, message, help)
        }
    }

    /// One line with `***` for its secrets, and where `at` then is in it.
    fn snippet(&self, line: Range<usize>, at: Range<usize>) -> Snippet {
        let mut hidden = self.hidden.clone();
        let text = &self.text[line.clone()];
        hidden.extend(
            userinfo(text)
                .into_iter()
                .map(|found| line.start + found.start..line.start + found.end),
        );
        hidden.sort_by_key(|range| range.start);
        let mut shown = String::new();
        let (mut start, mut end) = (None, None);
        let mut next = line.start;
        hidden.push(line.end..line.end);
        for range in hidden {
            let (from, to) = (
                range.start.clamp(next, line.end),
                range.end.clamp(next, line.end),
            );
            for (mark, position) in [(&mut start, at.start), (&mut end, at.end)] {
                if mark.is_none() && position <= from {
                    *mark = Some(shown.len() + position.saturating_sub(next));
                }
            }
            shown.push_str(&self.text[next..from]);
            if to > from {
                for (mark, position) in [(&mut start, at.start), (&mut end, at.end)] {
                    if mark.is_none() && position <= to {
                        *mark = Some(shown.len() + if position == to { 3 } else { 0 });
                    }
                }
                shown.push_str("***");
            }
            next = to.max(next);
        }
        let length = shown.len();
        let start = start.unwrap_or(length).min(length);
        let end = end.unwrap_or(length).clamp(start, length);
        Snippet {
            text: shown,
            mark: start..end,
        }
    }

    /// The deepest node on the way to `path`, and how many keys led there.
    fn find(&self, path: &Path) -> (&Node, usize) {
        let mut node = &self.root;
        for (depth, key) in path.0.iter().enumerate() {
            match node.child(key) {
                Some(child) => node = child,
                None => return (node, depth),
            }
        }
        (node, path.0.len())
    }

    fn secrets(&self) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        self.root.secrets(&mut hidden);
        hidden
    }

    /// In a file that is not TOML nobody knows what is a value: hide what follows a secret's key in its line, lines
    /// without a key, which may be the middle of a long text, and the paths of URLs.
    fn suspicious(&self) -> Vec<Range<usize>> {
        let mut hidden = Vec::new();
        let mut start = 0;
        for line in self.text.split_inclusive('\n') {
            let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
            let body = line.trim();
            if words.filter(|word| word.len() > 2).any(may_be_secret) {
                let after = line.find('=').map_or(0, |at| at + 1);
                let from = line.len() - line[after..].trim_start().len();
                hidden.push(start + from..start + line.trim_end().len().max(from));
            } else if !line.contains('=') && !body.is_empty() && !body.starts_with(['[', '#', ']'])
            {
                hidden.push(start..start + line.trim_end().len());
            } else {
                let paths = url_paths(line).into_iter();
                hidden.extend(paths.map(|path| start + path.start..start + path.end));
            }
            start += line.len();
        }
        hidden
    }
}

impl Node {
    fn child(&self, key: &str) -> Option<&Self> {
        self.children
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }

    /// The values of secrets below.
    fn secrets(&self, hidden: &mut Vec<Range<usize>>) {
        for (key, node) in &self.children {
            let account = key == "auth" && !node.scalar;
            if may_be_secret(key) && !account {
                node.hide(hidden);
            } else {
                node.secrets(hidden);
            }
        }
    }

    fn hide(&self, hidden: &mut Vec<Range<usize>>) {
        if self.scalar {
            hidden.push(self.value.clone());
        }
        for (key, node) in &self.children {
            if !is_place(key) {
                node.hide(hidden);
            }
        }
    }
}

/// Whether the value under `key` in a listing is a secret that the table itself does not decide about.
pub(crate) fn hides(key: &str, value: &toml::Value) -> bool {
    is_secret(key) && !(key == "auth" && value.is_table())
}

/// The byte at which the character number `skipped` of `text` begins; its end when it is shorter.
fn offset(text: &str, skipped: usize) -> usize {
    text.char_indices()
        .nth(skipped)
        .map_or(text.len(), |(at, _)| at)
}

/// The number of the line with the byte at `at`, from 1, and its range without the line feed.
fn line_of(text: &str, at: usize) -> (usize, Range<usize>) {
    let before = &text[..at.min(text.len())];
    let start = before.rfind('\n').map_or(0, |feed| feed + 1);
    let end = text[start..]
        .find('\n')
        .map_or(text.len(), |length| start + length);
    let end = if text[start..end].ends_with('\r') {
        end - 1
    } else {
        end
    };
    (before.matches('\n').count() + 1, start..end)
}

fn table_of(table: &DeTable<'_>, node: &mut Node, path: &Path, flaws: &mut Vec<Flaw>) -> Dict {
    let mut dict = Dict::new();
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let mut child = Node {
            key: key.span(),
            value: value.span(),
            ..Node::default()
        };
        let value = value_of(
            value.get_ref(),
            &mut child,
            &path.join(name.as_str()),
            flaws,
        );
        dict.insert(name.clone(), value);
        node.children.push((name, child));
    }
    node.children.sort_by_key(|(_, child)| child.key.start);
    dict
}

fn value_of(value: &DeValue<'_>, node: &mut Node, path: &Path, flaws: &mut Vec<Flaw>) -> Value {
    node.scalar = !matches!(value, DeValue::Array(_) | DeValue::Table(_));
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .unwrap_or_else(|_| {
                flaws.push(Flaw::value(path.clone(), "this number is too large"));
                0
            })
            .into(),
        DeValue::Float(number) => number
            .as_str()
            .parse::<f64>()
            .unwrap_or_else(|_| {
                flaws.push(Flaw::value(path.clone(), "this is not a number"));
                0.0
            })
            .into(),
        DeValue::Array(items) => {
            let mut values = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let mut child = Node {
                    value: item.span(),
                    ..Node::default()
                };
                let name = index.to_string();
                values.push(value_of(
                    item.get_ref(),
                    &mut child,
                    &path.join(name.as_str()),
                    flaws,
                ));
                node.children.push((name, child));
            }
            values.into()
        }
        DeValue::Table(table) => Value::Dict(Tag::Default, table_of(table, node, path, flaws)),
    }
}
