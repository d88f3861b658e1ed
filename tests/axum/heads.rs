//! Heads of requests, as a handler sees them, and what a handler puts into a head.

use http::{HeaderValue, Request, Response};
use neap::http::{App, Body, Server, from_fn};

use crate::http_support::{Running, run};
use crate::runtimes::limited;

/// Answers with all of the head that was read.
fn app() -> impl App + 'static {
    from_fn(async |request: Request<Body>| {
        let (method, uri, version) = (request.method(), request.uri(), request.version());
        let mut text = format!("{method} {uri} {version:?}");
        for (name, value) in request.headers() {
            text += &format!("|{name}={}", value.as_bytes().escape_ascii());
        }
        Response::new(text)
    })
}

fn serve() -> Running {
    run(Server::new(app(), "127.0.0.1:0"))
}

#[test]
fn a_head_is_seen_as_it_was_sent_however_often_it_is_repeated() {
    limited(|| {
        let running = serve();
        let mut client = running.connect();
        let table: [(&[u8], &str); 9] = [
            (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", "GET / HTTP/1.1|host=a"),
            (
                b"GET /a%20b//c;d?e=f&g=%26'[] HTTP/1.1\r\nHost: a:80\r\nX-One: 1\r\nx-two:2\r\nX-ONE:  3 \r\n\r\n",
                "GET /a%20b//c;d?e=f&g=%26'[] HTTP/1.1|host=a:80|x-one=1|x-one=3|x-two=2",
            ),
            // Bytes beyond ASCII, and none at all.
            (b"GET / HTTP/1.1\r\nhost: a\r\nx: \xe4\xff b\r\ny:\r\n\r\n", "GET / HTTP/1.1|host=a|x=\\xe4\\xff b|y="),
            // The host of the target takes the place of the field's (RFC 9112, 3.2.2).
            (b"GET http://b:81/x?y HTTP/1.1\r\nhost: a\r\n\r\n", "GET http://b:81/x?y HTTP/1.1|host=b:81"),
            (b"GET http://b HTTP/1.1\r\nhost: a\r\n\r\n", "GET http://b/ HTTP/1.1|host=b"),
            (b"OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n", "OPTIONS * HTTP/1.1|host=a"),
            (b"BREW /pot HTTP/1.1\r\nhost: pod.1\r\n\r\n", "BREW /pot HTTP/1.1|host=pod.1"),
            (b"GET / HTTP/1.1\r\nhost: \r\n\r\n", "GET / HTTP/1.1|host="),
            (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", "GET / HTTP/1.0|connection=keep-alive"),
        ];
        for (head, seen) in table {
            for time in 1..=5 {
                assert_eq!(client.send(head).answer().text(), seen, "time {time}");
            }
        }
        // In turn, so that none is the one before, and each after the same one twice.
        for (head, seen) in table {
            for (before, seen_before) in table {
                assert_eq!(client.send(before).answer().text(), seen_before);
                assert_eq!(client.send(before).answer().text(), seen_before);
                assert_eq!(client.send(before).answer().text(), seen_before);
                assert_eq!(client.send(head).answer().text(), seen);
            }
        }
        drop(client);
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn connect_has_an_authority_and_closes() {
    limited(|| {
        let running = serve();
        let answer = running
            .connect()
            .send("CONNECT b:81 HTTP/1.1\r\nhost: a\r\n\r\n")
            .head();
        let head = answer.unwrap().unwrap();
        assert!(
            head.starts_with("http/1.1 200 ") && head.contains("connection: close"),
            "{head}"
        );
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_hundred_fields_are_seen_and_one_more_is_refused() {
    limited(|| {
        let running = serve();
        let mut client = running.connect();
        let head = |fields: usize| {
            let fields: String = (1..fields)
                .map(|field| format!("x-{field}: {field}\r\n"))
                .collect();
            format!("GET / HTTP/1.1\r\nhost: a\r\n{fields}\r\n")
        };
        for _ in 0..4 {
            let answer = client.send(head(100)).answer();
            let text = answer.text();
            assert!(
                text.matches('|').count() == 100 && text.contains("|x-99=99"),
                "{text}"
            );
        }
        let answer = client.send(head(101)).answer();
        assert_eq!((answer.status, answer.closes()), (431, true), "{answer:?}");
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_target_longer_than_a_uri_can_be_is_a_414() {
    limited(|| {
        let running = run(Server::new(app(), "127.0.0.1:0").max_head(200_000));
        let ask = |length: usize| {
            let target = "/".repeat(length);
            let answer = running
                .connect()
                .send(format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n"))
                .answer();
            (answer.status, answer.closes(), answer.body.len())
        };
        let seen = "GET  HTTP/1.1|host=a".len();
        assert_eq!(ask(65_534), (200, false, 65_534 + seen));
        for length in [65_535, 65_536, 150_000] {
            let (status, closes, _) = ask(length);
            assert_eq!((status, closes), (414, true), "{length}");
        }
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn a_head_longer_than_the_limit_is_refused() {
    limited(|| {
        let running = run(Server::new(app(), "127.0.0.1:0").max_head(1000));
        let long = "x".repeat(2000);
        for (head, status) in [
            (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 414),
            (
                format!("GET / HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
                431,
            ),
        ] {
            let answer = running.connect().send(head).answer();
            assert_eq!((answer.status, answer.closes()), (status, true));
        }
        assert!(running.stop().report.is_clean());
    });
}

#[test]
fn what_a_handler_puts_into_a_head_is_sent_as_it_is() {
    limited(|| {
        let running = run(Server::new(
            from_fn(async |_| {
                let mut response = Response::new(String::from("hello"));
                let fields = response.headers_mut();
                let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
                fields.append("set-cookie", value(b"a=1"));
                fields.append("set-cookie", value(b"b=2"));
                fields.insert("x-text", value(b"\xe4\xff\tb"));
                fields.insert("x-none", value(b""));
                fields.insert("date", value(b"yesterday"));
                // It is the server that says how long the body is, and what becomes of the connection.
                fields.insert("content-length", value(b"7"));
                fields.append("content-length", value(b"8"));
                fields.insert("transfer-encoding", value(b"chunked"));
                fields.insert("connection", value(b"x-hop, Close"));
                response
            }),
            "127.0.0.1:0",
        ));
        let mut client = running.connect();
        let expected: &[u8] =
            b"HTTP/1.1 200 OK\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-text: \xe4\xff\tb\r\n\
            x-none: \r\ndate: yesterday\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello";
        let message = client.get("/").take(expected.len()).unwrap();
        assert_eq!(
            message.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
        assert!(client.is_closed());
        assert!(running.stop().report.is_clean());
    });
}
