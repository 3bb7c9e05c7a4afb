//! The practice lab's stores, for its drills: they reach past every limit that the console's own sources
//! have, and so are no part of them.

pub(crate) use ratiba_adapters::lab::{Address, Found, postgres, redis, sql};
