//! Bytes from libFuzzer become a script, and the script goes through everything that a script
//! reaches, on the smallest thread stack that a platform gives.

#![no_main]

mod drive;
mod generate;

use std::thread;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let script = generate::script(bytes);
    let run = move || {
        let mut tally = drive::Tally::default();
        drive::drive(&script, &mut tally);
        assert!(tally.worst < drive::LONGEST, "took {:?}:\n{script}", tally.worst);
    };
    let thread = thread::Builder::new().stack_size(512 << 10).spawn(run);
    if let Ok(thread) = thread {
        assert!(thread.join().is_ok(), "a script panicked");
    }
});
