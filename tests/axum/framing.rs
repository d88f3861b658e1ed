//! How a response's body is framed, and that it arrives byte by byte as it was made.

use std::time::Duration;

use axum::body::Body as AxumBody;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use http::{Request, Response, StatusCode};
use neap::http::{App, Body, Server, from_fn};
use neap::test::{Clock, Network};

use crate::http_support::in_memory::serve;
use crate::http_support::{Client, Running, run};
use crate::runtimes::limited;
use crate::scripted::{Scripted, Step, frames, pattern};

/// Frames on both sides of what is copied (8 KiB), of a buffer (16 KiB), and of what is gathered (64 KiB).
const FRAMES: [&[usize]; 9] = [
    &[],
    &[0, 0, 0],
    &[1, 0, 8191, 8192, 8193],
    &[9000, 9000, 9000, 0, 9000],
    &[16_383, 16_384, 16_385],
    &[65_535, 65_536, 65_537],
    &[200_000, 1, 200_000, 1],
    &[3, 70_000, 5, 10_000, 7, 0, 8192],
    &[1; 3000],
];

/// Answers `/exact/N` and `/chunked/N` with the frames of this index. With `/slow`, the body waits before
/// each.
fn app() -> impl App + 'static {
    from_fn(async |request: Request<Body>| {
        let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
        let sizes = FRAMES[path[1].parse::<usize>().unwrap()];
        let steps = frames(sizes).into_iter();
        let body = match path.get(2) {
            Some(_) => Scripted::new(steps.flat_map(|step| [Step::Wait, step])),
            None => Scripted::new(steps),
        };
        Response::new(match path[0] {
            "exact" => body.claiming(sizes.iter().sum::<usize>() as u64),
            _ => body,
        })
    })
}

/// Returns the body of a whole message.
fn body(message: &[u8]) -> Vec<u8> {
    let end = message
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap();
    let (head, mut rest) = message.split_at(end + 4);
    let head = String::from_utf8_lossy(head);
    if !head.contains("\r\ntransfer-encoding: chunked\r\n") {
        let length = format!("\r\ncontent-length: {}\r\n", rest.len());
        assert!(
            head.contains(&length)
                || head.contains("connection: close") && !head.contains("length"),
            "{head}"
        );
        return rest.to_vec();
    }
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|end| end == b"\r\n").unwrap();
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (chunk, behind) = rest[line + 2..].split_at(size);
        body.extend(chunk);
        rest = behind.strip_prefix(b"\r\n").unwrap();
        if size == 0 {
            assert!(rest.is_empty());
            return body;
        }
    }
}

/// Asks for each body over a network of this capacity, and reads this many bytes at a time.
fn check(capacity: usize, read: usize) {
    for (at, sizes) in FRAMES.iter().enumerate() {
        for path in ["exact", "chunked"]
            .map(|kind| [format!("/{kind}/{at}"), format!("/{kind}/{at}/slow")])
            .concat()
        {
            for version in ["1.0", "1.1"] {
                let world = (Network::with_capacity(capacity), Clock::new());
                let request =
                    format!("GET {path} HTTP/{version}\r\nhost: a\r\nconnection: close\r\n\r\n");
                let (ended, message) = serve(
                    world,
                    |address| Server::new(app(), address),
                    async |site| {
                        let mut stream = site.network.connect(80).await.unwrap();
                        stream.write_all(request.as_bytes()).await.unwrap();
                        let (mut message, mut part) = (Vec::new(), vec![0; read]);
                        while let bytes @ 1.. = stream.read(&mut part).await.unwrap() {
                            message.extend_from_slice(&part[..bytes]);
                        }
                        message
                    },
                );
                ended.result.unwrap();
                let whole = pattern(0, sizes.iter().sum());
                assert!(
                    body(&message) == whole,
                    "{path} {version} {capacity}: {} bytes",
                    message.len()
                );
            }
        }
    }
}

#[test]
fn frames_of_all_sizes_arrive_whole_across_a_wide_window() {
    limited(|| check(1 << 20, 1 << 20));
}

#[test]
fn frames_of_all_sizes_arrive_whole_across_a_small_window() {
    limited(|| check(997, 501));
}

#[test]
fn frames_of_all_sizes_arrive_whole_across_a_window_of_a_segment() {
    limited(|| check(9001, 1460));
}

#[test]
fn a_slow_reader_with_a_small_window_gets_all() {
    limited(|| {
        let running = run(Server::new(app(), "127.0.0.1:0"));
        for (at, sizes) in FRAMES.iter().enumerate() {
            for kind in ["exact", "chunked"] {
                let domain = socket2::Domain::IPV4;
                let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
                socket.set_recv_buffer_size(4096).unwrap();
                socket.connect(&running.addr.into()).unwrap();
                let mut client = Client::new(socket.into()).unwrap();
                client.get(&format!("/{kind}/{at}"));
                // Until the server's buffers are full.
                std::thread::sleep(Duration::from_millis(20));
                let answer = client.answer();
                assert!(answer.body == pattern(0, sizes.iter().sum()), "{kind} {at}");
            }
        }
        assert!(running.stop().report.is_clean());
    });
}

