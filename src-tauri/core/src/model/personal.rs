//! Personal data in texts from outside: what is shown of a number, an address or a payment's id.

use serde_json::Value;

/// Stands for what was left out.
const LEFT_OUT: &str = "•••";
/// A number this long may be somebody's.
const LONG: usize = 9;
/// How much of such a number stays, so that two can still be told apart.
const STAYS: usize = 3;

/// The text without what belongs to a person: of numbers of nine or more digits the last three stay,
/// of a checkout request's id all but its end, which is the payer's number, of a message's id its end,
/// of an e-mail address its domain. Masking again changes nothing.
pub fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        if let Some(end) = uuid_end(&chars, at) {
            out.extend(chars.get(at..end).unwrap_or_default());
            at = end;
        } else if c.is_ascii_alphanumeric() || *c == '+' {
            let end = word_end(&chars, at);
            at = word(&chars, at, end, &mut out);
        } else if *c == '@' && is_address(&chars, at) {
            let local = out.trim_end_matches(|c: char| is_local(c) || c == '•').len();
            out.truncate(local);
            out.push_str(LEFT_OUT);
            out.push('@');
            at += 1;
        } else {
            out.push(*c);
            at += 1;
        }
    }
    out
}

/// The same for every text, key and whole number in the value.
pub fn masked_value(value: Value) -> Value {
    match value {
        Value::String(text) => masked(&text).into(),
        Value::Number(number) => {
            let digits = number.to_string();
            let whole = digits.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit());
            if whole && digits.len() >= LONG { masked(&digits).into() } else { number.into() }
        }
        Value::Array(items) => items.into_iter().map(masked_value).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (masked(&key), masked_value(value))).collect()
        }
        plain @ (Value::Null | Value::Bool(_)) => plain,
    }
}

/// Past the UUID that begins at `at`: whatever digits it has, they are nobody's number.
fn uuid_end(chars: &[char], at: usize) -> Option<usize> {
    let mut here = at;
    for (n, group) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if n > 0 {
            here += usize::from(chars.get(here) == Some(&'-'));
        }
        let digits = chars.get(here..here + group)?;
        let begins = n == 0 || chars.get(here.checked_sub(1)?) == Some(&'-');
        if !begins || !digits.iter().all(char::is_ascii_hexdigit) {
            return None;
        }
        here += group;
    }
    let goes_on = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let is_inside = at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(goes_on);
    (!is_inside && !chars.get(here).is_some_and(goes_on)).then_some(here)
}

/// Past the letters and digits that begin at `at`.
fn word_end(chars: &[char], at: usize) -> usize {
    let first = at + usize::from(chars.get(at) == Some(&'+'));
    let rest = chars.get(first..).unwrap_or_default();
    first + rest.iter().take_while(|c| c.is_ascii_alphanumeric()).count()
}

/// Writes the word from `at` to `end`, or the spaced number that begins with it; gives where it went on from.
fn word(chars: &[char], at: usize, end: usize, out: &mut String) -> usize {
    let text: String = chars.get(at..end).unwrap_or_default().iter().collect();
    if text == "ws" && chars.get(end..end + 4) == Some(&['_', 'C', 'O', '_']) {
        return checkout_id(chars, at, end, out);
    }
    if text == "wamid" && chars.get(end) == Some(&'.') {
        let id = chars.get(end + 1..).unwrap_or_default();
        let length = id.iter().take_while(|c| c.is_ascii_alphanumeric() || "+/=_-".contains(**c)).count();
        if length == 0 {
            out.push_str("wamid.");
            return end + 1;
        }
        let tail: String = id.iter().take(length).skip(length.saturating_sub(STAYS)).collect();
        out.push_str(&format!("wamid.{LEFT_OUT}{tail}"));
        return end + 1 + length;
    }
    if let Some((past, digits)) = spaced_number(chars, at) {
        push_tail(&digits, out);
        return past;
    }
    if is_hash(&text) || is_fraction(chars, at, &text) {
        out.push_str(&text);
    } else {
        runs_masked(&text, out);
    }
    end
}

/// `ws_CO_` and what belongs to it: its last nine characters are the payer's number.
fn checkout_id(chars: &[char], at: usize, end: usize, out: &mut String) -> usize {
    let rest = chars.get(end..).unwrap_or_default();
    let past = end + rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').count();
    let id: Vec<char> = chars.get(at..past).unwrap_or_default().to_vec();
    if chars.get(past) == Some(&'•') {
        out.extend(id);
        return past;
    }
    let prefix = "ws_CO_".len();
    let kept = id.len().saturating_sub(LONG).max(prefix);
    out.extend(id.iter().take(kept));
    out.push_str(LEFT_OUT);
    out.extend(id.iter().skip(id.len().saturating_sub(STAYS).max(kept)));
    past
}

