//! A tide app behind a `Router` sees what it sees on a server of its own, and so do its clients.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use futures_lite::io::BufReader;
use futures_lite::{AsyncRead, AsyncReadExt};
use http_types::{Body, Error, Request, Response, StatusCode, Trailers};
use neap::http::{self, Server, TideApp};

use crate::http_support::{Client, Running, run};
use crate::runtimes::limited;

/// The last request of a client.
const CLOSE: &str = "GET /200/text/close HTTP/1.1\r\nhost: h\r\n\r\n";

/// The same app in three ways.
struct Doors {
    direct: Running,
    others: [(&'static str, Running); 2],
}

impl Doors {
    fn new<A: TideApp + 'static>(app: impl Fn() -> A) -> Doors {
        let router = Router::new().fallback_service(http::tide_service(app()));
        let alone = http::service(http::tide_service(app()));
        Doors {
            direct: run(Server::new(app(), "127.0.0.1:0")),
            others: [
                (
                    "behind axum",
                    run(Server::new(http::service(router), "127.0.0.1:0")),
                ),
                ("as a service", run(Server::new(alone, "127.0.0.1:0"))),
            ],
        }
    }

    /// Sends these bytes to each, and compares what comes.
    #[track_caller]
    fn check(&self, bytes: &[u8]) {
        let expected = ask(self.direct.addr, bytes);
        let text = bytes.escape_ascii();
        assert!(expected.starts_with("HTTP/1.1 "), "{text}: {expected}");
        for (door, running) in &self.others {
            assert_eq!(ask(running.addr, bytes), expected, "{door}: {text}");
        }
    }
}

/// Sends bytes, and the end unless the last one of them closes. Returns what comes back, with the fields of the first answer in the order of their
/// names, and without its date.
fn ask(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut client = Client::connect(addr).unwrap();
    client.send(bytes);
    // A client that has closed its side is taken for gone by an answer that waits.
    if !bytes.ends_with(CLOSE.as_bytes()) {
        client.stream.shutdown(Shutdown::Write).unwrap();
    }
    let mut answer = Vec::new();
    let read = client.stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).replace(&addr.to_string(), "HERE");
    let mut lines: Vec<_> = answer
        .split("\r\n")
        .filter(|line| !line.starts_with("date: "))
        .collect();
    if let Some(end @ 1..) = lines.iter().position(|line| line.is_empty()) {
        lines[1..end].sort_unstable();
    }
    let broken = read.err().map(|error| format!("\n{:?}", error.kind()));
    lines.join("\n") + &broken.unwrap_or_default()
}

/// Answers with all of a request.
async fn tell(mut request: Request) -> http_types::Result<Response> {
    let (method, url, version) = (request.method(), request.url(), request.version());
    let mut text = format!("{method} {url} {version:?} {:?}\n", request.len());
    let ends = [request.peer_addr(), request.local_addr()];
    let _ = writeln!(text, "{:?}", ends.map(|end| end.is_some()));
    let fields = request.iter().map(|field| format!("{field:?}\n"));
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    text += &fields.concat();
    let trailers = request.has_trailers().then(|| request.recv_trailers());
    let mut body = Vec::new();
    let _ = match request.read_to_end(&mut body).await {
        Ok(_) => writeln!(text, "{}", body.escape_ascii()),
        Err(error) => writeln!(text, "{:?}", error.kind()),
    };
    // What has failed once is never whole.
    let again = request.read_to_end(&mut body).await;
    let _ = writeln!(text, "{:?}", again.ok());
    if let Some(trailers) = trailers {
        // The request, and with it the body, is still there.
        let trailers = trailers.await;
        let fields = trailers.iter().flat_map(|trailers| trailers.iter());
        let mut fields: Vec<_> = fields.map(|field| format!("{field:?}")).collect();
        fields.sort();
        let _ = writeln!(text, "{} {fields:?}", trailers.is_some());
    }
    Ok(Response::from(text))
}

/// Returns true if `Uri` does not take the target. Without a field `Host`, one is added then.
fn is_refused(target: &str) -> bool {
    target.parse::<::http::Uri>().is_err()
}

