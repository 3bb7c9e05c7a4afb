//! Numbers with their nouns.

/// `1 row`, `3 rows`; `1 entry`, `3 entries`.
pub fn counted(n: impl TryInto<u64>, noun: &str) -> String {
    let many = noun.strip_suffix("ry").map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ries"));
    match n.try_into() {
        Ok(1) => format!("1 {noun}"),
        Ok(n) => format!("{n} {many}"),
        Err(_) => format!("many {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        assert_eq!((counted(0_u64, "row"), counted(1_usize, "row")), ("0 rows".into(), "1 row".into()));
        assert_eq!(
            (counted(2_u64, "entry"), counted(1_u64, "entry")),
            ("2 entries".into(), "1 entry".into())
        );
    }
}
