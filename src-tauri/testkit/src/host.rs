//! This machine, in memory.

use async_trait::async_trait;
use ratiba_core::{
    model::SourceName,
    ports::{Host, LogFile, Read},
};

use crate::{Stack, beside::unset};

#[async_trait]
impl Host for Stack {
    async fn texts(&self, pattern: &str) -> Read<Vec<(String, String)>> {
        Ok(self.held().beside.texts.get(pattern).cloned().unwrap_or_default())
    }
    async fn port_holder(&self, port: u16) -> Read<Option<String>> {
        self.ask(SourceName::Host, "port holder")?;
        Ok(self.held().ports.get(&port).cloned())
    }
    async fn http_get(&self, _url: &str) -> Read<(u16, String)> {
        Ok((200, "ok".into()))
    }
    async fn accepts(&self, _port: u16) -> Read<bool> {
        Err(unset("a TCP port"))
    }
    async fn sip_options(&self, _port: u16) -> Read<Option<String>> {
        Err(unset("a SIP server"))
    }
    async fn log_file(&self, path: &str, _lines: u32) -> Read<Option<LogFile>> {
        self.ask(SourceName::Logs, &format!("log file {path}"))?;
        Ok(None)
    }
}
