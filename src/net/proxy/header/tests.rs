//! The vectors of the specification, each in every split, what is none, and random bytes.

use std::net::SocketAddr;

use super::*;

type Named = Option<[&'static str; 2]>;

const V6: [u8; 32] = [
    0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, // 2001:db8::1
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7, // ::ffff:192.0.2.7
];

/// Makes a header of version 2.
fn v2(command: u8, family: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[0x20 | command, family], &length, &body].concat()
}

const V4: [u8; 12] = [192, 168, 0, 1, 192, 168, 0, 11, 0xDC, 0x04, 0x01, 0xBB];
const PORTS: [u8; 4] = [0xDC, 0x04, 0x01, 0xBB];

fn paths(source: &[u8], destination: &[u8]) -> Vec<u8> {
    let mut paths = vec![0; 216];
    paths[..source.len()].copy_from_slice(source);
    paths[108..108 + destination.len()].copy_from_slice(destination);
    paths
}

const NAMED_V4: Named = Some(["192.168.0.1:56324", "192.168.0.11:443"]);
const NAMED_V6: Named = Some(["[2001:db8::1]:56324", "[::ffff:192.0.2.7]:443"]);

/// Headers, and what each says.
fn vectors() -> Vec<(Vec<u8>, Named)> {
    [vectors_of_v1(), local_vectors(), vectors_of_v2()].concat()
}

/// Section 2.1.
fn vectors_of_v1() -> Vec<(Vec<u8>, Named)> {
    let (v4, v6) = (NAMED_V4, NAMED_V6);
    let longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let all = "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535";
    let line = |text: &str| format!("PROXY {text}\r\n").into_bytes();
    vec![
        (line("TCP4 192.168.0.1 192.168.0.11 56324 443"), v4),
        (
            line("TCP4 255.255.255.255 255.255.255.255 65535 65535"),
            Some(["255.255.255.255:65535"; 2]),
        ),
        (
            line("TCP4 0.0.0.0 1.1.1.1 0 0"),
            Some(["0.0.0.0:0", "1.1.1.1:0"]),
        ),
        (line("TCP6 2001:DB8::1 ::ffff:c000:207 56324 443"), v6),
        (line("TCP6 :: ::1 1 2"), Some(["[::]:1", "[::1]:2"])),
        (
            line(&format!("TCP6 {longest} {longest} 65535 65535")),
            Some([all, all]),
        ),
        (line("UNKNOWN"), None),
        (
            line(&format!("UNKNOWN {longest} {longest} 65535 65535")),
            None,
        ),
        (
            line("UNKNOWN anything, whatever it is, a b c d e f g \u{e9}"),
            None,
        ),
        (line("UNKNOWN "), None),
    ]
}

/// Section 2.2: LOCAL, with its family ignored, and its length not.
fn local_vectors() -> Vec<(Vec<u8>, Named)> {
    vec![
        (v2(0, 0, &[]), None),
        (v2(0, 0x11, &[&V4]), None),
        (v2(0, 0x11, &[]), None),
        (v2(0, 0xFF, &[b"ignored"]), None),
        (v2(0, 0, &[&[7; 300]]), None),
        (v2(0, 0, &[&vec![9; 65535]]), None),
    ]
}

/// Section 2.2: PROXY.
fn vectors_of_v2() -> Vec<(Vec<u8>, Named)> {
    let (v4, v6) = (NAMED_V4, NAMED_V6);
    let tlvs: &[u8] = b"\x01\x00\x08http/1.1\x02\x00\x01a\x04\x00\x00\x20\x00\x05\x01\0\0\0\0";
    let unix = paths(b"/run/client", b"/run/server");
    vec![
        (v2(1, 0x11, &[&V4]), v4),
        (v2(1, 0x11, &[&V4, tlvs]), v4),
        (v2(1, 0x21, &[&V6, &PORTS]), v6),
        (v2(1, 0x21, &[&V6, &PORTS, tlvs]), v6),
        (
            v2(1, 0x31, &[&unix, tlvs]),
            Some(["unix:/run/client", "unix:/run/server"]),
        ),
        (
            v2(1, 0x31, &[&paths(b"", b"\0abstract")]),
            Some(["unix:", "unix:"]),
        ),
        (v2(1, 0x31, &[&[b'x'; 216]]), None),
        // What names nobody, or is not of streams.
        (v2(1, 0x00, &[]), None),
        (v2(1, 0x00, &[&V4]), None),
        (v2(1, 0x01, &[]), None),
        (v2(1, 0x10, &[&V4]), None),
        (v2(1, 0x12, &[&V4]), None),
        (v2(1, 0x22, &[&V6, &PORTS]), None),
        (v2(1, 0x32, &[&unix]), None),
        // The longest there is.
        (v2(1, 0x11, &[&V4, &vec![9; 65535 - 12]]), v4),
    ]
}

