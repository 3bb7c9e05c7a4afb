//! The time in a ULID.

use jiff::Timestamp;

/// Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 26;
/// Of these, the time: 48 bits of milliseconds.
const TIME: usize = 10;

/// When a ULID was made; `None`: the text is no ULID.
pub fn ulid_time(text: &str) -> Option<Timestamp> {
    let digits: Vec<i64> = text
        .bytes()
        .map(|b| DIGITS.iter().position(|d| *d == b).and_then(|n| i64::try_from(n).ok()))
        .collect::<Option<_>>()?;
    // The first digit has three bits: more would be more than 128 in all.
    if digits.len() != LENGTH || digits.first().is_none_or(|first| *first > 7) {
        return None;
    }
    Timestamp::from_millisecond(digits.iter().take(TIME).fold(0, |ms, digit| ms << 5 | digit)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ulid_says_when_it_was_made() {
        // The example of the ULID specification.
        let at = ulid_time("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        assert_eq!(at.as_millisecond(), 1_469_922_850_259);
    }

    #[test]
    fn anything_else_says_nothing() {
        for text in [
            "",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
            "01arz3ndektsv4rrffq69g5fav",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        ] {
            assert_eq!(ulid_time(text), None, "{text}");
        }
    }
}
