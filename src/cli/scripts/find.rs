//! Which script a name means: that of a file, a file, or a name in the configuration.

use crate::cli::load::Loader;
use crate::config::suggest;
use crate::script::cases::{SUFFIX, scripts_in};
use std::path::{Path, PathBuf};
use unifi_herald_plugin::Text;

/// The name a script's file goes by.
pub(in crate::cli) fn stem(script: &Path) -> String {
    let stem = script.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// The file of `wanted`: a path, the name of a file in `folder`, or the name of a script in the configuration.
///
/// # Errors
/// When there is none such, in words.
pub(in crate::cli) fn file(
    wanted: &Path,
    folder: &Path,
    loader: &Loader,
) -> Result<PathBuf, String> {
    if is_path(wanted) {
        return Ok(of_cases(wanted));
    }
    // Whoever names a script of the configuration need not have a folder.
    let files = scripts_in(folder).unwrap_or_default();
    let name = wanted.to_string_lossy();
    if let Some(file) = files.iter().find(|file| stem(file) == name) {
        return Ok(file.clone());
    }
    let configured = loader.script_files();
    if let Some((_, file)) = configured.iter().find(|(known, _)| **known == *name) {
        return Ok(file.clone());
    }
    let mut names: Vec<String> = files.iter().map(|file| stem(file)).collect();
    names.extend(configured.iter().map(|(known, _)| known.to_string()));
    names.sort();
    names.dedup();
    Err(unknown(&name, &names))
}

/// The names in `configured` that `wanted` means: one of them, or all that have the file of this name or path.
///
/// # Errors
/// When there is none such, in words.
pub(super) fn names(wanted: &Path, configured: &[(Text, PathBuf)]) -> Result<Vec<Text>, String> {
    let name = wanted.to_string_lossy();
    if let Some((known, _)) = configured.iter().find(|(known, _)| **known == *name) {
        return Ok(vec![known.clone()]);
    }
    let meant = of_cases(wanted);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let is_meant = |file: &Path| {
        if is_path(wanted) {
            real(file) == real(&meant)
        } else {
            stem(file) == name
        }
    };
    let of_file = configured.iter().filter(|(_, file)| is_meant(file));
    let found: Vec<Text> = of_file.map(|(known, _)| known.clone()).collect();
    if found.is_empty() {
        let names: Vec<String> = configured
            .iter()
            .map(|(known, _)| known.to_string())
            .collect();
        return Err(unknown(&name, &names));
    }
    Ok(found)
}

fn is_path(wanted: &Path) -> bool {
    wanted.extension().is_some() || wanted.components().count() > 1
}

/// The file of the cases will do as well.
fn of_cases(wanted: &Path) -> PathBuf {
    let text = wanted.to_string_lossy();
    let script = text.strip_suffix(SUFFIX);
    let script = script.map(|script| PathBuf::from(format!("{script}.rhai")));
    script.unwrap_or_else(|| wanted.to_owned())
}

fn unknown(name: &str, names: &[String]) -> String {
    let help = suggest::help(name, names.iter().map(String::as_str), "there are");
    let help = help.unwrap_or_else(|| "there is none at all".to_owned());
    format!("there is no script `{name}`; {help}")
}
