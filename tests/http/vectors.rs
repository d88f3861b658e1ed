//! Bytes that have smuggled requests past one server or another, and the corners of RFC 9112: each case
//! whole and cut at every byte, over a network in memory, with another request right behind it.
//!
//! What is refused here is refused for good: the request behind is not answered, nor does the app see it.
//! `codec` has the plain cases, over sockets.

use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use http_types::{Request, Response};
use neap::test::{Clock, Network};
use neap::{Group, http};

/// The request behind each case.
const LAST: &str = "GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// What the app answers to it.
const LAST_TEXT: &str = "GET http://a/last a ";

/// A case: its name, its bytes, and what they are answered with.
type Case = (&'static str, Vec<u8>, Answer);

#[derive(Debug, Clone, Copy)]
enum Answer {
    /// A refusal with this status.
    Refused(u16),
    /// The method, URL, `Host` and body that the app has seen.
    Served(&'static str),
}

use Answer::{Refused, Served};

fn case(name: &'static str, bytes: impl AsRef<[u8]>, answer: Answer) -> Case {
    (name, bytes.as_ref().to_vec(), answer)
}

/// A request with this first line.
fn line(name: &'static str, line: &str, answer: Answer) -> Case {
    case(name, format!("{line}\r\nhost: a\r\n\r\n"), answer)
}

/// A request with these fields, each with its line end, and what is behind them.
fn fields(name: &'static str, fields: &str, behind: &str, answer: Answer) -> Case {
    let bytes = format!("POST / HTTP/1.1\r\nhost: a\r\n{fields}\r\n{behind}");
    case(name, bytes, answer)
}

/// A request with this chunked body.
fn chunked(name: &'static str, body: &str, answer: Answer) -> Case {
    fields(name, "transfer-encoding: chunked\r\n", body, answer)
}

/// Says what it has seen.
async fn tell(mut request: Request) -> http_types::Result<Response> {
    let body = request.body_string().await?;
    let host = request.header("host").map_or("", |host| host.as_str());
    let (method, url) = (request.method(), request.url());
    Ok(format!("{method} {url} {host} {body}").into())
}

/// Sends bytes in two pieces, and returns all that comes back.
async fn ask(network: &Network, clock: &Clock, first: &[u8], rest: &[u8]) -> Vec<u8> {
    let mut client = network.connect(80).await.unwrap();
    let mut seen = Vec::new();
    client.write_all(first).await.unwrap();
    if !rest.is_empty() {
        clock.sleep(Duration::from_millis(1)).await;
        // The server may have refused the beginning, and closed its side.
        let _ = client.write_all(rest).await;
    }
    client.read_to_end(&mut seen).await.unwrap();
    seen
}

/// Divides what has come into answers: their statuses, and their bodies.
fn answers(mut bytes: &[u8]) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
        let (head, behind) = bytes.split_at(end.expect("a head") + 4);
        let head = std::str::from_utf8(head).unwrap();
        let status = head.strip_prefix("HTTP/1.1 ").unwrap()[..3]
            .parse()
            .unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        let body = String::from_utf8(behind[..length].to_vec()).unwrap();
        answers.push((status, body));
        bytes = &behind[length..];
    }
    answers
}

#[track_caller]
fn check_all(cases: &[Case]) {
    let (network, clock) = (Network::new(), Clock::new());
    let server = http::Server::new(http::from_tide_fn(tell), network.listen(80)).max_body(64);
    let mut group = Group::new().clock(&clock);
    group.add("http", server.into_service());
    let handle = group.handle();
    let test = async {
        let mut wrong = Vec::new();
        for (name, bytes, answer) in cases {
            let all = [bytes, LAST.as_bytes()].concat();
            let expected = match answer {
                Refused(status) => vec![(*status, None)],
                Served(text) => vec![(200, Some(*text)), (200, Some(LAST_TEXT))],
            };
            for cut in 0..=bytes.len() {
                let (first, rest) = all.split_at(if cut == 0 { all.len() } else { cut });
                let found = answers(&ask(&network, &clock, first, rest).await);
                let is_as = |(found, expected): (&(u16, String), &(u16, Option<&str>))| {
                    found.0 == expected.0 && expected.1.is_none_or(|text| text == found.1)
                };
                let is_good = found.len() == expected.len();
                if !is_good || !found.iter().zip(&expected).all(is_as) {
                    wrong.push(format!("{name}, cut at {cut}: {found:?}, not {expected:?}"));
                    break;
                }
            }
        }
        handle.stop();
        wrong
    };
    let (ended, wrong) = clock.block_on(future::zip(group.run(), test));
    ended.unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(network.open_ends(), 0);
}

