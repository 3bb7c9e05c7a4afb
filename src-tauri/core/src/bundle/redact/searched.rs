//! A text that is searched: checked, without a log's stamps, and in pieces that can be searched side by side.

use std::{borrow::Cow, ops::Range};

use crate::ports::SecretFinder;

use super::{
    Content, Found, LONGEST, csv,
    find::Finder,
    hits::{Hit, one_for_each_place},
    is_json,
    rules::Rules,
    stamps::Unstamped,
};

/// A piece has about so many bytes: on every machine the same, so that what is found is, too.
const PIECE: usize = 1 << 20;
/// So many bytes before and behind a piece are searched with it: what goes over line ends, such as a key in
/// PEM, is found wherever pieces meet.
const AROUND: usize = 64 << 10;

/// Bytes that can be cleaned.
pub(super) struct Searched<'t> {
    text: Cow<'t, str>,
    /// The same without the stamps of its lines.
    plain: Option<Unstamped>,
    what: Content,
}

impl<'t> Searched<'t> {
    /// The error is the sentence that says why it is withheld.
    pub(super) fn of(what: Content, bytes: &'t [u8]) -> Result<Self, String> {
        if bytes.len() > LONGEST {
            return Err(format!("It is longer than {} MiB, too long to be cleaned.", LONGEST >> 20));
        }
        if memchr::memchr(0, bytes).is_some() {
            return Err("It has zero bytes: it is no text, and can't be cleaned.".into());
        }
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        };
        if let Cow::Owned(text) = &text {
            let odd = text.matches('\u{fffd}').count();
            if odd * 10 > text.len() {
                return Err("More than a tenth of it is not UTF-8: it can't be cleaned.".into());
            }
        }
        let plain = (what == Content::Stamped).then(|| Unstamped::of(&text));
        Ok(Self { text, plain, what })
    }

    fn searched(&self) -> &str {
        self.plain.as_ref().map_or(&self.text, |plain| &plain.text)
    }

    /// Its pieces. A document is one, and so is a text that is not long.
    pub(super) fn pieces(&self) -> Vec<Range<usize>> {
        let text = self.searched();
        let mut pieces = Vec::new();
        let mut start = 0;
        if matches!(self.what, Content::Text | Content::Stamped) {
            while let Some(cut) = fresh_line(text, start + PIECE) {
                pieces.push(start..cut);
                start = cut;
            }
        }
        pieces.push(start..text.len());
        pieces
    }

    /// What is to be hidden in a piece.
    pub(super) fn hits(&self, known: &dyn SecretFinder, piece: &Range<usize>) -> Result<Vec<Hit>, String> {
        let rules = Rules::get().ok_or("The rules that it is cleaned with can't be read.")?;
        let text = self.searched();
        let around = with_lines_around(text, piece);
        let part = text.get(around.clone()).ok_or("It can't be taken apart to be cleaned.")?;
        let mut columns = Vec::new();
        if self.what == Content::Csv {
            csv::find(part, &mut columns);
        }
        let mut hits = Finder { rules, known }.all(part, columns);
        for hit in &mut hits {
            hit.range = hit.range.start + around.start..hit.range.end + around.start;
        }
        // What lies in another piece alone is found there, where all that is around it is seen.
        hits.retain(|hit| hit.range.end > piece.start && hit.range.start < piece.end);
        Ok(hits)
    }

    /// What was found in all pieces together.
    pub(super) fn found(self, pieces: impl IntoIterator<Item = Result<Vec<Hit>, String>>) -> Found<'t> {
        let mut all = Vec::new();
        for hits in pieces {
            match hits {
                Ok(hits) => all.extend(hits),
                Err(why) => return Found::withheld(why),
            }
        }
        let mut hits = one_for_each_place(all);
        if let Some(plain) = &self.plain {
            hits.iter_mut().for_each(|hit| hit.range = plain.raw(&hit.range));
        }
        let was_json = self.what == Content::Json && is_json(&self.text);
        Found { text: Ok(self.text), hits, was_json }
    }
}

