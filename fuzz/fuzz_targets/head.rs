//! Request heads and targets: the result is the same however the bytes are split; what is accepted is
//! within the grammar of RFC 9112, has one reading only, and keeps it when it is written again.

#![no_main]

mod cut;
mod plain;

use libfuzzer_sys::fuzz_target;
use neap::http::fuzz::Body;
use plain::{Heads, Plain, parse, parse_afresh};

fuzz_target!(|bytes: &[u8]| {
    // All heads that the bytes hold, one behind the other, as on one connection.
    let (mut heads, mut rest) = (Heads::default(), bytes);
    loop {
        let whole = parse_afresh(rest);
        assert_eq!(
            parse(&mut heads, rest),
            whole,
            "the last request of the connection changes the result"
        );
        for place in cut::places(rest) {
            let part = parse_afresh(&rest[..place]);
            assert!(
                part == Ok(None) || part == whole,
                "cut at {place}: {part:?}, {whole:?}"
            );
        }
        let Ok(Some(head)) = whole else { return };
        let (text, behind) = rest.split_at(head.length);
        check(text, &head);
        again(&head);
        rest = behind;
    }
});

/// Checks the bytes of an accepted head in the simplest way.
fn check(text: &[u8], head: &Plain) {
    let first = text.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
    let text = &text[first.expect("a request line")..];
    let text = text
        .strip_suffix(b"\r\n\r\n")
        .expect("an empty line at the end");
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut left = text;
    while let Some(end) = left.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&left[..end]);
        left = &left[end + 2..];
    }
    lines.push(left);
    let control = |byte: &u8| matches!(byte, 0..=8 | 10..=31 | 127);
    assert!(
        !lines.iter().any(|line| line.iter().any(control)),
        "a control character"
    );
    check_line(lines[0], head);
    check_fields(&lines[1..], head);
}

fn check_line(line: &[u8], head: &Plain) {
    let parts: Vec<_> = line.split(|&byte| byte == b' ').collect();
    assert_eq!(parts.len(), 3, "a request line of three parts");
    assert_eq!(parts[0], head.method.as_bytes());
    assert_eq!(parts[2], head.version.as_bytes());
    let target = std::str::from_utf8(parts[1]).expect("a target in UTF-8");
    assert!(!target.contains('#'), "a fragment");
    let (scheme, rest) = head.url.split_once("://").expect("an absolute URL");
    assert!(scheme == "http" || scheme == "https");
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    assert!(
        !authority.is_empty() && !authority.contains('@'),
        "{authority}"
    );
    let form = target.get(..7).unwrap_or_default().to_ascii_lowercase();
    if form == "http://" || form == "https:/" {
        let named = target.splitn(3, '/').nth(2).unwrap_or_default();
        let named = named.split(['/', '?']).next().unwrap_or_default();
        assert!(!named.is_empty() && !named.contains(['\\', '@']), "{named}");
    }
}

fn check_fields(lines: &[&[u8]], head: &Plain) {
    let fields: Vec<(String, &[u8])> = lines
        .iter()
        .map(|line| {
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
            let token =
                |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
            assert!(
                !name.is_empty() && name.iter().all(token),
                "a bad field name"
            );
            let name = std::str::from_utf8(name).expect("ASCII");
            (name.to_ascii_lowercase(), value)
        })
        .collect();
    let named = |wanted: &str| -> Vec<&[u8]> {
        let fields = fields.iter().filter(|(name, _)| name == wanted);
        fields.map(|(_, value)| *value).collect()
    };
    let is_http10 = head.version == "HTTP/1.0";
    let hosts = named("host").len();
    assert!(hosts == 1 || is_http10 && hosts == 0, "{hosts} hosts");
    let (lengths, codings) = (named("content-length"), named("transfer-encoding"));
    match (&lengths[..], &codings[..]) {
        ([], []) => assert_eq!(head.body, Body::Empty),
        ([length], []) => {
            assert!(!length.is_empty() && length.iter().all(u8::is_ascii_digit));
            let length: u64 = std::str::from_utf8(length).unwrap().parse().unwrap();
            assert_eq!(
                head.body,
                if length == 0 {
                    Body::Empty
                } else {
                    Body::Length(length)
                }
            );
        }
        ([], [coding]) => {
            assert!(coding.eq_ignore_ascii_case(b"chunked") && !is_http10);
            assert_eq!(head.body, Body::Chunked);
        }
        _ => panic!("a body with two lengths"),
    }
    let kept: usize = head.fields.iter().map(|(_, values)| values.len()).sum();
    assert_eq!(kept, fields.len(), "a field was lost");
    assert!(!head.expects_continue || !is_http10 && head.body != Body::Empty);
}

/// Writes an accepted head again, and parses the result.
fn again(head: &Plain) {
    // The local address stands for a host that `url` does not take: the field alone has it.
    let local = head.url.strip_prefix("http://127.0.0.1");
    let local = local.filter(|rest| rest.starts_with('/'));
    let target = match (head.method.as_str(), local) {
        ("CONNECT", Some(_)) => return,
        ("CONNECT", None) => connect(&head.url),
        (_, Some(origin)) => origin.to_owned(),
        (_, None) => head.url.clone(),
    };
    let mut text = format!("{} {target} {}\r\n", head.method, head.version);
    for (name, values) in &head.fields {
        for value in values {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    text.push_str("\r\n");
    let head = Plain {
        length: text.len(),
        ..head.clone()
    };
    // A target with a host replaces the field.
    let without_host = |mut head: Plain| {
        head.fields.retain(|(name, _)| name != "host");
        head
    };
    let parsed = parse_afresh(text.as_bytes()).map(|head| head.map(without_host));
    assert_eq!(parsed, Ok(Some(without_host(head))), "{text:?}");
}

/// Returns the target of CONNECT: a URL leaves the usual port out.
fn connect(url: &str) -> String {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let port = host.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => host.to_owned(),
        _ => format!("{host}:80"),
    }
}
