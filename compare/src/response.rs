//! HTTP as a client sees it: whether a response is whole, and what was asked for.

use httparse::Status;

use crate::Failure;

/// What the body of a response must be.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// These bytes.
    Exactly(&'static [u8]),
    /// This many times the letter `x`. Of each piece the ends are looked at.
    Letters(u64),
}

/// A response that is whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// How many bytes its body has.
    pub length: u64,
    /// True if the connection ends with it.
    pub close: bool,
}

/// Reads the responses on a connection, one after the other.
#[derive(Debug)]
pub struct Reader {
    expected: Expected,
    state: State,
    /// How many bytes of the body were read.
    length: u64,
    close: bool,
}

/// What comes next.
#[derive(Debug, Clone, Copy)]
enum State {
    Head,
    /// The rest of a body whose length was announced.
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    /// The empty line behind the last chunk.
    End,
}

impl Reader {
    /// Makes a reader of responses that have this body.
    pub fn new(expected: Expected) -> Reader {
        Reader {
            expected,
            state: State::Head,
            length: 0,
            close: false,
        }
    }

    /// Reads on. Returns how many bytes it has taken, and the response if it is whole with them; what
    /// is left after that belongs to the next. If it is not whole, what is left must be given again
    /// with more behind it.
    ///
    /// # Errors
    ///
    /// It is no response, or not the expected one.
    pub fn read(&mut self, bytes: &[u8]) -> Result<(usize, Option<Response>), Failure> {
        let mut taken = 0;
        while let Some(length) = self.step(&bytes[taken..])? {
            taken += length;
            if matches!(self.state, State::Head) {
                return Ok((taken, Some(self.whole()?)));
            }
        }
        Ok((taken, None))
    }

    /// Does the next step. Returns how many bytes that takes, or `None` if it needs more of them.
    fn step(&mut self, bytes: &[u8]) -> Result<Option<usize>, Failure> {
        let (length, next) = match self.state {
            State::Head => return self.head(bytes),
            State::Body(left) => return self.piece(bytes, left, State::Body),
            State::Chunk(left) => return self.piece(bytes, left, State::Chunk),
            State::ChunkSize => match httparse::parse_chunk_size(bytes) {
                Ok(Status::Complete((length, 0))) => (length, State::End),
                Ok(Status::Complete((length, size))) => (length, State::Chunk(size)),
                Ok(Status::Partial) => return Ok(None),
                Err(_) => return Err("a chunk without a size".into()),
            },
            State::ChunkEnd => (2, State::ChunkSize),
            State::End => (2, State::Head),
        };
        if matches!(self.state, State::ChunkEnd | State::End) {
            match bytes.get(..2) {
                None => return Ok(None),
                Some(b"\r\n") => {}
                Some(_) => return Err("no line break behind a chunk".into()),
            }
        }
        self.state = next;
        Ok(Some(length))
    }

    fn head(&mut self, bytes: &[u8]) -> Result<Option<usize>, Failure> {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut headers);
        let Status::Complete(taken) = head.parse(bytes)? else {
            return Ok(None);
        };
        if head.code != Some(200) {
            return Err(format!("answered with the status {}", head.code.unwrap_or(0)).into());
        }
        let value = |name: &str| {
            let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(name);
            let header = head.headers.iter().find(named);
            header.and_then(|header| std::str::from_utf8(header.value).ok())
        };
        self.close = value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.length = 0;
        self.state = match value("content-length") {
            Some(length) => State::Body(length.parse()?),
            None if value("transfer-encoding") == Some("chunked") => State::ChunkSize,
            None => return Err("neither a length nor chunks".into()),
        };
        let State::Body(left) = self.state else {
            return Ok(Some(taken));
        };
        // A body that came with its head, as most do, and one that is empty, need no other step.
        let body = &bytes[taken..];
        match self.piece(body, left, State::Body)? {
            Some(more) => Ok(Some(taken + more)),
            None if left == 0 => Err("answered without a body".into()),
            None => Ok(Some(taken)),
        }
    }

    /// Takes what there is of a body or a chunk.
    fn piece(
        &mut self,
        bytes: &[u8],
        left: u64,
        rest: fn(u64) -> State,
    ) -> Result<Option<usize>, Failure> {
        let length = usize::try_from(left)?.min(bytes.len());
        if length == 0 {
            return Ok(None);
        }
        self.check(&bytes[..length])?;
        self.length += length as u64;
        self.state = match (left - length as u64, rest(0)) {
            (0, State::Chunk(_)) => State::ChunkEnd,
            (0, _) => State::Head,
            (left, _) => rest(left),
        };
        Ok(Some(length))
    }

    /// Fails if the next bytes of the body are not the expected ones.
    fn check(&self, piece: &[u8]) -> Result<(), Failure> {
        let as_expected = match self.expected {
            Expected::Exactly(body) => {
                let begin = usize::try_from(self.length)?;
                body.get(begin..begin + piece.len()) == Some(piece)
            }
            Expected::Letters(_) => piece.first() == Some(&b'x') && piece.last() == Some(&b'x'),
        };
        match as_expected {
            true => Ok(()),
            false => Err("answered with another body".into()),
        }
    }

    fn whole(&self) -> Result<Response, Failure> {
        let expected = match self.expected {
            Expected::Exactly(body) => body.len() as u64,
            Expected::Letters(length) => length,
        };
        match self.length == expected {
            true => Ok(Response {
                length: self.length,
                close: self.close,
            }),
            false => Err(format!("a body of {} bytes, not {expected}", self.length).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expected, Reader, Response};

    const HELLO: Expected = Expected::Exactly(b"Hello World!");

    /// Reads these bytes as they come, in pieces of this size; returns the responses.
    fn read(expected: Expected, bytes: &str, size: usize) -> Result<Vec<Response>, String> {
        let (mut reader, mut buffer, mut found) = (Reader::new(expected), Vec::new(), Vec::new());
        for piece in bytes.as_bytes().chunks(size) {
            buffer.extend_from_slice(piece);
            loop {
                let read = reader.read(&buffer);
                let (taken, response) = read.map_err(|error| error.to_string())?;
                buffer.drain(..taken);
                match response {
                    Some(response) => found.push(response),
                    None => break,
                }
            }
        }
        Ok(found)
    }

    #[test]
    fn responses_are_found_however_they_are_cut() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello World!";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                       5\r\nHello\r\n7\r\n World!\r\n0\r\n\r\n";
        let bytes = format!("{plain}{plain}{chunked}");
        let close = [false, false, true];
        let expected = close.map(|close| Response { length: 12, close });
        for size in 1..=bytes.len() {
            assert_eq!(read(HELLO, &bytes, size), Ok(expected.to_vec()), "{size}");
        }
    }

    #[test]
    fn another_body_is_an_error() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: ";
        for (expected, rest) in [
            (HELLO, "12\r\n\r\nHello Earth!"),
            (HELLO, "11\r\n\r\nHello World"),
            (HELLO, "13\r\n\r\nHello World!!"),
            (HELLO, "0\r\n\r\n"),
            (Expected::Letters(3), "2\r\n\r\nxx"),
            (Expected::Letters(3), "3\r\n\r\nxxy"),
        ] {
            assert!(
                read(expected, &format!("{head}{rest}"), 7).is_err(),
                "{rest}"
            );
        }
        assert!(
            read(
                HELLO,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                99
            )
            .is_err()
        );
    }
}
