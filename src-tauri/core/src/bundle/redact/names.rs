//! What the name of a field, a variable, a header or a column says of its value.

/// What a value is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Class {
    /// Nothing that has to be hidden for its name's sake.
    #[default]
    Open,
    /// A secret.
    Secret,
    /// A secret of several words: all of a header's line.
    Header,
    /// A secret only within a URL's query.
    Query,
    /// What a person said or is called.
    Words,
    /// Words of a person, or of a program that calls its own event so.
    Message,
    /// A telephone number, where it has the digits of one.
    Number,
    /// An M-Pesa receipt, where it has the shape of one.
    Receipt,
    /// Variables of a traceback's frame.
    Locals,
}

/// Longer ones are no names.
const LONGEST: usize = 64;

/// A name with one of these words is a secret's.
const SECRET: &[&str] = &[
    "password",
    "passwd",
    "passwrd",
    "passphrase",
    "passkey",
    "passcode",
    "pass",
    "pwd",
    "pw",
    "secret",
    "secrets",
    "token",
    "credential",
    "credentials",
    "creds",
    "cred",
    "apikey",
    "appkey",
    "privatekey",
    "secretkey",
    "accesskey",
    "authkey",
    "signature",
    "salt",
    "jwt",
    "bearer",
    "otp",
    "pgpassword",
    "authtoken",
    "userpass",
];
/// A name that ends with one of these, run together with what is before.
const SECRET_ENDS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "passphrase",
    "passkey",
    "credential",
    "credentials",
    "secretkey",
    "privatekey",
    "accesskey",
];
/// A name whose last word is one of these.
const SECRET_LAST: &[&str] = &["auth", "pin", "dbpass", "mypass"];
/// What before `key` makes it a secret.
const KEYS: &[&str] = &[
    "api",
    "app",
    "private",
    "secret",
    "access",
    "consumer",
    "signing",
    "encryption",
    "auth",
    "service",
    "account",
    "master",
    "ssh",
    "deploy",
    "shared",
    "subscription",
    "webhook",
    "hmac",
    "aes",
    "rsa",
    "client",
    "server",
    "anon",
    "license",
    "livekit",
    "security",
    "storage",
];
/// A last word which says that the value is something about the secret, and not the secret.
const ABOUT: &[&str] = &[
    "id",
    "ids",
    "count",
    "type",
    "name",
    "names",
    "file",
    "files",
    "path",
    "ttl",
    "expiry",
    "expires",
    "expired",
    "valid",
    "invalid",
    "present",
    "set",
    "length",
    "len",
    "size",
    "url",
    "uri",
    "endpoint",
    "version",
    "status",
    "at",
    "in",
    "age",
    "limit",
    "ok",
    "missing",
    "required",
    "changed",
    "env",
    "ref",
    "budget",
    "usage",
    "used",
    "total",
    "max",
    "min",
    "rotated",
    "hint",
    "policy",
    "error",
    "kind",
    "scheme",
    "method",
    "fingerprint",
    "state",
    "reason",
    "location",
    "bytes",
    "enabled",
    "verified",
    "checked",
    "mismatch",
    "header",
    "encryption",
    "auth",
    "column",
];
/// A first word that does.
const ASKS: &[&str] =
    &["has", "is", "no", "max", "min", "num", "n", "total", "missing", "without", "needs", "verify"];

/// Names of what people say and are called.
const WORDS: &[&str] = &[
    "text",
    "body",
    "transcript",
    "transcription",
    "utterance",
    "caption",
    "speech",
    "content",
    "reply",
    "reply_text",
    "caller_name",
    "customer_name",
    "contact_name",
    "profile_name",
    "payer_name",
    "sender_name",
    "user_name_full",
    "first_name",
    "middle_name",
    "last_name",
    "full_name",
    "display_name",
    "push_name",
    "user_message",
    "user_text",
    "user_input",
    "input_text",
    "message_text",
    "message_body",
    "spoken",
    "heard",
    "said",
    "user_prompt",
    "debit_party_name",
    "credit_party_name",
    "receiver_party_public_name",
    "customer_text",
    "msg_body",
    "voice_text",
    "last_message",
    "last_text",
    "bot_reply",
    "agent_reply",
    "assistant_text",
];
const NUMBERS: &[&str] = &[
    "msisdn",
    "phone",
    "phone_number",
    "phonenumber",
    "mobile",
    "mobile_number",
    "wa_id",
    "caller",
    "caller_id",
    "from",
    "to",
    "from_number",
    "to_number",
    "party_a",
    "party_b",
    "receiver",
    "sender",
    "recipient",
    "recipient_id",
    "customer",
    "customer_phone",
    "customer_msisdn",
    "payer",
    "tel",
    "telephone",
    "contact",
    "number",
    "bill_ref_number",
    "called",
    "calling",
    "phone_e164",
    "sip_from",
    "sip_to",
];
const RECEIPTS: &[&str] = &[
    "receipt",
    "receipt_number",
    "receipt_no",
    "mpesa_receipt",
    "mpesa_receipt_number",
    "mpesareceiptnumber",
    "trans_id",
    "transaction_receipt",
    "mpesa_code",
    "mpesa_ref",
    "mpesa_reference",
];
/// Whose `name` is a person's.
const PEOPLE: &[&str] = &["profile", "contact", "customer", "caller", "sender", "payer", "user", "person"];

/// Names that were looked at lately: a log has the same ones in each line. Each has two slots, and takes one of
/// them from another: whatever names a text has, it never grows.
pub(super) struct Names<'t> {
    slots: Vec<(&'t str, Class)>,
}

