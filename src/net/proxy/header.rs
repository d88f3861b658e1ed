//! The header of the PROXY protocol: how much of it is still to come, and what it says. Without any I/O.
//!
//! The source is `doc/proxy-protocol.txt` of HAProxy, of 2020-03-05; numbers of sections are its own.
//!
//! A header says no length in front, and behind it the client's bytes begin at once. So never more is asked for
//! than is sure to be of it: what comes behind is left to those whom it is for. That takes three reads for version 2,
//! and some ten for version 1.
//!
//! The addresses are parsed by the crate ppp. Which bytes it is given, and when, is decided here:
//!
//! - It takes some lines of version 1 for incomplete that never will be whole (`PROXY TCP4\r\n`), and a line that was
//!   cut behind a space for a broken one. So it gets whole lines alone, and each of its errors is final.
//! - It takes a carriage return for a separator, and `+80` for a port: these lines are refused here.
//! - It reads the fields of `UNKNOWN` and `LOCAL`, which are to be ignored (2.1, 2.2): these never reach it.
//! - It wants all of a header of version 2 in one piece. What follows the addresses, up to 64 KiB, is dropped as it
//!   comes, and the header it gets says so.

use std::net::SocketAddr;

use ppp::{v1, v2};

use crate::net::endpoint::Endpoint;

/// The signature of version 2, section 2.2.
const SIGNATURE: &[u8] = v2::PROTOCOL_PREFIX;
/// What a header of version 1 begins with, section 2.1.
const WORD: &[u8] = b"PROXY ";
/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;
/// The shortest header: `PROXY UNKNOWN` and the end of its line.
const SHORTEST: usize = 15;
/// The part of version 2 that each header has.
const FIXED: usize = 16;
/// The longest addresses of version 2, those of Unix sockets.
const ADDRESSES: usize = 216;

/// A header, as far as it has come.
#[derive(Debug)]
pub(super) struct Header {
    bytes: [u8; FIXED + ADDRESSES],
    filled: usize,
    /// How many bytes were dropped that came behind the addresses.
    dropped: usize,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At least this many bytes of the header, at least one.
    Bytes(usize),
    /// This many bytes that nothing is made of.
    Dropped(usize),
    /// Nothing: this is what the header says.
    End(Option<[Endpoint; 2]>),
}

/// Why a header is none, in words.
pub(super) type Malformed = &'static str;

/// What is said of a line that is whole and none, or that never will be one.
const MALFORMED: Malformed = "its line is malformed";

impl Header {
    pub(super) fn new() -> Self {
        Self {
            bytes: [0; FIXED + ADDRESSES],
            filled: 0,
            dropped: 0,
        }
    }

    /// Returns true if something of it has come.
    pub(super) fn has_begun(&self) -> bool {
        self.filled > 0
    }

    /// Returns where the next bytes are to be put, this many.
    pub(super) fn space(&mut self, bytes: usize) -> &mut [u8] {
        let end = self.bytes.len().min(self.filled + bytes);
        &mut self.bytes[self.filled..end]
    }

