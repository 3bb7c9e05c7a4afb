//! What a command says while it runs, and what its end means for its step.

use std::{collections::VecDeque, time::Duration};

use super::{Emit, StepDone, StepStop, and_left};
use crate::{
    model::{SourceError, counted},
    ports::CommandEnd,
    remedy::{Precondition, RunEvent},
};

/// Lines that the journal keeps: the first and the last, since errors stand at the end.
const FIRST: usize = 80;
const LAST: usize = 120;

/// Lines of output: shown as they come, some of them kept.
pub(super) struct Output<'e, 'f> {
    emit: &'e mut Emit<'f>,
    n: u32,
    first: Vec<String>,
    last: VecDeque<String>,
    left_out: usize,
}

impl<'e, 'f> Output<'e, 'f> {
    pub(super) fn new(n: u32, emit: &'e mut Emit<'f>) -> Self {
        Self { emit, n, first: Vec::new(), last: VecDeque::new(), left_out: 0 }
    }

    pub(super) fn take(&mut self, line: String) {
        if self.first.len() < FIRST {
            self.first.push(line.clone());
        } else {
            self.last.push_back(line.clone());
            if self.last.len() > LAST {
                self.last.pop_front();
                self.left_out += 1;
            }
        }
        (self.emit)(RunEvent::StepOutput { n: self.n, line });
    }

    /// How many lines there were.
    pub(super) fn count(&self) -> usize {
        self.first.len() + self.left_out + self.last.len()
    }

    /// The lines that are kept; what is left out between them is said.
    pub(super) fn kept(self) -> Vec<String> {
        let gap = (self.left_out > 0).then(|| format!("[{} not kept]", counted(self.left_out, "line")));
        self.first.into_iter().chain(gap).chain(self.last).collect()
    }

    /// The last line that says something. What SQLAlchemy writes below its error is none, if there is another.
    pub(super) fn said(&self) -> &str {
        let lines = || self.last.iter().rev().chain(self.first.iter().rev()).map(|line| line.trim());
        let aside = ["[SQL:", "[parameters:", "(Background on this error at:"];
        let speaks = |line: &&str| !line.is_empty() && !aside.iter().any(|begin| line.starts_with(begin));
        lines().find(speaks).or_else(|| lines().find(|line| !line.is_empty())).unwrap_or_default()
    }
}

/// What the end of a compose command means. `is_now` says how the stack is after it, `after` is what
/// it left behind where it worked.
pub(super) fn of_compose(
    ended: Result<CommandEnd, SourceError>,
    deadline: Duration,
    is_now: &str,
    output: Output<'_, '_>,
    after: Vec<Precondition>,
) -> Result<StepDone, StepStop> {
    match ended {
        Ok(CommandEnd::Exited { code: 0 }) => {
            Ok(StepDone { detail: is_now.into(), output: output.kept(), returned: Vec::new(), after })
        }
        Ok(CommandEnd::Exited { code }) => Err(StepStop::Failed(format!(
            "the command ended with exit code {code}: {}; now {is_now}",
            output.said()
        ))),
        Ok(CommandEnd::TimedOut { left }) => Err(StepStop::Failed(format!(
            "the command did not end within {} s and was stopped; now {is_now}{}",
            deadline.as_secs(),
            and_left(left)
        ))),
        Ok(CommandEnd::Stopped { left }) => {
            Err(StepStop::Cancelled(format!("now {is_now}{}", and_left(left))))
        }
        Err(error) => Err(StepStop::Failed(format!("{error}. {}", error.hint))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_much_output_the_beginning_and_the_end_are_kept() {
        let mut shown = 0;
        let mut emit = |_| shown += 1;
        let mut output = Output::new(1, &mut emit);
        for n in 0..1_000 {
            output.take(format!("line {n}"));
        }
        output.take(" ".into());
        assert_eq!((output.count(), output.said()), (1_001, "line 999"));
        let kept = output.kept();
        assert_eq!(shown, 1_001);
        assert_eq!(
            (kept.len(), kept[0].as_str(), kept[80].as_str()),
            (201, "line 0", "[801 lines not kept]")
        );
        assert_eq!(kept[199], "line 999");
    }

    #[test]
    fn what_failed_is_said_and_not_where_to_read_about_it() {
        let mut emit = |_| {};
        let mut output = Output::new(1, &mut emit);
        let failed = "ProgrammingError: column \"timezone\" already exists";
        for line in [failed, "[SQL: ALTER TABLE t]", "(Background on this error at: https://sqlalche.me)", ""]
        {
            output.take(line.to_owned());
        }
        assert_eq!(output.said(), failed);
    }
}
