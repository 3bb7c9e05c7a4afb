//! Times and durations in words, as tiles and messages show them.

use jiff::{SignedDuration, Timestamp};

/// How long ago `then` was, such as `12 s`, `3 min`, `2 h`, `5 d`. A time in the future is `0 s`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A time to the second, in UTC: `2026-11-24 06:00:00Z`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_down_to_the_unit_a_person_would_say() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let at = |seconds: i64| now - SignedDuration::from_secs(seconds);
        assert_eq!(age(now, at(119)), "119 s");
        assert_eq!(age(now, at(120)), "2 min");
        assert_eq!(age(now, at(7_200)), "2 h");
        assert_eq!(age(now, at(172_800)), "2 d");
        assert_eq!(age(now, at(-5)), "0 s");
    }
}
