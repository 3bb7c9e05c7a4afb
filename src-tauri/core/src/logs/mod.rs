//! Logs: what a line says, which lines belong together, which of them are asked for, and in what order they are
//! shown. Bytes and times go in; nothing is opened here.

mod console;
mod entry;
mod histogram;
mod index;
mod join;
mod json;
mod live;
mod merge;
mod own_tries;
mod plain;
mod query;
mod record;
mod scan;
mod shape;
mod sift;
mod signals;
mod text;

pub(crate) use console::without_colours;
pub use entry::{LONGEST_LINE, LogEntry};
pub use histogram::{Histogram, HistogramCounter, HistogramSpan};
pub use index::{BLOCK, ThreadMarks, mark_of, thread_marks};
pub use live::Assembler;
pub use merge::Merge;
pub use own_tries::OwnTries;
pub use query::{Filter, LogQuery};
pub use record::{LineForm, LogRecord, read, read_bytes, record, severity};
pub use shape::{LogPattern, PatternCounter, shape_of};
pub use sift::{Layout, Piece, Sift, Sifted, sift, times};
pub use signals::{SIGNALS, Signal, SignalCount, SignalCounter};
pub use text::plain_text;
