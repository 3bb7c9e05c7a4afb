//! People's data in a text: what of what [`personal_in`] finds is somebody's, and receipts near their words.

use std::ops::Range;

use crate::model::{Personal, PersonalAt, personal_in};

use super::{
    hits::{Hit, Put},
    pseudonyms::Kind,
};

/// Digits of a subscriber's number without any prefix.
const SUBSCRIBER: usize = 9;
/// Digits of a revision's id.
const REVISION: usize = 12;
/// How far before an id its name is looked for.
const NEAR: usize = 64;
/// A shorter message's id is cut.
const MESSAGE: usize = 16;
/// Ends of names with an `@` that are no domain's: units of systemd.
const NO_DOMAIN: &[&str] = &["service", "socket", "timer", "target", "mount", "slice", "scope", "path"];

/// Everything of people's in this text.
pub(super) fn find(text: &str, hits: &mut Vec<Hit>) {
    for PersonalAt { range, what } in personal_in(text) {
        match what {
            Personal::Number(digits) => {
                if is_phone(&digits, before(text, range.start)) || text.get(range.clone()).is_some_and(plus) {
                    hits.push(Hit::name(range, Kind::Phone, canonical(&digits)));
                }
            }
            Personal::Payer => hits.extend(payer(text, range)),
            Personal::Message => {
                let id = text.get(range.clone()).unwrap_or_default().to_owned();
                hits.push(match id.len() {
                    MESSAGE.. => Hit::name(range, Kind::Message, id),
                    _ => Hit::secret(range, Kind::Message.id()),
                });
            }
            Personal::Address => hits.extend(address(text, range)),
        }
    }
}

fn plus(text: &str) -> bool {
    text.starts_with('+')
}

fn before(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or_default()
}

/// The number as it is kept: a Kenyan one with its country, whatever was before its last nine digits.
pub(super) fn canonical(digits: &str) -> String {
    let digits = mobile_in(digits).unwrap_or(digits);
    let local = digits.strip_prefix("254").or_else(|| digits.strip_prefix('0')).unwrap_or(digits);
    if local.len() == SUBSCRIBER { ["254", local].concat() } else { digits.to_owned() }
}

/// A whole mobile number at the beginning or the end of a longer run: two that nothing parts, or one with a
/// counter.
fn mobile_in(digits: &str) -> Option<&str> {
    let tail = digits.len().checked_sub(12).filter(|n| *n > 0)?;
    let is_mobile = |part: &&str| part.starts_with("2547") || part.starts_with("2541");
    [digits.get(..12)?, digits.get(tail..)?].into_iter().find(is_mobile)
}

/// Whether digits without a `+` have the shape of a number: Kenyan with or without its prefix, or as long
/// as one with a country's prefix, and no date. Times since 1970 have 10, 13, 16 or 19 digits.
fn is_phone(digits: &str, before: &str) -> bool {
    let mut last = before.bytes().rev();
    let is_fraction = last.next() == Some(b'.') && last.next().is_some_and(|b| b.is_ascii_digit());
    let is_kenyan = (digits.len() == 12 && digits.starts_with("254"))
        || (digits.len() == 10 && digits.starts_with('0') && !digits.starts_with("00"));
    let is_date = digits.starts_with("20") && digits.len() == 12;
    let is_long = matches!(digits.len(), 11 | 12) && !is_date && !digits.starts_with("00");
    let is_inside = mobile_in(digits).is_some();
    if digits.len() == REVISION && !is_kenyan && !is_inside && is_revision(before) {
        return false;
    }
    let is_bare = digits.len() == SUBSCRIBER && digits.starts_with(['7', '1']);
    is_kenyan || ((is_long || is_bare || is_inside) && !is_fraction)
}

/// Whether what comes next is named as a revision of alembic. Its id is twelve digits of hex, and one in three
/// hundred has no letter.
fn is_revision(before: &str) -> bool {
    let mut near = before.len().saturating_sub(NEAR);
    while !before.is_char_boundary(near) {
        near += 1;
    }
    let line = before.get(near..).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let said = line.trim_end_matches(['\'', '"', ' ']);
    let is_upgrade = |line: &str| {
        let words = line.rsplit("Running ").next().filter(|rest| rest.len() < line.len());
        words.is_some_and(|rest| {
            let ids = rest.strip_prefix("upgrade").or_else(|| rest.strip_prefix("downgrade"));
            ids.is_some_and(|ids| ids.chars().all(|c| c.is_ascii_hexdigit() || " ->,".contains(c)))
        })
    };
    ["Revision ID:", "Revises:", "revision =", "revision: str =", "Rev:", "Parent:"]
        .iter()
        .any(|name| said.ends_with(name))
        || is_upgrade(line)
}

/// A field's value, where its name says that it is a number and it looks like one.
pub(super) fn number_of(value: &str) -> Option<String> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let is_plain = value.chars().all(|c| c.is_ascii_digit() || "+ -().".contains(c));
    // Not a date.
    let is_date = digits.starts_with("20") && matches!(digits.len(), 8 | 12 | 14);
    (is_plain && !is_date && (7..=15).contains(&digits.len())).then(|| canonical(&digits))
}

/// A receipt: ten capitals and digits, both of them.
pub(super) fn is_receipt(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|b| is(&b));
    value.len() == 10
        && value.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}

/// Receipts in a line that has words of M-Pesa: there a shape is enough.
pub(super) fn receipts(line: &str, from: usize, hits: &mut Vec<Hit>) {
    let mut at = 0;
    for word in line.split(|c: char| !c.is_ascii_alphanumeric()) {
        if is_receipt(word) && word.starts_with(|c: char| c.is_ascii_uppercase()) {
            hits.push(Hit::name(from + at..from + at + word.len(), Kind::Receipt, word.to_owned()));
        }
        at += word.len();
        at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

fn payer(text: &str, range: Range<usize>) -> Option<Hit> {
    let end = text.get(range.clone()).filter(|end| !end.is_empty())?;
    let is_number = end.len() == SUBSCRIBER && end.bytes().all(|b| b.is_ascii_digit());
    let put = if is_number { Put::Payer(canonical(end)) } else { Put::Note("payer".into()) };
    Some(Hit { range, rule: "payer".into(), put, bare: false })
}

fn address(text: &str, local: Range<usize>) -> Option<Hit> {
    let rest = text.get(local.end + 1..)?;
    let length = rest.find(|c: char| !(c.is_alphanumeric() || ".-".contains(c))).unwrap_or(rest.len());
    let domain = rest.get(..length)?.trim_end_matches(['.', '-']);
    let top = domain.rsplit('.').next()?;
    let is_top = top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    if !is_top || NO_DOMAIN.contains(&top) {
        return None;
    }
    // `sip:+254…@host`, `254…@s.whatsapp.net`: the number is what is somebody's.
    let user = text.get(local.clone())?;
    if let Some(number) = number_of(user).filter(|_| user.len() >= SUBSCRIBER) {
        return Some(Hit::name(local, Kind::Phone, number));
    }
    let whole = local.start..local.end + 1 + domain.len();
    let value = text.get(whole.clone())?.to_lowercase();
    Some(Hit::name(whole, Kind::Email, value))
}