/// Answers `/STATUS/KIND`.
fn statuses() -> Running {
    run(Server::new(
        from_fn(async |request: Request<Body>| {
            let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
            let body = match path[1] {
                "exact" => AxumBody::from("hello"),
                "unknown" => AxumBody::new(Scripted::new(frames(&[5]))),
                "fails" => AxumBody::new(Scripted::new([Step::Fail])),
                _ => AxumBody::empty(),
            };
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_bytes(path[0].as_bytes()).unwrap();
            if path[1] == "says" {
                let fields = response.headers_mut();
                fields.insert("content-length", 7.into());
                fields.insert("transfer-encoding", "gzip".parse().unwrap());
                fields.insert("keep-alive", "timeout=5".parse().unwrap());
            }
            response
        }),
        "127.0.0.1:0",
    ))
}

#[test]
fn head_and_statuses_without_a_body() {
    limited(|| {
        let running = statuses();
        let mut client = running.connect();
        let lengths = |head: &str| {
            let line = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            (line.map(str::to_owned), head.contains("transfer-encoding"))
        };
        let of = |length: &str| (Some(length.to_owned()), false);
        let none = (None, false);
        // What HEAD says is what GET would say, or nothing (RFC 9110, 8.6 and 9.3.2).
        for (path, expected) in [
            ("/200/exact", of("5")),
            ("/200/unknown", none.clone()),
            ("/200/fails", none.clone()),
            ("/200/says", of("7")),
            ("/200/empty", none.clone()),
            ("/204/exact", none.clone()),
            ("/205/exact", of("0")),
            ("/304/exact", of("5")),
        ] {
            client.send(format!("HEAD {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
            let head = client.head().unwrap().unwrap();
            assert_eq!(lengths(&head), expected, "HEAD {path}: {head}");
        }
        for (path, expected) in [
            ("/204/exact", none.clone()),
            ("/204/unknown", none.clone()),
            ("/205/exact", of("0")),
            ("/205/unknown", of("0")),
            ("/304/exact", none.clone()),
            ("/304/fails", none.clone()),
            ("/200/empty", of("0")),
            ("/200/says", of("0")),
        ] {
            let head = client.get(path).head().unwrap().unwrap();
            assert_eq!(lengths(&head), expected, "GET {path}: {head}");
            assert!(!head.contains("keep-alive"), "{head}");
        }
        assert_eq!(client.get("/200/exact").answer().text(), "hello");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn http_10_is_answered_by_a_length_or_by_the_end() {
    limited(|| {
        let running = statuses();
        let mut client = running.connect();
        let answer = client
            .send("GET /200/exact HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            .answer();
        assert_eq!(answer.text(), "hello");
        assert!(
            answer.head.contains("\r\nconnection: keep-alive\r\n"),
            "{answer:?}"
        );
        let answer = client
            .send("GET /200/unknown HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            .answer();
        assert!(
            answer.closes() && !answer.head.contains("encoding"),
            "{answer:?}"
        );
        assert_eq!(answer.body, pattern(0, 5));
        // Nothing was sent yet, so the client can be told.
        let answer = running
            .connect()
            .send("GET /200/fails HTTP/1.0\r\n\r\n")
            .answer();
        assert_eq!((answer.status, answer.closes()), (500, true), "{answer:?}");
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_stream_is_as_long_as_its_handler_says() {
    limited(|| {
        // Answers `/LENGTH` with that for a length, and a body of five bytes that does not know it.
        let app = from_fn(async |request: Request<Body>| {
            let mut response = Response::new(Scripted::new(frames(&[2, 3])));
            for length in request.uri().path().split('/').skip(1) {
                let length = length.replace("plus", "+").parse().unwrap();
                response.headers_mut().append("content-length", length);
            }
            response
        });
        let running = run(Server::new(app, "127.0.0.1:0"));
        let mut client = running.connect();
        for (path, field, bytes) in [
            ("/5", "\r\ncontent-length: 5\r\n", 5),
            ("/05", "\r\ncontent-length: 5\r\n", 5),
            // It has more, which is not sent.
            ("/3", "\r\ncontent-length: 3\r\n", 3),
            ("/0", "\r\ncontent-length: 0\r\n", 0),
            // What is no length, or two.
            ("/five", "\r\ntransfer-encoding: chunked\r\n", 5),
            ("/plus5", "\r\ntransfer-encoding: chunked\r\n", 5),
            ("/", "\r\ntransfer-encoding: chunked\r\n", 5),
            ("/5/5", "\r\ntransfer-encoding: chunked\r\n", 5),
            (
                "/99999999999999999999",
                "\r\ntransfer-encoding: chunked\r\n",
                5,
            ),
        ] {
            let answer = client.get(path).answer();
            assert!(answer.head.contains(field), "{path}: {answer:?}");
            assert_eq!(
                answer.head.matches("content-length").count(),
                usize::from(field.contains("length"))
            );
            assert_eq!(answer.body, pattern(0, bytes), "{path}");
        }
        let answer = client
            .send("GET /5 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
            .answer();
        assert_eq!(
            (answer.body, answer.head.contains("keep-alive")),
            (pattern(0, 5).to_vec(), true)
        );
        // It has less: the client sees that.
        client.send("GET /6 HTTP/1.1\r\nhost: a\r\n\r\n");
        let answer = client.answer();
        assert_eq!((answer.status, answer.closes()), (500, true), "{answer:?}");
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}
