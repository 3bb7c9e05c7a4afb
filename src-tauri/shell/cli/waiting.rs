//! What a step that waits is told of on a terminal: each other thing that is seen, and now and then that it
//! still waits.

use ratiba_core::remedy::RunEvent;

use super::output::{Output, lasting};

/// Seconds after which the same is told again.
const AGAIN_AFTER_S: u64 = 30;

/// What was told last.
#[derive(Default)]
pub struct Waiting {
    told: Option<(String, u64)>,
}

impl Waiting {
    /// Tells what an event says of waiting, where that is new or old enough.
    pub fn hear(&mut self, event: &RunEvent, output: &Output) {
        if output.is_json() {
            return;
        }
        match event {
            RunEvent::Looked { seen, left_s, .. } => {
                if let Some(line) = self.line(seen, *left_s) {
                    output.progress(&line);
                }
            }
            RunEvent::StepStarted { .. } => self.told = None,
            _ => {}
        }
    }

    fn line(&mut self, seen: &str, left_s: u64) -> Option<String> {
        let is_old = |(before, at): &(String, u64)| before == seen && left_s + AGAIN_AFTER_S > *at;
        if self.told.as_ref().is_some_and(is_old) {
            return None;
        }
        self.told = Some((seen.to_owned(), left_s));
        Some(format!("    waiting: {seen}; for at most {} more", lasting(left_s)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_twice_a_minute_and_something_else_at_once() {
        let mut waiting = Waiting::default();
        let first = waiting.line("port 5434 is held by python3", 900).unwrap();
        assert_eq!(first, "    waiting: port 5434 is held by python3; for at most 15 min more");
        assert_eq!(waiting.line("port 5434 is held by python3", 898), None);
        assert_eq!(waiting.line("port 5434 is held by python3", 871), None);
        assert!(waiting.line("port 5434 is held by python3", 870).unwrap().contains("14 min"));
        assert!(waiting.line("port 5434 is held by socat", 869).is_some());
    }
}
