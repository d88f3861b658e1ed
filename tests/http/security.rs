//! What `SECURITY.md` says, sentence by sentence, where no other test does.

use std::time::{Duration, Instant};

use neap::http::Server;
use tide::Request;

use crate::http_support::{app, run};

const SECURITY: &str = include_str!("../../SECURITY.md");

/// An app that says who it believes to have asked, and for which host.
fn who() -> tide::Server<()> {
    let mut app = tide::new();
    app.at("/who").get(|request: Request<()>| async move {
        let remote = request.remote().unwrap_or("none");
        let host = request.host().unwrap_or("none");
        let is_peer = request.remote() == request.peer_addr();
        let remote = if is_peer { "the peer" } else { remote };
        let url = request.url().host_str().unwrap_or("none").to_owned();
        Ok(format!("{remote}, {host}, {url}"))
    });
    app
}

#[test]
fn remote_and_host_believe_what_a_client_says() {
    let running = run(Server::new(who(), "127.0.0.1:0"));
    let mut client = running.connect();
    let table = [
        ("", "the peer, a, a"),
        ("Forwarded: for=1.2.3.4;host=b\r\n", "1.2.3.4, b, a"),
        ("X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n", "1.2.3.4, a, a"),
        (
            "X-Forwarded-For: one\r\nX-Forwarded-For: two\r\n",
            "one, a, a",
        ),
        (
            "Forwarded: for=one\r\nX-Forwarded-For: two\r\n",
            "one, a, a",
        ),
        ("X-Forwarded-Host: b, c\r\n", "the peer, b, a"),
        (
            "Forwarded: host=b\r\nX-Forwarded-Host: c\r\n",
            "the peer, b, a",
        ),
        // Neither a list, nor a quoted string, nor white space is understood (RFC 7239, 4).
        ("Forwarded: for=one, for=two\r\n", "the peer, a, a"),
        ("Forwarded: for=one; host=b\r\n", "one, a, a"),
        ("Forwarded: for=\"[::1]\"\r\n", "\"[::1]\", a, a"),
    ];
    for (lines, answer) in table {
        client.send(format!("GET /who HTTP/1.1\r\nhost: a\r\n{lines}\r\n"));
        assert_eq!(client.answer().text(), answer, "{lines:?}");
    }
    // A target with a host replaces the field.
    client.send("GET http://b/who HTTP/1.1\r\nhost: a\r\n\r\n");
    assert_eq!(client.answer().text(), "the peer, b, b");
    running.stop();
}

#[test]
fn a_middleware_can_take_the_fields_out() {
    let mut app = who();
    app.with(tide::utils::Before(|mut request: Request<()>| async move {
        for name in ["forwarded", "x-forwarded-for", "x-forwarded-host"] {
            request.remove_header(name);
        }
        request
    }));
    let running = run(Server::new(app, "127.0.0.1:0"));
    let lines = "forwarded: for=1.2.3.4;host=b\r\nx-forwarded-for: x\r\nx-forwarded-host: y\r\n";
    let mut client = running.connect();
    client.send(format!("GET /who HTTP/1.1\r\nhost: a\r\n{lines}\r\n"));
    assert_eq!(client.answer().text(), "the peer, a, a");
    running.stop();
}

#[test]
fn a_head_has_a_limit_in_all_and_a_body_only_from_byte_to_byte() {
    let limit = Duration::from_millis(300);
    let server = Server::new(app(), "127.0.0.1:0")
        .head_timeout(limit)
        .body_timeout(10 * limit);
    let running = run(server);
    let mut slow = running.connect();
    let began = Instant::now();
    slow.send("GET /hello HTTP/1.1\r\nhost: a\r\nx: ");
    slow.stream.set_read_timeout(Some(limit / 10)).unwrap();
    // A byte in each tenth of the limit. Only its end can end this.
    let mut read = [0; 12];
    while std::io::Read::read(&mut slow.stream, &mut read).is_err() {
        let _ = std::io::Write::write(&mut slow.stream, b"y");
    }
    assert!(read.starts_with(b"HTTP/1.1 408"), "{read:?}");
    assert!(began.elapsed() >= limit);

    let mut body = running.connect();
    body.send("POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 8\r\n\r\n");
    for _ in 0..8 {
        std::thread::sleep(limit / 4);
        body.send("x");
    }
    assert_eq!(body.answer().text(), "xxxxxxxx");
    running.stop();
}

#[test]
fn every_limit_is_in_the_table_with_its_default() {
    let server = format!("{:?}", Server::new(app(), "127.0.0.1:0"));
    let (_, settings) = server.split_once("Settings { ").unwrap();
    let (settings, _) = settings.split_once(" }").unwrap();
    // Who must send a PROXY header is no limit. Their own is in the table of its section.
    let limits = settings
        .split(", ")
        .filter(|setting| !setting.starts_with("proxies: "));
    for setting in limits {
        let (name, value) = setting.split_once(": ").unwrap();
        let row = SECURITY
            .lines()
            .find(|line| line.contains(&format!("| `{name}` |")));
        let row = row.unwrap_or_else(|| panic!("`{name}` is not in SECURITY.md"));
        let default = in_words(value);
        assert!(row.contains(&format!("| {default} |")), "{row}: {default}");
    }
}

/// Returns a value in the words of the table.
fn in_words(value: &str) -> String {
    let digits = value.trim_end_matches(char::is_alphabetic);
    match (value, &value[digits.len()..]) {
        ("0ns", _) => "0 s".into(),
        ("None", _) => "the group's".into(),
        ("true", _) => "yes".into(),
        ("false", _) => "no".into(),
        ("IfAdopted", _) => "if not bound here".into(),
        ("16384", _) => "16 KiB".into(),
        _ if digits.len() >= 19 => "none".into(),
        (_, "") => digits.into(),
        (_, unit) => format!("{digits} {unit}"),
    }
}
