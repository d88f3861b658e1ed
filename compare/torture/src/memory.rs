//! A million requests: what the server holds before and after.

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use fastrand::Rng;

use crate::Failure;
use crate::child::Server;
use crate::connection::{Connection, Missing};
use crate::settings::Settings;

/// How many clients there are.
const CLIENTS: usize = 8;
/// What the heap may grow by, in bytes. A leak of a byte a request is four times as much.
const HEAP: usize = 256 * 1024;
/// What the memory of the process may grow by, in bytes: the allocator's and the kernel's share moves.
const RESIDENT: u64 = 4 * 1024 * 1024;

/// Sends the requests on two runtimes. Returns what is wrong.
pub(crate) fn run(settings: &Settings) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    for name in settings.servers(&["in-place", "smol-threads"]) {
        let server = Server::start(&name, &[])?;
        requests(server.address, settings.requests / 10)?;
        let before = (
            heap(server.address)?,
            server.resident()?,
            server.descriptors()?,
        );
        let began = Instant::now();
        requests(server.address, settings.requests)?;
        let took = began.elapsed();
        let after = (
            heap(server.address)?,
            server.resident()?,
            server.descriptors()?,
        );
        println!(
            "{name}: {} requests in {took:.1?}: heap {} to {} bytes, resident {} to {} kB, files {} to {}",
            settings.requests,
            before.0,
            after.0,
            before.1 / 1024,
            after.1 / 1024,
            before.2,
            after.2
        );
        let ended = server.stop()?;
        let checks = [
            (after.0 > before.0 + HEAP, "the heap grows"),
            (after.1 > before.1 + RESIDENT, "the process grows"),
            (after.2 > before.2 + 2, "files stay open"),
            (!ended.is_clean(), "the stop is not clean"),
        ];
        wrong.extend(
            checks
                .iter()
                .filter(|(is_wrong, _)| *is_wrong)
                .map(|(_, what)| format!("{name}: {what}")),
        );
    }
    Ok(wrong)
}

/// Returns the bytes that the server has allocated, once its connections have ended.
fn heap(address: SocketAddr) -> Result<usize, Failure> {
    let mut least = usize::MAX;
    // The ends of the last connections take a moment.
    for _ in 0..10 {
        thread::sleep(std::time::Duration::from_millis(100));
        let mut connection = Connection::open(address, None)?;
        let answer = ask(&mut connection, b"GET /heap HTTP/1.1\r\nhost: a\r\n\r\n", 1)?;
        least = least.min(String::from_utf8(answer)?.parse()?);
    }
    Ok(least)
}

/// Sends n requests of all sorts, from several clients.
fn requests(address: SocketAddr, number: usize) -> Result<(), Failure> {
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || client_requests(address, number / CLIENTS, client as u64))
            })
            .collect();
        let mut ends = clients
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client has panicked")?);
        ends.try_for_each(|end| end)
    })
}

fn client_requests(address: SocketAddr, number: usize, seed: u64) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed);
    let mut sent = 0;
    while sent < number {
        let mut connection = Connection::open(address, None)?;
        for _ in 0..rng.usize(1..50) {
            let (message, requests): (Vec<u8>, usize) = match rng.u8(0..20) {
                0 => (b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello".into(), 1),
                1 => (b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".into(), 1),
                2 => (b"GET /stream/3/0 HTTP/1.1\r\nhost: a\r\n\r\n".into(), 1),
                3 => (b"GET /bytes/100000 HTTP/1.1\r\nhost: a\r\n\r\n".into(), 1),
                4 => (format!("GET /none/{} HTTP/1.1\r\nhost: a\r\nx-{}: y\r\n\r\n", rng.u32(..), rng.u32(..)).into(), 1),
                _ => (b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n".repeat(16), 16),
            };
            ask(&mut connection, &message, requests)?;
            sent += requests;
        }
    }
    Ok(())
}

/// Sends requests at once, and returns the body of the last answer.
fn ask(connection: &mut Connection, message: &[u8], requests: usize) -> Result<Vec<u8>, Failure> {
    let failed = |missing: Missing| format!("no answer, without a stop: {missing:?}");
    connection.send(message).map_err(failed)?;
    let mut body = Vec::new();
    for _ in 0..requests {
        body = connection.answer(false).map_err(failed)?.body;
    }
    Ok(body)
}
