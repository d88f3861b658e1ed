//! Decoding a chunked body (RFC 9112, 7.1).

use ::http::{HeaderMap, HeaderName, HeaderValue};

use super::head::MAX_HEADERS;
use super::refusal::Refusal;
use super::token::token;

/// The longest line that starts a chunk, in bytes, its extensions included.
const MAX_LINE: usize = 1024;
/// The most bytes of chunk extensions that one body may have.
const MAX_EXTENSIONS: usize = 16 * 1024;
/// The longest trailer section, in bytes.
const MAX_TRAILERS: usize = 8 * 1024;
/// The longest chunk size, in hexadecimal digits: as many as 64 bits hold.
const MAX_DIGITS: usize = 16;

/// What a step of the decoder has found at the start of the bytes it was given.
#[derive(Debug)]
pub(in crate::http) enum Progress {
    /// The first n bytes are framing: drop them and go on.
    Skip(usize),
    /// The next n bytes are the body's. Report how many were taken with `ChunkedDecoder::took`.
    Data(u64),
    /// More bytes are needed.
    More,
    /// The body has ended after n bytes of framing. Its trailers, if it has any.
    End(usize, Option<HeaderMap>),
}

/// Decodes one chunked body.
#[derive(Debug)]
pub(in crate::http) struct ChunkedDecoder {
    expected: Expected,
    /// The bytes of chunk extensions so far.
    extensions: usize,
}

/// What comes next in a chunked body.
#[derive(Debug)]
enum Expected {
    /// A chunk's size.
    Size,
    /// The n bytes that are left of a chunk.
    Data(u64),
    /// The CRLF that ends a chunk.
    DataEnd,
    /// The trailers, behind the last chunk.
    Trailers,
}

impl ChunkedDecoder {
    /// Makes a decoder that expects a first chunk.
    pub(in crate::http) fn new() -> Self {
        Self {
            expected: Expected::Size,
            extensions: 0,
        }
    }

    /// Looks at `bytes`, which follow all that was taken or skipped so far.
    ///
    /// # Errors
    ///
    /// The body breaks the grammar or a limit. Where it ends is then unknown.
    pub(in crate::http) fn step(&mut self, bytes: &[u8]) -> Result<Progress, Refusal> {
        match self.expected {
            Expected::Size => self.size(bytes),
            Expected::Data(left) => Ok(Progress::Data(left)),
            Expected::DataEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.expected = Expected::Size;
                    Ok(Progress::Skip(2))
                }
                [] | [b'\r'] => Ok(Progress::More),
                _ => Err(Refusal::malformed("chunk longer than its size")),
            },
            Expected::Trailers => trailers(bytes),
        }
    }

    /// Tells the decoder that n of the body's bytes were taken.
    pub(in crate::http) fn took(&mut self, bytes: u64) {
        if let Expected::Data(left) = &mut self.expected {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.expected = Expected::DataEnd;
            }
        }
    }

    /// Parses the line that starts a chunk.
    fn size(&mut self, bytes: &[u8]) -> Result<Progress, Refusal> {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            // What cannot become a chunk's line is refused before the line's end has come. A `\r` at
            // the end may be the first half of that end.
            let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            size_of_line(line)?;
            return match line.len() > MAX_LINE {
                true => Err(Refusal::malformed("chunk extension too long")),
                false => Ok(Progress::More),
            };
        };
        let line = bytes[..end]
            .strip_suffix(b"\r")
            .filter(|line| line.len() <= MAX_LINE)
            .ok_or(Refusal::malformed("bad chunk line"))?;
        let (size, digits) = size_of_line(line)?;
        if !are_extensions(&line[digits..]) {
            return Err(Refusal::malformed("bad chunk extension"));
        }
        if digits == 0 {
            return Err(Refusal::malformed("chunk without a size"));
        }
        self.extensions += line.len() - digits;
        if self.extensions > MAX_EXTENSIONS {
            return Err(Refusal::malformed("chunk extensions too long"));
        }
        self.expected = match size {
            0 => Expected::Trailers,
            size => Expected::Data(size),
        };
        Ok(Progress::Skip(end + 1))
    }
}

