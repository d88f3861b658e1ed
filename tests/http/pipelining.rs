//! Requests that are sent without waiting for the answers before them.

use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWriteExt, future, io};
use http_types::{Body, Request, Response};
use neap::Handle;
use neap::http::{self, App, Server};
use neap::net::Address;
use neap::test::{Clock, Network};

use crate::http_support::in_memory::{at_once, serve};
use crate::http_support::run;
use crate::runtimes::limited;

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

/// A value whose drop panics.
struct Panics;

impl Drop for Panics {
    fn drop(&mut self) {
        panic!("as asked");
    }
}

/// An app whose answers take no time, or a second.
fn app(clock: &Clock) -> impl App + use<> + 'static {
    let clock = clock.clone();
    http::from_tide_fn(move |mut request: Request| {
        let clock = clock.clone();
        async move {
            Ok(match request.url().path() {
                "/slow" => {
                    clock.sleep(Duration::from_secs(1)).await;
                    Response::from("slow")
                }
                "/read" => Response::from(request.body_string().await?),
                "/broken" => {
                    let broken = io::BufReader::new(io::empty());
                    let mut response = Response::new(200);
                    response.set_body(Body::from_reader(broken, Some(5)));
                    response
                }
                "/panics" => {
                    let mut response = Response::from("panics");
                    response.ext_mut().insert(Panics);
                    response
                }
                path => Response::from(path),
            })
        }
    })
}

/// The bodies of all answers that a client gets within half a second, and of those that come after.
fn bodies(requests: &str) -> [Vec<String>; 2] {
    let site = at_once();
    let server = app(&site.1);
    let server = |address: Address| Server::new(server, address);
    let requests = requests.to_owned();
    let told = serve(site, server, |site| async move {
        let mut client = site.connect().await;
        client.send(requests).await;
        site.sleep(500).await;
        let mut early = vec![0; 64 * 1024];
        let bytes = client.stream.try_read(&mut early).unwrap_or(0);
        site.handle.stop();
        let late = client.end().await.unwrap();
        [String::from_utf8(early[..bytes].to_vec()).unwrap(), late]
    });
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    told.1.map(|text| {
        let answers = text.split("HTTP/1.1 ").skip(1);
        answers.map(body).collect()
    })
}

#[test]
fn they_are_answered_in_order() {
    let paths: Vec<_> = (0..300).map(|number| format!("/{number}")).collect();
    let requests: String = paths.iter().map(|path| get(path)).collect();
    let [early, late] = bodies(&requests);
    assert_eq!((early, late.len()), (paths, 0));
}

#[test]
fn an_answer_does_not_wait_for_the_next_handler() {
    let requests = get("/one") + &get("/two") + &get("/slow") + &get("/three");
    let [early, late] = bodies(&requests);
    assert_eq!(early, ["/one", "/two"]);
    // The stop comes amid the third, whose answer says close.
    assert_eq!(late, ["slow"]);
}

#[test]
fn an_answer_does_not_wait_for_the_rest_of_the_next_request() {
    let [one, two] = [get("/one"), get("/two")];
    let post = "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n";
    let chunks = "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n";
    let rests = [
        two[..20].to_owned(),
        "\r\n\r".to_owned(),
        format!("{post}\r\nhello"),
        format!("{post}\r\n"),
        chunks.to_owned(),
    ];
    for rest in rests {
        let [early, _] = bodies(&(one.clone() + &one + &rest));
        assert_eq!(early, ["/one", "/one"], "{rest:?}");
    }
}

#[test]
fn a_client_is_asked_for_a_body_behind_the_answers_before() {
    let site = at_once();
    let server = app(&site.1);
    serve(
        site,
        |address| Server::new(server, address),
        |site| async move {
            let mut client = site.connect().await;
            let fields = "host: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
            let post = format!("POST /read HTTP/1.1\r\n{fields}");
            client.send(get("/one") + &post).await;
            assert!(client.answer().await.ends_with("/one"));
            assert!(client.answer().await.starts_with("HTTP/1.1 100 "));
            client.send("hello").await;
            assert!(client.answer().await.ends_with("hello"));
        },
    );
}

#[test]
fn bodies_that_are_there_are_read() {
    let post = "POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";
    let [early, _] = bodies(&(post.repeat(3) + &get("/one")));
    assert_eq!(early, ["hello", "hello", "hello", "/one"]);
}

#[test]
fn what_fails_takes_no_answer_before_it() {
    let one = get("/one");
    let [early, _] = bodies(&(one.clone() + &get("/broken") + &one));
    assert_eq!(early, ["/one", ""]);
    let [early, _] = bodies(&(one.clone() + "garbage\r\n\r\n" + &one));
    assert_eq!((early.len(), &*early[0]), (2, "/one"));
    let [early, _] = bodies(&(one.clone() + &get("/panics") + &one));
    assert_eq!(early, ["/one", "panics"]);
}

/// A body of one byte that cancels the group when it is read, behind the head of its answer.
struct Cancels(Handle<'static>);

impl AsyncRead for Cancels {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.cancel();
        out[0] = b'x';
        Poll::Ready(Ok(1))
    }
}

