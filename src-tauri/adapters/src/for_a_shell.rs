//! Commands that a person pastes into a shell, at a time when container ids are others and in a shell
//! whose docker may lead elsewhere.

/// How a shell on this machine reaches the stack.
#[derive(Debug, Clone, Default)]
pub struct ForAShell {
    /// The engine; `None`: the one that docker finds.
    pub docker_host: Option<String>,
    /// The compose project.
    pub project: String,
}

impl ForAShell {
    /// `command` on the stack's engine, in a subshell: nothing of the person's own shell changes.
    pub(crate) fn on_engine(&self, command: &str) -> String {
        let host = self.docker_host.as_deref();
        let host = host.map(|host| format!("export DOCKER_HOST={}; ", quoted(host))).unwrap_or_default();
        format!("({host}{command})")
    }

    /// The same, with `$c` for the container of `service` that runs then.
    pub(crate) fn with_container(&self, service: &str, command: &str) -> String {
        let label = |name: &str, value: &str| {
            format!("--filter {}", quoted(&format!("label=com.docker.compose.{name}={value}")))
        };
        let labels =
            [label("project", &self.project), label("service", service), label("oneoff", "False")].join(" ");
        self.on_engine(&format!(
            "c=$(docker ps -q {labels} | head -n 1); : \"${{c:?no container of {service} runs}}\"; {command}"
        ))
    }
}

/// One word of a command line.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:@,+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        assert_eq!(quoted("/var/lib/x-1.dump"), "/var/lib/x-1.dump");
        for word in ["it's", "a b", "", "$HOME", "`id`", "*"] {
            let printed = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(word))])
                .output()
                .map(|done| done.stdout);
            assert_eq!(printed.ok(), Some(word.as_bytes().to_vec()), "{word}");
        }
    }
}
