//! What stands in braces in a drill's texts.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ratiba_core::{model::ContainerFacts, observe::worst_container, wire::WireError};

use super::{
    super::{Console, failed, unreachable},
    Lab, act, dotenv,
};
use crate::lab_stores::Address;

/// Where and when a drill goes on.
pub(super) struct Scene<'a> {
    pub console: &'a Arc<Console>,
    pub lab: &'a Lab,
    /// When the fault was caused: what `{ago:…}` counts from, so that it is the same time in every text.
    pub since: Timestamp,
}

/// One of the lab's stores.
pub(super) struct Store {
    port: u16,
    password: String,
}

impl Store {
    pub fn at(&self) -> Address<'_> {
        Address { port: self.port, password: &self.password }
    }
}

/// The names that mean something with a value after them; braces around anything else are left alone,
/// because SQL, JSON and Python have braces of their own.
const NAMES: [&str; 8] = ["id", "port", "url", "volume", "env", "ago", "in", "sql"];

impl Scene<'_> {
    /// The text with everything in braces filled in.
    pub async fn fill(&self, text: &str) -> Result<String, WireError> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            out.push_str(before);
            match inside(from) {
                Some((inner, after)) => match Box::pin(self.value(inner)).await? {
                    Some(value) => {
                        out.push_str(&value);
                        rest = after;
                    }
                    None => {
                        out.push('{');
                        rest = from.get(1..).unwrap_or_default();
                    }
                },
                None => {
                    out.push('{');
                    rest = from.get(1..).unwrap_or_default();
                }
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    pub async fn fill_all(&self, texts: &[String]) -> Result<Vec<String>, WireError> {
        let mut filled = Vec::new();
        for text in texts {
            filled.push(self.fill(text).await?);
        }
        Ok(filled)
    }

    /// `None`: these braces mean nothing here.
    async fn value(&self, inner: &str) -> Result<Option<String>, WireError> {
        let (name, of) = inner.split_once(':').unwrap_or((inner, ""));
        if inner.contains(':') && !NAMES.contains(&name) {
            return Ok(None);
        }
        let value = match name {
            "project" => self.console.environment.project.clone(),
            "image" => self.image().await?,
            "checkout" => dotenv::checkout(self.console)?.display().to_string(),
            "id" => self.container(of).await?,
            "port" => self.lab.port(of)?.to_string(),
            "url" => format!("http://127.0.0.1:{}", self.lab.port(of)?),
            "volume" => format!("{}_{of}", self.console.environment.project),
            "env" => dotenv::value(self.console, of)?,
            "ago" => self.moment(of, -1)?,
            "in" => self.moment(of, 1)?,
            // What is in it may have braces of its own, and they are filled in first.
            "sql" => act::sql(self, &self.fill(of).await?).await?,
            _ => return Ok(None),
        };
        Ok(Some(value))
    }

    fn moment(&self, seconds: &str, sign: i64) -> Result<String, WireError> {
        let seconds: i64 = seconds.parse().map_err(|_| {
            failed(format!("count `{seconds}` seconds: it is no number"), "Correct the drill.")
        })?;
        let at = self.since.checked_add(SignedDuration::from_secs(sign * seconds));
        let at = at.map_err(|e| failed(format!("count {seconds} seconds: {e}"), "Correct the drill."))?;
        Ok(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    async fn image(&self) -> Result<String, WireError> {
        let containers = self.containers().await?;
        Ok(containers.first().map(|c| c.image.clone()).unwrap_or_default())
    }

    /// The lab's Postgres.
    pub fn postgres(&self) -> Result<Store, WireError> {
        self.store("postgres", "POSTGRES_PASSWORD")
    }

    /// The lab's Redis.
    pub fn redis(&self) -> Result<Store, WireError> {
        self.store("redis", "REDIS_PASSWORD")
    }

    fn store(&self, name: &str, password: &str) -> Result<Store, WireError> {
        Ok(Store { port: self.lab.port(name)?, password: dotenv::value(self.console, password)? })
    }

    /// All containers of the lab.
    pub async fn containers(&self) -> Result<Vec<ContainerFacts>, WireError> {
        self.console.sources.containers.list().await.map_err(|e| unreachable(&e))
    }

    /// The container of a service.
    pub async fn container(&self, service: &str) -> Result<String, WireError> {
        let containers = self.containers().await?;
        let facts = worst_container(&containers, service).ok_or_else(|| {
            failed(
                format!("act on {service}: it has no container"),
                "Heal the lab first: `ratibactl drill heal`.",
            )
        })?;
        Ok(facts.id.clone())
    }
}

/// What stands between the brace that `text` begins with and its partner, and what comes after it.
fn inside(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((text.get(1..at)?, text.get(at + 1..)?));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn braces_have_their_partner() {
        assert_eq!(inside("{id:redis} x"), Some(("id:redis", " x")));
        assert_eq!(inside("{sql:SELECT '{}'} y"), Some(("sql:SELECT '{}'", " y")));
        assert_eq!(inside("{ open"), None);
    }
}