/// Where a line begins, from a place on, that goes on with nothing: no line of a document in JSON that was written
/// over several, no frame of a traceback.
fn fresh_line(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // What is behind the last cut is worth a piece of its own.
    let last = bytes.len().checked_sub(PIECE)?;
    let mut at = from;
    while at < last {
        let end = at + memchr::memchr(b'\n', bytes.get(at..last)?)?;
        let before = bytes.get(..end)?.trim_ascii_end().last().copied().unwrap_or(b'\n');
        let begins = bytes.get(end + 1).copied().unwrap_or(b'\n');
        let is_open = b",[{(:\\".contains(&before);
        if !is_open && (begins.is_ascii_alphanumeric() || b"{\x1b".contains(&begins)) {
            return Some(end + 1);
        }
        at = end + 1;
    }
    None
}

/// A piece, and whole lines before and behind it.
fn with_lines_around(text: &str, piece: &Range<usize>) -> Range<usize> {
    let bytes = text.as_bytes();
    let before = bytes.get(..piece.start.saturating_sub(AROUND)).unwrap_or_default();
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let behind = bytes.len().min(piece.end.saturating_add(AROUND));
    let rest = bytes.get(behind..).unwrap_or_default();
    let end = memchr::memchr(b'\n', rest).map_or(bytes.len(), |length| behind + length);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{KnownSecrets, NoSecrets};

    /// Lines of `length` bytes together, give or take one.
    fn lines(length: usize) -> String {
        let line = "{\"event\": \"message received\", \"level\": \"info\", \"duration_ms\": 12}\n";
        line.repeat(length / line.len())
    }

    fn key() -> String {
        let body = (0..20)
            .map(|n| format!("MIIEpAIBAAKCAQEAx{n:02}aZ3kq9vJpTn5Qe7RwYbUcLdMfGhKxSoVi2Aa4Bs6Ct8Du\n"));
        let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----\n", "-----END RSA PRIVATE KEY-----\n");
        [begin.to_owned(), body.collect(), end.to_owned()].concat()
    }

    #[test]
    fn what_lies_where_two_pieces_meet_is_found_as_in_one() {
        let rules = Rules::get().unwrap();
        let known = NoSecrets.finder();
        for back in [0, 40, 700, 1_300, 2_000] {
            let text = [lines(PIECE - back), key(), lines(PIECE * 3 / 2)].concat();
            let whole = Finder { rules, known: known.as_ref() }.all(&text, Vec::new());
            assert_eq!(whole.len(), 1, "{whole:?}");
            let searched = Searched::of(Content::Text, text.as_bytes()).unwrap();
            let pieces = searched.pieces();
            assert_eq!(pieces.len(), 2, "{pieces:?}");
            assert_eq!((pieces[0].start, pieces[1].end), (0, text.len()));
            let hits: Vec<_> = pieces.iter().map(|piece| searched.hits(known.as_ref(), piece)).collect();
            assert_eq!(searched.found(hits).hits, whole, "{back} bytes before");
        }
    }

    #[test]
    fn a_document_over_many_lines_is_never_cut() {
        let frames =
            "    {\n      \"name\": \"charge\",\n      \"locals\": {\n        \"pin\": 1\n      }\n    },\n";
        let document =
            format!("{{\n  \"frames\": [\n{}    {{}}\n  ]\n}}\n", frames.repeat(PIECE / 2 / frames.len()));
        let text = [lines(PIECE - 1_000), document.clone(), lines(PIECE * 2)].concat();
        let from = text.find("{\n").unwrap();
        let searched = Searched::of(Content::Text, text.as_bytes()).unwrap();
        let pieces = searched.pieces();
        assert!(pieces.len() > 1);
        for piece in &pieces[1..] {
            assert!(piece.start <= from || piece.start >= from + document.len(), "{piece:?} cuts {from}");
        }
        let of_json = Searched::of(Content::Json, text.as_bytes()).unwrap();
        assert_eq!(of_json.pieces().len(), 1);
    }
}
