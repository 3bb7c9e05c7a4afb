//! The rules for what gitleaks' rules miss, by shape. What is found by a name is in `assigned.rs`.

use base64::Engine as _;

use super::{encoded::LENIENT, hits::Hit, own_code, span::Span, values::is_no_secret, vendored::Lazy};

/// One rule: where one of its triggers stands, it looks at the line, or at the lines around.
pub(super) struct Own {
    pub(super) id: &'static str,
    /// In lower case; compared without regard to case.
    pub(super) triggers: &'static [&'static str],
    pub(super) span: Span,
    how: How,
}

enum How {
    /// The first group is the secret, where the function takes it for one.
    Pattern(Lazy, fn(&str) -> bool),
    /// Finds by itself, in a part of a text that begins at the number.
    Code(fn(&str, usize, &mut Vec<Hit>)),
}

impl Own {
    pub(super) fn find(&self, part: &str, from: usize, hits: &mut Vec<Hit>) {
        let (pattern, accepts) = match &self.how {
            How::Code(code) => return code(part, from, hits),
            How::Pattern(pattern, accepts) => (pattern, accepts),
        };
        let Some(regex) = pattern.regex() else { return };
        for groups in regex.captures_iter(part.as_bytes()) {
            let Some(secret) = groups.iter().skip(1).flatten().next() else { continue };
            let is_one = std::str::from_utf8(secret.as_bytes()).is_ok_and(accepts);
            // What is not UTF-8 by itself was cut within a character: hidden all the same.
            if is_one || std::str::from_utf8(secret.as_bytes()).is_err() {
                hits.push(Hit::secret(from + secret.start()..from + secret.end(), self.id));
            }
        }
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        match &self.how {
            How::Pattern(pattern, _) => pattern.regex().is_some(),
            How::Code(_) => true,
        }
    }
}

fn is_set(value: &str) -> bool {
    !is_no_secret(value) && !value.starts_with(['‹', '-', '$'])
}

/// Not a word of a sentence such as `Bearer authentication`.
fn is_random(value: &str) -> bool {
    is_set(value) && (value.len() >= 20 || !value.bytes().all(|b| b.is_ascii_lowercase()))
}

fn is_basic(value: &str) -> bool {
    let value = value.trim_end_matches('=');
    LENIENT.decode(value).is_ok_and(|bytes| bytes.contains(&b':'))
}

fn any(_: &str) -> bool {
    true
}

/// All of them.
pub(super) fn rules() -> Vec<Own> {
    let by = |id, triggers, pattern: &str, accepts| Own {
        id,
        triggers,
        span: Span::Line,
        how: How::Pattern(pattern.to_owned().into(), accepts),
    };
    let code = |id, triggers, span, code| Own { id, triggers, span, how: How::Code(code) };
    vec![
        code("url-password", &["://"], Span::Line, own_code::url_passwords),
        code("private-key", &["-----begin"], Span::Lines, own_code::private_keys),
        code("receipt", &["mpesa", "m-pesa", "receipt"], Span::Line, super::people::receipts),
        by("dsn-password", &["@tcp(", "@unix("], r"[\w.-]+:([^\s:@/]+)@(?:tcp|unix)\(", is_set),
        by("bearer", &["bearer"], r"(?i)\bbearer(?:[ \t]|%20|\+)+([\w.~+/=-]{8,})", is_random),
        by("basic", &["basic"], r"(?i)\bbasic(?:[ \t]|%20|\+)+([A-Za-z0-9+/_-]{6,}={0,2})", is_basic),
        by("jwt", &["eyj"], r"(eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?)", any),
        by("meta-token", &["eaa"], r"\b(EAA[A-Za-z0-9]{24,})", any),
        by("hub-signature", &["sha256=", "sha1="], r"(?i)sha(?:1|256)=([0-9a-f]{40,64})", any),
        by("der-key", &["mii"], r"\b(MII[A-Za-z0-9+/]{60,}={0,2})", any),
        by(
            "password-hash",
            &["$2", "$argon2", "$5$", "$6$", "$y$", "$apr1"],
            r"(\$(?:2[aby]|argon2id?|5|6|y|apr1)\$[./A-Za-z0-9$=,+-]{20,})",
            any,
        ),
        by("password-hash", &["scram-sha-256$"], r"(?i)(SCRAM-SHA-256\$[0-9]+:[A-Za-z0-9+/=$:]{20,})", any),
        by("password-hash", &["md5"], r"\b(md5[0-9a-f]{32})\b", any),
        by(
            "sql-password",
            &["password", "identified by"],
            r#"(?i)\b(?:password|identified by)(?:[ \t]+|\\n)E?\\*'((?:[^'\\]|'')*)\\*'"#,
            is_set,
        ),
        by(
            "flag",
            &["--"],
            r#"(?i)--[a-z-]*(?:passw(?:or)?d|pass|token|secret|api-?key|auth|passphrase|credentials?)(?:=|[ \t]+|\\*["'],?[ \t]*\\*["'])['"]?([^\s"',\\]+)"#,
            is_set,
        ),
        by(
            "flag",
            &["redis-cli"],
            r#"(?i)redis-cli[^\n]*?[\s"'](?:-a|--pass)["'\\,\s]+([^\s"',\\]+)"#,
            is_set,
        ),
        by("flag", &["sshpass"], r"sshpass[ \t]+-p[ \t]*(\S+)", is_set),
        by("flag", &["-u"], r#"(?i)\bcurl\b[^\n]*?[\s"']-u["'\\,\s]+[^\s"',:]+:([^\s"',\\]+)"#, is_set),
        by("flag", &["authtoken"], r#"authtoken["'\\,\s]+([\w-]{16,})"#, is_set),
        by(
            "redis-auth",
            &["requirepass", "masterauth"],
            r#"(?i)\b(?:requirepass|masterauth)["'\\,\s]+([^\s"',\\]+)"#,
            is_set,
        ),
        by(
            "redis-auth",
            &["auth"],
            r#"\bAUTH["'\\,\s]+(?:default["'\\,\s]+)?([^\s"',\\<>()]{4,})"#,
            is_random,
        ),
        by("pgpass", &[":543", ":*:"], r"^[^\s:]+:(?:\d+|\*):[^\s:]+:[^\s:]+:(\S+)$", is_set),
        by(
            "livekit-key",
            &["api"],
            r#"\bAPI[A-Za-z0-9]{6,}\\*["']?[ \t]*:[ \t]*\\*["']?([A-Za-z0-9+/=_-]{16,})"#,
            is_set,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_own_pattern_compiles() {
        assert!(rules().iter().all(|rule| rule.compiles() && !rule.triggers.is_empty()));
        assert!(rules().iter().flat_map(|r| r.triggers).all(|t| *t == t.to_lowercase()));
    }
}
