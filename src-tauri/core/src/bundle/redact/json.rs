//! JSON in a text, value by value, by place: nothing is parsed into something else, so that all the rest
//! stays as it was written. Broken JSON is read as far as it goes.

use std::ops::Range;

use super::{
    assigned,
    hits::Hit,
    names::{Class, Names, is_of_a_person},
    people,
    pseudonyms::Kind,
    values::{is_no_secret, is_note},
};

/// Nested deeper than this, nothing is read any more, and all of it is hidden.
const DEEPEST: usize = 256;

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    /// Texts with a backslash in them, without their quotes.
    pub(super) escaped: Vec<Range<usize>>,
    /// Values without quotes: whatever is hidden in one becomes a text.
    pub(super) bare: Vec<Range<usize>>,
}

/// Reads the value that begins at `start`; gives where it ends or where it can't be read on.
pub(super) fn find<'t>(
    text: &'t str,
    start: usize,
    names: &mut Names<'t>,
    read: &mut Read,
    hits: &mut Vec<Hit>,
) -> usize {
    let mut walk = Walk { text, at: start, start, names, read, hits, open: Vec::new() };
    walk.all();
    // What is still open was cut: what was to be dropped is dropped as far as it may go.
    let drops = walk.open.iter().any(|frame| frame.class == Class::Locals);
    let end = if drops { walk.cut() } else { walk.at };
    walk.at = walk.at.max(end);
    while let Some(frame) = walk.open.pop() {
        walk.close(frame, end);
    }
    walk.at.max(start + 1)
}

struct Frame<'t> {
    is_object: bool,
    start: usize,
    /// The name under which it stands, and what that says of what is in it.
    name: &'t str,
    class: Class,
    /// The name of the value that comes next.
    key: &'t str,
    /// `{"Name": "…", "Value": …}`: what the first says of the second.
    named: Class,
    value: Option<Range<usize>>,
    /// The text under `message`, until it is known whether a program wrote it.
    message: Option<Range<usize>>,
    has_level: bool,
    has_event: bool,
}

struct Walk<'w, 't> {
    text: &'t str,
    at: usize,
    start: usize,
    names: &'w mut Names<'t>,
    read: &'w mut Read,
    hits: &'w mut Vec<Hit>,
    open: Vec<Frame<'t>>,
}

