//! From a profile's text to a [`Profile`], with every problem named.

use super::Profile;

/// A field of the profile, dotted, such as `postgres.url`.
pub type Field = String;

/// A profile that can't be used. One sentence, with the line and, for an unknown key, the key
/// that was probably meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProfileError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Reads a profile. `file` is only used in messages.
pub fn parse(file: &str, text: &str) -> Result<Profile, ProfileError> {
    toml::from_str::<Profile>(text).map_err(|error| {
        let line = error.span().map(|span| text.get(..span.start).unwrap_or("").matches('\n').count() + 1);
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}, line {line}"));
        let what = error.message().trim();
        ProfileError {
            message: format!("read profile {place}: {}", what.lines().next().unwrap_or(what)),
            hint: suggestion(what).unwrap_or_else(|| "docs/profile.md lists every field".into()),
        }
    })
}

/// For `unknown field `x`, expected one of `a`, `b``: the nearest of the expected names.
fn suggestion(message: &str) -> Option<String> {
    if !message.starts_with("unknown field") {
        return None;
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let (score, nearest) =
        quoted.map(|name| (strsim::jaro_winkler(unknown, name), name)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (score > 0.75).then(|| format!("did you mean `{nearest}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "name = \"x\"\nkind = \"lab\"\n[compose]\nproject = \"x\"\n";

    #[test]
    fn the_least_profile_is_a_name_a_kind_and_a_project() {
        let profile = parse("x.toml", LEAST).unwrap();
        assert_eq!(profile.compose.project, "x");
        assert_eq!(profile.thresholds.payment_stuck_s, 60);
    }

    #[test]
    fn a_misspelt_key_names_its_line_and_the_key_that_was_meant() {
        let text = format!("{LEAST}[redis]\nurll = \"redis://127.0.0.1\"\n");
        let error = parse("x.toml", &text).unwrap_err();
        assert!(error.message.contains("x.toml, line 6"), "{error}");
        assert!(error.message.contains("urll"), "{error}");
        assert_eq!(error.hint, "did you mean `url`?");
    }

    #[test]
    fn a_secret_written_out_is_refused_and_not_repeated() {
        let text = format!("{LEAST}[redis]\nurl = \"redis://h\"\npassword = \"hunter2\"\n");
        let error = parse("x.toml", &text).unwrap_err();
        assert!(!error.message.contains("hunter2") && !error.hint.contains("hunter2"), "{error:?}");
        assert!(error.message.contains("by reference"), "{error}");
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for url in ["redis://:hunter2@h:1/0", "redis://user:hunter2@h/0?x=1"] {
            let error = parse("x.toml", &format!("{LEAST}[redis]\nurl = \"{url}\"\n")).unwrap_err();
            assert!(!error.message.contains("hunter2") && !error.hint.contains("hunter2"), "{error:?}");
            assert!(
                error.message.contains("x.toml, line 6") && error.message.contains("by reference"),
                "{error}"
            );
        }
        let endpoint = format!("{LEAST}[endpoints]\nbackend = \"http://user:hunter2@h:1\"\n");
        let error = parse("x.toml", &endpoint).unwrap_err();
        assert!(error.message.contains("by reference") && !error.message.contains("hunter2"), "{error}");
        assert!(parse("x.toml", &format!("{LEAST}[redis]\nurl = \"redis://user@h:1/0\"\n")).is_ok());
    }
}
