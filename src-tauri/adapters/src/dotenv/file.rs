//! The checkout's `.env` as a port: its values are read here, and leave only as fingerprints.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::Timestamp;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    playbook::step::DotenvValue,
    ports::{
        ChangeError, Dotenv, DotenvChange, DotenvChanges, DotenvEntry, DotenvKept, DotenvShape, FileFacts,
        Read,
    },
};
use serde_json::json;

use super::{edit, value_of};
use crate::{fingerprint::FingerprintKey, private};

/// Finds the secret that a reference such as `env:NAME` means.
pub type FindSecret = Arc<dyn Fn(&str) -> Result<String, SourceError> + Send + Sync>;

/// One `.env`.
pub struct DotenvFile {
    path: PathBuf,
    key: Arc<FingerprintKey>,
    kept: PathBuf,
    find: FindSecret,
}

impl DotenvFile {
    /// The file at `path`; copies of it are kept in the folder `kept`.
    pub fn new(path: PathBuf, key: Arc<FingerprintKey>, kept: PathBuf, find: FindSecret) -> Self {
        Self { path, key, kept, find }
    }

    fn trouble(&self, attempted: &str, error: &io::Error) -> SourceError {
        let missing = error.kind() == io::ErrorKind::NotFound;
        SourceError {
            source_name: SourceName::Repo,
            kind: if missing { SourceErrorKind::Missing } else { SourceErrorKind::Invalid },
            attempted: format!("{attempted} {}", self.path.display()),
            happened: error.to_string(),
            hint: "Check the file and its rights, or correct [repo] dotenv in the profile.".into(),
        }
    }

    fn read(&self) -> Read<Vec<u8>> {
        fs::read(&self.path).map_err(|e| self.trouble("read", &e))
    }

    fn fingerprint(&self, bytes: &[u8]) -> Read<String> {
        self.key.of(bytes).map_err(|e| self.trouble("make a fingerprint of", &e))
    }

    /// The file's bytes after a change, and how it is before.
    fn after(&self, change: &DotenvChange) -> Result<(Vec<u8>, Vec<u8>), ChangeError> {
        let bytes = self.read()?;
        let now = FileFacts { fingerprint: Some(self.fingerprint(&bytes)?), ..self.facts()? };
        if now != change.expect {
            return Err(ChangeError::GuardChanged {
                what: self.path.display().to_string(),
                planned: vec![json!(change.expect)],
                now: vec![json!(now)],
            });
        }
        let plain = match &change.to {
            DotenvValue::Plain(value) => Some(value.clone()),
            DotenvValue::Removed => None,
            DotenvValue::Secret(given) => {
                let value = (self.find)(&given.from)?;
                let found = self.fingerprint(value.as_bytes())?;
                if found != given.fingerprint {
                    return Err(ChangeError::GuardChanged {
                        what: format!("the secret that {} refers to", given.from),
                        planned: vec![json!(given.fingerprint)],
                        now: vec![json!(found)],
                    });
                }
                Some(value)
            }
            DotenvValue::AsKept { copy, fingerprint } => {
                let kept = fs::read(copy).map_err(|e| self.trouble(&format!("read {copy}, kept of"), &e))?;
                let found = self.fingerprint(&kept)?;
                if found != *fingerprint {
                    let (planned, now) = (vec![json!(fingerprint)], vec![json!(found)]);
                    return Err(ChangeError::GuardChanged { what: copy.clone(), planned, now });
                }
                return Ok((bytes, kept));
            }
        };
        let edited = edit::edited(&bytes, &change.key, plain.as_deref(), change.only_one);
        let edited = edited.map_err(|edit::CantEdit(why)| self.trouble("edit", &io::Error::other(why)))?;
        Ok((bytes, edited))
    }

