//! What commands print, without secrets before it is cut: a cut through a secret would leave a part
//! that nobody can find.

use std::sync::Arc;

use async_trait::async_trait;
use ratiba_core::{
    model::SourceError,
    playbook::step::BackupOf,
    ports::{
        BackupError, BackupMade, Backups, CommandEnd, CommandLimits, ComposeCommands, ContainerCommands,
        ExecCommand, KnownSecrets, LONGEST_RAW_LINE,
    },
};

/// The longest line that is shown and kept, in bytes.
const LONGEST_LINE: usize = 4_000;
const CUT: &str = " [line cut]";

/// Commands whose output holds no secret and no endless line.
pub(crate) struct Hiding<T: ?Sized> {
    pub(crate) inner: Arc<T>,
    pub(crate) known: Arc<dyn KnownSecrets>,
}

type Line<'l> = &'l mut (dyn FnMut(String) + Send);

/// A line as it may be shown.
fn shown(line: String, known: &dyn KnownSecrets) -> String {
    let came_cut = line.len() >= LONGEST_RAW_LINE;
    let mut line = known.hide(&line).unwrap_or(line);
    if line.len() > LONGEST_LINE {
        let end = (0..=LONGEST_LINE).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
        line.truncate(end);
    } else if came_cut {
        // What stands behind the last secret may be the beginning of another.
        line.truncate(line.rfind('›').map_or(0, |at| at + '›'.len_utf8()));
    } else {
        return line;
    }
    line + CUT
}

#[async_trait]
impl ComposeCommands for Hiding<dyn ComposeCommands> {
    async fn run(
        &self,
        argv: &[String],
        limits: CommandLimits<'_>,
        line: Line<'_>,
    ) -> Result<CommandEnd, SourceError> {
        let known = self.known.as_ref();
        self.inner.run(argv, limits, &mut |raw| line(shown(raw, known))).await
    }
}

#[async_trait]
impl ContainerCommands for Hiding<dyn ContainerCommands> {
    async fn exec(
        &self,
        command: &ExecCommand,
        limits: CommandLimits<'_>,
        line: Line<'_>,
    ) -> Result<CommandEnd, SourceError> {
        let known = self.known.as_ref();
        self.inner.exec(command, limits, &mut |raw| line(shown(raw, known))).await
    }

    async fn remove(&self, name: &str) -> Result<(), SourceError> {
        self.inner.remove(name).await
    }

    async fn with_volumes(
        &self,
        name: &str,
        like: &str,
        volumes: &[String],
        argv: &[String],
        limits: CommandLimits<'_>,
        line: Line<'_>,
    ) -> Result<CommandEnd, SourceError> {
        let known = self.known.as_ref();
        self.inner.with_volumes(name, like, volumes, argv, limits, &mut |raw| line(shown(raw, known))).await
    }
}

#[async_trait]
impl Backups for Hiding<dyn Backups> {
    async fn make(
        &self,
        of: &BackupOf,
        name: &str,
        limits: CommandLimits<'_>,
        line: Line<'_>,
    ) -> Result<BackupMade, BackupError> {
        let known = self.known.as_ref();
        self.inner.make(of, name, limits, &mut |raw| line(shown(raw, known))).await
    }

    async fn check(&self, of: &BackupOf, made: &BackupMade) -> Result<(), String> {
        self.inner.check(of, made).await
    }
}

#[cfg(test)]
mod tests {
    use ratiba_adapters::known_secrets::Known;

    use super::*;

    #[test]
    fn no_part_of_a_secret_is_left_where_a_line_is_cut() {
        let known = Known::default();
        known.remember("N", "s3cret-of-some-length");
        for before in LONGEST_LINE - 25..LONGEST_LINE + 5 {
            let line = format!("{}s3cret-of-some-length and more{}", "x".repeat(before), "y".repeat(100));
            let seen = shown(line, &known);
            assert!(!seen.contains("s3") && seen.ends_with(CUT), "{}", &seen[seen.len() - 60..]);
        }
        let endless = "s3cret-of-some-length".repeat(LONGEST_RAW_LINE / 21 + 1);
        assert!(!shown(endless[..LONGEST_RAW_LINE].to_owned(), &known).contains("s3"));
        assert_eq!(shown("short".into(), &known), "short");
    }
}
