//! An index of a log file, kept among the console's caches: which blocks hold lines of a thread.
//!
//! The file is a header of [`HEADER`] bytes in JSON, then pairs of a thread's mark and a block's number, sorted, eight
//! bytes each, big-endian. What was written behind what it covers is read as without an index. A file that is
//! another one, or was changed where it is covered, has none.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
};

use ratiba_core::logs::{BLOCK, Filter, Piece, mark_of, thread_marks};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::pieces::{PIECE, Part};

const HEADER: usize = 4_096;
const VERSION: u32 = 1;
/// The mark of lines that may be anybody's.
const ODD: u32 = 0;
/// How much of the file, at its beginning and at the end of what is covered, is compared, in bytes.
const COMPARED: u64 = 4_096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    version: u32,
    device: u64,
    inode: u64,
    covered: u64,
    pairs: u64,
    begins: String,
    ends: String,
}

/// An index that holds for its file.
pub(super) struct Index {
    file: File,
    header: Header,
}

/// The index of a log file, if there is one that holds.
pub(super) fn of(dir: &Path, log: &Path, part: &Part) -> Option<Index> {
    let file = File::open(place(dir, log)).ok()?;
    let mut bytes = vec![0; HEADER];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(HEADER);
    let header: Header = serde_json::from_slice(bytes.get(..end)?).ok()?;
    let is_whole = file.metadata().ok()?.len() == HEADER as u64 + header.pairs.checked_mul(8)?;
    let now = header_of(part, header.covered).ok()?;
    let holds = Header { pairs: header.pairs, ..now } == header && header.covered <= part.length;
    (is_whole && holds).then_some(Index { file, header })
}

/// Makes the index of a log file, or brings it up to the file's end; how many bytes it covers.
pub(super) fn make(dir: &Path, log: &Path, part: &Part) -> io::Result<u64> {
    crate::private::folder(dir)?;
    let before = of(dir, log, part);
    let covered = part.length / BLOCK * BLOCK;
    let from = before.as_ref().map_or(0, |index| index.header.covered);
    if before.is_some() && from == covered {
        return Ok(covered);
    }
    let mut pairs = match &before {
        Some(index) => index.all()?,
        None => Vec::new(),
    };
    pairs.extend(marks(part, from, covered)?);
    pairs.sort_unstable();
    pairs.dedup();
    let header = Header { pairs: pairs.len() as u64, ..header_of(part, covered)? };
    let mut head = serde_json::to_vec(&header)?;
    head.resize(HEADER, 0);
    let name = place(dir, log);
    let beside = name.with_extension(format!("{}.new", std::process::id()));
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    out.write_all(&head)?;
    for pair in pairs {
        out.write_all(&pair.to_be_bytes())?;
    }
    out.flush()?;
    drop(out);
    fs::rename(beside, name)?;
    Ok(covered)
}

fn place(dir: &Path, log: &Path) -> PathBuf {
    let name = fs::canonicalize(log).unwrap_or_else(|_| log.to_owned());
    dir.join(format!("{}.index", digest(name.as_os_str().as_encoded_bytes())))
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

fn header_of(part: &Part, covered: u64) -> io::Result<Header> {
    let facts = part.file.metadata()?;
    let mut begins = Vec::new();
    part.read(0, covered.min(COMPARED), &mut begins)?;
    let mut ends = Vec::new();
    part.read(covered.saturating_sub(COMPARED), covered, &mut ends)?;
    Ok(Header {
        version: VERSION,
        device: facts.dev(),
        inode: facts.ino(),
        covered,
        pairs: 0,
        begins: digest(&begins),
        ends: digest(&ends),
    })
}

fn pair(mark: u32, block: u64) -> u64 {
    // Mark 0 is taken for what is odd.
    (u64::from(if mark == ODD { 1 } else { mark }) << 32) | (block & 0xffff_ffff)
}

/// The pairs of what stands between two places, on all cores.
fn marks(part: &Part, from: u64, to: u64) -> io::Result<Vec<u64>> {
    let numbers: Vec<u64> = (from / PIECE..to.div_ceil(PIECE)).collect();
    let cores = thread::available_parallelism().map_or(1, usize::from).clamp(1, 8);
    let parts: Vec<io::Result<Vec<u64>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| {
                let numbers = numbers.iter().skip(core).step_by(cores);
                scope.spawn(move || {
                    let (mut buffer, mut pairs) = (Vec::new(), Vec::new());
                    for number in numbers {
                        let begin = number.saturating_mul(PIECE).max(from);
                        let end = number.saturating_add(1).saturating_mul(PIECE).min(to);
                        of_piece(part, begin, end, &mut buffer, &mut pairs)?;
                    }
                    Ok(pairs)
                })
            })
            .collect();
        let gone = || Err(io::Error::other("a worker ended within its work"));
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| gone())).collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

fn of_piece(part: &Part, begin: u64, end: u64, buffer: &mut Vec<u8>, pairs: &mut Vec<u64>) -> io::Result<()> {
    let around = part.around(begin, end, buffer)?;
    let bytes = buffer.get(around.kept.clone()).unwrap_or_default();
    let piece = Piece { bytes, owned: around.owned.clone(), layout: part.layout, zone: &part.zone };
    let found = thread_marks(&piece);
    let block = |at: usize| (around.from + (around.kept.start + at) as u64) / BLOCK;
    let mut own: Vec<u64> = found.marks.into_iter().map(|(mark, at)| pair(mark, block(at))).collect();
    own.extend(found.odd.into_iter().map(block));
    own.sort_unstable();
    own.dedup();
    pairs.append(&mut own);
    Ok(())
}

impl Index {
    /// The blocks that must be read for a query, those behind what is covered too; `None`: all, for it can't tell.
    pub fn blocks(&self, filter: &Filter, length: u64) -> io::Result<Option<Vec<u64>>> {
        let Some(thread) = filter.query().thread.as_deref() else { return Ok(None) };
        // Of other names parts may be escaped in a way that is no odd line here.
        if thread.is_empty() || !thread.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        {
            return Ok(None);
        }
        let mark = pair(mark_of(thread), 0) >> 32;
        let mut blocks = self.of_mark(u64::from(ODD))?;
        blocks.extend(self.of_mark(mark)?);
        blocks.extend(self.header.covered / BLOCK..length.div_ceil(BLOCK));
        blocks.sort_unstable();
        blocks.dedup();
        Ok(Some(blocks))
    }

    fn at(&self, number: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, HEADER as u64 + number * 8)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn of_mark(&self, mark: u64) -> io::Result<Vec<u64>> {
        let (mut low, mut high) = (0, self.header.pairs);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle)? < mark << 32 { low = middle + 1 } else { high = middle }
        }
        let mut blocks = Vec::new();
        while low < self.header.pairs {
            let pair = self.at(low)?;
            if pair >> 32 != mark {
                break;
            }
            blocks.push(pair & 0xffff_ffff);
            low += 1;
        }
        Ok(blocks)
    }

    fn all(&self) -> io::Result<Vec<u64>> {
        let length = usize::try_from(self.header.pairs).unwrap_or(0) * 8;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, HEADER as u64)?;
        Ok(bytes.chunks_exact(8).filter_map(|pair| pair.try_into().ok()).map(u64::from_be_bytes).collect())
    }
}
