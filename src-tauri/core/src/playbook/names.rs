//! Where things are and what they are called, for scripts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::profile::{PostgresSection, Profile, SecretRef, ServicesSection};

/// Where things are and what they are called: `env.names`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Names {
    services: ServiceNames,
    postgres: Option<PostgresNames>,
    repo: RepoNames,
    endpoints: BTreeMap<String, String>,
    arq_queue: String,
    thread_prefix: String,
    livekit_url: String,
    rtc_port: u16,
    sip_port: u16,
    livekit_config: String,
    app_secret: String,
    verify_token: String,
    elevenlabs_key: String,
    verify_signature: String,
    log_files: Vec<String>,
}

/// Compose services by what they do.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct ServiceNames {
    #[serde(flatten)]
    own: ServicesSection,
    postgres: String,
    redis: String,
}

/// What `psql` in the container of Postgres needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct PostgresNames {
    user: String,
    database: String,
}

impl PostgresNames {
    /// As libpq reads such an address: the database is named after the user where it is left out.
    fn of(section: &PostgresSection) -> Self {
        let rest = section.url.split_once("://").map_or(section.url.as_str(), |(_, rest)| rest);
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let user = authority.rsplit_once('@').map_or("postgres", |(user, _)| user).to_owned();
        let database = if database.is_empty() { user.clone() } else { database.to_owned() };
        Self { user, database }
    }
}

/// Places in the checkout.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct RepoNames {
    backend: String,
    frontend: String,
    revisions: String,
    intent_router: String,
}

impl Names {
    /// The log files of this machine that may be read.
    pub fn log_files(&self) -> &[String] {
        &self.log_files
    }

    /// Those of a profile. What it leaves out has its default, for there may be a part of it after all.
    pub fn of(profile: &Profile) -> Self {
        let repo = profile.repo.clone();
        let livekit = profile.livekit.as_ref();
        let whatsapp = profile.whatsapp.as_ref();
        let redis = profile.redis.as_ref();
        let or = |given: Option<&String>, default: &str| given.cloned().unwrap_or_else(|| default.to_owned());
        Self {
            services: ServiceNames {
                own: profile.services.clone(),
                postgres: or(profile.postgres.as_ref().map(|p| &p.service), "postgres"),
                redis: or(redis.map(|r| &r.service), "redis"),
            },
            postgres: profile.postgres.as_ref().map(PostgresNames::of),
            repo: RepoNames {
                backend: repo.backend,
                frontend: repo.frontend,
                revisions: repo.revisions,
                intent_router: repo.intent_router,
            },
            endpoints: profile.all_endpoints(),
            arq_queue: or(redis.map(|r| &r.arq_queue), "arq:queue"),
            thread_prefix: or(redis.map(|r| &r.thread_prefix), "ratiba:fsm:thread:"),
            livekit_url: or(livekit.map(|l| &l.url), "http://127.0.0.1:7890"),
            rtc_port: livekit.map_or(7891, |l| l.rtc_port),
            sip_port: livekit.map_or(5060, |l| l.sip_port),
            livekit_config: or(livekit.map(|l| &l.config), "docker/livekit.yaml"),
            app_secret: or(whatsapp.map(|w| &w.app_secret), "WHATSAPP_APP_SECRET"),
            verify_token: or(whatsapp.map(|w| &w.verify_token), "WHATSAPP_VERIFY_TOKEN"),
            elevenlabs_key: match profile.elevenlabs.as_ref().map(|e| &e.key) {
                Some(SecretRef::Dotenv(name)) => name.clone(),
                Some(SecretRef::Env(_) | SecretRef::File(_)) | None => "ELEVENLABS_API_KEY".to_owned(),
            },
            verify_signature: or(whatsapp.map(|w| &w.verify_signature), "WHATSAPP_VERIFY_SIGNATURE"),
            log_files: profile.logs.files.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::parse;

    #[test]
    fn what_psql_needs_is_in_the_address_and_absent_where_there_is_none() {
        let least = "name = \"x\"\nkind = \"lab\"\n[compose]\nproject = \"x\"\n";
        let of = |more: &str| Names::of(&parse("x.toml", &format!("{least}{more}")).unwrap()).postgres;
        assert_eq!(of(""), None);
        let told = |url: &str| of(&format!("[postgres]\nurl = \"{url}\"\n")).unwrap();
        let is = |user: &str, database: &str| PostgresNames { user: user.into(), database: database.into() };
        assert_eq!(told("postgres://ratiba@127.0.0.1:5434/main?sslmode=disable"), is("ratiba", "main"));
        assert_eq!(told("postgres://ratiba@127.0.0.1"), is("ratiba", "ratiba"));
    }
}