impl<'t> Names<'t> {
    /// For the names of this text.
    pub(super) fn of(text: &'t str) -> Self {
        let slots = (text.len() / 64).clamp(8, 512).next_power_of_two();
        Self { slots: vec![("", Class::Open); slots] }
    }

    pub(super) fn class(&mut self, name: &'t str) -> Class {
        // Every list's entry has two letters side by side; `2026-11-24T06`, in each line another one, has not.
        let is_name = name.as_bytes().windows(2).any(|pair| pair.iter().all(u8::is_ascii_alphabetic));
        if name.len() > LONGEST || !is_name {
            return Class::Open;
        }
        let first = mixed(name) & self.slots.len().wrapping_sub(2);
        let Some([last, before]) = self.slots.get_mut(first..first + 2) else { return class_of(name) };
        if last.0 != name {
            std::mem::swap(last, before);
            if last.0 != name {
                *last = (name, class_of(name));
            }
        }
        last.1
    }
}

/// Its length and its ends, well mixed.
fn mixed(name: &str) -> usize {
    let bytes = name.as_bytes();
    let ends = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first).rotate_left(23) ^ u64::from_le_bytes(*last),
        _ => bytes.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    ((ends ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

/// Whether a `name` within a value of this name is a person's.
pub(super) fn is_of_a_person(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    PEOPLE.contains(&name.strip_suffix('s').unwrap_or(&name))
}

/// What a name says. It may be `snake_case`, `camelCase`, `kebab-case`, `UPPER_CASE` or dotted.
pub(super) fn class_of(name: &str) -> Class {
    // A playbook's id, which stands before its reason in lists.
    if name == "02-whatsapp-signature-403" {
        return Class::Open;
    }
    let words = words_of(name);
    let joined = words.join("_");
    let is_one_of = |list: &[&str]| list.contains(&joined.as_str());
    if is_one_of(&["locals"]) {
        return Class::Locals;
    }
    if is_one_of(&["message"]) {
        return Class::Message;
    }
    if is_one_of(WORDS) {
        return Class::Words;
    }
    if is_one_of(RECEIPTS) {
        return Class::Receipt;
    }
    if is_one_of(NUMBERS) {
        return Class::Number;
    }
    if is_one_of(&["authorization", "proxy_authorization", "cookie", "set_cookie"]) {
        return Class::Header;
    }
    if is_one_of(&["key", "sig", "code", "access", "sid"]) {
        return Class::Query;
    }
    if is_secret(&words) { Class::Secret } else { Class::Open }
}

fn is_secret(words: &[String]) -> bool {
    let is_in = |list: &[&str], word: Option<&String>| word.is_some_and(|word| list.contains(&word.as_str()));
    let (first, last) = (words.first(), words.last());
    let is_only_about = words.len() > 1 && (is_in(ASKS, first) || is_in(ABOUT, last));
    let ends = |word: &String| SECRET_ENDS.iter().any(|end| word.ends_with(end));
    let is_key = words.windows(2).any(|pair| match pair {
        [what, key] => KEYS.contains(&what.as_str()) && (key == "key" || key == "keys"),
        _ => false,
    });
    let named = words.iter().any(|word| is_in(SECRET, Some(word)) || ends(word));
    // `REDISCLI_AUTH` and `auth` are secrets, though `token_auth` is a way to log in.
    let is_last = is_in(SECRET_LAST, last) && !named;
    is_last || ((named || is_key) && !is_only_about)
}

/// Its words in lower case, without numbers at their ends.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_lower = chars.peek().is_some_and(char::is_ascii_lowercase);
        let begins = c.is_ascii_uppercase()
            && (before.is_ascii_lowercase() || (before.is_ascii_uppercase() && next_is_lower));
        if begins || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut()
            && c.is_ascii_alphanumeric()
        {
            word.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    let trimmed = |word: String| word.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    words.into_iter().map(trimmed).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_its_value_is() {
        for (class, names) in [
            (
                Class::Secret,
                "password passwd pwd DB_PASSWORD dbPassword PGPASSWORD REDISCLI_AUTH secret client_secret token \
                 access_token accessToken api_key apikey apiKey APIKey X-Api-Key passkey DARAJA_PASSKEY \
                 consumer_key consumerKey consumer_secret private_key PRIVATE-KEY credential credentials \
                 X-Hub-Signature-256 hub.verify_token authtoken password2 spring.datasource.password \
                 signing_key ngrok_authtoken userpassword SecurityCredential AWS_SECRET_ACCESS_KEY",
            ),
            (Class::Header, "Authorization authorization Cookie Set-Cookie set_cookie proxy-authorization"),
            (Class::Words, "text body transcript utterance caller_name profileName FirstName contact_name"),
            (Class::Message, "message"),
            (Class::Number, "msisdn PhoneNumber wa_id from to PartyA caller"),
            (Class::Receipt, "receipt MpesaReceiptNumber mpesa_receipt TransID"),
            (Class::Query, "key sig code"),
            (
                Class::Open,
                "event logger level timestamp thread_id tenant signature_valid tokens max_tokens token_count \
                 token_type key_id access_key_id secret_name password_file auth_phone errorMessage error \
                 checkout_request_id idempotency_key cache_key primary_key phone_number_id compass bypass \
                 has_token is_secret token_expires_in auth_type verify_token_set keyspace monkey author",
            ),
        ] {
            for name in names.split_whitespace() {
                assert_eq!(class_of(name), class, "{name}");
            }
        }
    }
}
