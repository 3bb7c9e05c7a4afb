//! Own rules that are no pattern: passwords in URLs, private keys over many lines.

use super::{
    hits::Hit,
    values::{is_no_secret, is_note},
};

/// A user without a password is a token from this length on, where it has a digit: `https://TOKEN@host`.
const TOKEN: usize = 16;
/// How far the `@` behind a URL's password is looked for.
const LONGEST_USER: usize = 2 << 10;
/// How far the end of a private key is looked for.
const LONGEST_KEY: usize = 32 << 10;
/// A run of base64 this long goes on a key whose end is not there.
const KEY_LINE: usize = 16;

/// `scheme://user:password@host`, also where the password has a `/` or an `@`.
pub(super) fn url_passwords(line: &str, from: usize, hits: &mut Vec<Hit>) {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>".contains(c);
    // Where the address ends and where the next `@` is: many may begin before, and it is looked for once.
    let (mut end, mut sign) = (0, 0);
    for (at, mark) in line.match_indices("://") {
        let start = at + mark.len();
        let rest = line.get(start..).unwrap_or_default();
        if end < start {
            end = rest.find(ends).map_or(line.len(), |length| start + length);
        }
        if sign < start {
            sign = memchr::memchr(b'@', rest.as_bytes()).map_or(line.len(), |length| start + length);
        }
        let url = head(line, start, end);
        if sign >= start + url.len() {
            continue;
        }
        let authority = url.split(['/', '?', '#']).next().unwrap_or_default();
        let has_port = |text: &str| {
            let port = text.rsplit(':').next().unwrap_or_default();
            port.bytes().all(|b| b.is_ascii_digit())
        };
        let user = if let Some((user, _)) = authority.rsplit_once('@') {
            user
        } else if authority.contains(':') && !has_port(authority) {
            // Not a port: a password that nobody encoded.
            let Some((user, _)) = url.rsplit_once('@') else { continue };
            user
        } else {
            continue;
        };
        let secret = match user.split_once(':') {
            Some((name, password)) => start + name.len() + 1..start + name.len() + 1 + password.len(),
            None if user.len() >= TOKEN && user.bytes().any(|b| b.is_ascii_digit()) => {
                start..start + user.len()
            }
            None => continue,
        };
        if !is_no_secret(line.get(secret.clone()).unwrap_or_default()) {
            hits.push(Hit::secret(from + secret.start..from + secret.end, "url-password"));
        }
    }
}

/// As much of a line, up to `end`, as an address may take.
fn head(line: &str, start: usize, end: usize) -> &str {
    let mut end = (start + LONGEST_USER).min(end);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(start..end).unwrap_or_default()
}

/// A private key in its armour: to its end, or as far as lines look like it.
pub(super) fn private_keys(part: &str, from: usize, hits: &mut Vec<Hit>) {
    for (at, mark) in part.match_indices("-----BEGIN") {
        let rest = part.get(at + mark.len()..).unwrap_or_default();
        let title = rest.split("-----").next().unwrap_or_default();
        if title.len() > 100 || !title.contains("PRIVATE KEY") {
            continue;
        }
        let body = at + mark.len() + title.len() + "-----".len();
        let text = part.get(body..).unwrap_or_default();
        // To its own end: what comes behind the next beginning is another one's.
        let near = text.split("-----BEGIN").next().unwrap_or_default();
        let end = near.find("-----END").filter(|end| *end <= LONGEST_KEY);
        let end = end.map_or_else(|| without_end(near), |end| past_armour(text, end));
        let shown = text.get(..end).unwrap_or_default();
        if !is_note(shown.trim()) {
            hits.push(Hit::secret(from + at..from + body + end, "private-key"));
        }
    }
}

fn past_armour(text: &str, end: usize) -> usize {
    let behind = text.get(end + "-----END".len()..).unwrap_or_default();
    let line = behind.split('\n').next().unwrap_or_default();
    let closed = line.find("-----").map_or(0, |at| at + "-----".len());
    end + "-----END".len() + closed
}

/// As far as each line has a run of base64.
fn without_end(text: &str) -> usize {
    let mut end = 0;
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        let longest = line.split(|c| !is_base64(c)).map(str::len).max().unwrap_or(0);
        if n > 0 && longest < KEY_LINE {
            break;
        }
        end += line.len();
    }
    text.get(..end).map_or(0, |key| key.trim_end().len())
}