/// What has come of a header.
#[derive(Debug, PartialEq)]
struct Seen {
    end: Result<Option<[String; 2]>, Malformed>,
    /// How many bytes were taken.
    taken: usize,
    reads: usize,
}

/// Gives a header these bytes, as many as it asks for, but each time no more than up to the next cut. Returns
/// `None` if there are too few.
fn feed(bytes: &[u8], mut cut: impl FnMut(usize) -> usize) -> Option<Seen> {
    let (mut header, mut taken, mut reads) = (Header::new(), 0, 0);
    loop {
        let most = match header.next() {
            Ok(Next::End(named)) => {
                let end = Ok(named.map(|both| both.map(|end| end.to_string())));
                return Some(Seen { end, taken, reads });
            }
            Err(why) => {
                let end = Err(why);
                return Some(Seen { end, taken, reads });
            }
            Ok(Next::Bytes(most)) => header.space(most).len(),
            Ok(Next::Dropped(most)) => most,
        };
        assert!(most > 0, "nothing is asked for");
        let length = most.min(bytes.len() - taken).min(cut(taken));
        if length == 0 {
            assert_eq!(header.has_begun(), taken > 0);
            return None;
        }
        match header.next() {
            Ok(Next::Dropped(_)) => header.drop(length),
            _ => {
                let next = &bytes[taken..taken + length];
                header.space(length).copy_from_slice(next);
                header.fill(length);
            }
        }
        (taken, reads) = (taken + length, reads + 1);
    }
}

#[test]
fn every_header_says_what_it_says_in_every_split_and_takes_no_more_than_itself() {
    for (header, named) in vectors() {
        let named = match header[..] {
            // 108 bytes without a zero are a path, too long for this table.
            [.., b'x'] if header.len() == 232 => {
                Some(["x".repeat(108), "x".repeat(108)].map(|path| format!("unix:{path}")))
            }
            _ => named.map(|both| both.map(String::from)),
        };
        let all = [&header[..], b"GET / HTTP/1.1\r\n\r\n"].concat();
        let whole = feed(&all, |_| usize::MAX).unwrap();
        assert_eq!(whole.end, Ok(named), "{header:?}");
        assert_eq!(whole.taken, header.len());
        // The longest `UNKNOWN` is read by two bytes; version 2 in three parts, and one more for what is dropped.
        let most = if header[0] == b'P' { 47 } else { 4 };
        assert!(whole.reads <= most, "{} reads of {header:?}", whole.reads);
        let step = (header.len() / 400).max(1);
        for at in (1..header.len()).step_by(step) {
            let split = feed(
                &all,
                |taken| if taken < at { at - taken } else { usize::MAX },
            );
            let split = split.unwrap();
            assert_eq!((split.end, split.taken), (whole.end.clone(), whole.taken));
            assert_eq!(
                feed(&header[..at], |_| usize::MAX),
                None,
                "{at} of {header:?}"
            );
        }
        let single = feed(&all, |_| 1).unwrap();
        assert_eq!((single.end, single.taken), (whole.end, whole.taken));
    }
}

type Cases = Vec<(Vec<u8>, &'static str)>;

/// What is of neither version, or a line without its end.
fn foreign_cases() -> Cases {
    let line = "its line is malformed";
    let end = "its line does not end in CR LF";
    let foreign = "it is no PROXY header";
    vec![
        (b"GET / HTTP/1.1\r\n".into(), foreign),
        (b"PROX".iter().chain(b" / HTTP").copied().collect(), foreign),
        (b"proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n".into(), foreign),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".into(),
            foreign,
        ),
        (b"\r\n\r\n\0\r\nQUIX".into(), foreign),
        (b"PROXY\tTCP4 1.1.1.1 1.1.1.1 1 1\r\n".into(), foreign),
        (b"PROXY\r\n........".into(), foreign),
        (b"PROXY TCP4\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n".into(), end),
        (b"PROXY TCP4 1.1.1.1\r1.1.1.1 1 1\r\n".into(), end),
        (b"PROXY UNKNOWN\rX".into(), end),
        (b"PROXY UNKNOWN\n\n".into(), end),
    ]
}

/// Lines that are malformed.
fn line_cases() -> Cases {
    let line = "its line is malformed";
    let long = "its line is longer than 107 bytes";
    let too_long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(107 - 15));
    vec![
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n".into(), line),
        (b"PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 \r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 +1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.01 1.1.1.1 1 1\r\n".into(), line),
        (b"PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n".into(), line),
        (b"PROXY TCP4 ::1 ::1 11111 11111\r\n".into(), line),
        (b"PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n".into(), line),
        (b"PROXY TCP6 fe80::1%1 ::1 1 1\r\n".into(), line),
        (b"PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n".into(), line),
        (b"PROXY UNKNOWNS 1.1.1.1\r\n".into(), line),
        (b"PROXY TCP4 \xff.1.1.1 1.1.1.1 1 1\r\n".into(), line),
        (too_long.into(), long),
        (
            b"PROXY UNKNOWN "
                .iter()
                .chain(&[b'x'; 93])
                .copied()
                .collect(),
            long,
        ),
        (
            b"PROXY TCP6 ".iter().chain(&[b'f'; 96]).copied().collect(),
            long,
        ),
    ]
}

