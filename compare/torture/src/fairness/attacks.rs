//! The attacks.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use crate::connection::Connection;

/// How many connections a flood has.
const FLOOD: usize = 8;
/// How many slow clients there are.
const SLOW: usize = 1000;
/// How long a slow client waits between two bytes.
const PAUSE: Duration = Duration::from_millis(100);

/// An attack on a server.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// How many connections have a turn each before the other client has its next, for as long as the
    /// kernel takes what is sent to them.
    pub(super) turns: u32,
    /// Goes on until the flag is set or the server is gone.
    pub(super) make: fn(SocketAddr, &AtomicBool),
}

/// All attacks, after none.
pub(super) const ATTACKS: [Attack; 9] = [
    Attack {
        name: "none",
        turns: 0,
        make: |_, _| {},
    },
    Attack {
        name: "8 uploads in chunks of one byte",
        turns: FLOOD as u32,
        make: |address, over| {
            let head = "POST /sink HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
            flood(address, over, head, &"1\r\nx\r\n".repeat(10_000), false);
        },
    },
    Attack {
        name: "8 readers of a stream that is always ready",
        turns: FLOOD as u32,
        make: |address, over| {
            flood(
                address,
                over,
                "GET /endless HTTP/1.1\r\nhost: a\r\n\r\n",
                "",
                true,
            )
        },
    },
    Attack {
        name: "8 clients that pipeline",
        turns: FLOOD as u32,
        make: |address, over| {
            flood(
                address,
                over,
                "",
                &"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(500),
                true,
            );
        },
    },
    Attack {
        name: "8 clients that connect and reset",
        turns: FLOOD as u32,
        make: connects,
    },
    Attack {
        name: "1,000 stalled readers of a stream that is always ready",
        turns: SLOW as u32,
        make: |address, over| {
            slow(
                address,
                over,
                "GET /endless HTTP/1.1\r\nhost: a\r\n\r\n",
                b"",
                0,
            )
        },
    },
    Attack {
        name: "1,000 slow readers",
        turns: 0,
        make: |address, over| {
            slow(
                address,
                over,
                "GET /bytes/1000000 HTTP/1.1\r\nhost: a\r\n\r\n",
                b"",
                1000,
            )
        },
    },
    Attack {
        name: "1,000 slow heads",
        turns: 0,
        make: |address, over| {
            slow(
                address,
                over,
                "GET /hello HTTP/1.1\r\nhost: a\r\nx: ",
                b"y",
                0,
            )
        },
    },
    Attack {
        name: "1,000 slow bodies",
        turns: 0,
        make: |address, over| {
            let head = "POST /sink HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n";
            slow(address, over, head, b"y", 0);
        },
    },
];

/// Sends `first` and then `more` again and again, as fast as the server takes it, and reads what comes
/// in another thread.
fn flood(address: SocketAddr, over: &AtomicBool, first: &str, more: &str, reads: bool) {
    thread::scope(|scope| {
        for _ in 0..FLOOD {
            scope.spawn(move || {
                let Ok(connection) = Connection::open(address, None) else {
                    return;
                };
                let mut stream = connection.stream;
                // To see the end of the attack.
                let _ = stream.set_write_timeout(Some(PAUSE));
                let _ = stream.set_read_timeout(Some(PAUSE));
                let reader = stream.try_clone().ok().filter(|_| reads);
                scope.spawn(move || reader.map(|reader| read_all(reader, over)));
                if stream.write_all(first.as_bytes()).is_ok() && !more.is_empty() {
                    write_all(stream, more.as_bytes(), over);
                }
            });
        }
    });
}

fn read_all(mut stream: impl Read, over: &AtomicBool) {
    let mut part = vec![0; 64 * 1024];
    while !over.load(Relaxed) {
        match stream.read(&mut part) {
            Ok(0) => return,
            Err(error) if error.kind() != ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

/// Writes the same bytes again and again, all of them in turn.
fn write_all(mut stream: impl Write, bytes: &[u8], over: &AtomicBool) {
    let mut written = 0;
    while !over.load(Relaxed) {
        match stream.write(&bytes[written..]) {
            Ok(length) => written = (written + length) % bytes.len(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

/// Connects and resets, until the server refuses.
fn connects(address: SocketAddr, over: &AtomicBool) {
    thread::scope(|scope| {
        for _ in 0..FLOOD {
            scope.spawn(|| {
                while !over.load(Relaxed) {
                    match Connection::open(address, None) {
                        Ok(connection) => connection.reset(),
                        Err(_) => return,
                    }
                }
            });
        }
    });
}

/// Sends `first` on many connections, and then on each, ten times a second, `more`; and reads as many
/// bytes from it.
fn slow(address: SocketAddr, over: &AtomicBool, first: &str, more: &[u8], reads: usize) {
    let mut connections = Vec::new();
    for _ in 0..SLOW {
        let Ok(mut connection) = Connection::open(address, Some(4096)) else {
            return;
        };
        if connection.send(first).is_ok() && connection.stream.set_nonblocking(true).is_ok() {
            connections.push(connection.stream);
        }
    }
    let mut part = vec![0; reads];
    while !over.load(Relaxed) {
        for stream in &mut connections {
            // The server may have given it up.
            let _ = stream.write(more);
            let _ = stream.read(&mut part);
        }
        thread::sleep(PAUSE);
    }
}
