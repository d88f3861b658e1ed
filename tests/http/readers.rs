//! Bodies that are read by another task than the connection's, or only in part, and clients that leave
//! meanwhile.

use std::future::{Future, pending};
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;

use async_channel::{Receiver, Sender};
use futures_lite::io::BufReader;
use futures_lite::{AsyncRead, AsyncReadExt, future};
use http_types::{Body, Request, Response};
use neap::http::{self, App, Server};

use crate::http_support::{Client, Running, eventually, run, run_on};
use crate::runtimes::{Gate, beside_all};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";

/// Who reads the body of ten bytes, and how far.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reading {
    /// A task of its own, to the end.
    Task,
    /// A task that drops a read which has to wait, and gives the body back.
    TaskThatGivesUp,
    /// The same, but the task keeps the body.
    TaskThatKeepsIt,
    /// The same, but the task drops the body.
    TaskThatDropsIt,
    /// The handler, which drops a read that has to wait.
    HandlerThatGivesUp,
    /// The handler, once it has waited, what comes first.
    HandlerInPart,
    /// The same, to the end.
    Handler,
}

const READINGS: [Reading; 7] = [
    Reading::Task,
    Reading::TaskThatGivesUp,
    Reading::TaskThatKeepsIt,
    Reading::TaskThatDropsIt,
    Reading::HandlerThatGivesUp,
    Reading::HandlerInPart,
    Reading::Handler,
];

/// What one handler does, and how far it has come.
struct Job {
    reading: Reading,
    gate: Gate,
    /// How many handlers wait at the gate.
    arrived: AtomicUsize,
    /// How many bytes were read.
    bytes: AtomicUsize,
    /// How many reads were pending.
    waits: AtomicUsize,
}

impl Job {
    async fn do_it(self: &Arc<Self>, mut body: Body) -> Option<Body> {
        let job = Arc::clone(self);
        match self.reading {
            Reading::Task => {
                smol::spawn(async move { while job.read(&mut body).await > 0 {} }).detach();
                None
            }
            Reading::TaskThatGivesUp => {
                let given_up = smol::spawn(async move {
                    job.give_up(&mut body).await;
                    body
                });
                Some(given_up.await)
            }
            Reading::TaskThatKeepsIt => {
                let keeping = async move {
                    job.give_up(&mut body).await;
                    pending::<()>().await;
                };
                smol::spawn(keeping).detach();
                None
            }
            Reading::TaskThatDropsIt => {
                smol::spawn(async move { job.give_up(&mut body).await }).detach();
                None
            }
            Reading::HandlerThatGivesUp => {
                self.give_up(&mut body).await;
                Some(body)
            }
            Reading::HandlerInPart | Reading::Handler => {
                self.arrived.fetch_add(1, Ordering::Relaxed);
                self.gate.pass().await;
                while self.read(&mut body).await > 0 && self.reading == Reading::Handler {}
                Some(body)
            }
        }
    }

    /// Reads once; returns the number of bytes, 0 also for an error.
    async fn read(&self, body: &mut Body) -> usize {
        let mut buffer = [0; 16];
        let read = match future::poll_once(body.read(&mut buffer)).await {
            Some(read) => read,
            None => {
                self.waits.fetch_add(1, Ordering::Relaxed);
                body.read(&mut buffer).await
            }
        };
        let bytes = read.unwrap_or(0);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        bytes
    }

    /// Reads until a read has to wait, and drops that.
    async fn give_up(&self, body: &mut Body) {
        let mut buffer = [0; 16];
        while let Some(read) = future::poll_once(body.read(&mut buffer)).await {
            self.bytes.fetch_add(read.unwrap(), Ordering::Relaxed);
        }
        self.waits.fetch_add(1, Ordering::Relaxed);
    }
}

/// A body that never ends. Its channel is closed when it is dropped.
struct Endless(#[allow(dead_code, reason = "it is dropped")] Sender<()>);

impl AsyncRead for Endless {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut [u8],
    ) -> std::task::Poll<io::Result<usize>> {
        std::task::Poll::Pending
    }
}

/// An app that does the job and then waits for ever, in the handler or in the body of its response; the
/// receiver is closed when that has ended.
fn app(job: &Arc<Job>, streams: bool) -> (impl App + 'static, Receiver<()>) {
    let (sender, receiver) = async_channel::bounded(1);
    let (job, sender) = (Arc::clone(job), std::sync::Mutex::new(Some(sender)));
    let app = http::from_tide_fn(move |mut request: Request| {
        let (job, sender) = (job.clone(), sender.lock().unwrap().take().unwrap());
        async move {
            let _body = job.do_it(request.take_body()).await;
            if !streams {
                let _sender = sender;
                return pending().await;
            }
            let endless = BufReader::with_capacity(1, Endless(sender));
            Ok(Response::from(Body::from_reader(endless, None)))
        }
    });
    (app, receiver)
}

