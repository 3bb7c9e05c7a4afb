//! Lines that the console itself caused: trying the WhatsApp webhook leaves a refused call and a refused handshake in
//! the backend's log, and nobody must take those for somebody else's.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

/// How the event of such a line begins.
const EVENT: &str = "webhook.whatsapp";
/// A line may be so much earlier than its try by the other clock, in milliseconds.
const EARLIER: i64 = -1_000;
/// And so much later.
const LATER: i64 = 5_000;

/// Tells own lines from others': of each kind one for each try, the nearest in time.
#[derive(Debug, Clone, Default)]
pub struct OwnTries {
    tries: Vec<Timestamp>,
    taken: BTreeSet<(usize, String)>,
}

impl OwnTries {
    /// Whether a line of this event may be one.
    pub fn may_be(event: &str) -> bool {
        event.starts_with(EVENT)
    }

    /// Of tries at these times.
    pub fn new(mut tries: Vec<Timestamp>) -> Self {
        tries.sort_unstable();
        Self { tries, taken: BTreeSet::new() }
    }

    /// Whether this line is one. Each is asked once, in the order of time.
    pub fn is_own(&mut self, event: &str, at: Option<Timestamp>) -> bool {
        let Some(at) = at.filter(|_| Self::may_be(event)) else { return false };
        let ms = |apart: SignedDuration| i64::try_from(apart.as_millis()).unwrap_or(i64::MAX);
        let near = self.tries.iter().position(|tried| {
            let apart = ms(at.duration_since(*tried));
            (EARLIER..=LATER).contains(&apart)
        });
        near.is_some_and(|which| self.taken.insert((which, event.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_of_each_kind_for_each_try_is_own_and_any_other_is_not() {
        let at = |s: i64| Timestamp::from_second(1_795_500_000 + s).unwrap();
        let mut own = OwnTries::new(vec![at(0)]);
        assert!(own.is_own("webhook.whatsapp", Some(at(1))));
        assert!(own.is_own("webhook.whatsapp handshake refused", Some(at(1))));
        assert!(!own.is_own("webhook.whatsapp", Some(at(2))), "the second of a kind is somebody else's");
        assert!(!own.is_own("webhook.whatsapp", Some(at(60))));
        assert!(!own.is_own("webhook.whatsapp", None));
        assert!(!own.is_own("payment.callback", Some(at(0))));
    }
}
