//! The files that a unified diff names, as git writes them: in quotes where a name is not plain.

/// Every path in the headers of a diff, without `a/` and `b/`. What stands inside a hunk is no
/// header, whatever it begins with.
pub(super) fn patched_paths(diff: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let (mut old_lines, mut new_lines) = (0, 0);
    for line in diff.lines() {
        if old_lines > 0 || new_lines > 0 {
            let (old, new) = match line.as_bytes().first() {
                Some(b'-') => (1, 0),
                Some(b'+') => (0, 1),
                Some(b'\\') => (0, 0),
                _ => (1, 1),
            };
            (old_lines, new_lines) =
                (u64::saturating_sub(old_lines, old), u64::saturating_sub(new_lines, new));
            continue;
        }
        if let Some((old, new)) = hunk(line) {
            (old_lines, new_lines) = (old, new);
            continue;
        }
        let of_side = line.strip_prefix("--- ").or_else(|| line.strip_prefix("+++ "));
        let of_both = line.strip_prefix("diff --git ");
        let path = of_side.and_then(one_name).or_else(|| of_both.and_then(same_name));
        if let Some(path) = path.filter(|path| !paths.contains(path)) {
            paths.push(path);
        }
    }
    paths
}

/// How many lines a hunk has of each side: `@@ -1,3 +1,4 @@`.
fn hunk(line: &str) -> Option<(u64, u64)> {
    let mut sides = line.strip_prefix("@@ -")?.split(" @@").next()?.split(" +");
    let mut count = || match sides.next()?.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => Some(1),
    };
    Some((count()?, count()?))
}

/// The name in `--- a/name` or `+++ b/name`; a tab ends it. `/dev/null` is none.
fn one_name(text: &str) -> Option<String> {
    let name = match unquoted(text) {
        Some((name, _)) => name,
        None => text.split('\t').next().unwrap_or_default().trim_end_matches('\r').to_owned(),
    };
    if name == "/dev/null" { None } else { below(&name) }
}

/// The name in `diff --git a/name b/name`: both sides have the same, and a name may have blanks.
fn same_name(text: &str) -> Option<String> {
    if let Some((name, _)) = unquoted(text) {
        return below(&name);
    }
    if text.ends_with('"') {
        return below(&unquoted(text.get(text.find(" \"")? + 1..)?)?.0);
    }
    let splits = text.match_indices(' ').filter_map(|(at, _)| Some((text.get(..at)?, text.get(at + 1..)?)));
    splits.filter_map(|(a, b)| below(a).filter(|name| below(b).as_ref() == Some(name))).next()
}

/// A path without its first folder.
fn below(name: &str) -> Option<String> {
    let (_, rest) = name.split_once('/')?;
    let rest = rest.trim_start_matches('/');
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// What stands in double quotes at the beginning, as C has it, and the rest behind them.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((String::from_utf8(bytes).ok()?, inner.get(at + 1..)?)),
            '\\' => bytes.push(match chars.next()?.1 {
                'a' => 7,
                'b' => 8,
                't' => b'\t',
                'n' => b'\n',
                'v' => 11,
                'f' => 12,
                'r' => b'\r',
                first @ '0'..='3' => {
                    let octal: String = [first, chars.next()?.1, chars.next()?.1].iter().collect();
                    u8::from_str_radix(&octal, 8).ok()?
                }
                plain @ ('"' | '\\') => u8::try_from(plain).ok()?,
                _ => return None,
            }),
            plain => bytes.extend(plain.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_git_writes_it() {
        for (header, path) in [
            ("--- a/app/x.py\n+++ b/app/x.py\n", "app/x.py"),
            (
                "--- \"a/caf\\303\\251 \\\"1\\\".txt\"\n+++ \"b/caf\\303\\251 \\\"1\\\".txt\"\n",
                "café \"1\".txt",
            ),
            ("--- a/two words.txt\t\n+++ b/two words.txt\t\n", "two words.txt"),
            ("--- /dev/null\n+++ b/new.py\n", "new.py"),
            ("--- a/gone.py\n+++ /dev/null\n", "gone.py"),
            ("diff --git a/run me.sh b/run me.sh\nold mode 100644\nnew mode 100755\n", "run me.sh"),
            ("diff --git \"a/\\t.sh\" \"b/\\t.sh\"\nold mode 100644\nnew mode 100755\n", "\t.sh"),
        ] {
            assert_eq!(patched_paths(header), [path], "{header}");
        }
    }

    #[test]
    fn a_line_of_a_hunk_is_no_header() {
        let diff = "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- a/not.sql\n+++ b/nor.sql\n same\n@@ -9 +9 @@\n-1\n+2\n\
                    --- a/y.sql\n+++ b/y.sql\n@@ -1 +1 @@\n-1\n+2\n";
        assert_eq!(patched_paths(diff), ["x.sql", "y.sql"]);
    }
}