/// Headers of version 2 that are malformed.
fn v2_cases() -> Cases {
    let family = "its address family or protocol is unknown";
    let command = "its command is unknown";
    let short = "its length has no room for its addresses";
    vec![
        (v2(2, 0x11, &[&V4]), command),
        (v2(15, 0, &[]), command),
        (v2(1, 0x13, &[&V4]), family),
        (v2(1, 0x41, &[&V4]), family),
        (v2(1, 0xF1, &[&V4]), family),
        (v2(1, 0x11, &[&V4[..11]]), short),
        (v2(1, 0x21, &[&V6]), short),
        (v2(1, 0x31, &[&[1; 215]]), short),
        (
            [SIGNATURE, &[0x11, 0x11, 0, 12], &V4].concat(),
            "its version is not 1 or 2",
        ),
        (
            [SIGNATURE, &[0x31, 0x11, 0, 12], &V4].concat(),
            "its version is not 1 or 2",
        ),
    ]
}

#[test]
fn what_is_no_header_is_refused_as_soon_as_that_is_known() {
    let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(107 - 16));
    assert_eq!(feed(longest.as_bytes(), |_| 1).unwrap().end, Ok(None));
    for (bytes, why) in [foreign_cases(), line_cases(), v2_cases()].concat() {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        for step in [usize::MAX, 7, 1] {
            let seen = feed(&bytes, |_| step).expect(&shown);
            assert_eq!(seen.end, Err(why), "{shown} by {step}");
        }
    }
}

#[test]
fn nothing_random_panics_hangs_or_is_taken_for_a_header() {
    let mut random = fastrand::Rng::with_seed(7);
    let vectors = vectors();
    let (mut refused, mut whole) = (0, 0);
    for _ in 0..200_000 {
        let bytes: Vec<u8> = match random.u8(..4) {
            0 => (0..random.usize(..300)).map(|_| random.u8(..)).collect(),
            // A header with some bytes changed, taken out, or put in.
            kind => {
                let mut bytes = random.choice(&vectors).unwrap().0.clone();
                bytes.truncate(400);
                for _ in 0..kind {
                    let at = random.usize(..bytes.len());
                    match random.u8(..3) {
                        0 => bytes[at] = *random.choice(b" \r\n+:.0129afU\0\xff").unwrap(),
                        1 => drop(bytes.remove(at)),
                        _ => bytes.insert(at, random.u8(..)),
                    }
                }
                bytes
            }
        };
        let step = random.usize(1..20);
        let (once, split) = (feed(&bytes, |_| usize::MAX), feed(&bytes, |_| step));
        // However it is split, the same comes of it. Of two reasons, another may be found first.
        let outcome = |seen: &Option<Seen>| seen.as_ref().map(|seen| seen.end.clone().ok());
        assert_eq!(outcome(&once), outcome(&split), "{bytes:?} by {step}");
        match once.map(|seen| seen.end) {
            Some(Ok(_)) => {
                whole += 1;
                assert!(bytes.starts_with(SIGNATURE) || bytes.starts_with(WORD));
            }
            Some(Err(_)) => refused += 1,
            None => assert!(bytes.len() < 66_000),
        }
    }
    assert!(refused > 50_000 && whole > 5_000, "{refused} {whole}");
}

/// No value that a line can have is read otherwise than Rust itself writes it.
#[test]
fn lines_of_version_1_are_read_as_they_are_written() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let [source, destination]: [SocketAddr; 2] = match random.bool() {
            true => {
                [0; 2].map(|_| SocketAddr::from((random.u32(..).to_be_bytes(), random.u16(..))))
            }
            false => [0; 2].map(|_| {
                let zeros = random.u32(..128);
                let bits = random.u128(..) >> zeros;
                SocketAddr::from((bits.to_be_bytes(), random.u16(..)))
            }),
        };
        let kind = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let line = format!(
            "PROXY {kind} {} {} {} {}\r\n",
            source.ip(),
            destination.ip(),
            source.port(),
            destination.port()
        );
        let seen = feed(line.as_bytes(), |_| usize::MAX).unwrap();
        assert_eq!(
            seen.end,
            Ok(Some([source, destination].map(|end| end.to_string())))
        );
        assert_eq!(seen.taken, line.len());
    }
}