#[test]
fn first_lines() {
    check_all(&[
        // RFC 9112, 2.2 and 3.
        case(
            "empty lines before",
            "\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
            Served("GET http://a/ a "),
        ),
        line("a space behind", "GET / HTTP/1.1 ", Refused(400)),
        line("a word behind", "GET / HTTP/1.1 x", Refused(400)),
        line("four words", "GET / x HTTP/1.1", Refused(400)),
        line("tabs", "GET\t/\tHTTP/1.1", Refused(400)),
        line("a tab", "GET /\tHTTP/1.1", Refused(400)),
        line("a form feed", "GET\x0c/ HTTP/1.1", Refused(400)),
        line("no target", "GET HTTP/1.1", Refused(400)),
        line("an empty target", "GET  HTTP/1.1", Refused(400)),
        line("no space", "GET/ HTTP/1.1", Refused(400)),
        line("two carriage returns", "GET / HTTP/1.1\r", Refused(400)),
        case(
            "carriage returns alone",
            "GET / HTTP/1.1\rhost: a\r\r",
            Refused(400),
        ),
        line("a method that is no token", "G(T / HTTP/1.1", Refused(400)),
        line("a method with a NUL", "GET\0 / HTTP/1.1", Refused(400)),
        line("a NUL in the target", "GET /\0 HTTP/1.1", Refused(400)),
        line("a delete in the target", "GET /\x7f HTTP/1.1", Refused(400)),
        line(
            "a raw letter in the target",
            "GET /\u{e4} HTTP/1.1",
            Refused(400),
        ),
        // RFC 9112, 2.3.
        line("small letters", "GET / http/1.1", Refused(400)),
        line("a comma", "GET / HTTP/1,1", Refused(505)),
        line("a leading zero", "GET / HTTP/01.1", Refused(505)),
        line("another digit", "GET / HTTP/1.01", Refused(400)),
        line("a space within", "GET / HTTP/ 1.1", Refused(400)),
        line("a sign", "GET / HTTP/+1.1", Refused(400)),
        line("half a version", "GET / HTTP/1", Refused(505)),
        line("0.9 by name", "GET / HTTP/0.9", Refused(505)),
        line("3.0", "GET / HTTP/3.0", Refused(505)),
        case("0.9", "GET /\r\n", Refused(400)),
        case(
            "the preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            Refused(505),
        ),
        case(
            "a PROXY line",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
            Refused(400),
        ),
    ]);
}

