//! What a new plugin's name becomes in each place that it is written in.

/// One name in all its spellings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    /// In the configuration, and the folder: `my_pager`.
    pub(super) name: String,
    /// For cargo: `herald-my-pager`.
    pub(super) package: String,
    /// In Rust: `herald_my_pager`.
    pub(super) library: String,
    /// What its types begin with: `MyPager`.
    pub(super) kind: String,
}

/// Longest name; file names and crates have bounds of their own.
const LONGEST: usize = 40;

impl Names {
    /// The spellings of `name`, which must not be among `taken`.
    pub(super) fn of(name: &str, taken: &[&str]) -> Result<Self, String> {
        let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        let sound = starts && name.chars().all(letters) && name.len() <= LONGEST;
        if !sound || name.ends_with('_') || name.contains("__") {
            return Err(format!(
                "`{}` is no name for a plugin: write small letters, digits and single underscores, a letter first, at most {LONGEST}",
                name.escape_default()
            ));
        }
        if taken.contains(&name) || matches!(name, "api" | "example") {
            return Err(format!(
                "there is a plugin `{name}` already; choose another name"
            ));
        }
        Ok(Self::spell(name))
    }

    /// The spellings of a name that is known to be sound.
    pub(super) fn spell(name: &str) -> Self {
        let dashed = name.replace('_', "-");
        Self {
            name: name.to_owned(),
            package: format!("herald-{dashed}"),
            library: format!("herald_{name}"),
            kind: name.split('_').map(capital).collect(),
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_as_each_place_wants_it() {
        let names = Names::of("my_2nd_pager", &[]).unwrap();
        assert_eq!(
            (&*names.package, &*names.library, &*names.kind),
            ("herald-my-2nd-pager", "herald_my_2nd_pager", "My2ndPager")
        );
    }

    #[test]
    fn what_no_place_can_spell_or_somebody_has_is_refused() {
        let long = "x".repeat(LONGEST + 1);
        for name in [
            "", "Pager", "2pager", "_pager", "pager_", "a__b", "a-b", "a/b", "../a", "päger",
            "a b", &long,
        ] {
            let error = Names::of(name, &[]).unwrap_err();
            assert!(error.contains("is no name for a plugin"), "{name}: {error}");
        }
        for name in ["file", "api", "example"] {
            let error = Names::of(name, &["file"]).unwrap_err();
            assert_eq!(
                error,
                format!("there is a plugin `{name}` already; choose another name")
            );
        }
    }
}
