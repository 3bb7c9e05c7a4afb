//! This machine: who listens on a port, and its own HTTP addresses.

mod listening;
mod log_file;
mod sip;
mod texts;

use std::{io, net::Ipv4Addr, time::Duration};

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, SourceErrorKind, SourceName},
    ports::{Host, LogFile, Read},
};

use tokio::net::TcpStream;

use crate::deadline::within;

const DEADLINE: Duration = Duration::from_secs(5);
/// The part of a body that is read, in bytes.
const LARGEST_BODY: usize = 64 * 1_024;

/// This machine.
#[derive(Default)]
pub struct ThisMachine;

#[async_trait]
impl Host for ThisMachine {
    async fn port_holder(&self, port: u16) -> Read<Option<String>> {
        let attempted = format!("find who listens on port {port}");
        within(SourceName::Host, &attempted, DEADLINE, async {
            listening::holder(port).await.map_err(|error| SourceError {
                source_name: SourceName::Host,
                kind: SourceErrorKind::Invalid,
                attempted: attempted.clone(),
                happened: error.to_string(),
                hint: "Look by hand: `ss -ltnp` on Linux, `lsof -nP -iTCP -sTCP:LISTEN` on macOS.".into(),
            })
        })
        .await
    }

    async fn http_get(&self, url: &str) -> Read<(u16, String)> {
        let attempted = format!("GET {url}");
        let trouble = |error: reqwest::Error| SourceError {
            source_name: SourceName::Http,
            kind: if error.is_timeout() { SourceErrorKind::TimedOut } else { SourceErrorKind::Unreachable },
            attempted: attempted.clone(),
            happened: if error.is_connect() { "nobody answers there".into() } else { error.to_string() },
            hint: "Is the service up?".into(),
        };
        within(SourceName::Http, &attempted, DEADLINE, async {
            let client = reqwest::Client::builder()
                // It is never TLS, and reading the system's certificates costs more than the call.
                .tls_built_in_root_certs(false)
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .timeout(DEADLINE)
                .build()
                .map_err(trouble)?;
            let mut response = client.get(url).send().await.map_err(trouble)?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(trouble)? {
                let room = LARGEST_BODY.saturating_sub(body.len());
                body.extend(chunk.iter().take(room));
                if body.len() >= LARGEST_BODY {
                    break;
                }
            }
            Ok((response.status().as_u16(), String::from_utf8_lossy(&body).into_owned()))
        })
        .await
    }

    async fn accepts(&self, port: u16) -> Read<bool> {
        let attempted = format!("connect to port {port} of this machine");
        within(SourceName::Host, &attempted, DEADLINE, async {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(false),
                Err(error) => Err(SourceError {
                    source_name: SourceName::Host,
                    kind: SourceErrorKind::Unreachable,
                    attempted: attempted.clone(),
                    happened: error.to_string(),
                    hint: "Check this machine's network.".into(),
                }),
            }
        })
        .await
    }

    async fn sip_options(&self, port: u16) -> Read<Option<String>> {
        sip::options(port).await
    }

    async fn log_file(&self, path: &str, lines: u32) -> Read<Option<LogFile>> {
        log_file::end_of(path, lines).await
    }

    async fn texts(&self, pattern: &str) -> Read<Vec<(String, String)>> {
        texts::of(pattern).await
    }
}
