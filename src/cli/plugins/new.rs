//! `herald plugins new`: a plugin of one's own to start from, as a crate among the others or a project of its own.

mod names;
mod template;

use super::super::Exit;
use super::super::load::Loader;
use super::super::output::{complain, print};
use names::Names;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use template::Dependencies;

/// Write a sink and a filter, with options, docs and tests, to start from.
///
/// Inside a checkout of unifi-herald they become a crate in plugins/, with its lines in Cargo.toml and src/builtin.rs.
/// Anywhere else, or with --path, they become a project of its own, whose `main` adds them to the built-in plugins.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  herald plugins new pager
  herald plugins new pager --path ~/herald-pager")]
pub(super) struct New {
    /// What it is called in `plugin = \"NAME\"`: small letters, digits and underscores.
    name: String,
    /// The folder of a project of its own. Default: ./NAME
    #[arg(long, value_name = "FOLDER")]
    path: Option<PathBuf>,
}

impl New {
    pub(super) fn main(&self, loader: &Loader) -> Exit {
        let registry = &loader.registry;
        let taken = registry.sinks().chain(registry.filters());
        let taken: Vec<&str> = taken.map(|(name, _)| name).collect();
        let names = match Names::of(&self.name, &taken) {
            Ok(names) => names,
            Err(problem) => {
                complain(&format!("error: {problem}"));
                return Exit::Usage;
            }
        };
        let here = std::env::current_dir().unwrap_or_default();
        match self.write(&names, &here) {
            Ok(told) => print(&told),
            Err(error) => {
                complain(&format!("error: {error}"));
                Exit::Failed
            }
        }
    }

    /// Write everything; what was written and what to do next, for people.
    fn write(&self, names: &Names, here: &Path) -> io::Result<String> {
        let checkout = checkout(here);
        match (&self.path, checkout) {
            (None, Some(root)) => among_the_others(names, &root),
            (path, checkout) => {
                let default = || here.join(&names.name);
                let folder = path.as_ref().map_or_else(default, |path| here.join(path));
                of_its_own(names, &folder, checkout.as_deref())
            }
        }
    }
}

/// The checkout of unifi-herald that `here` is in.
fn checkout(here: &Path) -> Option<PathBuf> {
    let is_one = |folder: &&Path| {
        folder.join("src/builtin.rs").is_file() && folder.join("plugins/api/Cargo.toml").is_file()
    };
    here.ancestors().find(is_one).map(Path::to_owned)
}

/// A file's text with the names put in; none when it does not look as usual.
type Edit = fn(&str, &Names) -> Option<String>;

fn among_the_others(names: &Names, root: &Path) -> io::Result<String> {
    let folder = root.join("plugins").join(&names.name);
    let mut told = lay_out(&folder, &template::member(names))?;
    let edits = [
        ("Cargo.toml", template::add_to_manifest as Edit),
        ("src/builtin.rs", template::add_to_builtin),
    ];
    for (file, edit) in edits {
        let path = root.join(file);
        let edited = fs::read_to_string(&path).map(|text| edit(&text, names));
        match edited {
            Ok(Some(text)) => {
                fs::write(&path, text)?;
                _ = writeln!(told, "changed {}", path.display());
            }
            Ok(None) | Err(_) => {
                _ = writeln!(
                    told,
                    "not changed, since it does not look as usual: {}",
                    path.display()
                );
            }
        }
    }
    let package = &names.package;
    _ = write!(
        told,
        "\nNext:\n  cargo test -p {package}\n  cargo run -- plugins show {}\n",
        names.name
    );
    Ok(told)
}

fn of_its_own(names: &Names, folder: &Path, checkout: Option<&Path>) -> io::Result<String> {
    let dependencies = Dependencies::new(checkout);
    let mut told = lay_out(folder, &template::project(names, &dependencies))?;
    _ = write!(
        told,
        "\nNext:\n  cd {}\n  cargo test\n  cargo run -- demo\n",
        folder.display()
    );
    Ok(told)
}

/// Write `files` into a folder that is not there yet, or is empty.
fn lay_out(folder: &Path, files: &[(&str, String)]) -> io::Result<String> {
    let named = |error: io::Error, path: &Path| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is there already and not empty", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    let mut told = String::new();
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| named(error, parent))?;
        File::create_new(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| named(error, &path))?;
        _ = writeln!(told, "wrote {}", path.display());
    }
    Ok(told)
}

#[cfg(test)]
mod tests;
