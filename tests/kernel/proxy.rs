//! Something between the console and an engine: it writes down what the console sends, and can fall
//! silent, as a half-open connection or a daemon that hangs does.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// What the console sent, in pieces as they came.
type Sent = Arc<Mutex<Vec<Vec<u8>>>>;
/// Whether the proxy falls silent at this piece; it does once.
type Silent = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

pub struct Proxy {
    /// Where it listens.
    pub at: String,
    sent: Sent,
    is_silent: Arc<AtomicBool>,
}

impl Proxy {
    /// In front of a TCP server.
    pub fn tcp(to: &str, silent_at: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let proxy = Self::new(at);
        let (to, sent, is_silent) = (to.to_owned(), proxy.sent.clone(), proxy.is_silent.clone());
        let silent_at: (Silent, Arc<AtomicBool>) = (Arc::new(silent_at), Arc::default());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(&to) else { continue };
                let pair = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                let ((from, into), (back_into, back_from)) = (pair(), pair());
                relay(from, into, sent.clone(), silent_at.clone(), is_silent.clone());
                answer(back_from, back_into, is_silent.clone(), |s| drop(s.shutdown(Shutdown::Both)));
            }
        });
        proxy
    }

    /// In front of the engine's socket.
    pub fn docker(dir: PathBuf, silent_at: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        let path = dir.join("docker.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let proxy = Self::new(format!("unix://{}", path.display()));
        let (sent, is_silent) = (proxy.sent.clone(), proxy.is_silent.clone());
        let silent_at: (Silent, Arc<AtomicBool>) = (Arc::new(silent_at), Arc::default());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect("/var/run/docker.sock") else { continue };
                let pair = || (client.try_clone().unwrap(), server.try_clone().unwrap());
                let ((from, into), (back_into, back_from)) = (pair(), pair());
                relay(from, into, sent.clone(), silent_at.clone(), is_silent.clone());
                answer(back_from, back_into, is_silent.clone(), |s| drop(s.shutdown(Shutdown::Both)));
            }
        });
        proxy
    }

    fn new(at: String) -> Self {
        Self { at, sent: Sent::default(), is_silent: Arc::default() }
    }

    /// Everything the console sent until now, and forgets it.
    pub fn taken(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it fell silent.
    pub fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::SeqCst)
    }

    /// Lets new connections through again; those that hang go on hanging.
    pub fn speak_again(&self) {
        self.is_silent.store(false, Ordering::SeqCst);
    }
}

fn relay<S: Read + Send + 'static, T: Write + Send + 'static>(
    mut from: S,
    mut into: T,
    sent: Sent,
    (silent_at, was_silent): (Silent, Arc<AtomicBool>),
    is_silent: Arc<AtomicBool>,
) {
    thread::spawn(move || {
        let mut buffer = [0; 64 * 1_024];
        while let Ok(n) = from.read(&mut buffer) {
            if n == 0 {
                break;
            }
            let piece = buffer[..n].to_vec();
            sent.lock().unwrap_or_else(PoisonError::into_inner).push(piece.clone());
            if silent_at(&piece) && !was_silent.swap(true, Ordering::SeqCst) {
                is_silent.store(true, Ordering::SeqCst);
            }
            if is_silent.load(Ordering::SeqCst) {
                // What comes is swallowed, and the connection stays open.
                continue;
            }
            if into.write_all(&piece).is_err() {
                break;
            }
        }
    });
}

fn answer<S: Read + Send + 'static, T: Write + Send + 'static>(
    mut from: S,
    mut into: T,
    is_silent: Arc<AtomicBool>,
    close: impl Fn(&T) + Send + 'static,
) {
    thread::spawn(move || {
        let mut buffer = [0; 64 * 1_024];
        while let Ok(n) = from.read(&mut buffer) {
            if n == 0 {
                break;
            }
            if is_silent.load(Ordering::SeqCst) {
                continue;
            }
            if into.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        if !is_silent.load(Ordering::SeqCst) {
            close(&into);
        }
    });
}