    fn facts(&self) -> Read<FileFacts> {
        let path = self.path.display().to_string();
        match fs::read(&self.path) {
            Ok(bytes) => {
                let meta = fs::metadata(&self.path).map_err(|e| self.trouble("look at", &e))?;
                let mode = Some(format!("{:o}", meta.permissions().mode() & 0o777));
                Ok(FileFacts { path, fingerprint: Some(self.fingerprint(&bytes)?), mode })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(FileFacts { path, fingerprint: None, mode: None })
            }
            Err(error) => Err(self.trouble("read", &error)),
        }
    }
}

/// Puts `bytes` in place of the file in one: with its mode and owner, and on disk before it is
/// there. What the path links to is replaced, not the link. It is written in the folder `private`:
/// what a console that is killed leaves there is no secret in a checkout. Only where that is another
/// file system it is written beside the file.
fn replace(path: &Path, bytes: &[u8], private: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    sweep(private, "replacing-")?;
    sweep(dir, &format!(".{name}.ratiba-"))?;
    private::folder(private)?;
    let pid = std::process::id();
    let replaced = match written_over(&path, bytes, &private.join(format!("replacing-{pid}"))) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            written_over(&path, bytes, &dir.join(format!(".{name}.ratiba-{pid}")))
        }
        other => other,
    };
    replaced?;
    fs::File::open(dir)?.sync_all()
}

fn written_over(path: &Path, bytes: &[u8], part: &Path) -> io::Result<()> {
    let was = fs::metadata(path)?;
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
        file.write_all(bytes)?;
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (was.uid(), was.gid()) {
            chown(part, Some(was.uid()), Some(was.gid()))?;
        }
        file.set_permissions(was.permissions())?;
        file.sync_all()?;
        fs::rename(part, path)
    })();
    if written.is_err() {
        let _absent = fs::remove_file(part);
    }
    written
}

/// Removes what a console that was killed while it wrote has left.
fn sweep(dir: &Path, prefix: &str) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[async_trait]
impl Dotenv for DotenvFile {
    async fn file(&self) -> Read<FileFacts> {
        self.facts()
    }

    async fn written_at(&self) -> Read<Option<Timestamp>> {
        let facts = fs::metadata(&self.path).ok();
        Ok(facts.and_then(|facts| Timestamp::try_from(facts.modified().ok()?).ok()))
    }

    async fn entry(&self, key: &str) -> Read<DotenvEntry> {
        let bytes = self.read()?;
        let value = value_of(&String::from_utf8_lossy(&bytes), key);
        let fingerprint = value.map(|v| self.fingerprint(v.as_bytes())).transpose()?;
        let count = u32::try_from(edit::count(&bytes, key)).unwrap_or(u32::MAX);
        Ok(DotenvEntry { count, fingerprint })
    }

    async fn shape(&self, key: &str) -> Read<Option<DotenvShape>> {
        Ok(super::shape(&self.read()?, key))
    }

    async fn secret(&self, from: &str) -> Read<String> {
        self.fingerprint((self.find)(from)?.as_bytes())
    }

    async fn obstacle(&self, change: &DotenvChange) -> Read<Option<String>> {
        match self.after(change) {
            Ok(_) => Ok(None),
            Err(ChangeError::Source(error)) => Ok(Some(error.happened)),
            Err(other) => Ok(Some(other.to_string())),
        }
    }
}

#[async_trait]
impl DotenvChanges for DotenvFile {
    async fn keep(&self, name: &str, change: &DotenvChange) -> Result<DotenvKept, ChangeError> {
        let (before, after) = self.after(change)?;
        let copy = self.kept.join(format!("{name}.env"));
        let kept = (|| {
            private::folder(&self.kept)?;
            let mut file = private::file(&copy)?;
            file.write_all(&before)?;
            file.sync_all()?;
            fs::File::open(&self.kept)?.sync_all()
        })();
        kept.map_err(|e| self.trouble(&format!("keep a copy in {} of", copy.display()), &e))?;
        Ok(DotenvKept {
            copy: copy.display().to_string(),
            fingerprint: self.fingerprint(&before)?,
            becomes: self.fingerprint(&after)?,
        })
    }

