//! What a person runs to restore a backup of keys. Where it can be, it was tried: the same command,
//! asking the server who it is.

use std::{path::Path, time::Duration};

use futures_util::{FutureExt, future};
use ratiba_core::ports::{CommandEnd, CommandLimits, ExecCommand, RedisServer, Threads};

use super::backup::RedisBackups;
use crate::for_a_shell::quoted;

/// Time for the trial.
const SHORT: Duration = Duration::from_secs(5);

impl RedisBackups {
    pub(super) async fn restore(&self, file: &Path) -> String {
        let file = quoted(&file.display().to_string());
        let what = "over what is there then under its keys";
        if self.is_reached_in_its_container().await {
            let inside = quoted(&self.inside("--pipe"));
            let command = format!("docker exec -i \"$c\" sh -c {inside} < {file}");
            return format!("to restore it, {what}: {}", self.shell.with_container(&self.service, &command));
        }
        let at = self.redis.client.as_ref().map(|client| client.get_connection_info().addr().to_string());
        let at = at.unwrap_or_default();
        let (host, port) = at.rsplit_once(':').unwrap_or((&at, "6379"));
        format!(
            "to restore it, {what}, with a redis-cli of this machine and, if {at} asks for a password, that in \
             the variable REDISCLI_AUTH: redis-cli -h {} -p {port}{} --pipe < {file}",
            quoted(host),
            self.login()
        )
    }

    /// The database and the user, which are not in the file.
    fn login(&self) -> String {
        let Ok(client) = self.redis.client.as_ref() else { return String::new() };
        let settings = client.get_connection_info().redis_settings();
        let user = settings.username().map(|user| format!(" --user {}", quoted(user))).unwrap_or_default();
        format!(" -n {}{user}", settings.db())
    }

    /// In the container, where the password is in its environment under one of its two usual names.
    fn inside(&self, words: &str) -> String {
        format!(
            "REDISCLI_AUTH=\"${{REDISCLI_AUTH:-$REDIS_PASSWORD}}\" exec redis-cli{} {words}",
            self.login()
        )
    }

    /// Whether the command in the container of the service comes to this very server.
    async fn is_reached_in_its_container(&self) -> bool {
        let Ok(RedisServer { run_id, .. }) = self.redis.server().await else { return false };
        let Ok(containers) = self.containers.list().await else { return false };
        let running = |c: &&ratiba_core::model::ContainerFacts| c.service == self.service && !c.oneoff;
        let Some(container) = containers.iter().filter(running).find(|c| c.is_running()) else {
            return false;
        };
        let command = ExecCommand {
            container: container.id.clone(),
            argv: ["sh", "-c", &self.inside("INFO server")].map(str::to_owned).to_vec(),
            mark: "restoring".into(),
            ..ExecCommand::default()
        };
        let limits = CommandLimits { deadline: SHORT, stop: future::pending().boxed() };
        let mut is_it = false;
        let mut see = |line: String| is_it |= line.trim() == format!("run_id:{run_id}");
        let ended = self.commands.exec(&command, limits, &mut see).await;
        matches!(ended, Ok(CommandEnd::Exited { code: 0 })) && is_it
    }
}