#[test]
fn targets_and_hosts() {
    let absolute = |name, target: &str, answer| {
        let bytes = format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n");
        case(name, bytes, answer)
    };
    let host = |name, host: &str, answer| {
        let bytes = format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n");
        case(name, bytes, answer)
    };
    check_all(&[
        // RFC 9112, 3.2.
        absolute("another host", "http://b/x", Served("GET http://b/x b ")),
        absolute(
            "another host, large letters",
            "HTTP://B/x",
            Served("GET http://b/x B "),
        ),
        absolute("a user", "http://b@a/", Refused(400)),
        absolute("a user and a password", "http://a:b@c/", Refused(400)),
        absolute("no host in it", "http:///x", Refused(400)),
        absolute("nothing in it", "http://", Refused(400)),
        absolute("one slash", "http:/x", Refused(400)),
        absolute("another scheme", "ftp://b/x", Refused(400)),
        absolute("a script", "javascript:x", Refused(400)),
        absolute("a backslash", "http://b\\@a/", Refused(400)),
        absolute("a query alone", "?x", Refused(400)),
        absolute("an asterisk", "*", Refused(400)),
        absolute("two slashes", "//b/x", Served("GET http://a//b/x a ")),
        absolute("dots", "/x/../y", Refused(400)),
        absolute("dots in percent", "/x/%2E%2e/y", Refused(400)),
        absolute(
            "a slash in percent",
            "/x%2f..%2fy",
            Served("GET http://a/x%2f..%2fy a "),
        ),
        case(
            "absolute, without a field",
            "GET http://b/ HTTP/1.1\r\n\r\n",
            Refused(400),
        ),
        case(
            "absolute, with a bad field",
            "GET http://b/ HTTP/1.1\r\nhost: a b\r\n\r\n",
            Refused(400),
        ),
        line("CONNECT to a path", "CONNECT / HTTP/1.1", Refused(400)),
        line("CONNECT without a port", "CONNECT b HTTP/1.1", Refused(400)),
        line(
            "CONNECT to a URL",
            "CONNECT http://b:1/ HTTP/1.1",
            Refused(400),
        ),
        line("a host as the target", "GET b:1 HTTP/1.1", Refused(400)),
        host("two in one", "a, b", Refused(400)),
        host("two words", "a b", Refused(400)),
        host("a tab", "a\tb", Refused(400)),
        host("a URL", "http://a", Refused(400)),
        host("a query", "a?b", Refused(400)),
        host("a fragment", "a#b", Refused(400)),
        host("a backslash", "a\\b", Refused(400)),
        host("a NUL", "a\0", Refused(400)),
        // The grammar has it, a URL has not.
        host(
            "a large port",
            "a:65536",
            Served("GET http://10.0.0.1/ a:65536 "),
        ),
        host("a port with a sign", "a:+1", Refused(400)),
        case(
            "a space before the colon",
            "GET / HTTP/1.1\r\nhost : a\r\n\r\n",
            Refused(400),
        ),
        case(
            "one of them folded",
            "GET / HTTP/1.1\r\nhost: a\r\n host: b\r\n\r\n",
            Refused(400),
        ),
        case(
            "the first line folded",
            "GET / HTTP/1.1\r\n host: b\r\nhost: a\r\n\r\n",
            Refused(400),
        ),
        case(
            "two in 1.0",
            "GET / HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n",
            Refused(400),
        ),
        case(
            "a field of HTTP/2",
            "GET / HTTP/1.1\r\n:authority: a\r\nhost: a\r\n\r\n",
            Refused(400),
        ),
    ]);
}

#[test]
fn fields_that_hide_others() {
    let field = |name, text: &str, answer| fields(name, &format!("{text}\r\n"), "", answer);
    check_all(&[
        // RFC 9112, 5.
        field(
            "text beyond ASCII",
            "x: \u{fc}",
            Served("POST http://a/ a "),
        ),
        field("a tab within", "x: y\tz", Served("POST http://a/ a ")),
        field("a tab before", "x:\ty", Served("POST http://a/ a ")),
        field("nothing", "x:", Served("POST http://a/ a ")),
        field("a delete", "x: \x7f", Refused(400)),
        field("an escape", "x: \x1b", Refused(400)),
        field("a tab before the colon", "x\t: y", Refused(400)),
        field("a NUL in the name", "x\0: y", Refused(400)),
        field("a quoted name", "\"x\": y", Refused(400)),
        field("a bracket", "x[0]: y", Refused(400)),
        field("a letter beyond ASCII", "\u{fc}: y", Refused(400)),
        field("folded by a tab", "x: y\r\n\tz", Refused(400)),
        field("an empty fold", "x: y\r\n ", Refused(400)),
        field(
            "a carriage return",
            "x: y\rtransfer-encoding: chunked",
            Refused(400),
        ),
        field(
            "a line feed",
            "x: y\ntransfer-encoding: chunked",
            Refused(400),
        ),
        field("two carriage returns", "x: y\r", Refused(400)),
        field(
            "an end by line feeds",
            "x: y\n\nGET /last HTTP/1.1",
            Refused(400),
        ),
        field("a carriage return before the colon", "x\r: y", Refused(400)),
    ]);
}

