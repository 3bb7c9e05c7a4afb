//! A source whose secret could not be found: it answers every question with why.

use async_trait::async_trait;
use ratiba_core::{
    model::{SourceError, TenantRef, TenantSlug, ThreadRecord},
    ports::{
        BeforeCommit, ChangeError, Database, DatabaseChanges, Read, RedisChange, RedisChanges, RedisKey,
        RedisScore, RedisServer, RedisValue, SqlChange, SqlRead, TenantRows, Threads, TransactionFate,
    },
};
use serde_json::Value;

/// Answers with this error.
pub(crate) struct Broken(pub(crate) SourceError);

#[async_trait]
impl Database for Broken {
    async fn tenants(&self) -> Read<Vec<TenantRef>> {
        Err(self.0.clone())
    }
    async fn query(&self, _read: &SqlRead) -> Read<Vec<Value>> {
        Err(self.0.clone())
    }
    async fn each_tenant(&self, _tenants: &[TenantSlug], _sql: &str) -> Read<Vec<TenantRows>> {
        Err(self.0.clone())
    }
    async fn identity(&self) -> Read<(String, String)> {
        Err(self.0.clone())
    }
    async fn transaction(&self, _xid: &str) -> Read<TransactionFate> {
        Err(self.0.clone())
    }
}

#[async_trait]
impl DatabaseChanges for Broken {
    async fn change(
        &self,
        _change: &SqlChange,
        _before: &dyn BeforeCommit,
    ) -> Result<Vec<Value>, ChangeError> {
        Err(ChangeError::Source(self.0.clone()))
    }
}

#[async_trait]
impl Threads for Broken {
    async fn all(&self) -> Read<Vec<ThreadRecord>> {
        Err(self.0.clone())
    }
    async fn one(&self, _ulid: &str) -> Read<Option<ThreadRecord>> {
        Err(self.0.clone())
    }
    async fn value(&self, _key: &str, _field: Option<&str>) -> Read<RedisValue> {
        Err(self.0.clone())
    }
    async fn server(&self) -> Read<RedisServer> {
        Err(self.0.clone())
    }
    async fn key(&self, _key: &str) -> Read<RedisKey> {
        Err(self.0.clone())
    }
    async fn fields(&self, _key: &str) -> Read<Vec<String>> {
        Err(self.0.clone())
    }
    async fn lowest(&self, _key: &str, _count: u32) -> Read<Vec<RedisScore>> {
        Err(self.0.clone())
    }
    async fn there(&self, _keys: &[String]) -> Read<Vec<bool>> {
        Err(self.0.clone())
    }
}

#[async_trait]
impl RedisChanges for Broken {
    async fn set(&self, _change: &RedisChange) -> Result<RedisValue, ChangeError> {
        Err(ChangeError::Source(self.0.clone()))
    }
}