/// Returns the size at the start of a chunk's line, and the number of its digits.
fn size_of_line(line: &[u8]) -> Result<(u64, usize), Refusal> {
    let mut size = 0_u64;
    for (index, &byte) in line.iter().enumerate() {
        let Some(digit) = char::from(byte).to_digit(16) else {
            return extensions(&line[index..]).map(|()| (size, index));
        };
        if index == MAX_DIGITS {
            return Err(Refusal::malformed("chunk size too long"));
        }
        size = size << 4 | u64::from(digit);
    }
    Ok((size, line.len()))
}

/// Returns true if `rest`, behind the size of a chunk, is a list of extensions (RFC 9112, 7.1.1): `;name`
/// or `;name=value`, where a value is a token or a quoted string. White space between them is refused:
/// other parsers differ in what they take for it.
fn are_extensions(mut rest: &[u8]) -> bool {
    while let [b';', behind @ ..] = rest {
        let name = token(behind);
        rest = &behind[name..];
        if name == 0 {
            return false;
        }
        if let [b'=', value @ ..] = rest {
            let length = if value.first() == Some(&b'"') {
                quoted(value)
            } else {
                token(value)
            };
            if length == 0 {
                return false;
            }
            rest = &value[length..];
        }
    }
    rest.is_empty()
}

/// Returns the length of the quoted string at the start of `bytes` (RFC 9110, 5.6.4); 0 if it has no
/// end.
fn quoted(bytes: &[u8]) -> usize {
    let mut is_escaped = false;
    for (at, &byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return at + 1,
            b'\\' if !is_escaped => is_escaped = true,
            _ => is_escaped = false,
        }
    }
    0
}

/// Checks that `rest` is empty or looks like extensions, which are ignored.
fn extensions(rest: &[u8]) -> Result<(), Refusal> {
    let text = |&byte: &u8| byte == b'\t' || byte >= b' ' && byte != 0x7f;
    match rest.trim_ascii_start().first() {
        None | Some(b';') if rest.iter().all(text) => Ok(()),
        _ => Err(Refusal::malformed("bad chunk size")),
    }
}

/// Parses the section behind the last chunk, which is mostly an empty line.
fn trailers(bytes: &[u8]) -> Result<Progress, Refusal> {
    match bytes {
        [b'\r', b'\n', ..] => return Ok(Progress::End(2, None)),
        [] | [b'\r'] => return Ok(Progress::More),
        _ => {}
    }
    // Bytes beyond the limit are not looked at: the answer must not depend on how many have come.
    let within = &bytes[..bytes.len().min(MAX_TRAILERS)];
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    match httparse::parse_headers(within, &mut fields) {
        Ok(httparse::Status::Complete((length, fields))) => {
            let section = &bytes[..length];
            let feeds = section.iter().filter(|&&byte| byte == b'\n').count();
            let ends = section.windows(2).filter(|pair| pair == b"\r\n").count();
            if feeds != ends {
                return Err(Refusal::malformed("line not ended by CRLF"));
            }
            Ok(Progress::End(length, Some(copy(fields))))
        }
        Ok(httparse::Status::Partial) if bytes.len() >= MAX_TRAILERS => {
            Err(Refusal::head_too_long())
        }
        Ok(httparse::Status::Partial) => Ok(Progress::More),
        Err(httparse::Error::TooManyHeaders) => Err(Refusal::head_too_long()),
        Err(_) => Err(Refusal::malformed("bad trailer")),
    }
}

/// Returns true if a field of this name may be a trailer: none that frames, routes or authenticates
/// (RFC 9110, 6.5.1).
pub(super) fn may_trail(name: &str) -> bool {
    const REFUSED: [&str; 12] = [
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
        "cookie",
        "expect",
        "host",
        "te",
        "trailer",
        "transfer-encoding",
    ];
    !REFUSED.contains(&name)
}

