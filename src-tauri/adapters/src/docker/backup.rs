//! Copies of volumes: into a volume beside the original, compared file for file.

use std::sync::Arc;

use ratiba_core::{
    model::counted,
    observe::worst_container,
    playbook::step::BackupOf,
    ports::{BackupError, BackupMade, CommandEnd, CommandLimits, ContainerCommands, Containers},
};

use super::Engine;
use crate::backup_failed::{failed, of_source};
use crate::for_a_shell::{ForAShell, quoted};

/// Copies everything, owners and rights too, then lists both sides and compares. Written for the
/// plainest shell there is. Prints files, bytes and the list's sum.
const COPY: &str = r#"set -e
find /to -mindepth 1 -maxdepth 1 -exec rm -rf {} +
cp -a /from/. /to/
sync
list() (
  cd "$1"
  find . -exec stat -c '%a %u %g %F %n' {} + | LC_ALL=C sort
  find . -type f -exec sha256sum {} + | LC_ALL=C sort
)
list /from > /tmp/from.list
list /to > /tmp/to.list
if ! cmp /tmp/from.list /tmp/to.list; then echo "the copy is not like the original"; exit 9; fi
set -- $(sha256sum /tmp/to.list)
echo "RATIBA $(find /to -type f | wc -l) $(du -sk /to | cut -f1) $1""#;

/// Copies of volumes.
pub struct VolumeCopies {
    /// The engine.
    pub engine: Arc<Engine>,
    /// How a person reaches it.
    pub shell: ForAShell,
}

impl VolumeCopies {
    /// The volume that the copy `name` would be.
    pub fn place(volume: &str, name: &str) -> String {
        format!("{volume}-ratiba-{}", name.to_ascii_lowercase())
    }

    /// Looks whether a copy is still there.
    pub async fn check(&self, made: &BackupMade) -> Result<(), String> {
        match self.engine.volume(&made.place).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err("there is no such volume".into()),
            Err(error) => Err(format!("{error}. {}", error.hint)),
        }
    }

    /// Nothing that runs may write to the volume: a copy would have one half of it older than the other.
    async fn at_rest(&self, volume: &str) -> Result<(), BackupError> {
        let writers = self.engine.writers(volume).await.map_err(|e| of_source(&e))?;
        match writers.first() {
            Some(writer) => Err(failed(format!(
                "{} runs and may write to {volume}: a copy of it would be torn. Stop it first",
                writer.container
            ))),
            None => Ok(()),
        }
    }

    /// Copies a volume that nothing writes to, with the image of the service's container.
    pub async fn make(
        &self,
        service: &str,
        volume: &str,
        name: &str,
        limits: CommandLimits<'_>,
        line: &mut (dyn FnMut(String) + Send),
    ) -> Result<BackupMade, BackupError> {
        let containers = self.engine.list().await.map_err(|e| of_source(&e))?;
        let Some(facts) = worst_container(&containers, service) else {
            return Err(failed(format!("{service} has no container, and the copy is made with its image")));
        };
        self.at_rest(volume).await?;
        let place = Self::place(volume, name);
        let mounts = [format!("{volume}:/from:ro"), format!("{place}:/to")];
        let argv = ["sh", "-c", COPY].map(str::to_owned);
        let mut said: Vec<String> = Vec::new();
        let ended = self
            .engine
            .with_volumes(&BackupOf::copier(name), &facts.id, &mounts, &argv, limits, &mut |text| {
                if !text.starts_with("RATIBA ") {
                    line(text.clone());
                }
                said.push(text);
            })
            .await
            .map_err(|e| of_source(&e))?;
        let half = format!("the half-made copy {place} can be removed");
        match ended {
            CommandEnd::Exited { code: 0 } => {}
            CommandEnd::Exited { code } => {
                let last = said.last().map_or("", String::as_str);
                return Err(failed(format!("copying ended with exit code {code}: {last}; {half}")));
            }
            CommandEnd::TimedOut { .. } => {
                return Err(failed(format!("copying was not done in time; {half}")));
            }
            CommandEnd::Stopped { .. } => return Err(BackupError::Stopped(half)),
        }
        // Somebody may have started what writes to it meanwhile.
        self.at_rest(volume).await.map_err(|error| error.and(&format!("; {half}")))?;
        let answer = said.iter().find_map(|text| text.strip_prefix("RATIBA "));
        let mut words = answer.unwrap_or_default().split(' ');
        let mut number = || words.next().and_then(|w| w.parse::<u64>().ok());
        let (Some(files), Some(kib)) = (number(), number()) else {
            return Err(failed(format!("copying did not say what it copied; {half}")));
        };
        let files = counted(usize::try_from(files).unwrap_or(usize::MAX), "file");
        Ok(BackupMade {
            bytes: kib * 1_024,
            sha256: words.next().unwrap_or_default().to_owned(),
            holds: files.clone(),
            trial: format!("{files} compared by rights and SHA-256"),
            restore: self.restore(&place, volume, &facts.image),
            also: Vec::new(),
            place,
        })
    }

    /// A mount makes a volume that is not there: an empty one must not be taken for the copy.
    fn restore(&self, place: &str, volume: &str, image: &str) -> String {
        let command = format!(
            "docker volume inspect {} > /dev/null && \
             if [ -n \"$(docker ps -q --filter {})\" ]; then echo {} >&2; exit 1; else \
             docker run --rm --network none --user 0 --entrypoint sh -v {} -v {} {} \
             -c 'find /to -mindepth 1 -delete && cp -a /from/. /to/'; fi",
            quoted(place),
            quoted(&format!("volume={volume}")),
            quoted(&format!("nothing was done: a running container uses {volume}, stop it first")),
            quoted(&format!("{place}:/from:ro")),
            quoted(&format!("{volume}:/to")),
            quoted(image),
        );
        format!("to restore it, in place of all that is in {volume} then: {}", self.shell.on_engine(&command))
    }
}