fn job(reading: Reading) -> Arc<Job> {
    Arc::new(Job {
        reading,
        gate: Gate::new(),
        arrived: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        waits: AtomicUsize::new(0),
    })
}

/// Sends the body as far as it is to be read.
fn send(running: &Running, job: &Job, whole: bool) -> Client {
    let reached = |count: &AtomicUsize, what: usize| {
        eventually("the handler", || count.load(Ordering::Relaxed) >= what);
    };
    let mut client = running.connect();
    client.send(HEAD);
    if let Reading::HandlerInPart | Reading::Handler = job.reading {
        reached(&job.arrived, 1);
        job.gate.open();
    }
    reached(&job.waits, 1);
    let reads = matches!(
        job.reading,
        Reading::Task | Reading::HandlerInPart | Reading::Handler
    );
    client.send("hello");
    if reads {
        reached(&job.bytes, 5);
    }
    if whole {
        client.send("world");
        if reads && job.reading != Reading::HandlerInPart {
            reached(&job.bytes, 10);
        }
    }
    client
}

#[test]
fn a_client_that_leaves_is_noticed_whoever_reads_the_body_or_has_ceased_to() {
    beside_all(|runtime| {
        for (number, reading) in READINGS.into_iter().enumerate() {
            for (whole, streams) in [(false, false), (true, false), (true, true)] {
                // With half of a connection allowed, a reset is noticed all the same.
                let resets = (number + usize::from(whole) + usize::from(streams)) % 2 == 0;
                if reading == Reading::Handler && !whole {
                    continue;
                }
                let job = job(reading);
                let (app, ended) = app(&job, streams);
                let server = Server::new(app, "127.0.0.1:0").half_close(resets);
                let running = run_on(runtime, server);
                let client = send(&running, &job, whole);
                match resets {
                    true => client.reset(),
                    false => drop(client),
                }
                eventually(&format!("the end of {reading:?} {whole} {streams}"), || {
                    ended.is_closed()
                });
            }
        }
    });
}

#[test]
fn a_connection_that_is_cut_ends_also_while_a_task_still_reads_its_body() {
    beside_all(|runtime| {
        for streams in [false, true] {
            let job = job(Reading::Task);
            let (app, _ended) = app(&job, streams);
            let running = run_on(runtime, Server::new(app, "127.0.0.1:0"));
            let mut client = send(&running, &job, false);
            if streams {
                assert!(client.head().unwrap().is_some());
            }
            drop(running.cancel());
            match streams {
                true => assert!(client.is_closed()),
                false => assert_eq!(client.answer().status, 503),
            }
            eventually("the end of the reader", || Arc::strong_count(&job) == 1);
        }
    });
}

/// Has a task read the body, and is polled meanwhile for no reason.
async fn read_beside(mut request: Request) -> http_types::Result<Response> {
    let body = request.take_body();
    let mut read = smol::spawn(async move { body.into_string().await });
    for _ in 0..20 {
        if let Some(read) = future::poll_once(&mut read).await {
            return Ok(Response::from(read?));
        }
        future::yield_now().await;
    }
    Ok(Response::from(read.await?))
}

#[test]
fn a_task_reads_a_body_that_comes_in_many_parts() {
    beside_all(|runtime| {
        let running = run_on(
            runtime,
            Server::new(http::from_tide_fn(read_beside), "127.0.0.1:0"),
        );
        thread::scope(|scope| {
            for client in 0..8 {
                let mut connection = running.connect();
                scope.spawn(move || {
                    for request in 0..4 {
                        upload_in_parts(&mut connection, 10 * client + request);
                    }
                });
            }
        });
        running.stop();
    });
}

/// Uploads a body in parts of many lengths, and reads it in the answer.
fn upload_in_parts(client: &mut Client, seed: usize) {
    let body: String = (0..3000).map(|line| format!("{seed} {line}\n")).collect();
    let length = body.len();
    client.send(format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
    ));
    let mut rest = body.as_bytes();
    for part in 0.. {
        let length = rest.len().min(1 + (part * 37 + seed * 101) % 400);
        if length == 0 {
            break;
        }
        client.send(&rest[..length]);
        rest = &rest[length..];
    }
    let answer = client.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text() == body, "{seed}");
}

