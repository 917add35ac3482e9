//! Patterns with `*` and `?`, ignoring case: what `when` and the script function `glob` match with. And text to look for,
//! by the same letters.

use unifi_herald_plugin::Mac;

/// Whether `text` matches `pattern`, where `*` stands for any text, also none, and `?` for one character.
///
/// Case is ignored, letter by letter: `ß` is not `SS`. There is no escape: names that hold `*` or `?` are matched by `?`.
/// The time is at most proportional to the product of the two lengths, whatever the pattern.
///
/// ```
/// use unifi_herald::glob;
///
/// assert!(glob::matches("ap-*", "AP-Attic"));
/// assert!(glob::matches("büro", "BÜRO"));
/// assert!(!glob::matches("ap-?", "ap-12"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut text = text.chars();
    // After a `*`: what to match behind it, and where in the text the next attempt begins. An earlier star never
    // needs another try, since a later one can take up whatever the earlier one would.
    let mut retry = None;
    loop {
        let here = text.clone();
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                text = here;
                retry = Some((pattern.clone(), text.clone()));
            }
            (None, None) => return true,
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if is_same_letter(wanted, found) => {}
            _ => {
                let Some((behind_star, from)) = &mut retry else {
                    return false;
                };
                if from.next().is_none() {
                    return false;
                }
                pattern = behind_star.clone();
                text = from.clone();
            }
        }
    }
}

/// Whether two letters are the same but for their case. Nearly all are ASCII, which is told apart at once: a search compares
/// many millions.
fn is_same_letter(one: char, other: char) -> bool {
    one.eq_ignore_ascii_case(&other)
        || (!one.is_ascii() && !other.is_ascii() && is_same_beyond_ascii(one, other))
}

#[cold]
fn is_same_beyond_ascii(one: char, other: char) -> bool {
    // Upper case as well: `σ` and `ς` are both a small `Σ`.
    one.to_lowercase().eq(other.to_lowercase()) || one.to_uppercase().eq(other.to_uppercase())
}

/// Whether `wanted` is somewhere in `text`, ignoring case as [`matches()`] does. `*` and `?` are letters like any other.
#[must_use]
pub fn contains(text: &str, wanted: &str) -> bool {
    let begins = |mut text: std::str::Chars<'_>| {
        let mut wanted = wanted.chars();
        wanted.all(|wanted| {
            text.next()
                .is_some_and(|found| is_same_letter(wanted, found))
        })
    };
    wanted.is_empty()
        || text
            .char_indices()
            .any(|(at, _)| begins(text[at..].chars()))
}

/// Whether `pattern` matches the short or the display name of a site, or, as `controller/site`, one of them and the
/// controller's name.
#[must_use]
pub fn fits_site(pattern: &str, controller: &str, site: &str, site_name: &str) -> bool {
    let named = |pattern: &str| matches(pattern, site) || matches(pattern, site_name);
    // First as a whole: a display name may have a slash of its own.
    named(pattern)
        || pattern
            .split_once('/')
            .is_some_and(|(of, pattern)| matches(of, controller) && named(pattern))
}

/// Whether `pattern` is the address `mac`, or matches one of `names`, or, when it has a colon, the address.
#[must_use]
pub fn fits<'a>(
    pattern: &str,
    mac: Option<Mac>,
    names: impl IntoIterator<Item = Option<&'a str>>,
) -> bool {
    if let Ok(wanted) = pattern.parse::<Mac>() {
        return mac == Some(wanted);
    }
    let mut names = names.into_iter().flatten();
    let text = mac.filter(|_| pattern.contains(':'));
    names.any(|name| matches(pattern, name))
        || text.is_some_and(|mac| matches(pattern, &mac.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_questions_and_case() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("?", "é", true),
            ("?", "", false),
            ("ap-*", "AP-Attic", true),
            ("*attic", "ap-attic", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b", "ab b a", false),
            ("device.*", "device.offline", true),
            ("device.*", "devices", false),
            ("a?c", "abc", true),
            ("a?c", "abbc", false),
            ("a**c", "abbc", true),
            ("*übung*", "die Übung im CAFÉ", true),
            ("*café", "die Übung im CAFÉ", true),
            ("?BUNG", "übung", true),
            ("ubung", "Übung", false),
            ("straße", "STRAẞE", true),
            ("οδος", "ΟΔΟΣ", true),
            ("οδος", "οδοσ", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn text_is_found_anywhere_and_stars_in_it_are_stars() {
        for (text, wanted, expected) in [
            ("die Übung im CAFÉ", "übung IM café", true),
            ("die Übung", "ubung", false),
            ("a*b", "A*", true),
            ("axb", "a*b", false),
            ("really?", "y?", true),
            ("really!", "y?", false),
            ("aab", "ab", true),
            ("a", "ab", false),
            ("", "", true),
            ("a", "", true),
        ] {
            assert_eq!(contains(text, wanted), expected, "{wanted} in {text}");
        }
    }

    #[test]
    fn a_site_is_found_by_either_name_with_or_without_its_controller() {
        for (pattern, expected) in [
            ("k3x9", true),
            ("main *", true),
            ("home/k3x9", true),
            ("HOME/main office / 2nd", true),
            ("h*/*", true),
            ("main office / 2nd", true),
            ("home", false),
            ("work/k3x9", false),
            ("home/other", false),
            ("home/", false),
        ] {
            let found = fits_site(pattern, "home", "k3x9", "Main Office / 2nd");
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn a_hostile_pattern_stays_cheap() {
        let text = "a".repeat(10_000);
        assert!(!matches(&format!("{}b", "a*".repeat(100)), &text));
    }

    /// The definition, with all its backtracking.
    fn by_definition(pattern: &[char], text: &[char]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((&'*', rest)), _) => {
                (0..=text.len()).any(|from| by_definition(rest, &text[from..]))
            }
            (Some((wanted, pattern)), Some((found, text))) => {
                (*wanted == '?' || is_same_letter(*wanted, *found)) && by_definition(pattern, text)
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[abAäÄ*?]{0,8}", text in "[abAäÄ]{0,8}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), by_definition(&p, &t));
        }
    }
}
