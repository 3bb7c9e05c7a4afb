//! The escalation bundle: what somebody else is given to look at when the console could not help.
//!
//! `parts` are what was collected; `make` cleans them (`redact`), lists them (`manifest`) and writes them into
//! an archive (`archive`), which it looks at once more; `open` reads one back, and trusts nothing in it.

mod archive;
mod compare;
mod drafts;
mod entry_name;
mod make;
mod manifest;
mod open;
mod parts;
mod readme;
pub mod redact;
mod report;

pub use archive::{LARGEST_ARCHIVE, LARGEST_FILE, MOST_FILES, digest};
pub use compare::{Comparison, compare};
pub use drafts::{deviation, message};
pub use make::{Collected, MadeBundle, NotMade, make};
pub use manifest::{
    BundleOf, ERRORS, FileRow, FileState, LogOf, MANIFEST, Manifest, README, REDACTIONS, SCHEMA, Tool, Window,
};
pub use open::{OpenedBundle, open};
pub use parts::{Part, Taken, cut_to};
pub use readme::{Story, readme};
pub use report::{Redactions, RedactionsByFile, Uncollected};