    async fn set(&self, change: &DotenvChange) -> Result<FileFacts, ChangeError> {
        let (_, after) = self.after(change)?;
        // What is written, not what is there by then: that may be somebody else's already.
        let fingerprint = Some(self.fingerprint(&after)?);
        replace(&self.path, &after, &self.kept).map_err(|e| self.trouble("write", &e))?;
        Ok(FileFacts { fingerprint, ..change.expect.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratiba_core::playbook::step::GivenSecret;

    fn file(dir: &Path, text: &str) -> DotenvFile {
        let path = dir.join(".env");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let key = Arc::new(FingerprintKey::new(dir.join("key")));
        let find: FindSecret = Arc::new(|from| {
            assert_eq!(from, "env:NEW");
            Ok("canary-new-secret".into())
        });
        DotenvFile::new(path, key, dir.join("kept"), find)
    }

    async fn change(file: &DotenvFile, to: DotenvValue) -> DotenvChange {
        DotenvChange { key: "SECRET".into(), to, only_one: false, expect: file.file().await.unwrap() }
    }

    #[tokio::test]
    async fn a_key_is_set_and_put_back_byte_for_byte_with_the_files_mode() {
        let dir = tempfile::tempdir().unwrap();
        let text = "# mine\r\nSECRET='canary-old'  # keep\r\nA=1";
        let file = file(dir.path(), text);
        let fingerprint = file.secret("env:NEW").await.unwrap();
        let to = DotenvValue::Secret(GivenSecret { from: "env:NEW".into(), fingerprint });
        let change = change(&file, to).await;
        let kept = file.keep("run-1", &change).await.unwrap();
        let after = file.set(&change).await.unwrap();
        assert_eq!(after.fingerprint.as_deref(), Some(kept.becomes.as_str()));
        assert_eq!(after.mode.as_deref(), Some("640"));
        let written = fs::read_to_string(&file.path).unwrap();
        assert_eq!(written, "# mine\r\nSECRET=canary-new-secret  # keep\r\nA=1");
        assert_eq!(fs::metadata(&kept.copy).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{kept:?} {after:?}").contains("canary"));

        let back = DotenvValue::AsKept { copy: kept.copy, fingerprint: kept.fingerprint };
        let back = DotenvChange { to: back, expect: after, ..change };
        file.set(&back).await.unwrap();
        assert_eq!(fs::read_to_string(&file.path).unwrap(), text);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "no file is left beside it");
    }

    #[tokio::test]
    async fn a_file_that_somebody_edited_since_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path(), "SECRET=1\n");
        let change = change(&file, DotenvValue::Plain("2".into())).await;
        fs::write(&file.path, "SECRET=1\nB=new\n").unwrap();
        assert!(matches!(file.set(&change).await, Err(ChangeError::GuardChanged { .. })));
        assert_eq!(fs::read_to_string(&file.path).unwrap(), "SECRET=1\nB=new\n");
    }

    #[tokio::test]
    async fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = file(dir.path(), "SECRET=1\n");
        let link = dir.path().join("linked.env");
        std::os::unix::fs::symlink(&file.path, &link).unwrap();
        file.path = link.clone();
        let change = change(&file, DotenvValue::Plain("2".into())).await;
        file.set(&change).await.unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(dir.path().join(".env")).unwrap(), "SECRET=2\n");
    }

    #[tokio::test]
    async fn what_a_killed_console_left_half_written_is_swept_away() {
        let dir = tempfile::tempdir().unwrap();
        let dotenv = file(dir.path(), "A=1\n");
        fs::create_dir_all(dir.path().join("kept")).unwrap();
        let left = ["kept/replacing-1", "..env.ratiba-1"].map(|name| dir.path().join(name));
        for path in &left {
            fs::write(path, "A=half").unwrap();
        }
        let expect = dotenv.file().await.unwrap();
        let to = DotenvValue::Plain("2".into());
        dotenv.set(&DotenvChange { key: "A".into(), to, only_one: false, expect }).await.unwrap();
        assert_eq!(fs::read_to_string(dir.path().join(".env")).unwrap(), "A=2\n");
        assert!(left.iter().all(|path| !path.exists()));
    }
}
