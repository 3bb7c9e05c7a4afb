//! The forms in which a secret stands in a text: as it is, within JSON, within a URL, in base64, in hex.

use std::collections::BTreeSet;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Longer ones are only looked for as they are and within JSON: nobody puts a file into a URL.
const LONGEST_IN_ALL_FORMS: usize = 4_096;

/// What encoders of URLs leave as it is, beside letters and digits: RFC 3986, Python's `quote`,
/// JavaScript's `encodeURIComponent` and `encodeURI`, HTML forms.
const KEPT_IN_URLS: &[&str] = &["-_.~", "-_.~/", "-_.~!*'()", "-_.~!*'();/?:@&=+$,#", "-_.*"];

/// What encoders of JSON write as `\u…` though they need not: nothing, Go's and PHP's or .NET's.
const ESCAPED_IN_JSON: &[&str] = &["", "<>&", "<>&'\"+`"];

fn percent_encoded(value: &str, kept: &str, space: &str, upper: bool) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        let c = char::from(byte);
        match c {
            ' ' => out.push_str(space),
            _ if c.is_ascii_alphanumeric() || (c.is_ascii() && kept.contains(c)) => out.push(c),
            _ if upper => out.push_str(&format!("%{byte:02X}")),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

#[derive(Clone, Copy)]
struct JsonStyle {
    escapes: &'static str,
    slash: bool,
    only_ascii: bool,
    upper: bool,
}

impl JsonStyle {
    fn all() -> impl Iterator<Item = Self> {
        (0_u8..8).flat_map(|bits| {
            ESCAPED_IN_JSON.iter().map(move |escapes| Self {
                escapes,
                slash: bits & 1 != 0,
                only_ascii: bits & 2 != 0,
                upper: bits & 4 != 0,
            })
        })
    }

    fn write(self, value: &str) -> String {
        let mut out = String::with_capacity(value.len());
        for c in value.chars() {
            let short = match c {
                '\n' => Some("\\n"),
                '\r' => Some("\\r"),
                '\t' => Some("\\t"),
                '\u{8}' => Some("\\b"),
                '\u{c}' => Some("\\f"),
                '\\' => Some("\\\\"),
                '/' if self.slash => Some("\\/"),
                '"' if !self.escapes.contains('"') => Some("\\\""),
                _ => None,
            };
            match short {
                Some(short) => out.push_str(short),
                None if c < ' ' || self.escapes.contains(c) || (self.only_ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        let hex = if self.upper { format!("{unit:04X}") } else { format!("{unit:04x}") };
                        out.push_str("\\u");
                        out.push_str(&hex);
                    }
                }
                None => out.push(c),
            }
        }
        out
    }
}

/// Base64 of something that has `value` in it, whatever stands before: the digits that depend on
/// the value alone, for each of the three places it can begin at.
fn within_base64(value: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for before in 0..3_usize {
        let padded = [vec![0; before], value.to_vec()].concat();
        // Six bits a digit: the first ones mix with what is before, the last with what comes after.
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        for encoded in [STANDARD_NO_PAD.encode(&padded), URL_SAFE_NO_PAD.encode(&padded)] {
            found.extend(encoded.get(from..to).map(str::to_owned));
        }
    }
    found
}

/// All forms that are looked for.
pub(super) fn forms_of(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::from([value.to_owned()]);
    for style in JsonStyle::all() {
        // Within JSON, and within JSON that is a text in JSON.
        let once = style.write(value);
        forms.insert(style.write(&once));
        forms.insert(once);
    }
    if value.len() <= LONGEST_IN_ALL_FORMS {
        for (kept, space) in KEPT_IN_URLS.iter().flat_map(|kept| [(kept, "%20"), (kept, "+")]) {
            forms.extend([true, false].map(|upper| percent_encoded(value, kept, space, upper)));
        }
        forms.extend(within_base64(value.as_bytes()));
        forms.insert(value.bytes().map(|byte| format!("{byte:02x}")).collect());
        forms.insert(value.bytes().map(|byte| format!("{byte:02X}")).collect());
    }
    forms
}