#[test]
fn a_cancel_takes_no_answer_that_is_whole() {
    // The connection is cut when it lets the others have their turn.
    for last in 0..40 {
        let calls = Arc::new(AtomicUsize::new(0));
        let (counted, handle) = (Arc::clone(&calls), Arc::new(OnceLock::<Handle<'_>>::new()));
        let known = Arc::clone(&handle);
        let app = http::from_tide_fn(move |_| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            let handle = known.get().filter(|_| call == last).cloned();
            async move {
                let mut response = Response::from("one");
                if let Some(handle) = handle {
                    let body = io::BufReader::new(Cancels(handle));
                    response.set_body(Body::from_reader(body, Some(1)));
                }
                Ok(response)
            }
        });
        let server = |address: Address| Server::new(app, address);
        let answers = serve(at_once(), server, |site| async move {
            handle.set(site.handle.clone()).unwrap();
            let mut client = site.connect().await;
            client.send(get("/").repeat(100)).await;
            client.end().await.unwrap()
        });
        // The last may be cut, as nothing of it was sent.
        let (answers, calls) = (
            answers.1.matches(" 200 OK").count(),
            calls.load(Ordering::Relaxed),
        );
        assert!(answers + 1 >= calls, "{last}: {answers} of {calls}");
    }
}

#[test]
fn a_client_that_reads_nothing_holds_up_its_own_answers_only() {
    let clock = Clock::new();
    let server = app(&clock);
    let server = |address: Address| Server::new(server, address);
    // Fewer bytes than an answer has.
    let site = (Network::with_capacity(64), clock);
    serve(site, server, |site| async move {
        let client = site.connect().await;
        let requests = get("/one").repeat(5) + &get("/slow") + &get("/two");
        let (mut reader, mut writer) = (&client.stream, &client.stream);
        let write = async {
            writer.write_all(requests.as_bytes()).await.unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        };
        let read = async {
            site.sleep(5000).await;
            let mut answers = String::new();
            reader.read_to_string(&mut answers).await.unwrap();
            answers
        };
        let answers = future::zip(write, read).await.1;
        assert_eq!(answers.matches("/one").count(), 5);
    });
}

/// A handler that blocks its thread does not hold back the answers before it for ever.
#[test]
fn answers_that_take_long_do_not_wait_for_the_next() {
    let (read, is_read) = std::sync::mpsc::channel();
    let is_read = std::sync::Mutex::new(is_read);
    let app = http::from_tide_fn(move |request: Request| {
        if request.url().path() == "/last" {
            let is_read = is_read.lock().unwrap();
            is_read.recv_timeout(Duration::from_secs(20)).unwrap();
        }
        std::thread::sleep(Duration::from_millis(2));
        async { Ok(Response::from("answer")) }
    });
    let running = run(Server::new(app, "127.0.0.1:0"));
    let mut client = running.connect();
    client.send(&(get("/") + &get("/") + &get("/last")));
    assert_eq!(client.answer().text(), "answer");
    read.send(()).unwrap();
    assert_eq!(client.answer().text(), "answer");
    assert_eq!(client.answer().text(), "answer");
    running.stop();
}

/// Returns bytes that differ from place to place.
fn pattern(length: usize) -> Vec<u8> {
    let byte = |at: usize| (at % 251) as u8 ^ (at / 251 % 241) as u8;
    (0..length).map(byte).collect()
}

#[test]
fn answers_of_all_sizes_and_framings_follow_each_other() {
    limited(|| {
        let app = http::from_tide_fn(async |request: Request| {
            let (_, rest) = request.url().path().split_at(1);
            let (kind, size) = rest.split_once('/').unwrap();
            let bytes = pattern(size.parse()?);
            let length = Some(bytes.len());
            let mut response = Response::new(200);
            response.set_body(match kind {
                "bytes" => Body::from_bytes(bytes),
                "read" => Body::from_reader(io::Cursor::new(bytes), length),
                "buffered" => Body::from_reader(io::BufReader::new(io::Cursor::new(bytes)), length),
                _ => Body::from_reader(io::Cursor::new(bytes), None),
            });
            Ok(response)
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut random = fastrand::Rng::with_seed(1);
        let sizes = [
            0, 1, 8192, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 131_072, 300_000,
        ];
        let kinds = ["bytes", "read", "buffered", "chunked"];
        for _ in 0..40 {
            let path = |_| {
                let kind = random.choice(kinds).unwrap();
                (kind, random.choice(sizes).unwrap())
            };
            let paths: Vec<_> = (0..12).map(path).collect();
            let request = |(kind, size): &(&str, usize)| {
                format!("GET /{kind}/{size} HTTP/1.1\r\nhost: a\r\n\r\n")
            };
            let mut client = running.connect();
            client.send(paths.iter().map(request).collect::<String>());
            for (kind, size) in &paths {
                let is_right = client.answer().body == pattern(*size);
                assert!(is_right, "{kind} {size} of {paths:?}");
            }
        }
        assert!(running.stop().report.is_clean());
    });
}
