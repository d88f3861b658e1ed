//! What the server accepts and refuses, as raw bytes: whole, cut at every byte, and behind a good
//! request.

use crate::door::{OTHER_METHOD, reading};
use crate::http_support::{Client, Running, run};
use neap::http::Server;

const GOOD: &str = "GET /good HTTP/1.1\r\nhost: a\r\n\r\n";
/// The most cuts of one case that are tried.
const CUTS: usize = 80;

struct Case {
    name: &'static str,
    bytes: Vec<u8>,
    status: u16,
    closes: bool,
}

fn case(name: &'static str, bytes: impl AsRef<[u8]>, status: u16) -> Case {
    Case {
        name,
        bytes: bytes.as_ref().to_vec(),
        status,
        closes: true,
    }
}

fn kept(name: &'static str, bytes: impl AsRef<[u8]>) -> Case {
    Case {
        closes: false,
        ..case(name, bytes, 200)
    }
}

/// Returns a request with these lines between its host and its end.
fn with(lines: &str) -> String {
    format!("POST / HTTP/1.1\r\nhost: a\r\n{lines}\r\n")
}

fn server() -> Running {
    run(Server::new(reading(), "127.0.0.1:0").max_body(64))
}

#[track_caller]
fn check(client: &mut Client, case: &Case, how: &str) {
    let name = case.name;
    let answer = client.answer();
    assert_eq!(answer.status, case.status, "{name}, {how}: {answer:?}");
    assert_eq!(answer.closes(), case.closes, "{name}, {how}: {answer:?}");
    if case.closes {
        assert!(client.is_closed(), "{name}, {how}");
    } else {
        assert_eq!(client.send(GOOD).answer().status, 200, "{name}, {how}");
    }
}

/// Checks each case whole, behind a good request, and cut in two at many places.
fn check_all(cases: &[Case]) {
    let server = server();
    for case in cases {
        check(server.connect().send(&case.bytes), case, "whole");
        let behind = [GOOD.as_bytes(), &case.bytes].concat();
        let mut client = server.connect();
        assert_eq!(client.send(behind).answer().status, 200, "{}", case.name);
        check(&mut client, case, "behind a good one");

        // First the beginnings on all connections, then the ends: by then the beginnings were read.
        let step = case.bytes.len().div_ceil(CUTS);
        let cuts = (1..case.bytes.len()).step_by(step.max(1));
        let mut clients: Vec<_> = cuts.map(|cut| (cut, server.connect())).collect();
        for (cut, client) in &mut clients {
            client.send(&case.bytes[..*cut]);
        }
        for (cut, client) in &mut clients {
            // The server may have refused the beginning, and closed.
            let _ = client.try_send(&case.bytes[*cut..]);
            check(client, case, &format!("cut at {cut}"));
        }
    }
    assert!(server.stop().report.is_clean());
}

