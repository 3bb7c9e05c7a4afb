//! Lines of a container's log behind the engine's time: for what goes over line ends, the times are not there.

use std::ops::Range;

/// A text without its stamps, and where each of its lines was.
pub(super) struct Unstamped {
    pub(super) text: String,
    /// For each line where it begins in the text, and how many bytes of stamps were taken out so far.
    lines: Vec<(usize, usize)>,
}

/// How long a line's stamp is: a time, a blank, `o` or `e`, a blank.
fn stamp(line: &str) -> usize {
    let Some((time, rest)) = line.split_once(' ') else { return 0 };
    let is_time = (20..=40).contains(&time.len())
        && time.ends_with('Z')
        && time.starts_with(|c: char| c.is_ascii_digit())
        && time.contains('T');
    match is_time && (rest.starts_with("o ") || rest.starts_with("e ")) {
        true => time.len() + 3,
        false => 0,
    }
}

impl Unstamped {
    pub(super) fn of(text: &str) -> Self {
        let mut plain = Self { text: String::with_capacity(text.len()), lines: Vec::new() };
        let mut taken = 0;
        for line in text.split_inclusive('\n') {
            let length = stamp(line);
            taken += length;
            plain.lines.push((plain.text.len(), taken));
            plain.text.push_str(line.get(length..).unwrap_or_default());
        }
        plain
    }

    /// Where a range is in the text with its stamps. A stamp within it is part of it.
    pub(super) fn raw(&self, range: &Range<usize>) -> Range<usize> {
        let at = |place: usize| {
            let line = self.lines.partition_point(|(start, _)| *start <= place);
            place + line.checked_sub(1).and_then(|n| self.lines.get(n)).map_or(0, |(_, taken)| *taken)
        };
        match range.end.checked_sub(1) {
            Some(last) if last >= range.start => at(range.start)..at(last) + 1,
            _ => at(range.start)..at(range.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_lines_is_found_again_with_the_stamps_in_it() {
        let text = "2026-11-26T10:00:00.000001Z o ab\n2026-11-26T10:00:00.000002Z e cd\nno stamp\n";
        let plain = Unstamped::of(text);
        assert_eq!(plain.text, "ab\ncd\nno stamp\n");
        let of = |what: &str| {
            let at = plain.text.find(what).unwrap();
            text.get(plain.raw(&(at..at + what.len()))).unwrap()
        };
        assert_eq!((of("ab"), of("cd"), of("no stamp")), ("ab", "cd", "no stamp"));
        assert_eq!(of("b\nc"), "b\n2026-11-26T10:00:00.000002Z e c");
    }
}