impl<'t> Walk<'_, 't> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// How far a value goes that can't be read to its end: with its line, or where it had several to the
    /// text's end.
    fn cut(&self) -> usize {
        let rest = self.text.as_bytes().get(self.start..).unwrap_or_default();
        let line = memchr::memchr(b'\n', rest).map_or(self.text.len(), |n| self.start + n);
        if self.at <= line { line } else { self.text.len() }
    }

    fn blanks(&mut self) {
        while self.byte().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn all(&mut self) -> Option<()> {
        loop {
            self.blanks();
            match self.byte()? {
                open @ (b'{' | b'[') => {
                    self.begin(open == b'{');
                    if self.open.len() > DEEPEST {
                        let start = self.open.first().map_or(self.at, |first| first.start);
                        let end = self.cut();
                        self.hits.push(Hit::secret(start..end, "nested-too-deep").bare());
                        self.at = end;
                        return None;
                    }
                    self.at += 1;
                    self.blanks();
                    if !matches!(self.byte()?, b'}' | b']') {
                        self.key()?;
                        continue;
                    }
                }
                b'"' => {
                    let range = self.string()?;
                    self.value_text(range);
                }
                _ => {
                    let range = self.scalar()?;
                    self.value_bare(range);
                }
            }
            self.behind_value()?;
            if self.open.is_empty() {
                return None;
            }
        }
    }

    /// What closes, then a comma and the next name; or the end of everything.
    fn behind_value(&mut self) -> Option<()> {
        loop {
            self.blanks();
            match self.byte() {
                Some(b',') if !self.open.is_empty() => {
                    self.at += 1;
                    self.blanks();
                    return self.key();
                }
                Some(b'}' | b']') => {
                    let frame = self.open.pop()?;
                    self.at += 1;
                    let end = self.at;
                    self.close(frame, end);
                    if self.open.is_empty() {
                        return Some(());
                    }
                }
                _ => return self.open.is_empty().then_some(()),
            }
        }
    }

    /// In an object, reads the next name.
    fn key(&mut self) -> Option<()> {
        if !self.open.last()?.is_object {
            return Some(());
        }
        if self.byte()? != b'"' {
            return None;
        }
        let range = self.string()?;
        let key = self.text.get(range)?;
        self.blanks();
        if self.byte()? != b':' {
            return None;
        }
        self.at += 1;
        let frame = self.open.last_mut()?;
        frame.key = key;
        frame.has_event |= key == "event";
        let levels =
            ["level", "severity", "error_severity", "levelname", "loglevel", "status", "code", "errorCode"];
        frame.has_level |= levels.contains(&key);
        Some(())
    }

    /// A text: without its quotes. The place moves behind it.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(at..)?;
            let stop = memchr::memchr3(b'"', b'\\', b'\n', rest)?;
            at += stop;
            match rest.get(stop) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                // The rest was cut off.
                _ => return None,
            }
            escaped = true;
        }
        self.at = at + 1;
        if escaped {
            self.read.escaped.push(start..at);
        }
        Some(start..at)
    }

    fn scalar(&mut self) -> Option<Range<usize>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length =
            rest.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')).count();
        let range = self.at..self.at + length;
        let word = self.text.get(range.clone())?;
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if !is_number && !matches!(word, "true" | "false" | "null" | "NaN" | "Infinity") {
            return None;
        }
        self.at = range.end;
        Some(range)
    }

    fn begin(&mut self, is_object: bool) {
        let class = self.class();
        let name = self.open.last().map_or("", |f| if f.is_object { f.key } else { f.name });
        let is_locals = class == Class::Locals && self.open.last().is_some_and(|f| f.name == "frames");
        // Words are texts: what is in an object under such a name has names of its own.
        let class = match class {
            Class::Secret | Class::Header => Class::Secret,
            Class::Locals if !is_locals => Class::Open,
            class if is_object && class != Class::Locals => Class::Open,
            class => class,
        };
        self.open.push(Frame {
            is_object,
            start: self.at,
            name,
            class,
            key: "",
            named: Class::Open,
            value: None,
            message: None,
            has_level: false,
            has_event: false,
        });
    }

    fn close(&mut self, frame: Frame<'t>, end: usize) {
        if frame.class == Class::Locals {
            self.hits.push(Hit::note(frame.start..end, "locals", "locals left out").bare());
        }
        if let Some(message) = frame.message.filter(|_| !frame.has_level || frame.has_event) {
            let value = self.text.get(message.clone()).unwrap_or_default();
            self.hits.extend(assigned::words(message, value));
        }
    }

    /// What the value that comes next is, by its name or by what it stands in.
    fn class(&mut self) -> Class {
        let Some(frame) = self.open.last() else { return Class::Open };
        if !frame.is_object {
            return frame.class;
        }
        let own = match frame.key {
            "Value" | "value" => frame.named,
            "name" | "formatted_name" if is_of_a_person(frame.name) => Class::Words,
            key => self.names.class(key),
        };
        match own {
            Class::Open | Class::Query if frame.class == Class::Secret => Class::Secret,
            own => own,
        }
    }

    fn value_text(&mut self, range: Range<usize>) {
        let value = self.text.get(range.clone()).unwrap_or_default();
        let class = self.class();
        if let Some(frame) = self.open.last_mut().filter(|frame| frame.is_object) {
            match frame.key {
                "Name" | "name" => {
                    frame.named = self.names.class(value);
                    // It came after its value.
                    if let Some(before) = frame.value.take().filter(|_| frame.named == Class::Secret) {
                        self.hits.push(Hit::secret(before, "named-secret"));
                    }
                }
                "Value" | "value" => frame.value = Some(range.clone()),
                _ => {}
            }
        }
        // `NAME=value`, as in a list of variables.
        let variable = value.split_once('=').filter(|(name, _)| {
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && self.names.class(name) == Class::Secret
        });
        if let Some((name, secret)) = variable.filter(|(_, secret)| !is_no_secret(secret)) {
            let start = range.start + name.len() + 1;
            self.hits.push(Hit::secret(start..start + secret.len(), "named-secret"));
        }
        self.hide_text(class, range, value);
    }

    fn hide_text(&mut self, class: Class, range: Range<usize>, value: &str) {
        match class {
            Class::Secret | Class::Header if !is_no_secret(value) => {
                self.hits.push(Hit::secret(range, "named-secret"));
            }
            Class::Words => self.hits.extend(assigned::words(range, value)),
            Class::Message => {
                if let Some(frame) = self.open.last_mut() {
                    frame.message = Some(range);
                }
            }
            Class::Number => {
                let number = people::number_of(value);
                self.hits.extend(number.map(|number| Hit::name(range, Kind::Phone, number)));
            }
            Class::Receipt if people::is_receipt(value) => {
                self.hits.push(Hit::name(range, Kind::Receipt, value.to_owned()));
            }
            Class::Locals if self.open.last().is_some_and(|f| f.class == Class::Locals) => {}
            Class::Locals if !is_note(value) && self.open.last().is_some_and(|f| f.name == "frames") => {
                self.hits.push(Hit::note(range, "locals", "locals left out"));
            }
            _ => {}
        }
    }

    fn value_bare(&mut self, range: Range<usize>) {
        let value = self.text.get(range.clone()).unwrap_or_default();
        if !value.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return;
        }
        self.read.bare.push(range.clone());
        match self.class() {
            Class::Secret | Class::Header => self.hits.push(Hit::secret(range, "named-secret").bare()),
            Class::Number => {
                let number = people::number_of(value);
                self.hits.extend(number.map(|number| Hit::name(range, Kind::Phone, number).bare()));
            }
            _ => {}
        }
    }
}
