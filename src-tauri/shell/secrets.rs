//! Where the profile's references to secrets lead.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use ratiba_adapters::{dotenv, known_secrets::Known};
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    profile::{Profile, SecretRef},
};

/// The largest file that is read for a secret.
const LARGEST: u64 = 64 * 1_024;

/// Finds secrets. What it gives goes into a connection, a request or the `.env`, and nowhere else.
/// All that was found is remembered, to be kept out of what is shown.
pub(crate) struct Secrets {
    dotenv: Option<PathBuf>,
    known: Arc<Known>,
}

impl Secrets {
    pub(crate) fn of(profile: &Profile) -> Self {
        let dotenv = profile.repo.dotenv.clone().map(PathBuf::from);
        let in_repo = profile.repo.path.as_ref().map(|path| Path::new(path).join(".env"));
        let dotenv = dotenv.or(in_repo);
        Self { known: Arc::new(Known::of_dotenv(dotenv.clone())), dotenv }
    }

    /// What must be kept out of what is shown.
    pub(crate) fn known(&self) -> Arc<Known> {
        self.known.clone()
    }

    /// The `.env` that the profile means.
    pub(crate) fn dotenv(&self) -> Option<&Path> {
        self.dotenv.as_deref()
    }

    /// A secret that may be absent from the profile.
    pub(crate) fn resolve(
        &self,
        source: SourceName,
        what: &str,
        secret: Option<&SecretRef>,
    ) -> Result<Option<String>, SourceError> {
        secret.map(|secret| self.found(source, what, secret)).transpose()
    }

    /// A secret that somebody names in a parameter.
    pub(crate) fn named(&self, from: &str) -> Result<String, SourceError> {
        let what = "the secret that the parameter refers to";
        match SecretRef::try_from(from.to_owned()) {
            Ok(secret) => self.found(SourceName::Host, what, &secret),
            Err(why) => {
                Err(missing(SourceName::Host, what, why, "Write it as env:NAME or file:PATH.".into()))
            }
        }
    }

    /// The secret itself.
    pub(crate) fn found(
        &self,
        source: SourceName,
        what: &str,
        secret: &SecretRef,
    ) -> Result<String, SourceError> {
        let value = self.looked_up(source, what, secret)?;
        let name = match secret {
            SecretRef::Dotenv(name) => name.clone(),
            SecretRef::Env(_) | SecretRef::File(_) => String::from(secret.clone()),
        };
        self.known.remember(&name, &value);
        Ok(value)
    }

    fn looked_up(&self, source: SourceName, what: &str, secret: &SecretRef) -> Result<String, SourceError> {
        let missing = |happened, hint| missing(source, what, happened, hint);
        match secret {
            SecretRef::Env(name) => std::env::var(name).map_err(|_| {
                missing(
                    format!("the environment has no variable {name}"),
                    format!("Set {name} where the console is started, or refer to the .env: dotenv:{name}."),
                )
            }),
            SecretRef::File(path) => secret_file(Path::new(path)).map_err(|why| {
                missing(format!("{path}: {why}"), "Correct the path or the file's rights.".into())
            }),
            SecretRef::Dotenv(name) => {
                let Some(file) = &self.dotenv else {
                    return Err(missing(
                        format!("dotenv:{name} needs a .env, and the profile names none"),
                        "Add [repo] path or [repo] dotenv to the profile.".into(),
                    ));
                };
                match dotenv::read(file, name) {
                    Ok(Some(value)) => Ok(value),
                    Ok(None) => Err(missing(
                        format!("{} has no {name}", file.display()),
                        format!("Add {name} to it, or correct the reference in the profile."),
                    )),
                    Err(error) => Err(missing(
                        format!("{} can't be read: {error}", file.display()),
                        "Correct [repo] path or [repo] dotenv in the profile.".into(),
                    )),
                }
            }
        }
    }
}

fn missing(source: SourceName, what: &str, happened: String, hint: String) -> SourceError {
    SourceError {
        source_name: source,
        kind: SourceErrorKind::Missing,
        attempted: format!("find {what}"),
        happened,
        hint,
    }
}

/// The text of a file that holds one secret, without the line end it may close with.
fn secret_file(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > LARGEST {
        return Err(format!("it is larger than {} KiB", LARGEST / 1_024));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