#[test]
fn two_lengths() {
    let body = "5\r\nhello\r\n0\r\n\r\n";
    let coding = |name, text: &str, answer| {
        fields(
            name,
            &format!("{text}\r\ncontent-length: 5\r\n"),
            body,
            answer,
        )
    };
    let alone = |name, text: &str, answer| fields(name, &format!("{text}\r\n"), body, answer);
    let length = |name, value: &str, answer| {
        fields(
            name,
            &format!("content-length:{value}\r\n"),
            "hello",
            answer,
        )
    };
    check_all(&[
        // RFC 9112, 6.1: whichever of the two another party goes by.
        coding("both", "transfer-encoding: chunked", Refused(400)),
        coding(
            "a coding that is none",
            "transfer-encoding: x",
            Refused(400),
        ),
        coding("an empty coding", "transfer-encoding:", Refused(400)),
        alone(
            "a space before the colon",
            "transfer-encoding : chunked",
            Refused(400),
        ),
        alone("folded", "transfer-encoding:\r\n chunked", Refused(400)),
        alone(
            "folded away",
            "x: y\r\n transfer-encoding: chunked",
            Refused(400),
        ),
        alone(
            "a tab",
            "transfer-encoding:\tchunked",
            Served("POST http://a/ a hello"),
        ),
        alone(
            "a space behind",
            "transfer-encoding: chunked ",
            Served("POST http://a/ a hello"),
        ),
        alone(
            "large letters",
            "TRANSFER-ENCODING: CHUNKED",
            Served("POST http://a/ a hello"),
        ),
        alone("quoted", "transfer-encoding: \"chunked\"", Refused(400)),
        alone(
            "a comma behind",
            "transfer-encoding: chunked,",
            Refused(400),
        ),
        alone(
            "a letter before",
            "transfer-encoding: xchunked",
            Refused(400),
        ),
        alone("a NUL", "transfer-encoding: chunked\0", Refused(400)),
        alone(
            "a form feed",
            "transfer-encoding: \x0cchunked",
            Refused(400),
        ),
        alone(
            "a space of Unicode",
            "transfer-encoding: \u{a0}chunked",
            Refused(400),
        ),
        alone(
            "identity behind",
            "transfer-encoding: chunked, identity",
            Refused(400),
        ),
        alone(
            "identity twice",
            "transfer-encoding: identity\r\ntransfer-encoding: chunked",
            Refused(400),
        ),
        alone(
            "none twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: x",
            Refused(400),
        ),
        // RFC 9112, 6.2 and 6.3.
        length("zeros before", " 0005", Served("POST http://a/ a hello")),
        length(
            "white space around",
            "\t5 ",
            Served("POST http://a/ a hello"),
        ),
        length("two words", " 5 5", Refused(400)),
        length("a fraction", " 5.0", Refused(400)),
        length("an exponent", " 5e0", Refused(400)),
        length("an underscore", " 0_5", Refused(400)),
        length("quoted", " \"5\"", Refused(400)),
        length("a digit beyond ASCII", " \u{665}", Refused(400)),
        length("a NUL", " 5\0", Refused(400)),
        length("2 to the 64th", " 18446744073709551616", Refused(400)),
        length("the longest", " 18446744073709551615", Refused(413)),
        length("another length", " 5\r\ncontent-length: 6", Refused(400)),
        length(
            "another, in large letters",
            " 5\r\nCONTENT-LENGTH: 0",
            Refused(400),
        ),
        length("none and one", "\r\ncontent-length: 5", Refused(400)),
    ]);
}

