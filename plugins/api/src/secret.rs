//! Passwords and tokens that cannot print themselves.

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is: written out, in an environment variable, in a file, or a systemd credential.
///
/// In the configuration: `"literal"`, `{ env = "X" }`, `{ file = "/run/secrets/x" }` or `{ credential = "x" }`
/// (a file in `$CREDENTIALS_DIRECTORY`, see systemd.exec(5)).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Literal(String),
    Env(String),
    File(PathBuf),
    Credential(String),
}

/// A secret that was read. Its `Debug` and `Display` do not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed(String);

impl Revealed {
    /// The text itself. Never goes into a log, an error or an answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Revealed {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// A secret could not be read; the message names the place and never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretError(String);

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// A secret that is written out.
    #[must_use]
    pub fn literal(text: impl Into<String>) -> Self {
        Self(Place::Literal(text.into()))
    }

    /// Read it. Relative files start at `base`; one line feed at the end of a file is not part of the secret.
    ///
    /// A service under systemd often may not read the folder of its configuration. There, a file `secrets/x` that
    /// cannot be read is looked for among the service's credentials, as `secrets_x`: the name it has after
    /// `LoadCredential=secrets:/etc/unifi-herald/secrets`, see systemd.exec(5). So one configuration serves both.
    ///
    /// # Errors
    /// When the place it names is missing, unreadable, not UTF-8, or empty.
    pub fn reveal(&self, base: &Path) -> Result<Revealed, SecretError> {
        let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        self.reveal_with(base, credentials.as_deref())
    }

    fn reveal_with(
        &self,
        base: &Path,
        credentials: Option<&Path>,
    ) -> Result<Revealed, SecretError> {
        let text = match &self.0 {
            Place::Literal(text) => text.clone(),
            Place::Env(name) => std::env::var(name).map_err(|_| {
                SecretError(format!(
                    "the environment variable {name} is not set; set it or use {{ file = \"…\" }}"
                ))
            })?,
            Place::File(path) => read(&base.join(path)).or_else(|error| {
                let stand_in = credentials.zip(credential_of(path));
                stand_in
                    .and_then(|(folder, name)| read(&folder.join(name)).ok())
                    .ok_or(error)
            })?,
            Place::Credential(name) => {
                let folder = credentials.ok_or_else(|| {
                    SecretError(format!(
                        "the credential {name} is not available: not started by systemd with LoadCredential={name}:…"
                    ))
                })?;
                read(&folder.join(name))?
            }
        };
        if text.is_empty() {
            return Err(SecretError(format!("{} is empty", self.place())));
        }
        Ok(Revealed(text))
    }

    fn place(&self) -> String {
        match &self.0 {
            Place::Literal(_) => "the secret".to_owned(),
            Place::Env(name) => format!("the environment variable {name}"),
            Place::File(path) => format!("the file {}", path.display()),
            Place::Credential(name) => format!("the credential {name}"),
        }
    }
}

/// `secrets_x` for `secrets/x`.
fn credential_of(path: &Path) -> Option<String> {
    let folder = path.parent()?.file_name()?.to_str()?;
    Some(format!("{folder}_{}", path.file_name()?.to_str()?))
}

fn read(path: &Path) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        SecretError(format!(
            "cannot read the secret in {}: {error}",
            path.display()
        ))
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Literal(_) => f.write_str("Secret(***)"),
            _ => write!(f, "Secret({})", self.place()),
        }
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret: \"text\", { env = \"NAME\" }, { file = \"path\" } or { credential = \"name\" }")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::literal(text))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                const FORMS: &[&str] = &["env", "file", "credential"];
                let Some(key) = map.next_key::<String>()? else {
                    return Err(A::Error::custom("an empty table is not a secret"));
                };
                let place = match key.as_str() {
                    "env" => Place::Env(map.next_value()?),
                    "file" => Place::File(map.next_value()?),
                    "credential" => Place::Credential(map.next_value()?),
                    other => return Err(A::Error::unknown_field(other, FORMS)),
                };
                match map.next_key::<String>()? {
                    None => Ok(Secret(place)),
                    Some(_) => Err(A::Error::custom(
                        "a secret has one of `env`, `file` and `credential`",
                    )),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints_itself() {
        let secret = Secret::literal("hunter2");
        let revealed = secret.reveal(Path::new("")).unwrap();
        assert_eq!(revealed.expose(), "hunter2");
        assert!(!format!("{secret:?} {revealed:?} {revealed}").contains("hunter2"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_looked_for_among_the_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("etc");
        let credentials = folder.path().join("credentials");
        std::fs::create_dir_all(base.join("secrets")).unwrap();
        std::fs::create_dir(&credentials).unwrap();
        std::fs::write(credentials.join("secrets_home-password"), "from systemd\n").unwrap();
        let secret: Secret = serde_json::from_str(r#"{"file":"secrets/home-password"}"#).unwrap();
        let read = |credentials| secret.reveal_with(&base, credentials);
        assert_eq!(read(Some(&credentials)).unwrap().expose(), "from systemd");
        let error = read(None).unwrap_err().to_string();
        assert!(error.contains("secrets/home-password"), "{error}");
        std::fs::write(base.join("secrets/home-password"), "from the file").unwrap();
        assert_eq!(read(Some(&credentials)).unwrap().expose(), "from the file");
    }

    #[test]
    fn a_missing_place_is_named() {
        let secret: Secret = serde_json::from_str(r#"{"file":"/nonexistent/secret"}"#).unwrap();
        let error = secret.reveal(Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/secret"), "{error}");
        assert!(serde_json::from_str::<Secret>(r#"{"env":"A","file":"b"}"#).is_err());
        assert!(serde_json::from_str::<Secret>(r#"{"envy":"A"}"#).is_err());
    }
}
