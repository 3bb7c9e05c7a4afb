//! The wish that a run stops: a signal, or the end of its time.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The time of `--timeout` is over.
    Time,
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// The terminal is gone.
    HangUp,
}

impl Wish {
    pub fn words(self) -> &'static str {
        match self {
            Self::Time => "the time of --timeout is over",
            Self::Interrupt => "interrupted",
            Self::Terminate => "asked to end",
            Self::HangUp => "the terminal is gone",
        }
    }
}

/// The signals that say so. From the first moment on none of them ends the process by itself.
pub struct Wishes {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hang_up: Option<Signal>,
}

impl Wishes {
    pub fn new() -> Self {
        let of = |kind| signal(kind).ok();
        Self {
            interrupt: of(SignalKind::interrupt()),
            terminate: of(SignalKind::terminate()),
            // Under nohup the run outlives its terminal.
            hang_up: if is_under_nohup() { None } else { of(SignalKind::hangup()) },
        }
    }

    /// Waits for the first wish.
    pub async fn first(&mut self, left: Option<Duration>) -> Wish {
        let over = async {
            match left {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = over => Wish::Time,
            () = one(&mut self.interrupt) => Wish::Interrupt,
            () = one(&mut self.terminate) => Wish::Terminate,
            () = one(&mut self.hang_up) => Wish::HangUp,
        }
    }

    /// Waits for one that means at once. A terminal that goes sends several hang-ups: they are one wish.
    pub async fn second(&mut self) -> Wish {
        tokio::select! {
            () = one(&mut self.interrupt) => Wish::Interrupt,
            () = one(&mut self.terminate) => Wish::Terminate,
        }
    }
}

async fn one(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Whether this process was started to ignore hang-ups, as `nohup` does. Only Linux says so.
fn is_under_nohup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}