/// A number as people write theirs: `+254 712 345 678`, `0712-345-678`. Past it, and its digits.
fn spaced_number(chars: &[char], at: usize) -> Option<(usize, String)> {
    let is_digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let plus = chars.get(at) == Some(&'+');
    let first = at + usize::from(plus);
    let mut digits = String::new();
    let mut here = first;
    while let Some(c) = chars.get(here) {
        if c.is_ascii_digit() {
            digits.push(*c);
        } else if !(" -".contains(*c) && is_digit(here.saturating_sub(1)) && is_digit(here + 1)) {
            break;
        }
        here += 1;
    }
    let is_a_word = chars.get(here).is_some_and(|c| c.is_ascii_alphanumeric());
    // Not a column of small numbers, nor a time: a subscriber's number begins with a group of three or four.
    let group = chars.get(first..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count();
    let is_local = digits.starts_with('0') && !digits.starts_with("00");
    let begins = plus || (group >= 3 && (digits.starts_with("254") || is_local));
    let is_long = (LONG..=15).contains(&digits.len());
    (begins && is_long && !is_a_word && here > first).then_some((here, digits))
}

/// A container's, a commit's or another id that is a hash, or a ULID: its digits are nobody's number.
fn is_hash(word: &str) -> bool {
    let has_letter = word.bytes().any(|b| b.is_ascii_alphabetic());
    let is_hex = word.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let is_ulid = word.len() == 26 && word.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    has_letter && ((is_hex && word.len() >= 12) || is_ulid)
}

/// The nanoseconds of a time, as in `06:00:00.123456789Z`.
fn is_fraction(chars: &[char], at: usize, word: &str) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|i| chars.get(i));
    let digits = word.trim_end_matches('Z');
    before(1) == Some(&'.')
        && before(4) == Some(&':')
        && digits.len() <= LONG
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The word with its long runs of digits masked.
fn runs_masked(word: &str, out: &mut String) {
    let mut run = String::new();
    for c in word.chars().map(Some).chain([None]) {
        match c {
            Some(c) if c.is_ascii_digit() => run.push(c),
            other => {
                if run.len() >= LONG {
                    push_tail(&run, out)
                } else {
                    out.push_str(&run)
                }
                run.clear();
                out.extend(other);
            }
        }
    }
}

fn push_tail(digits: &str, out: &mut String) {
    out.push_str(LEFT_OUT);
    out.push_str(digits.get(digits.len().saturating_sub(STAYS)..).unwrap_or_default());
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "._%+-'".contains(c)
}

/// Whether the `@` stands between a local part and a domain with a dot.
fn is_address(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| chars.get(i)).is_some_and(|c| is_local(*c) || *c == '•');
    let rest = chars.get(at + 1..).unwrap_or_default();
    let domain: String = rest.iter().take_while(|c| c.is_alphanumeric() || ".-".contains(**c)).collect();
    let labels: Vec<&str> = domain.trim_end_matches('.').split('.').collect();
    before && labels.len() > 1 && labels.iter().all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_belongs_to_a_person_is_left_out_wherever_it_stands() {
        for (text, shown) in [
            ("254712345678", "•••678"),
            ("msisdn=254712345678, ok", "msisdn=•••678, ok"),
            ("{\"from\": \"254712345678\"}", "{\"from\": \"•••678\"}"),
            ("wa254712345678x", "wa•••678x"),
            ("+254712345678", "•••678"),
            ("call +254 712 345 678 now", "call •••678 now"),
            ("0712-345-678", "•••678"),
            ("x-07000000-0000-4000-8000-254712345678", "x-07000000-0000-4000-8000-•••678"),
            ("\u{1b}[32m254712345678\u{1b}[0m", "\u{1b}[32m•••678\u{1b}[0m"),
            ("ws_CO_23112026140107273768130105", "ws_CO_23112026140107273•••105"),
            ("id ws_CO_DMZ_12345_6789012345!", "id ws_CO_DMZ_12345_6•••345!"),
            ("wamid.HBgMMjU0NzEyMzQ1Njc4FQIAEhg= ok", "wamid.•••hg= ok"),
            ("wanjiku.kamau+1@example.co.ke wrote", "•••@example.co.ke wrote"),
        ] {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(shown), shown, "masking again changes nothing");
        }
    }

    #[test]
    fn what_belongs_to_nobody_stays_readable() {
        for text in [
            "2026-11-24T06:00:00.123456789Z and 2026-11-24 06:00:00",
            "exit code 137, restarted 12345678 times",
            "4b0d99e1c2aa71f0123456789012abcd",
            "01J9ZK2345678901234567890A",
            "duration_ms=2710 port 5434",
            "6c1e0000-0000-4000-8000-0123456789ab",
            "payment 07000000-0000-4000-8000-000000000005, and no more",
            "user@host pid 4711; @app.get(\"/x\")",
            "ratiba:fsm:thread:01JD0000000000000000000001",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn rows_are_masked_in_every_cell() {
        let row =
            json!({ "msisdn": "254712345678", "n": 712345678, "minor": 150000, "deep": [{ "e": "a@b.ke" }] });
        let shown =
            json!({ "msisdn": "•••678", "n": "•••678", "minor": 150000, "deep": [{ "e": "•••@b.ke" }] });
        assert_eq!(masked_value(row), shown);
    }
}
