//! Chunked bodies: the result is the same however the bytes are split, and nothing is accepted that
//! breaks the grammar of RFC 9112, 7.1.

#![no_main]

mod cut;

use libfuzzer_sys::fuzz_target;
use neap::http::fuzz::{Chunks, Refused, WholeBody};

fn decode(pieces: &[&[u8]]) -> Result<Option<WholeBody>, Refused> {
    let mut chunks = Chunks::default();
    let mut whole = None;
    for piece in pieces {
        whole = chunks.take(piece)?;
    }
    Ok(whole)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(&[bytes]);
    for place in cut::places(bytes) {
        let cut = decode(&[&bytes[..place], &bytes[place..]]);
        assert_eq!(cut, whole, "cut at {place}");
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(
        decode(&single),
        if bytes.is_empty() {
            Ok(None)
        } else {
            whole.clone()
        }
    );
    if let Ok(Some(end)) = whole {
        let used = &bytes[..bytes.len() - end.rest.len()];
        assert_eq!(&bytes[used.len()..], end.rest);
        assert_eq!(walk(used), Some(end.body.clone()), "read in another way");
        again(&end);
    }
});

/// Decodes a whole body in the simplest way, without limits and without a look at the trailers.
fn walk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let extension = rest[digits..line].trim_ascii_start();
        assert!(extension.is_empty() || extension[0] == b';');
        assert!(
            rest[..line]
                .iter()
                .all(|byte| !matches!(byte, 0 | b'\r' | b'\n'))
        );
        let size = std::str::from_utf8(&rest[..digits]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            assert!(rest == b"\r\n" || rest.ends_with(b"\r\n\r\n"));
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
}

/// Encodes a decoded body in another way, and decodes it again.
fn again(end: &WholeBody) {
    let mut bytes = Vec::new();
    for chunk in end.body.chunks(7) {
        bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n");
    for (name, values) in &end.trailers {
        for value in values {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(b':');
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&end.rest);
    assert_eq!(decode(&[&bytes]), Ok(Some(end.clone())));
}