#[test]
fn a_request_is_the_same_whatever_its_target_and_host() {
    limited(|| {
        let doors = Doors::new(|| http::from_tide_fn(tell));
        let targets = "/ /a?b //a//b /%41%2f%zz /? /a?b=/../c /|^[] /a?'`{}|\\ * http://c/x?y http://c \
            http://c?x HTTPS://C:81/x http://pod.1/x http://pod.1 https://[fe80::1%25eth0]/x?y \
            http://a%2fb/x http://1.2.3.400:5/x http://a:99999/x http://a:/x /a/../b /a%2e/%2e. /x\\y";
        let hosts = "h pod.1 [fe80::1%25eth0]:80 :80 a%2fb A.b:080";
        let hosts = hosts.split(' ').map(|host| format!("host: {host}\r\n"));
        let hosts: Vec<_> = hosts.chain(["host:\r\n".into(), String::new()]).collect();
        for target in targets.split_whitespace() {
            for host in &hosts {
                for method in ["GET", "OPTIONS", "HEAD"] {
                    for version in ["1.0", "1.1"] {
                        if version == "1.0" && host.is_empty() && is_refused(target) {
                            continue;
                        }
                        let line = format!("{method} {target} HTTP/{version}\r\n");
                        doors.check(format!("{line}{host}\r\n").as_bytes());
                    }
                }
            }
        }
        for target in "b:81 pod.1:5 a%2fb:5 [::1]:5 [fe80::1%25eth0]:5".split(' ') {
            for version in ["1.0\r\n", "1.1\r\nhost: h\r\n"] {
                if version == "1.0\r\n" && is_refused(target) {
                    continue;
                }
                doors.check(format!("CONNECT {target} HTTP/{version}\r\n").as_bytes());
            }
        }
    });
}

#[test]
fn a_request_is_the_same_whatever_its_fields_and_body() {
    const CHUNKED: &str = "transfer-encoding: chunked\r\n";
    limited(|| {
        let doors = Doors::new(|| http::from_tide_fn(tell));
        let chunks = |chunks: &str| format!("{CHUNKED}\r\n{chunks}");
        let bodies = [
            "\r\n".into(),
            "content-length: 0\r\n\r\n".into(),
            "content-length: 5\r\n\r\nhello".into(),
            "content-length: 5\r\n\r\nhel".into(),
            "content-length: 50000\r\n\r\nhel".into(),
            chunks("0\r\n\r\n"),
            chunks("5\r\nhello\r\n0\r\n\r\n"),
            chunks("5\r\nhello\r\n0\r\nx-t: 1\r\nX-T: 2\r\nhost: z\r\ny: \u{e4}\r\n\r\n"),
            chunks("5\r\nhello\r\nz\r\n"),
            chunks("5\r\nhel"),
            format!("expect: 100-continue\r\n{}", chunks("1\r\nx\r\n0\r\n\r\n")),
        ];
        for fields in [
            "x: 1\r\nX: 2\r\ny:\r\nx:\r\n",
            "cookie: a\r\ncookie: \u{e4}; b\r\ncookie: a\r\n",
            "x:  a \t b  \r\n!#$%&'*+-.^_`|~: x\r\n",
            "connection: x\r\nconnection: upgrade\r\nupgrade: x\r\n",
            "content-type: text/plain\r\nset-cookie: a\r\n",
        ] {
            for method in ["GET", "POST", "PUT", "HEAD", "TRACE", "PROPFIND"] {
                for body in &bodies {
                    let line = format!("{method} /x HTTP/1.1\r\nhost: h\r\n");
                    doors.check(format!("{line}{fields}{body}").as_bytes());
                }
            }
        }
    });
}

/// A body that does what it is told. It must not be read behind its end.
struct Told(Vec<&'static str>);

impl AsyncRead for Told {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let text = match self.0.pop() {
            None => panic!("it has ended"),
            Some("panic") => panic!("as told"),
            Some("fail") => return Poll::Ready(Err(io::Error::other("as told"))),
            Some("wait") => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(text) => text,
        };
        out[..text.len()].copy_from_slice(text.as_bytes());
        Poll::Ready(Ok(text.len()))
    }
}

