//! What leaves in a bundle: nothing of a secret, nobody's number, and all the rest as it was.

mod all;
pub(crate) mod canaries;
mod clean;
mod corpus;
mod hostile;
mod people;
pub(crate) mod search;

use std::sync::Arc;

use ratiba_adapters::known_secrets::Known;
use ratiba_core::bundle::redact::{Clean, Cleaned, Content, Pseudonyms, Redactor};
use ratiba_testkit::NoSecrets;

/// Knows no secret: only names and shapes tell.
fn by_rules() -> Redactor {
    Redactor::new(Arc::new(NoSecrets))
}

pub(crate) fn knowing(secrets: &[(&str, &str)]) -> Redactor {
    Redactor::new(knowing_as_port(secrets))
}

pub(crate) fn knowing_as_port(secrets: &[(&str, &str)]) -> Arc<Known> {
    let known = Known::default();
    secrets.iter().for_each(|(name, value)| known.remember(name, value));
    Arc::new(known)
}

fn clean_of(cleaned: Cleaned) -> Clean {
    match cleaned {
        Cleaned::Clean(clean) => clean,
        Cleaned::Withheld(why) => panic!("withheld: {why}"),
    }
}

/// The text once it is cleaned, alone in its bundle.
fn cleaned(redactor: &Redactor, what: Content, text: &str) -> String {
    cleaned_with(redactor, what, text, &mut Pseudonyms::default())
}

fn cleaned_with(redactor: &Redactor, what: Content, text: &str, names: &mut Pseudonyms) -> String {
    String::from_utf8(clean_of(redactor.redact(what, text.as_bytes(), names)).bytes).unwrap()
}
