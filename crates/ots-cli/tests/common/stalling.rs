//! A connection that hangs when told to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::until;

/// Passes connections on, until so many bytes of answers went through: then it holds back all that
/// follow, until it is told to go on.
pub(crate) struct Stalling {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    held_path: Option<&'static str>,
    upstream_port: AtomicU16,
    passed: AtomicUsize,
    goes_on: AtomicBool,
    is_over: AtomicBool,
}

impl Stalling {
    /// Holds back every request of this path.
    pub(crate) fn at(path: &'static str, upstream_port: u16) -> Self {
        Self::with(upstream_port, usize::MAX, Some(path))
    }

    pub(crate) fn new(upstream_port: u16, limit: usize) -> Self {
        Self::with(upstream_port, limit, None)
    }

    fn with(upstream_port: u16, limit: usize, held_path: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            limit,
            held_path,
            upstream_port: AtomicU16::new(upstream_port),
            passed: AtomicUsize::new(0),
            goes_on: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if of_listener.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let client = client.unwrap();
                let upstream_port = of_listener.upstream_port.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", upstream_port)) else {
                    // Gone for the moment, and so is the client's connection.
                    continue;
                };
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let shared = Arc::clone(&of_listener);
                thread::spawn(move || {
                    pass(up, server, |sent| {
                        while shared.holds(sent) {
                            thread::sleep(Duration::from_millis(5));
                        }
                    });
                });
                let shared = Arc::clone(&of_listener);
                thread::spawn(move || {
                    pass(down, client, |answered| {
                        shared.passed.fetch_add(answered.len(), Ordering::SeqCst);
                        while shared.is_stalled() && !shared.is_over.load(Ordering::SeqCst) {
                            thread::sleep(Duration::from_millis(5));
                        }
                    });
                });
            }
        });
        Self { port, shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until it has stalled.
    #[track_caller]
    pub(crate) fn stalls(&self) {
        until("stall", || self.shared.is_stalled().then_some(()));
    }

    /// From now on connections lead nowhere: the port they led to may become somebody else's.
    pub(crate) fn leads_nowhere(&self) {
        self.leads_to(0);
    }

    /// From now on connections lead there.
    pub(crate) fn leads_to(&self, upstream_port: u16) {
        self.shared
            .upstream_port
            .store(upstream_port, Ordering::SeqCst);
    }

    pub(crate) fn goes_on(&self) {
        self.shared.goes_on.store(true, Ordering::SeqCst);
    }
}

impl Drop for Stalling {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the listening thread; the others end with their connections.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

impl Shared {
    fn is_stalled(&self) -> bool {
        self.passed.load(Ordering::SeqCst) > self.limit && !self.goes_on.load(Ordering::SeqCst)
    }

    fn holds(&self, request: &[u8]) -> bool {
        let held = |path| request.starts_with(format!("POST {path} ").as_bytes());
        self.held_path.is_some_and(held) && !self.is_over.load(Ordering::SeqCst)
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, before: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        before(&buffer[..read]);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    to.shutdown(Shutdown::Both).ok();
}