#[test]
fn chunks() {
    check_all(&[
        // RFC 9112, 7.1.
        chunked(
            "zeros before",
            "0005\r\nhello\r\n000\r\n\r\n",
            Served("POST http://a/ a hello"),
        ),
        chunked(
            "small and large digits",
            "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
            Served("POST http://a/ a 01234567890123456789"),
        ),
        chunked(
            "a request in it",
            "2D\r\nGET /x HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n0\r\n\r\n123456\r\n0\r\n\r\n",
            Served("POST http://a/ a GET /x HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n0\r\n\r\n123456"),
        ),
        chunked(
            "2 to the 64th",
            "10000000000000005\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "2 to the 64th less one",
            "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
            Refused(413),
        ),
        chunked(
            "2 to the 63rd",
            "8000000000000000\r\nhello\r\n0\r\n\r\n",
            Refused(413),
        ),
        chunked(
            "2 to the 32nd and five",
            "100000005\r\nhello\r\n0\r\n\r\n",
            Refused(413),
        ),
        chunked("negative", "-5\r\nhello\r\n0\r\n\r\n", Refused(400)),
        chunked("an underscore", "0_5\r\nhello\r\n0\r\n\r\n", Refused(400)),
        chunked(
            "a digit beyond ASCII",
            "\u{ff15}\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked("a space before", " 5\r\nhello\r\n0\r\n\r\n", Refused(400)),
        chunked("a tab behind", "5\t\r\nhello\r\n0\r\n\r\n", Refused(400)),
        chunked(
            "an empty line before",
            "\r\n5\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a carriage return alone",
            "5\rhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "two carriage returns",
            "5\r\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a line feed behind the data",
            "5\r\nhello\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a carriage return behind the data",
            "5\r\nhello\r0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "two bytes for the line end",
            "5\r\nhelloXX0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "no line end behind the data",
            "5\r\nhello0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a line feed in an extension",
            "5;a=b\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a carriage return in an extension",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "an extension without a semicolon",
            "5 a=b\r\nhello\r\n0\r\n\r\n",
            Refused(400),
        ),
        chunked("a bare semicolon at the end", "0;\r\n\r\n", Refused(400)),
        chunked(
            "an extension at the end",
            "0;a=\"\\\"\"\r\n\r\n",
            Served("POST http://a/ a "),
        ),
        chunked("the end by line feeds", "0\n\n", Refused(400)),
        chunked("one line feed at the end", "0\r\n\n", Refused(400)),
        // RFC 9112, 7.1.2.
        chunked(
            "a trailer that frames",
            "0\r\ncontent-length: 50\r\ntransfer-encoding: x\r\n\r\n",
            Served("POST http://a/ a "),
        ),
        chunked(
            "a trailer that routes",
            "0\r\nhost: b\r\n\r\n",
            Served("POST http://a/ a "),
        ),
        chunked(
            "a trailer without a colon",
            "0\r\nGET / HTTP/1.1\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a trailer with a space before its colon",
            "0\r\nx : y\r\n\r\n",
            Refused(400),
        ),
        chunked(
            "a trailer with a line feed",
            "0\r\nx: y\n\r\n",
            Refused(400),
        ),
        chunked("a trailer with a NUL", "0\r\nx: \0\r\n\r\n", Refused(400)),
    ]);
}

#[test]
fn what_closes_and_what_does_not() {
    check_all(&[
        // RFC 9112, 9.3 and 9.6: `Refused` is an answer with nothing behind it.
        fields(
            "close among others",
            "connection: keep-alive, Close\r\n",
            "",
            Refused(200),
        ),
        fields(
            "close in the second field",
            "connection: x\r\nconnection: close\r\n",
            "",
            Refused(200),
        ),
        fields(
            "not quite close",
            "connection: closed\r\n",
            "",
            Served("POST http://a/ a "),
        ),
        fields(
            "nothing",
            "connection:\r\n",
            "",
            Served("POST http://a/ a "),
        ),
        fields(
            "a close that is not for the server",
            "proxy-connection: close\r\n",
            "",
            Served("POST http://a/ a "),
        ),
        fields(
            "an upgrade that is not made",
            "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AA\r\n",
            "",
            Served("POST http://a/ a "),
        ),
        case("1.0", "GET / HTTP/1.0\r\nhost: a\r\n\r\n", Refused(200)),
        case(
            "1.0 that keeps",
            "GET / HTTP/1.0\r\nhost: a\r\nconnection: Keep-Alive\r\n\r\n",
            Served("GET http://a/ a "),
        ),
        case(
            "a body of GET",
            "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello",
            Served("GET http://a/ a hello"),
        ),
        case(
            "a field that is like a length",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent_length: 50\r\n\r\n",
            Served("POST http://a/ a "),
        ),
        case(
            "a field that is like a coding",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer_encoding: chunked\r\n\r\n",
            Served("POST http://a/ a "),
        ),
    ]);
}
