//! Tenant slugs: the only text that may become part of a schema name.

use serde::{Deserialize, Serialize};

/// A validated tenant slug: `^[A-Za-z0-9][A-Za-z0-9_-]{0,55}$`; in a statement it stands in quotes.
///
/// Postgres truncates identifiers at 63 bytes and the schema is `tenant_<slug>`, so a longer slug
/// could name another tenant's schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantSlug(String);

/// Why a text is not a tenant slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a tenant slug: {why}")]
pub struct SlugError {
    shown: String,
    why: &'static str,
}

const LONGEST: usize = 63 - "tenant_".len();

impl TenantSlug {
    /// Checks `text` and takes it as a slug.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        let fail = |why| Err(SlugError { shown: text.escape_debug().take(80).collect(), why });
        let mut bytes = text.bytes();
        match bytes.next() {
            None => return fail("it is empty"),
            Some(b) if b.is_ascii_alphanumeric() => {}
            Some(_) => return fail("it must start with a letter or a digit"),
        }
        if !bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            return fail("only letters without accents, digits, _ and - are allowed");
        }
        if text.len() > LONGEST {
            return fail("its schema name would be longer than 63 bytes");
        }
        Ok(Self(text.to_owned()))
    }

    /// The slug's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tenant's schema, unquoted: `tenant_<slug>`.
    pub fn schema(&self) -> String {
        format!("tenant_{}", self.0)
    }
}

impl TryFrom<String> for TenantSlug {
    type Error = SlugError;
    fn try_from(text: String) -> Result<Self, SlugError> {
        Self::parse(&text)
    }
}

impl From<TenantSlug> for String {
    fn from(slug: TenantSlug) -> Self {
        slug.0
    }
}

impl std::fmt::Display for TenantSlug {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_slugs_pass_and_name_their_schema() {
        for (text, schema) in
            [("spa_2go", "tenant_spa_2go"), ("2fast", "tenant_2fast"), ("Amani-two", "tenant_Amani-two")]
        {
            assert_eq!(TenantSlug::parse(text).unwrap().schema(), schema);
        }
    }

    #[test]
    fn anything_that_could_leave_its_quotes_is_refused() {
        for text in ["", "_a", "-a", "a b", "a\"", "a'", "a\0", "a.b", "ä", "a;drop"] {
            assert!(TenantSlug::parse(text).is_err(), "{text:?} must not be a slug");
        }
    }

    #[test]
    fn a_slug_whose_schema_would_be_truncated_is_refused() {
        assert!(TenantSlug::parse(&"a".repeat(56)).is_ok());
        assert!(TenantSlug::parse(&"a".repeat(57)).is_err());
    }
}
