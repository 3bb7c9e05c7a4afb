//! Logs: what a line says, which lines belong together, which of them are asked for, and in what order they are
//! shown. Bytes and times go in; nothing is opened here.

mod console;
mod entry;
mod join;
mod json;
mod plain;
mod query;
mod record;
mod scan;
mod sift;

pub use entry::{LONGEST_LINE, LogEntry};
pub use query::{Filter, LogQuery};
pub use record::{LineForm, LogRecord, read, read_bytes, record, severity};
pub use sift::{Layout, Piece, Sifted, sift, times};