#[test]
fn takes_what_is_well_formed() {
    check_all(&[
        kept("plain", GOOD),
        kept(
            "no reason to close",
            "GET / HTTP/1.1\r\nHOST:a\r\nConnection: x, y\r\n\r\n",
        ),
        kept("empty lines before it", format!("\r\n\r\n{GOOD}")),
        kept(
            "absolute form",
            "GET http://b/x HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        kept("asterisk form", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
        kept("empty host", "GET / HTTP/1.1\r\nhost:\r\n\r\n"),
        kept("length", with("content-length: 5\r\n") + "hello"),
        kept("length 0", with("content-length: 0\r\n")),
        kept(
            "chunked",
            with("Transfer-Encoding: Chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n",
        ),
        kept(
            "trailers",
            with("transfer-encoding: chunked\r\n") + "1;x=y\r\nh\r\n0\r\na: b\r\n\r\n",
        ),
        kept("text in UTF-8", with("cookie: n=J\u{f6}rg\r\n")),
        kept(
            "1.0, kept",
            "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
        ),
        case("1.0", "GET / HTTP/1.0\r\n\r\n", 200),
        case(
            "asked to close",
            "GET / HTTP/1.1\r\nhost: a\r\nconnection: Close\r\n\r\n",
            200,
        ),
    ]);
}

#[test]
fn refuses_broken_lines() {
    check_all(&[
        case("line feeds", "GET / HTTP/1.1\nhost: a\n\n", 400),
        case(
            "one line feed",
            "GET / HTTP/1.1\r\nhost: a\nx: y\r\n\r\n",
            400,
        ),
        case("last line feed", "GET / HTTP/1.1\r\nhost: a\r\n\n", 400),
        case(
            "carriage return",
            "GET / HTTP/1.1\r\nhost: a\rb\r\n\r\n",
            400,
        ),
        case("folded", with("x: y\r\n z\r\n"), 400),
        case("space before colon", with("x : y\r\n"), 400),
        case("no colon", with("x\r\n"), 400),
        case("no name", with(": y\r\n"), 400),
        case("control character", with("x: \x01\r\n"), 400),
        case("NUL", with("x: a\0b\r\n"), 400),
        case("name with a space", with("x y: z\r\n"), 400),
        case(
            "first line indented",
            " GET / HTTP/1.1\r\nhost: a\r\n\r\n",
            400,
        ),
        case(
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn refuses_requests_it_does_not_know() {
    let (status, closes) = OTHER_METHOD;
    let other = |name, bytes| Case {
        closes,
        ..case(name, bytes, status)
    };
    check_all(&[
        other("unknown method", "BREW / HTTP/1.1\r\nhost: a\r\n\r\n"),
        other(
            "method in small letters",
            "get / HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        case("unknown, and no host", "BREW / HTTP/1.1\r\n\r\n", 400),
        case(
            "unknown, and no target",
            "BREW x HTTP/1.1\r\nhost: a\r\n\r\n",
            400,
        ),
        case("no version", "GET /\r\nhost: a\r\n\r\n", 400),
        case("version 2.0", "GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505),
        case("version 1.2", "GET / HTTP/1.2\r\nhost: a\r\n\r\n", 505),
        case("version 1.10", "GET / HTTP/1.10\r\nhost: a\r\n\r\n", 400),
        case(
            "no version at all",
            "GET / HTTX/1.1\r\nhost: a\r\n\r\n",
            400,
        ),
        case("relative target", "GET x HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        case("fragment", "GET /#x HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        case("two spaces", "GET  / HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        case(
            "expectation",
            with("expect: miracles\r\ncontent-length: 1\r\n"),
            417,
        ),
        case(
            "an expectation in front of one that is known",
            with("expect: miracles\r\nexpect: 100-continue\r\ncontent-length: 1\r\n"),
            417,
        ),
        case(
            "an expectation behind one that is known",
            with("expect: 100-continue\r\nexpect: miracles\r\ncontent-length: 1\r\n"),
            417,
        ),
        case(
            "a list of expectations",
            with("expect: 100-continue, miracles\r\ncontent-length: 1\r\n"),
            417,
        ),
        case(
            "a target with braces",
            "GET /{x} HTTP/1.1\r\nhost: a\r\n\r\n",
            400,
        ),
        case(
            "a query with quotes",
            "GET /?\"x\" HTTP/1.1\r\nhost: a\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn refuses_a_host_that_is_not_one() {
    check_all(&[
        case("none", "GET / HTTP/1.1\r\n\r\n", 400),
        case("two", "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n", 400),
        case("a user", "GET / HTTP/1.1\r\nhost: u@a\r\n\r\n", 400),
        case("a path", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400),
        case(
            "an open bracket",
            "GET / HTTP/1.1\r\nhost: [::1\r\n\r\n",
            400,
        ),
        case("a broken byte", "GET / HTTP/1.1\r\nhost: a%2\r\n\r\n", 400),
        case("a bad port", "GET / HTTP/1.1\r\nhost: a:b\r\n\r\n", 400),
        case(
            "two, absolute form",
            "GET http://b/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn refuses_transfer_codings_by_whether_the_body_has_an_end() {
    let coded = |value: &str| with(&format!("transfer-encoding: {value}\r\n"));
    check_all(&[
        case("unknown, with an end", coded("gzip, chunked"), 501),
        case("with a parameter", coded("gzip;q=1 , chunked"), 501),
        case("without an end", coded("gzip"), 400),
        case("chunked twice", coded("chunked, chunked"), 400),
        case("not a token", coded("g zip, chunked"), 400),
        case("nothing before", coded(", chunked"), 400),
        case(
            "unknown, with a length",
            with("transfer-encoding: gzip, chunked\r\ncontent-length: 5\r\n"),
            400,
        ),
        case(
            "unknown, in 1.0",
            "POST / HTTP/1.0\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            400,
        ),
        case("chunked first", coded("chunked, gzip"), 400),
        case("a parameter", coded("chunked;q=1"), 400),
        case("empty", coded(""), 400),
    ]);
}

#[test]
fn refuses_chunk_lines_that_are_read_in_two_ways() {
    let chunk = |line: &str| {
        let head = "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        format!("{head}{line}\r\nhello\r\n0\r\n\r\n")
    };
    check_all(&[
        case("a bare semicolon", chunk("5;"), 400),
        case("a space", chunk("5 "), 400),
        case("a space before", chunk("5 ;a=b"), 400),
        case("a space after", chunk("5; a=b"), 400),
        case("no value", chunk("5;a="), 400),
        case("not a token", chunk("5;bad[=x"), 400),
        case("an open string", chunk("5;a=\"b"), 400),
        case("behind a string", chunk("5;a=\"b\"c"), 400),
    ]);
}

#[test]
fn refuses_a_length_that_can_be_read_in_two_ways() {
    check_all(&[
        case("sign", with("content-length: +5\r\n") + "hello", 400),
        case("negative", with("content-length: -5\r\n") + "hello", 400),
        case("list", with("content-length: 5, 5\r\n") + "hello", 400),
        case(
            "twice",
            with("content-length: 5\r\ncontent-length: 5\r\n") + "hello",
            400,
        ),
        case(
            "hexadecimal",
            with("content-length: 0x5\r\n") + "hello",
            400,
        ),
        case("empty", with("content-length:\r\n"), 400),
        case(
            "beyond 64 bits",
            with("content-length: 99999999999999999999\r\n"),
            400,
        ),
        case(
            "with chunks",
            with("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
            400,
        ),
        case(
            "chunks with it",
            with("transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
            400,
        ),
        case(
            "gzip, chunked",
            with("transfer-encoding: gzip, chunked\r\n"),
            501,
        ),
        case(
            "chunked twice",
            with("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"),
            400,
        ),
        case("identity", with("transfer-encoding: identity\r\n"), 400),
        case(
            "vertical tab",
            with("transfer-encoding: \x0bchunked\r\n"),
            400,
        ),
        case(
            "1.0",
            "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn refuses_broken_chunks() {
    let chunked = |body: &str| with("transfer-encoding: chunked\r\n") + body;
    let long_line = chunked(&format!("1;{}\r\n", "x".repeat(5000)));
    check_all(&[
        case("no size", chunked("\r\n\r\n"), 400),
        case("no digit", chunked("x\r\n"), 400),
        case("sign", chunked("+5\r\nhello\r\n0\r\n\r\n"), 400),
        case("prefix", chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400),
        case("line feed", chunked("5\nhello\r\n0\r\n\r\n"), 400),
        case(
            "17 digits",
            chunked("00000000000000005\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case("too short", chunked("3\r\nhello\r\n0\r\n\r\n"), 400),
        case("long extension", long_line, 400),
        case(
            "control character",
            chunked("5;a=\"\u{1}\"\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case(
            "delete",
            chunked("5;a=\"\u{7f}\"\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case(
            "quoted line feed",
            chunked("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case(
            "escaped line feed",
            chunked("5;a=\"\\\n\"\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case(
            "carriage return",
            chunked("5;a=\"\r\"\r\nhello\r\n0\r\n\r\n"),
            400,
        ),
        case("folded trailer", chunked("0\r\n x: y\r\n\r\n"), 400),
        case("trailer with line feeds", chunked("0\r\nx: y\n\n"), 400),
    ]);
}

#[test]
fn refuses_what_is_too_long() {
    let long = "x".repeat(17 * 1024);
    check_all(&[
        case("target", format!("GET /{long}"), 414),
        case("field", with(&format!("x: {long}\r\n")), 431),
        case("fields", with(&"x: y\r\n".repeat(100)), 431),
        case("body", with("content-length: 65\r\n"), 413),
        case(
            "chunk",
            with("transfer-encoding: chunked\r\n") + "41\r\n",
            413,
        ),
        case(
            "chunks",
            with("transfer-encoding: chunked\r\n") + &"1\r\nx\r\n".repeat(65),
            413,
        ),
    ]);
}

/// RFC 9110, 9.3.2: behind the head of an answer to HEAD comes nothing, also if the request is refused.
#[test]
fn refuses_a_head_without_a_body() {
    let long = "x".repeat(17 * 1024);
    let cases = [
        case("segment", "HEAD /.. HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        case("no host", "HEAD / HTTP/1.1\r\n\r\n", 400),
        case("version", "HEAD / HTTP/2.0\r\nhost: a\r\n\r\n", 505),
        case("target", format!("HEAD /{long}"), 414),
        case(
            "behind an empty line",
            "\r\nHEAD / HTTP/2.0\r\nhost: a\r\n\r\n",
            505,
        ),
        case(
            "body",
            "HEAD / HTTP/1.1\r\nhost: a\r\ncontent-length: 65\r\n\r\n",
            413,
        ),
        case(
            "chunk",
            "HEAD / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n41\r\n",
            413,
        ),
    ];
    check_all(&cases);
    let server = server();
    for case in cases {
        let mut client = server.connect();
        let answer = client.send(&case.bytes).answer();
        assert_eq!(answer.status, case.status, "{}", case.name);
        assert_eq!(answer.body, b"", "{}", case.name);
        assert!(!answer.head.contains("content-"), "{answer:?}");
    }
    // A body that begins so belongs to its own request.
    let mut client = server.connect();
    client.send(with("content-length: 65\r\n") + "HEAD / HTTP/1.1\r\n");
    assert_eq!(client.answer().body, b"body too long");
    assert!(server.stop().report.is_clean());
}
