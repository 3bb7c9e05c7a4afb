//! Columns: what a table's first line says of the cells below.

use super::{
    assigned,
    hits::Hit,
    names::{Class, class_of},
    people,
    pseudonyms::Kind,
    values::is_no_secret,
};
use std::ops::Range;

/// What the names of the columns tell of each cell. Cells are parted by what the first line has most of.
pub(super) fn find(text: &str, hits: &mut Vec<Hit>) {
    let first = text.lines().next().unwrap_or_default();
    let count = |c: char| first.matches(c).count();
    let by = [',', ';', '\t', '|'].into_iter().max_by_key(|c| (count(*c), *c == ',')).unwrap_or(',');
    let mut rows = Rows { text, at: 0, by };
    let classes: Vec<Class> = rows
        .next()
        .unwrap_or_default()
        .into_iter()
        .map(|cell| class_of(text.get(cell).unwrap_or_default().trim()))
        .collect();
    if classes.iter().all(|class| *class == Class::Open) {
        return;
    }
    for row in rows {
        for (cell, class) in row.into_iter().zip(&classes) {
            let raw = text.get(cell.clone()).unwrap_or_default();
            let lead = raw.len() - raw.trim_start().len();
            let value = raw.trim();
            hide(cell.start + lead..cell.start + lead + value.len(), value, *class, hits);
        }
    }
}

fn hide(range: Range<usize>, value: &str, class: Class, hits: &mut Vec<Hit>) {
    match class {
        Class::Secret | Class::Header | Class::Query if !is_no_secret(value) => {
            hits.push(Hit::secret(range, "named-secret"));
        }
        Class::Words | Class::Message => hits.extend(assigned::words(range, value)),
        Class::Number => {
            hits.extend(people::number_of(value).map(|number| Hit::name(range, Kind::Phone, number)));
        }
        Class::Receipt if people::is_receipt(value) => {
            hits.push(Hit::name(range, Kind::Receipt, value.to_owned()));
        }
        _ => {}
    }
}

/// Row by row, the places of the cells, without their quotes.
struct Rows<'t> {
    text: &'t str,
    at: usize,
    by: char,
}

impl Iterator for Rows<'_> {
    type Item = Vec<Range<usize>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        let mut cells = Vec::new();
        loop {
            let rest = self.text.get(self.at..)?;
            let (cell, length) = match rest.strip_prefix('"') {
                Some(inner) => {
                    let end = quoted(inner);
                    (self.at + 1..self.at + 1 + end, 1 + end + usize::from(inner.len() > end))
                }
                None => {
                    let end = rest.find([self.by, '\n']).unwrap_or(rest.len());
                    (self.at..self.at + end, end)
                }
            };
            cells.push(cell);
            self.at += length;
            let behind = self.text.get(self.at..)?;
            // What stands behind a closing quote belongs to no cell.
            let skip = behind.find([self.by, '\n']).unwrap_or(behind.len());
            self.at += skip;
            let ends = behind.get(skip..)?.chars().next();
            self.at += usize::from(ends.is_some());
            if ends != Some(self.by) {
                return Some(cells);
            }
        }
    }
}

/// How long a cell in quotes is: two quotes in it are one.
fn quoted(inner: &str) -> usize {
    let bytes = inner.as_bytes();
    let mut at = 0;
    while let Some(stop) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) {
        at += stop;
        if bytes.get(at + 1) != Some(&b'"') {
            return at;
        }
        at += 2;
    }
    bytes.len()
}
