//! Names of files in a bundle: those that are written, and those that are read.

/// The longest path, in bytes.
const LONGEST: usize = 200;

/// A path that any machine can have: parts of letters, digits, `.`, `_` and `-`. What else there is becomes `_`.
pub(super) fn safe(path: &str) -> String {
    let part = |part: &str| {
        let kept: String = part.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        match kept.trim_start_matches('.') {
            "" => "_".to_owned(),
            kept => kept.to_owned(),
        }
    };
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(part).collect();
    let whole = parts.join("/");
    whole.chars().take(LONGEST).collect()
}

/// Why a path of an archive is not taken; `None`: it is one that a console writes.
pub(super) fn objection(path: &str) -> Option<&'static str> {
    if path.is_empty() || path.len() > LONGEST {
        return Some("has no name, or too long a one");
    }
    if path.starts_with('/') || path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        return Some("has a name that leads out of the archive, or is hidden");
    }
    (!path.chars().all(|c| is_plain(c) || c == '/')).then_some("has a name with odd characters")
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_name_was_the_written_one_can_be_read_again() {
        for odd in [
            "logs/a b.log",
            "../../etc/passwd",
            "/etc/x",
            "a\\b\0",
            ".",
            "..",
            "‹phone-1›/é",
            "x//y",
            "C:\\x",
        ] {
            let name = safe(odd);
            assert_eq!(objection(&name), None, "{odd:?} became {name:?}");
        }
        assert_eq!(safe("logs/backend.log"), "logs/backend.log");
    }
}