    /// Notes that this many bytes were put there.
    pub(super) fn fill(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    /// Notes that this many bytes were dropped.
    pub(super) fn drop(&mut self, bytes: usize) {
        self.dropped += bytes;
    }

    /// Returns what comes next.
    ///
    /// # Errors
    ///
    /// It is no header of either version.
    pub(super) fn next(&self) -> Result<Next, Malformed> {
        let bytes = &self.bytes[..self.filled];
        let begins_with = |word: &[u8]| {
            let length = bytes.len().min(word.len());
            bytes[..length] == word[..length]
        };
        if bytes.is_empty() {
            Ok(Next::Bytes(SHORTEST))
        } else if begins_with(SIGNATURE) {
            self.next_of_v2(bytes)
        } else if begins_with(WORD) {
            next_of_v1(bytes)
        } else {
            Err("it is no PROXY header")
        }
    }

    fn next_of_v2(&self, bytes: &[u8]) -> Result<Next, Malformed> {
        if bytes.len() < FIXED {
            return Ok(Next::Bytes(FIXED - bytes.len()));
        }
        let mut header = self.bytes;
        let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
        if header[12] == v2::Version::Two | v2::Command::Local {
            // Its family is ignored, whatever it is.
            header[13] = 0;
        }
        let kept = length.min(ADDRESSES);
        // It fits: it is at most 216.
        header[14..FIXED].copy_from_slice(&(kept as u16).to_be_bytes());
        let parsed = v2::Header::try_from(&header[..self.filled.min(FIXED + kept)]);
        let header = match parsed {
            Err(v2::ParseError::Partial(had, all)) => return Ok(Next::Bytes(all - had)),
            Err(error) => return Err(in_words(&error)),
            Ok(_) if self.dropped < length - kept => {
                return Ok(Next::Dropped(length - kept - self.dropped));
            }
            Ok(header) => header,
        };
        // What is not a stream, the client cannot have connected by: section 2.2 allows for that.
        let is_stream = header.protocol == v2::Protocol::Stream;
        Ok(Next::End(match header.addresses {
            _ if !is_stream || header.command == v2::Command::Local => None,
            v2::Addresses::Unspecified => None,
            v2::Addresses::IPv4(ip) => Some([
                tcp((ip.source_address, ip.source_port)),
                tcp((ip.destination_address, ip.destination_port)),
            ]),
            v2::Addresses::IPv6(ip) => Some([
                tcp((ip.source_address, ip.source_port)),
                tcp((ip.destination_address, ip.destination_port)),
            ]),
            v2::Addresses::Unix(paths) => Some([unix(&paths.source), unix(&paths.destination)]),
        }))
    }
}

/// Returns what comes next of a line of version 1.
fn next_of_v1(bytes: &[u8]) -> Result<Next, Malformed> {
    let line = match bytes {
        [.., b'\r', b'\n'] => &bytes[..bytes.len() - 2],
        [.., b'\r'] => &bytes[..bytes.len() - 1],
        _ => bytes,
    };
    if line.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        return Err("its line does not end in CR LF");
    }
    if line.len() < bytes.len() - 1 {
        return clients_of_line(bytes, line).map(Next::End);
    }
    if bytes.len() >= LONGEST_LINE {
        return Err("its line is longer than 107 bytes");
    }
    let least = match bytes.last() {
        Some(b'\r') => 1,
        _ => least_behind(&line[line.len().min(WORD.len())..])?,
    };
    let least = least.max(SHORTEST.saturating_sub(bytes.len()));
    Ok(Next::Bytes(least.min(LONGEST_LINE - bytes.len())))
}

/// Returns how many bytes there are at least behind these fields of a line that is not whole.
fn least_behind(fields: &[u8]) -> Result<usize, Malformed> {
    if !fields.starts_with(b"T") {
        // `UNKNOWN`, or not known yet.
        return Ok(2);
    }
    // The shortest address has two bytes, `::`, and the shortest port one; the end of the line has two.
    const LEAST: [usize; 5] = [
        1 + 2 + 1 + 2 + 1 + 1 + 1 + 1 + 2,
        1 + 2 + 1 + 1 + 1 + 1 + 2,
        1 + 1 + 1 + 1 + 2,
        1 + 1 + 2,
        2,
    ];
    let spaces = fields.iter().filter(|byte| **byte == b' ').count();
    let least = LEAST.get(spaces).ok_or(MALFORMED)?;
    Ok(least + usize::from(fields.ends_with(b" ")))
}

/// Returns what a whole line says, which has this text in front of its end.
fn clients_of_line(bytes: &[u8], line: &[u8]) -> Result<Option<[Endpoint; 2]>, Malformed> {
    let fields = line.get(WORD.len()..).unwrap_or_default();
    if let Some([] | [b' ', ..]) = fields.strip_prefix(b"UNKNOWN") {
        return Ok(None);
    }
    if line.contains(&b'+') {
        return Err(MALFORMED);
    }
    let header = v1::Header::try_from(bytes).map_err(|_| MALFORMED)?;
    Ok(match header.addresses {
        v1::Addresses::Unknown => None,
        v1::Addresses::Tcp4(ip) => Some([
            tcp((ip.source_address, ip.source_port)),
            tcp((ip.destination_address, ip.destination_port)),
        ]),
        v1::Addresses::Tcp6(ip) => Some([
            tcp((ip.source_address, ip.source_port)),
            tcp((ip.destination_address, ip.destination_port)),
        ]),
    })
}

fn tcp(address: impl Into<SocketAddr>) -> Endpoint {
    Endpoint::Tcp(address.into())
}

/// Returns the address of a Unix socket. Its path ends at the first zero; one that is abstract, or no text, is left
/// out.
fn unix(path: &[u8]) -> Endpoint {
    let path = path.split(|byte| *byte == 0).next().unwrap_or_default();
    let path = std::str::from_utf8(path)
        .ok()
        .filter(|path| !path.is_empty());
    Endpoint::Unix(path.map(Into::into))
}

/// Returns an error of ppp in words.
fn in_words(error: &v2::ParseError) -> Malformed {
    match error {
        v2::ParseError::Version(_) => "its version is not 1 or 2",
        v2::ParseError::Command(_) => "its command is unknown",
        v2::ParseError::AddressFamily(_) | v2::ParseError::Protocol(_) => {
            "its address family or protocol is unknown"
        }
        v2::ParseError::InvalidAddresses(..) => "its length has no room for its addresses",
        _ => "it is malformed",
    }
}

#[cfg(test)]
mod tests;
