//! The kinds of client that a server is stopped amid.
//!
//! Each kind is a function that has one connection and uses it to its end. A client calls it again and
//! again with a fresh connection, until its connects are refused.

mod broken;
mod endless;
mod plain;
mod uploads;
mod waiting;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::connection::{Answer, Connection, Missing};
use crate::tally::Tally;

/// A kind of client.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    session: fn(&mut Client<'_>, &mut Connection),
    /// The size of the kernel's receive buffer, if it is not the usual one.
    receive_buffer: Option<usize>,
}

const fn kind(name: &'static str, session: fn(&mut Client<'_>, &mut Connection)) -> Kind {
    Kind {
        name,
        session,
        receive_buffer: None,
    }
}

/// The kinds that let a drain end by itself.
pub(crate) const FINITE: [Kind; 28] = [
    kind("back to back", plain::back_to_back),
    kind("a connection per request", plain::fresh),
    kind("a connection per request, close", plain::fresh_close),
    kind("pipelined", plain::pipelined),
    kind("pipelined, with bodies", uploads::pipelined),
    kind("head in pieces", plain::pieces),
    kind("slow handler", plain::slow_handler),
    kind("large download", plain::large),
    Kind {
        receive_buffer: Some(8 * 1024),
        ..kind("slow reader", plain::slow_reader)
    },
    kind("chunked stream", plain::stream),
    kind("HEAD", plain::head),
    kind("HTTP/1.0", plain::http10),
    kind("HTTP/1.0, keep-alive", plain::http10_keep_alive),
    kind("upload", uploads::length),
    kind("upload, streamed back", uploads::echo),
    kind("chunked upload", uploads::chunked),
    kind("Expect: 100-continue", uploads::expect),
    kind("Expect, streamed back", uploads::expect_echo),
    kind("upload nobody reads", uploads::unread),
    kind("stream until the stop", waiting::until_stop),
    kind("upgrade", waiting::upgrade),
    kind("silent", waiting::silent),
    kind("half a head", waiting::half_head),
    kind("half-closed", waiting::half_closed),
    kind("handler panics", broken::panics),
    kind("not HTTP", broken::garbage),
    kind("reset amid", broken::reset),
    kind("leaves amid", broken::leaves),
];

/// The kinds that hold a drain up until its deadline.
pub(crate) const ENDLESS: [Kind; 5] = [
    kind("endless stream", endless::events),
    kind("stalled upload", endless::stalled_upload),
    kind("never reads", endless::never_reads),
    kind("upgrade that stays", endless::upgraded),
    kind("a byte per chunk", endless::tiny_chunks),
];

/// One client.
pub(crate) struct Client<'a> {
    pub(crate) address: SocketAddr,
    /// For how long the server waits for a request at least, in a drain too.
    pub(crate) grace: Duration,
    pub(crate) rng: Rng,
    pub(crate) tally: &'a Tally,
}

impl Client<'_> {
    /// Connects and uses the connection, again and again, until the server refuses.
    pub(crate) fn run(&mut self, kind: &Kind) {
        loop {
            let began = Instant::now();
            match Connection::open(self.address, kind.receive_buffer) {
                Ok(mut connection) => (kind.session)(self, &mut connection),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                Err(error) => {
                    let took = began.elapsed();
                    let what = || format!("connect failed after {took:?}: {error}");
                    return self.tally.fault(|tally| &tally.reset, what);
                }
            }
        }
    }

    /// Sends a request and counts what comes. Returns its answer if that is whole and has this status.
    fn request(
        &mut self,
        connection: &mut Connection,
        request: impl AsRef<[u8]>,
        status: u16,
    ) -> Option<Answer> {
        let began = self.sending(connection);
        if let Err(missing) = connection.send(request) {
            self.count_missing(missing, began);
            return None;
        }
        self.receive(connection, status, false, began)
    }

    /// Notes that a request is about to be sent. Returns since when the server may have waited for it.
    fn sending(&self, connection: &mut Connection) -> Instant {
        std::mem::replace(&mut connection.since, Instant::now())
    }

    /// Receives an answer and counts what comes.
    fn receive(
        &self,
        connection: &mut Connection,
        status: u16,
        is_head: bool,
        began: Instant,
    ) -> Option<Answer> {
        match connection.answer(is_head) {
            Ok(answer) if answer.status == status => {
                self.tally.add(|tally| &tally.answered);
                Some(answer)
            }
            // The head has taken too long: a slow machine.
            Ok(answer) if answer.status == 408 && self.is_late(began) => {
                self.tally.add(|tally| &tally.late);
                None
            }
            Ok(answer) => {
                let what = || format!("status {} instead of {status}", answer.status);
                self.tally.fault(|tally| &tally.wrong, what);
                None
            }
            Err(missing) => {
                self.count_missing(missing, began);
                None
            }
        }
    }

    /// Counts a request that was sent, or was about to be, and has no whole answer.
    fn count_missing(&self, missing: Missing, began: Instant) {
        if self.is_late(began) && missing != Missing::Cut {
            self.tally.add(|tally| &tally.late);
            return;
        }
        let waited = began.elapsed();
        let what = || format!("{missing:?}, {waited:?} after the connection was last used");
        self.tally.fault(|tally| &tally.lost, what);
    }

    /// Returns true if the server may have given the connection up before the request came.
    fn is_late(&self, began: Instant) -> bool {
        began.elapsed() > self.grace.mul_f64(0.8)
    }

    /// Counts an answer as wrong unless its body is as it must be.
    fn check(&self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.tally.fault(|tally| &tally.wrong, what);
        }
    }

    /// Waits for the end of a connection on which nothing is to come. A reset is a fault.
    fn expect_end(&self, connection: &mut Connection) {
        match connection.drain() {
            Ok(()) => self.tally.add(|tally| &tally.ended),
            Err(missing) => {
                let what = || format!("{missing:?} instead of the end");
                self.tally.fault(|tally| &tally.reset, what);
            }
        }
    }

    /// Waits for up to n ms.
    fn pause(&mut self, most: u64) {
        std::thread::sleep(Duration::from_micros(self.rng.u64(0..=most * 1000)));
    }
}

/// A request without a body.
fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// The head of a request with a body, with further lines.
fn post(path: &str, lines: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: a\r\n{lines}\r\n")
}
