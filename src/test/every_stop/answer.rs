//! An answer as a client reads it: where it ends, and whether it is whole.

use std::fmt;

/// An answer, as far as it has come.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// Whether its last byte has come.
    pub(super) is_whole: bool,
    /// Whether it says that the connection closes.
    pub(super) closes: bool,
    /// Whether it says that the connection is kept.
    pub(super) keeps: bool,
}

/// The status, the begin of the body, and what is special.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 60;
        let body = &self.body[..self.body.len().min(SHOWN)];
        write!(f, "{} \"{}\"", self.status, body.escape_ascii())?;
        if self.body.len() > SHOWN {
            write!(f, ".. of {} bytes", self.body.len())?;
        }
        for (is_so, word) in [
            (!self.is_whole, "cut"),
            (self.closes, "closing"),
            (self.keeps, "keeping"),
        ] {
            if is_so {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    /// Its length in bytes.
    pub(super) length: usize,
    framing: Framing,
    closes: bool,
    keeps: bool,
}

/// How the end of a body is known (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl AnswerHead {
    /// Parses the head at the start of `bytes`; returns `None` if it is not complete, or broken.
    pub(super) fn parse(bytes: &[u8], to_head: bool) -> Option<AnswerHead> {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(length)) = response.parse(bytes) else {
            return None;
        };
        let status = response.code?;
        let field = |name: &str| {
            let found = response
                .headers
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(name));
            found.and_then(|field| std::str::from_utf8(field.value).ok())
        };
        let framing = if to_head || status < 200 || matches!(status, 204 | 304) {
            Framing::Length(0)
        } else if field("transfer-encoding").is_some() {
            Framing::Chunked
        } else if let Some(length) = field("content-length") {
            Framing::Length(length.parse().ok()?)
        } else {
            Framing::UntilClose
        };
        let says = |word: &str| field("connection").is_some_and(|value| value.contains(word));
        let closes = says("close") || framing == Framing::UntilClose;
        let keeps = says("keep-alive") || field("keep-alive").is_some();
        Some(AnswerHead {
            status,
            length,
            framing,
            closes,
            keeps,
        })
    }

    /// Reads the body behind the head. `is_over` is whether the server has closed its side well.
    ///
    /// Returns the answer as far as it has come, and how many bytes of `bytes` are its own.
    pub(super) fn answer(&self, bytes: &[u8], is_over: bool) -> (Answer, usize) {
        let rest = bytes.get(self.length..).unwrap_or_default();
        let (body, is_whole, used) = match self.framing {
            Framing::Length(length) => {
                let used = length.min(rest.len());
                (rest[..used].to_vec(), used == length, used)
            }
            Framing::UntilClose => (rest.to_vec(), is_over, rest.len()),
            Framing::Chunked => chunks(rest),
        };
        let answer = Answer {
            status: self.status,
            body,
            is_whole,
            closes: self.closes,
            keeps: self.keeps,
        };
        (answer, self.length + used)
    }
}

/// Reads a chunked body: what of it has come, whether it is whole, and how many bytes it takes.
fn chunks(bytes: &[u8]) -> (Vec<u8>, bool, usize) {
    let (mut body, mut at) = (Vec::new(), 0);
    while let Some((line, rest)) = split_line(&bytes[at..]) {
        let size = line.split(|byte| *byte == b';').next();
        let size = size.and_then(|size| std::str::from_utf8(size).ok());
        let Some(size) = size.and_then(|size| usize::from_str_radix(size, 16).ok()) else {
            break;
        };
        if size == 0 {
            let start = at + line.len() + 2;
            let trailers = trailers(&bytes[start..]);
            return (body, trailers.is_some(), start + trailers.unwrap_or(0));
        }
        let come = size.min(rest.len());
        body.extend_from_slice(&rest[..come]);
        if rest.len() < size + 2 {
            break;
        }
        at += line.len() + 2 + size + 2;
    }
    (body, false, bytes.len())
}

/// Returns the length of the trailers and of the empty line behind them, if they have come.
fn trailers(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let (line, _) = split_line(&bytes[at..])?;
        at += line.len() + 2;
        if line.is_empty() {
            return Some(at);
        }
    }
}

/// Splits off the first line, without its end.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &str, to_head: bool, is_over: bool) -> Option<(String, bool, usize)> {
        let head = AnswerHead::parse(bytes.as_bytes(), to_head)?;
        let (answer, used) = head.answer(bytes.as_bytes(), is_over);
        let body = String::from_utf8(answer.body).ok()?;
        Some((body, answer.is_whole, bytes.len() - used))
    }

    #[test]
    fn an_answer_ends_where_its_framing_says() {
        let read = |bytes: &str| read(bytes, false, false);
        let whole = |body: &str, left| Some((body.to_owned(), true, left));
        let cut = |body: &str| Some((body.to_owned(), false, 0));
        assert_eq!(
            read("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP"),
            whole("ok", 4)
        );
        assert_eq!(
            read("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no"),
            cut("o")
        );
        assert_eq!(read("HTTP/1.1 204 OK\r\n\r\nHTTP"), whole("", 4));
        assert_eq!(read("HTTP/1.1 200 OK\r\n\r\nok"), cut("ok"));
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let chunked = |rest: &str| read(&(chunked.to_owned() + rest));
        assert_eq!(chunked("2\r\nok\r\n0\r\n\r\n12"), whole("ok", 2));
        assert_eq!(
            chunked("1\r\no\r\n1;a=b\r\nk\r\n0\r\nx: y\r\n\r\n"),
            whole("ok", 0)
        );
        assert_eq!(chunked("2\r\nok\r\n0\r\n"), cut("ok"));
        assert_eq!(chunked("2\r\nok"), cut("ok"));
        assert_eq!(read("HTTP/1.1 200 OK\r\n"), None);
    }

    #[test]
    fn one_to_head_has_no_body_and_one_until_the_close_has_all() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        assert_eq!(read(head, true, false), Some((String::new(), true, 0)));
        let until_close = "HTTP/1.0 200 OK\r\n\r\nok";
        assert_eq!(
            read(until_close, false, true),
            Some(("ok".to_owned(), true, 0))
        );
    }
}
