//! The same over loopback, on four threads: permits are neither lost nor given back twice, and what is counted is
//! what the clients have seen, while all of them run.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_executor::Executor;
use fastrand::Rng;
use futures_lite::future;
use http::{Request, Response};
use neap::http::{App, Body, Counters, Counts, Server, from_fn};
use neap::{Group, Handle};

/// How many requests there may be in flight.
const LIMIT: usize = 3;
/// How many requests a connection serves.
const REQUESTS: u64 = 10;
const CLIENTS: u64 = 8;
/// How long any byte may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the clients of a server have seen.
#[derive(Debug, Default)]
struct Seen {
    answers: BTreeMap<u16, u64>,
    read: u64,
    sent: u64,
    connections: u64,
}

impl Seen {
    fn add(&mut self, other: Seen) {
        for (status, count) in other.answers {
            *self.answers.entry(status).or_default() += count;
        }
        self.read += other.read;
        self.sent += other.sent;
        self.connections += other.connections;
    }
}

/// Waits for as many milliseconds as the path says. Notes the most that do so at once.
fn app(running: Arc<AtomicUsize>, most: Arc<AtomicUsize>) -> impl App + 'static {
    struct Running(Arc<AtomicUsize>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    from_fn(move |request: Request<Body>| {
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        let running = Running(Arc::clone(&running));
        async move {
            let _running = running;
            let wait = request.uri().path()[1..].parse().unwrap();
            if wait > 0 {
                async_io::Timer::after(Duration::from_millis(wait)).await;
            }
            Response::new("x".repeat(300))
        }
    })
}

struct Client {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream,
            rest: Vec::new(),
        })
    }

    /// Returns the status of the next answer, and whether it closes; `None` at the end.
    fn answer(&mut self, seen: &mut Seen) -> io::Result<Option<(u16, bool)>> {
        loop {
            let text = String::from_utf8_lossy(&self.rest).to_lowercase();
            if let Some((head, behind)) = text.split_once("\r\n\r\n") {
                let length = head.split("content-length: ").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if behind.len() >= length {
                    let status = head[9..12].parse().unwrap();
                    let closes = head.contains("\r\nconnection: close");
                    assert_eq!(status == 503, head.contains("\r\nretry-after: 1"));
                    self.rest.drain(..head.len() + 4 + length);
                    *seen.answers.entry(status).or_default() += 1;
                    return Ok(Some((status, closes)));
                }
            }
            let mut part = [0; 4096];
            let length = self.stream.read(&mut part)?;
            if length == 0 {
                return Ok(None);
            }
            seen.read += length as u64;
            self.rest.extend_from_slice(&part[..length]);
        }
    }

    /// Sends so many requests at once.
    fn send(&mut self, requests: usize, wait: u64, seen: &mut Seen) -> io::Result<()> {
        let request = format!("GET /{wait} HTTP/1.1\r\nhost: a\r\n\r\n").repeat(requests);
        self.stream.write_all(request.as_bytes())?;
        seen.sent += request.len() as u64;
        Ok(())
    }
}

/// Makes connections one after the other. One that is not polite leaves at any moment.
fn client(address: SocketAddr, mut rng: Rng, is_polite: bool) -> io::Result<Seen> {
    let mut seen = Seen::default();
    for _ in 0..30 {
        let mut client = Client::connect(address)?;
        seen.connections += 1;
        let mut asked = 0;
        while asked < REQUESTS {
            let most = if is_polite { REQUESTS - asked } else { 16 };
            let requests = rng.u64(1..=most.min(16));
            asked += requests;
            if !is_polite && rng.usize(..4) == 0 {
                let _ = client.send(requests as usize, rng.u64(..2), &mut seen);
                break;
            }
            client.send(requests as usize, rng.u64(..2), &mut seen)?;
            for _ in 0..requests {
                match client.answer(&mut seen)? {
                    Some((_, false)) => {}
                    Some((_, true)) | None => {
                        assert!(asked >= REQUESTS, "closed after {asked}");
                        break;
                    }
                }
            }
        }
        if is_polite {
            assert_eq!(client.answer(&mut seen)?, None);
        }
    }
    Ok(seen)
}