/// Makes a body that makes these steps, and then ends.
fn told(steps: &[&'static str], length: Option<usize>) -> Body {
    let steps = [""].iter().chain(steps.iter().rev()).copied().collect();
    Body::from_reader(BufReader::new(Told(steps)), length)
}

/// Answers `/STATUS/BODY/HEAD`.
async fn answer(request: Request) -> http_types::Result<Response> {
    let mut path = request.url().path().split('/').skip(1);
    let mut next = || path.next().unwrap_or_default();
    let status: StatusCode = next().parse::<u16>().unwrap().try_into().unwrap();
    let mut response = Response::new(status);
    match next() {
        "nothing" => {}
        "text" => response.set_body("hello"),
        "large" => response.set_body(vec![b'x'; 100_000]),
        "known" => response.set_body(told(&["hello"], Some(5))),
        "stream" => response.set_body(told(&["hello", "wait", "world"], None)),
        "short" => response.set_body(told(&["hello"], Some(6))),
        "long" => response.set_body(told(&["hello"], Some(4))),
        "empty" => response.set_body(told(&[], None)),
        "fails" => response.set_body(told(&["fail"], None)),
        "fails-soon" => response.set_body(told(&["a", "fail"], Some(5))),
        "panics" => response.set_body(told(&["panic"], None)),
        "panics-soon" => response.set_body(told(&["a", "panic"], Some(5))),
        "error" => return Err(Error::from_str(status, "as told")),
        other => panic!("{other}"),
    }
    let mut add = |name, value| response.append_header(name, value);
    match next() {
        "plain" => {}
        "framing" => {
            add("content-length", "7");
            add("content-length", "8");
            add("transfer-encoding", "gzip");
        }
        "close" => add("connection", "close"),
        "keep" => {
            add("connection", "keep-alive, x");
            add("keep-alive", "timeout=1");
        }
        "many" => ["a=1", "b=2", "", "a=1"]
            .map(|value| add("set-cookie", value))
            .into_iter()
            .collect(),
        "split" => {
            add("x-a", "a\r\nb: c");
            add("x-b", "\0");
            add("x c", "d");
            add("x-d", "d");
        }
        kind => trailers(kind, &mut response),
    }
    Ok(response)
}

/// Gives a response trailers: at once, late, or none though they were promised.
fn trailers(kind: &str, response: &mut Response) {
    let sender = response.send_trailers();
    let is_late = match kind {
        "promised" => return,
        kind => kind == "late",
    };
    async_std::task::spawn(async move {
        if is_late {
            async_io::Timer::after(Duration::from_millis(2)).await;
        }
        let mut trailers = Trailers::new();
        trailers.insert("x-t", "1");
        trailers.append("x-t", "2");
        trailers.insert("host", "a");
        sender.send(trailers).await;
    });
}

#[test]
fn an_answer_is_the_same_whatever_its_status_body_and_head() {
    let bodies = "nothing text large known stream short long empty fails fails-soon panics panics-soon error";
    let heads = "plain framing close keep many split trailers late promised";
    limited(|| {
        let doors = Doors::new(|| http::from_tide_fn(answer));
        for status in [101, 103, 200, 204, 205, 304, 404, 500] {
            for body in bodies.split(' ') {
                for head in heads.split(' ') {
                    for line in [("GET", "1.1"), ("GET", "1.0"), ("HEAD", "1.1")] {
                        let (method, version) = line;
                        let line = format!("{method} /{status}/{body}/{head} HTTP/{version}\r\n");
                        // The one behind it says whether the connection goes on.
                        let fields = "host: h\r\nconnection: keep-alive\r\n\r\n";
                        doors.check(format!("{line}{fields}{CLOSE}").as_bytes());
                    }
                }
            }
        }
    });
}

#[test]
fn a_response_without_a_body_has_no_type() {
    limited(|| {
        let doors = Doors::new(|| http::from_tide_fn(answer));
        for running in [&doors.direct, &doors.others[0].1, &doors.others[1].1] {
            let answer = running.connect().get("/304/nothing/plain").answer();
            assert!(!answer.head.contains("content-type"), "{answer:?}");
            let answer = running.connect().get("/200/text/plain").answer();
            assert!(
                answer.head.contains("\r\ncontent-type: text/plain"),
                "{answer:?}"
            );
        }
    });
}