/// Copies the trailers that a handler may see.
fn copy(fields: &[httparse::Header<'_>]) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok();
        let value = HeaderValue::from_bytes(field.value).ok();
        if let (Some(name), Some(value)) = (name, value) {
            if may_trail(name.as_str()) {
                trailers.append(name, value);
            }
        }
    }
    trailers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes `input` in pieces of `piece` bytes; returns the body and the number of bytes behind it.
    fn decode(input: &[u8], piece: usize) -> Result<Option<(Vec<u8>, usize)>, Refusal> {
        let mut decoder = ChunkedDecoder::new();
        let (mut seen, mut at, mut body) = (0, 0, Vec::new());
        loop {
            match decoder.step(&input[at..seen])? {
                Progress::Skip(length) => at += length,
                Progress::End(length, _) => return Ok(Some((body, input.len() - at - length))),
                Progress::Data(left) if at < seen => {
                    let take = (seen - at).min(usize::try_from(left).unwrap());
                    body.extend_from_slice(&input[at..at + take]);
                    at += take;
                    decoder.took(take as u64);
                }
                Progress::Data(_) | Progress::More if seen == input.len() => return Ok(None),
                Progress::Data(_) | Progress::More => seen = (seen + piece).min(input.len()),
            }
        }
    }

    #[test]
    fn decodes_the_same_however_it_is_cut() {
        let table: &[(&[u8], &[u8], usize)] = &[
            (b"0\r\n\r\n", b"", 0),
            (b"5\r\nhello\r\n0\r\n\r\n", b"hello", 0),
            (
                b"005\r\nhello\r\nA\r\n0123456789\r\n000\r\n\r\nGET",
                b"hello0123456789",
                3,
            ),
            (b"5;a=b;c=\"d\"\r\nhello\r\n0\r\n\r\n", b"hello", 0),
            (
                b"5;a;b=\"\\\"; \"\r\nhello\r\n0\r\nx: y\r\n\r\n",
                b"hello",
                0,
            ),
        ];
        let longest = [
            b"1;".to_vec(),
            vec![b'x'; MAX_LINE - 2],
            b"\r\ny\r\n0\r\n\r\n".to_vec(),
        ];
        let longest = longest.concat();
        let table = table.iter().copied().chain([(&*longest, &b"y"[..], 0)]);
        for (input, body, left) in table {
            for piece in 1..=input.len() {
                let decoded = decode(input, piece).unwrap();
                assert_eq!(decoded, Some((body.to_vec(), left)), "{piece}");
            }
        }
    }

    #[test]
    fn refuses_the_same_however_it_is_cut() {
        let long = [b"1;".to_vec(), vec![b'x'; 2 * MAX_LINE], b"\r\n".to_vec()].concat();
        let trailers = [b"0\r\nx: ".to_vec(), vec![b'x'; 2 * MAX_TRAILERS]].concat();
        let whole = [&trailers, &b"\r\n\r\n"[..]].concat();
        let table: &[&[u8]] = &[
            b"\r\n",
            b"x\r\n",
            b"-1\r\n",
            b"0x5\r\nhello\r\n",
            b"5\nhello\n0\n\n",
            b"5 x\r\nhello",
            b"5\x00\r\nhello",
            b"5\r\r\nhello",
            b"0;\r\r\n\r\n",
            b"11111111111111111\r\n",
            b"3\r\nhello\r\n",
            b"5\r\nhelloo\r\n",
            b"0\r\n x: y\r\n\r\n",
            b"0\r\nx : y\r\n\r\n",
            b"0\r\nx: y\n\n",
            &long,
            &trailers,
            &whole,
        ];
        for input in table {
            for piece in [1, 2, 3, input.len()] {
                assert!(
                    decode(input, piece).is_err(),
                    "{:?}",
                    input.escape_ascii().to_string()
                );
            }
        }
    }
}
