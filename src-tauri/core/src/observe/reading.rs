//! What is known of one source: its last good reading, and why the latest attempt failed.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Observed, SourceError, SourceName, SourceState, SourceStatus};

/// A source's last good reading beside its present error. A failure never erases what was known:
/// it is shown as old, and why it is old.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading<T> {
    /// Which source.
    pub source: SourceName,
    /// The last good reading.
    pub last: Option<Observed<T>>,
    /// Why the latest attempt failed; `None` while it succeeds.
    pub error: Option<SourceError>,
}

impl<T> Reading<T> {
    /// A source that was not read yet.
    pub fn pending(source: SourceName) -> Self {
        Self { source, last: None, error: None }
    }

    /// Takes the outcome of one attempt, made at `at`.
    pub fn take(&mut self, outcome: Result<T, SourceError>, at: Timestamp) {
        match outcome {
            Ok(value) => {
                self.last = Some(Observed::new(value, self.source, at));
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// How reading goes at `now`, when a reading older than `fresh_for` is stale.
    pub fn status(&self, now: Timestamp, fresh_for: SignedDuration) -> SourceStatus {
        match (&self.error, &self.last) {
            (Some(_), _) => SourceStatus::Down,
            (None, Some(last)) if now.duration_since(last.as_of) <= fresh_for => SourceStatus::Ok,
            (None, _) => SourceStatus::Stale,
        }
    }

    /// The value, only while it is fresh: what is not fresh is unknown.
    pub fn fresh(&self, now: Timestamp, fresh_for: SignedDuration) -> Option<&T> {
        match self.status(now, fresh_for) {
            SourceStatus::Ok => self.last.as_ref().map(|last| &last.value),
            SourceStatus::Stale | SourceStatus::Down => None,
        }
    }

    /// When it was last read with success.
    pub fn as_of(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.as_of)
    }

    /// One sentence: why there is no fresh value.
    pub fn why_unknown(&self) -> String {
        match (&self.error, &self.last) {
            (Some(error), _) => format!("{error}. {}", error.hint),
            (None, None) => format!("{} was not read yet", self.source),
            (None, Some(_)) => format!("the last reading of {} is too old", self.source),
        }
    }

    /// For the snapshot's list of sources.
    pub fn state(&self, now: Timestamp, fresh_for: SignedDuration) -> SourceState {
        let status = self.status(now, fresh_for);
        SourceState {
            name: self.source,
            status,
            as_of: self.as_of(),
            error: (status != SourceStatus::Ok).then(|| self.why_unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceErrorKind;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_failure_keeps_the_last_good_reading_but_it_no_longer_counts_as_fresh() {
        let limit = SignedDuration::from_secs(10);
        let mut reading = Reading::pending(SourceName::Redis);
        assert_eq!(reading.status(at(0), limit), SourceStatus::Stale);
        reading.take(Ok(7), at(1));
        assert_eq!(reading.fresh(at(2), limit), Some(&7));
        reading.take(
            Err(SourceError {
                source_name: SourceName::Redis,
                kind: SourceErrorKind::Unreachable,
                attempted: "read the threads".into(),
                happened: "connection refused".into(),
                hint: "Is redis up?".into(),
            }),
            at(3),
        );
        assert_eq!(reading.fresh(at(3), limit), None);
        assert_eq!(reading.as_of(), Some(at(1)));
        assert_eq!(reading.why_unknown(), "read the threads: connection refused. Is redis up?");
        reading.take(Ok(8), at(4));
        assert_eq!(reading.status(at(15), limit), SourceStatus::Stale);
    }
}
