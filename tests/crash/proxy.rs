//! A proxy before Postgres that kills its client around the `BEGIN` and the `COMMIT` of a change.
//! Both ways go through it, so that it knows what the client has not been told.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::child::Killer;

/// When, around a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// The server never gets it.
    Unsent,
    /// The server gets it; whether it was carried out by then is open.
    Sent,
    /// The server has answered it; the client never hears of it.
    Answered,
}

/// Around the `nth` change's `statement`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub statement: &'static str,
    pub nth: usize,
    pub phase: Phase,
}

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (statement, nth, phase) = (self.statement, self.nth, self.phase);
        write!(f, "wire {statement} of change {nth}: {phase:?}")
    }
}

struct Shared {
    upstream: u16,
    cut: Option<Cut>,
    killer: Mutex<Option<Killer>>,
    /// How often each statement was seen.
    seen: Mutex<HashMap<&'static str, usize>>,
    was_cut: AtomicBool,
    ended: AtomicBool,
}

/// A proxy on a port of its own.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn before(upstream: u16, cut: Option<Cut>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            upstream,
            cut,
            killer: Mutex::default(),
            seen: Mutex::default(),
            was_cut: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        });
        let serving = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if serving.ended.load(Ordering::SeqCst) {
                    return;
                }
                let (client, shared) = (client.unwrap(), serving.clone());
                thread::spawn(move || serve(client, &shared));
            }
        });
        Self { port, shared }
    }

    /// The one to kill.
    pub fn kills(&self, killer: Killer) {
        *self.shared.killer.lock().unwrap() = Some(killer);
    }

    pub fn was_cut(&self) -> bool {
        self.shared.was_cut.load(Ordering::SeqCst)
    }

    /// How many changes began and were committed through it.
    pub fn seen(&self, statement: &str) -> usize {
        self.shared.seen.lock().unwrap().get(statement).copied().unwrap_or(0)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        let _wakes_the_listener = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// What the client's messages say.
#[derive(Default)]
struct Dialect {
    /// Statements by the name they were prepared under.
    prepared: HashMap<Vec<u8>, String>,
    is_change: bool,
}

fn word_before_nul(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}

impl Dialect {
    /// The `BEGIN` or `COMMIT` of a change that a message has carried out.
    fn executed(&mut self, kind: u8, body: &[u8]) -> Option<&'static str> {
        let sql = match kind {
            b'P' => {
                let (name, rest) = word_before_nul(body);
                let sql = String::from_utf8_lossy(word_before_nul(rest).0).into_owned();
                self.prepared.insert(name.to_vec(), sql);
                return None;
            }
            b'B' => {
                let (_portal, rest) = word_before_nul(body);
                self.prepared.get(word_before_nul(rest).0)?.clone()
            }
            b'Q' => String::from_utf8_lossy(word_before_nul(body).0).into_owned(),
            _ => return None,
        };
        if sql.starts_with("BEGIN") {
            self.is_change = sql.contains("READ WRITE");
            return self.is_change.then_some("BEGIN");
        }
        (sql == "COMMIT" && std::mem::take(&mut self.is_change)).then_some("COMMIT")
    }
}

fn read_exactly(from: &mut TcpStream, n: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; n];
    from.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// One message: its kind (0 before the log-in) and all its bytes.
fn message(from: &mut TcpStream, is_first: bool) -> Option<(u8, Vec<u8>)> {
    let mut bytes = read_exactly(from, if is_first { 4 } else { 5 })?;
    let kind = if is_first { 0 } else { bytes[0] };
    let length = u32::from_be_bytes(bytes[bytes.len() - 4..].try_into().unwrap());
    bytes.extend(read_exactly(from, usize::try_from(length).unwrap() - 4)?);
    Some((kind, bytes))
}

fn serve(mut client: TcpStream, shared: &Arc<Shared>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", shared.upstream)) else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    // TLS is asked for first, and refused by one byte.
    loop {
        let Some((_, bytes)) = message(&mut client, true) else { return };
        if server.write_all(&bytes).is_err() {
            return;
        }
        if bytes.len() != 8 {
            break;
        }
        let Some(answer) = read_exactly(&mut server, 1) else { return };
        if client.write_all(&answer).is_err() {
            return;
        }
    }
    // The answer to what was sent is held back from the moment the cut is due.
    let held = Arc::new(AtomicBool::new(false));
    let (mut answers, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (holding, of) = (held.clone(), shared.clone());
    let back = thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(n @ 1..) = answers.read(&mut bytes) {
            if holding.load(Ordering::SeqCst) {
                // The answer to the statement: it was carried out, and nobody is told.
                cut(&of);
                continue;
            }
            if to_client.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _gone = to_client.shutdown(Shutdown::Both);
    });
    let mut dialect = Dialect::default();
    while let Some((kind, bytes)) = message(&mut client, false) {
        if let Some(statement) = dialect.executed(kind, &bytes[5..]) {
            let nth = {
                let mut seen = shared.seen.lock().unwrap();
                let n = seen.entry(statement).or_default();
                *n += 1;
                *n
            };
            let due = shared.cut.as_ref().filter(|c| (c.statement, c.nth) == (statement, nth));
            match due.map(|c| c.phase) {
                Some(Phase::Unsent) => {
                    cut(shared);
                    break;
                }
                Some(phase) => {
                    held.store(true, Ordering::SeqCst);
                    let mut all = bytes;
                    // What carries it out comes after it, up to the Sync.
                    if kind == b'B' {
                        while let Some((kind, more)) = message(&mut client, false) {
                            all.extend(more);
                            if kind == b'S' {
                                break;
                            }
                        }
                    }
                    let _may_be_gone = server.write_all(&all);
                    if phase == Phase::Sent {
                        cut(shared);
                        break;
                    }
                    continue;
                }
                None => {}
            }
        }
        if server.write_all(&bytes).is_err() {
            break;
        }
    }
    let _gone = server.shutdown(Shutdown::Write);
    back.join().unwrap();
}

fn cut(shared: &Shared) {
    if !shared.was_cut.swap(true, Ordering::SeqCst) {
        // The child can be quicker than the one who started it.
        loop {
            if let Some(killer) = shared.killer.lock().unwrap().as_ref() {
                killer.kill();
                return;
            }
            thread::park_timeout(Duration::from_millis(1));
        }
    }
}
