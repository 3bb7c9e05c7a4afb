//! How long, as a person writes it.

use jiff::{Span, SpanRelativeTo};

/// `90s`, `10m`, `2h 30m`, `3d`: in seconds. A day has 24 hours.
pub fn seconds(text: &str) -> Result<u64, String> {
    let span: Span =
        text.parse().map_err(|_| format!("`{text}` says not how long: write 90s, 10m, 2h or 3d"))?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("`{text}` has months or years: write it in days"))?;
    u64::try_from(duration.as_secs())
        .map_err(|_| format!("`{text}` lies ahead: write how long ago, such as 10m"))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn what_people_write_is_read() {
        for (text, wanted) in
            [("90s", 90), ("10m", 600), ("2h", 7_200), ("2h 30m", 9_000), ("3d", 259_200), ("1w", 604_800)]
        {
            assert_eq!(seconds(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_says_not_how_long_is_refused_with_what_to_write() {
        for text in ["10", "", "soon", "-5m", "2 months", "99999999999999999999s"] {
            assert!(seconds(text).is_err_and(|why| why.contains("write")), "{text}");
        }
    }
}