/// Counts its polls, and is ready once the gate is open.
struct Polls(Arc<AtomicUsize>, Gate);

impl Polls {
    async fn count(self) {
        let mut passed = pin!(self.1.pass());
        future::poll_fn(|cx| {
            self.0.fetch_add(1, Ordering::Relaxed);
            passed.as_mut().poll(cx)
        })
        .await;
    }
}

#[test]
fn a_task_that_reads_wakes_its_handler_no_more_often_than_it_waits() {
    let [polls, read] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let gate = Gate::new();
    let app = {
        let (polls, read, gate) = (Arc::clone(&polls), Arc::clone(&read), gate.clone());
        http::from_tide_fn(move |mut request: Request| {
            let mut body = request.take_body();
            let (polls, read) = (Polls(polls.clone(), gate.clone()), Arc::clone(&read));
            async move {
                let reading = async move {
                    let mut buffer = [0; 100];
                    while let Ok(bytes @ 1..) = body.read(&mut buffer).await {
                        read.fetch_add(bytes, Ordering::Relaxed);
                    }
                };
                smol::spawn(reading).detach();
                polls.count().await;
                Ok(Response::from("read"))
            }
        })
    };
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n");
    for part in 1..=20 {
        client.send([b'x'; 1000]);
        eventually("a part", || read.load(Ordering::Relaxed) == 1000 * part);
    }
    gate.open();
    assert_eq!(client.answer().text(), "read");
    // Each part is read in ten, and waited for once.
    let polls = polls.load(Ordering::Relaxed);
    assert!(polls <= 20 + 5, "{polls} polls");
    drop(client);
    running.stop();
}

#[test]
fn a_client_that_leaves_is_noticed_once_a_task_has_made_room_for_what_it_sent() {
    let (sender, ended) = async_channel::bounded::<()>(1);
    let (room, arrived) = (Gate::new(), Gate::new());
    let app = {
        let (room, arrived) = (room.clone(), arrived.clone());
        http::from_tide_fn(move |mut request: Request| {
            let (sender, room, arrived) = (sender.clone(), room.clone(), arrived.clone());
            let mut body = request.take_body();
            smol::spawn(async move {
                room.pass().await;
                body.read_exact(&mut [0; 4096]).await.unwrap();
                arrived.open();
                pending::<()>().await;
            })
            .detach();
            async move {
                let _sender = sender;
                pending().await
            }
        })
    };
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50000\r\n\r\n");
    // More than is read ahead.
    client.send([b'x'; 17_000]);
    drop(client);
    room.open();
    arrived.pass_blocking();
    eventually("the end of the handler", || ended.sender_count() == 1);
    drop(running.cancel());
}

/// Wakes nobody.
struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("as asked");
    }
}

#[test]
fn i15_a_handler_that_blocks_its_thread_until_it_has_read_its_body() {
    let app = http::from_tide_fn(|mut request: Request| async move {
        let mut body = Vec::new();
        let bytes = future::block_on(request.take_body().read_to_end(&mut body))?;
        Ok(Response::from(bytes.to_string()))
    });
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    let bytes = 8_000_000;
    client.send(format!(
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {bytes}\r\n\r\n"
    ));
    client.stream.write_all(&vec![b'x'; bytes]).unwrap();
    assert_eq!(client.answer().text(), bytes.to_string());
    running.stop();
}

#[test]
fn a_client_that_leaves_is_noticed_though_the_waker_of_the_reader_panics() {
    let (arrived, gone) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&arrived), Arc::clone(&gone));
    let app = http::from_tide_fn(move |mut request: Request| {
        let (arrived, gone) = counts.clone();
        async move {
            let mut body = request.take_body();
            let is_pending = {
                let waker = Waker::from(Arc::new(Panics));
                let mut other = Context::from_waker(&waker);
                let mut bytes = [0; 16];
                let read = pin!(body.read(&mut bytes)).poll(&mut other);
                read.is_pending()
            };
            assert!(is_pending);
            arrived.fetch_add(1, Ordering::SeqCst);
            let _gone = Gone(gone);
            pending::<()>().await;
            drop(body);
            Ok(Response::new(200))
        }
    });
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    client.send(HEAD);
    eventually("the reader", || arrived.load(Ordering::SeqCst) == 1);
    drop(client);
    eventually("the end of the handler", || {
        gone.load(Ordering::SeqCst) == 1
    });
    running.stop();
}

/// Counts its drop.
struct Gone(Arc<AtomicUsize>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
