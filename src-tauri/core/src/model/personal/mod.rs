//! Personal data in texts from outside: what is shown of a number, an address or a payment's id.

mod find;

use serde_json::Value;

use self::find::LONG;
pub use self::find::{Personal, PersonalAt, personal_in};

/// Stands for what was left out.
const LEFT_OUT: &str = "•••";
/// How much of such a number stays, so that two can still be told apart.
const STAYS: usize = 3;

/// The text without what belongs to a person: of numbers of nine or more digits the last three stay,
/// of a checkout request's id all but its end, which is the payer's number, of a message's id its end,
/// of an e-mail address its domain. Masking again changes nothing.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for PersonalAt { range, what } in personal_in(text) {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(LEFT_OUT);
        let hidden = text.get(range.clone()).unwrap_or_default();
        match &what {
            Personal::Number(digits) => out.push_str(tail(digits)),
            Personal::Payer | Personal::Message => out.push_str(tail(hidden)),
            Personal::Address => {}
        }
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// What stays of it: only ASCII comes here.
fn tail(hidden: &str) -> &str {
    hidden.get(hidden.len().saturating_sub(STAYS)..).unwrap_or_default()
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
