//! Somebody's text inside a script, a drill's file or Markdown, so that it stays text there.

/// A string literal of Rhai. In double quotes nothing is interpolated.
pub(super) fn rhai(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A string of TOML, on one line.
pub(super) fn toml(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Lines of a head comment: each of `text`'s own, behind `// `. A line that would begin a section gets one blank more.
pub(super) fn comment(text: &str) -> String {
    text.lines()
        .map(str::trim_end)
        .map(|line| match line {
            "" => "//\n".to_owned(),
            _ if line.starts_with("# ") => format!("//  {line}\n"),
            _ => format!("// {line}\n"),
        })
        .collect()
}

/// Text within a line of Markdown: nothing in it is HTML or an image. What stands between backticks is left as it is.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        plain(before, &mut out);
        let ticks = from.len() - from.trim_start_matches('`').len();
        let (mark, behind) = from.split_at(ticks);
        match end_of_code(behind, ticks) {
            Some(end) => {
                out.push_str(mark);
                out.push_str(behind.get(..end).unwrap_or_default());
                rest = behind.get(end..).unwrap_or_default();
            }
            // Nothing closes it: it is no code, and what follows is plain.
            None => {
                out.extend(std::iter::repeat_n("\\`", ticks));
                rest = behind;
            }
        }
    }
    plain(rest, &mut out);
    out
}

/// Where the run of exactly `ticks` backticks ends that closes a code span; none across an empty line.
fn end_of_code(text: &str, ticks: usize) -> Option<usize> {
    let text = text.split("\n\n").next().unwrap_or(text);
    let mut at = 0;
    while let Some(found) = text.get(at..)?.find('`') {
        let start = at + found;
        let run = text.get(start..)?;
        let len = run.len() - run.trim_start_matches('`').len();
        at = start + len;
        if len == ticks {
            return Some(at);
        }
    }
    None
}

fn plain(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '[' if out.ends_with('!') => out.push_str("\\["),
            _ => out.push(c),
        }
    }
}

/// Text of a table's cell: one line, and no bar that ends it.
pub(super) fn cell(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut out = String::new();
    let mut slashes = 0;
    for c in inline(&lines.join(" ")).chars() {
        if c == '|' {
            // A backslash before a bar would take the bar's own.
            out.extend(std::iter::repeat_n('\\', slashes + 1));
        }
        slashes = if c == '\\' { slashes + 1 } else { 0 };
        out.push(c);
    }
    out
}

/// The cells of a table's line; `None`: it is none. What `cell` wrote is as it was before that.
pub(super) fn cells_of(line: &str) -> Option<Vec<String>> {
    let rest = line.trim().strip_prefix('|')?.chars();
    let (mut cells, mut cell, mut slashes) = (Vec::new(), String::new(), 0_usize);
    for c in rest {
        if c == '|' {
            let kept = cell.len() - slashes.div_ceil(2);
            cell.truncate(kept);
            if slashes % 2 == 0 {
                cells.push(std::mem::take(&mut cell).trim().to_owned());
                slashes = 0;
                continue;
            }
        }
        slashes = if c == '\\' { slashes + 1 } else { 0 };
        cell.push(c);
    }
    if !cell.trim().is_empty() {
        cells.push(cell.trim().to_owned());
    }
    Some(cells)
}

/// Paragraphs and lists: no line in it begins anything else of Markdown.
pub(super) fn block(text: &str) -> String {
    let text = inline(text);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim();
        let opens = ["#", ">", "```", "~~~", "|", "---", "===", "***", "___", "+ "];
        if opens.iter().any(|mark| line.starts_with(mark)) {
            out.push('\\');
        }
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a \"b\" `c` ${d} */ // \\e | <img src=x> ![x](y) 'f' ” é 🙂";

    #[test]
    fn a_text_in_quotes_is_the_same_text_to_rhai_and_toml() {
        let text = format!("{HOSTILE}\nsecond\tline");
        let got: String = rhai_eval(&rhai(&text));
        assert_eq!(got, text);
        let table: toml::Table = format!("x = {}", toml(&text)).parse().unwrap();
        assert_eq!(table["x"].as_str(), Some(text.as_str()));
    }

    fn rhai_eval(code: &str) -> String {
        ::rhai::Engine::new().eval(code).unwrap()
    }

    #[test]
    fn a_comment_stays_one_and_begins_no_section() {
        assert_eq!(comment("one\n# Undo\n\nfn x() {}"), "// one\n//  # Undo\n//\n// fn x() {}\n");
    }

    #[test]
    fn markdown_gets_no_html_and_no_bar_but_code_is_left_alone() {
        assert_eq!(inline("`<slug>` is <b>"), "`<slug>` is &lt;b>");
        assert_eq!(inline("open ` <b>"), "open \\` &lt;b>");
        assert_eq!(inline("![x](y)"), "!\\[x](y)");
        for (text, written) in [("a | b\nc", r"a \| b c"), (r"a\|b \", r"a\\\|b \"), (r"\\|", r"\\\\\|")] {
            assert_eq!(cell(text), written);
            let row = cells_of(&format!("| {written} | x |")).unwrap();
            assert_eq!(row, [text.replace('\n', " "), "x".to_owned()], "{text}");
        }
        assert_eq!(block("# x\n- y\n```\n|z"), "\\# x\n- y\n\\`\\`\\`\n\\|z");
    }
}
