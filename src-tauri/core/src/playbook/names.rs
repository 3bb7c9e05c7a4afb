//! Where things are and what they are called, for scripts.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::profile::{Profile, SecretRef, ServicesSection};

/// Where things are and what they are called: `env.names`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Names {
    services: ServiceNames,
    repo: RepoNames,
    endpoints: BTreeMap<String, String>,
    arq_queue: String,
    thread_prefix: String,
    redis_service: String,
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
            repo: RepoNames {
                backend: repo.backend,
                frontend: repo.frontend,
                revisions: repo.revisions,
                intent_router: repo.intent_router,
            },
            endpoints: profile.all_endpoints(),
            arq_queue: or(redis.map(|r| &r.arq_queue), "arq:queue"),
            thread_prefix: or(redis.map(|r| &r.thread_prefix), "ratiba:fsm:thread:"),
            redis_service: or(redis.map(|r| &r.service), "redis"),
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