/// As many as may be in flight are served, and one more is turned away.
fn probe(address: SocketAddr, counters: &Counters, seen: &mut Seen) -> io::Result<()> {
    let wait_until = |is_so: &dyn Fn(&Counts) -> bool| {
        let begin = Instant::now();
        while !is_so(&counters.read()) {
            assert!(begin.elapsed() < PATIENCE, "{:?}", counters.read());
            thread::sleep(Duration::from_millis(1));
        }
    };
    wait_until(&|counts| counts.connections.total() == 0);
    let mut clients = Vec::new();
    for _ in 0..LIMIT {
        clients.push(Client::connect(address)?);
        clients.last_mut().unwrap().send(1, 1000, seen)?;
    }
    wait_until(&|counts| counts.connections.active == LIMIT);
    let mut other = Client::connect(address)?;
    other.send(1, 0, seen)?;
    assert_eq!(other.answer(seen)?, Some((503, false)));
    for client in &mut clients {
        assert_eq!(client.answer(seen)?, Some((200, false)));
    }
    seen.connections += LIMIT as u64 + 1;
    Ok(())
}

/// Reads the counters all the time, until the end.
fn look(counters: &Counters, is_over: &AtomicBool) {
    let mut last = counters.read();
    while !is_over.load(Ordering::Relaxed) {
        let counts = counters.read();
        let all = |counts: &Counts| counts.answers.iter().map(|(_, n)| n).sum::<u64>();
        assert!(counts.connections.total() as u64 <= counts.accepted);
        assert!(counts.received >= last.received && counts.sent >= last.sent);
        assert!(counts.cut >= last.cut && all(&counts) >= all(&last));
        last = counts;
    }
}

/// Ends all threads when it is dropped.
struct Over<'a>(&'a AtomicBool, Handle<'static>);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.1.cancel();
        self.0.store(true, Ordering::Relaxed);
    }
}

fn round(is_polite: bool) {
    let (running, most) = (Arc::default(), Arc::<AtomicUsize>::default());
    let counters = Counters::new();
    let server = Server::new(app(running, Arc::clone(&most)), "127.0.0.1:0")
        .max_in_flight(LIMIT)
        .max_requests(REQUESTS)
        .counters(&counters)
        .bind()
        .unwrap();
    let address = server.local_addrs()[0].tcp().unwrap();
    let mut group = Group::new();
    group.add("http", server.into_service());
    let handle = group.handle();
    let (executor, is_over) = (Executor::new(), AtomicBool::new(false));
    let seen = thread::scope(|threads| {
        // Also if a check fails: the threads have to end.
        let over = Over(&is_over, handle);
        for _ in 0..3 {
            threads.spawn(|| {
                future::block_on(executor.run(async {
                    while !is_over.load(Ordering::Relaxed) {
                        async_io::Timer::after(Duration::from_millis(5)).await;
                    }
                }));
            });
        }
        threads.spawn(|| look(&counters, &is_over));
        let run = threads.spawn(|| {
            let run = group.run_on(|task| executor.spawn(task));
            future::block_on(executor.run(run))
        });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| threads.spawn(move || client(address, Rng::with_seed(seed), is_polite)))
            .collect();
        let mut seen = Seen::default();
        let mut results: Vec<_> = clients.into_iter().map(|client| client.join()).collect();
        let probed = probe(address, &counters, &mut seen);
        over.1.stop();
        let ended = run.join();
        drop(over);
        probed.unwrap();
        ended.unwrap().unwrap();
        for one in results.drain(..) {
            seen.add(one.unwrap().unwrap());
        }
        seen
    });
    let counts = counters.read();
    assert_eq!(counts.connections.total(), 0);
    assert_eq!(counts.accepted, seen.connections);
    assert!(most.load(Ordering::SeqCst) <= LIMIT, "{most:?}");
    let is_right = match is_polite {
        true => {
            let answers: BTreeMap<_, _> = counts.answers.iter().copied().collect();
            let bytes = (counts.sent, counts.received) == (seen.read, seen.sent);
            bytes && answers == seen.answers && counts.cut == 0
        }
        false => {
            let least =
                |(status, n): &(u16, u64)| seen.answers.get(status).is_some_and(|seen| n >= seen);
            counts.answers.iter().all(least) && counts.sent >= seen.read
        }
    };
    assert!(is_right, "{counts:?}, {seen:?}");
    assert!(seen.answers.len() == 2, "nothing was turned away: {seen:?}");
}

#[test]
fn on_threads_what_polite_clients_see_is_what_is_counted() {
    round(true);
}

#[test]
fn on_threads_clients_that_leave_take_no_permit_with_them() {
    round(false);
}
