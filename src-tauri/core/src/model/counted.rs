//! Numbers with their nouns.

/// `1 row`, `3 rows`.
pub fn counted(n: impl TryInto<u64>, noun: &str) -> String {
    match n.try_into() {
        Ok(1) => format!("1 {noun}"),
        Ok(n) => format!("{n} {noun}s"),
        Err(_) => format!("many {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        assert_eq!((counted(0_u64, "row"), counted(1_usize, "row")), ("0 rows".into(), "1 row".into()));
    }
}
