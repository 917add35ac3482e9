//! The files of a new plugin, and the lines that make it known to a checkout.

use super::names::Names;
use std::path::Path;

/// What a project of its own depends on.
#[derive(Debug)]
pub(super) struct Dependencies {
    host: String,
    contract: String,
}

impl Dependencies {
    /// On the crates in this checkout, else on the published ones of this version.
    pub(super) fn new(checkout: Option<&Path>) -> Self {
        let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
        match checkout {
            None => Self {
                host: version.clone(),
                contract: version,
            },
            Some(root) => {
                let path =
                    |path: &Path| format!("{version}, path = {:?}", path.display().to_string());
                Self {
                    host: path(root),
                    contract: path(&root.join("plugins/api")),
                }
            }
        }
    }
}

const LIBRARY: [(&str, &str); 4] = [
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("src/sink.rs", include_str!("template/sink.rs.in")),
    ("src/filter.rs", include_str!("template/filter.rs.in")),
    ("src/tests.rs", include_str!("template/tests.rs.in")),
];

/// A crate in `plugins/`.
pub(super) fn member(names: &Names) -> Vec<(&'static str, String)> {
    let manifest = ("Cargo.toml", include_str!("template/member.toml.in"));
    let files = [manifest].into_iter().chain(LIBRARY);
    files
        .map(|(name, text)| (name, fill(text, names)))
        .collect()
}

/// A project of its own.
pub(super) fn project(names: &Names, dependencies: &Dependencies) -> Vec<(&'static str, String)> {
    let manifest = include_str!("template/project.toml.in")
        .replace("{{host}}", &dependencies.host)
        .replace("{{contract}}", &dependencies.contract);
    let own = [
        ("Cargo.toml", &*manifest),
        (".gitignore", "/target\n/herald-data\n"),
        ("config.toml", include_str!("template/config.toml.in")),
        ("src/main.rs", include_str!("template/main.rs.in")),
    ];
    let files = own.into_iter().chain(LIBRARY);
    files
        .map(|(name, text)| (name, fill(text, names)))
        .collect()
}

fn fill(text: &str, names: &Names) -> String {
    text.replace("{{name}}", &names.name)
        .replace("{{package}}", &names.package)
        .replace("{{library}}", &names.library)
        .replace("{{kind}}", &names.kind)
}

/// The workspace's manifest with the crate behind the other plugins; none when they are not where they should be.
pub(super) fn add_to_manifest(manifest: &str, names: &Names) -> Option<String> {
    let Names { name, package, .. } = names;
    let known = format!("{package} = {{ path = \"plugins/{name}\", version = \"0.1.0\" }}\n");
    let manifest = after_last(manifest, &known, |line| {
        line.starts_with("herald-") && line.contains("path = \"plugins/")
    })?;
    let used = format!("{package}.workspace = true\n");
    after_last(&manifest, &used, |line| {
        line.starts_with("herald-") && line.ends_with(".workspace = true")
    })
}

/// The list of built-in plugins with these two behind the others.
pub(super) fn add_to_builtin(list: &str, names: &Names) -> Option<String> {
    let Names { library, kind, .. } = names;
    let lines = format!(
        "        .sink::<{library}::{kind}Sink>()\n        .filter::<{library}::{kind}Filter>()\n"
    );
    after_last(list, &lines, |line| {
        line.starts_with("        .sink::<herald_") || line.starts_with("        .filter::<herald_")
    })
}

/// `text` with `lines` behind the last line that is such a one.
fn after_last(text: &str, lines: &str, is_such: impl Fn(&str) -> bool) -> Option<String> {
    let mut end = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if is_such(line.trim_end()) {
            end = Some(at);
        }
    }
    let (before, after) = text.split_at(end?);
    Some(format!("{before}{lines}{after}"))
}
