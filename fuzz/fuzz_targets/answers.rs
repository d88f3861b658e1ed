//! The answers of a server, read by what RFC 9112 says and by nothing of the server.

#![allow(dead_code)]

use std::fmt;

/// An answer, as far as it has come.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Its fields without `Date`, in the order of their names.
    pub fields: Fields,
    pub body: Vec<u8>,
    pub trailers: Fields,
    pub closes: bool,
    /// Whether its last byte has come.
    pub is_whole: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (closes, is_whole) = (self.closes, self.is_whole);
        write!(
            f,
            "{} closes {closes} whole {is_whole} {:?}",
            self.status, self.fields
        )?;
        write!(f, " {} {:?}", self.body.escape_ascii(), self.trailers)
    }
}

/// How the bytes of a server have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The server has closed its side.
    Well,
    /// The connection was reset.
    Reset,
    /// The client has left.
    Left,
}

/// Fields, their names in lower case.
pub type Fields = Vec<(String, String)>;

/// What is wrong with the answers.
type Broken = String;

/// Reads all answers. `is_head` is whether the answer of this index and with these fields is to HEAD.
///
/// An answer that has not come whole is the last one. One whose head has not come whole has the status 0.
pub fn read(
    mut bytes: &[u8],
    ended: Ended,
    is_head: impl Fn(usize, &Fields) -> bool,
) -> Result<Vec<Answer>, Broken> {
    let mut answers: Vec<Answer> = Vec::new();
    while !bytes.is_empty() {
        if answers.last().is_some_and(|last| last.closes) {
            return Err(format!("behind the last answer: {}", text(bytes)));
        }
        let Some(head) = Head::read(bytes)? else {
            if !b"HTTP/1.1 ".starts_with(&bytes[..bytes.len().min(9)]) {
                return Err(format!("no answer: {}", text(bytes)));
            }
            answers.push(Answer {
                status: 0,
                fields: Vec::new(),
                body: Vec::new(),
                trailers: Vec::new(),
                closes: true,
                is_whole: false,
            });
            break;
        };
        bytes = &bytes[head.length..];
        if head.status == 100 {
            if head.fields.iter().any(|(name, _)| is_framing(name)) {
                return Err(format!("a 100 with a length: {head:?}"));
            }
            continue;
        }
        let to_head = is_head(answers.len(), &head.fields);
        let (answer, used) = head.answer(bytes, ended, to_head)?;
        bytes = &bytes[used..];
        answers.push(answer);
    }
    Ok(answers)
}

fn is_framing(name: &str) -> bool {
    name == "content-length" || name == "transfer-encoding"
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[derive(Debug)]
struct Head {
    status: u16,
    fields: Fields,
    length: usize,
}

impl Head {
    fn read(bytes: &[u8]) -> Result<Option<Head>, Broken> {
        let Some(end) = find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = &bytes[..end];
        let broken = |what: &str| Err(format!("{what}: {}", text(head)));
        let (line, fields) = match find(head, b"\r\n") {
            Some(at) => (&head[..at], &head[at + 2..]),
            None => (head, &head[..0]),
        };
        let status = match line.strip_prefix(b"HTTP/1.1 ") {
            Some(
                [
                    a @ b'1'..=b'5',
                    b @ b'0'..=b'9',
                    c @ b'0'..=b'9',
                    b' ',
                    rest @ ..,
                ],
            ) if rest.iter().all(|byte| matches!(byte, b' '..=b'~')) => {
                let digit = |byte: &u8| u16::from(byte - b'0');
                100 * digit(a) + 10 * digit(b) + digit(c)
            }
            _ => return broken("a bad status line"),
        };
        let fields = read_fields(fields)?;
        for once in ["content-length", "transfer-encoding", "connection"] {
            if fields.iter().filter(|(name, _)| name == once).count() > 1 {
                return broken("a field twice");
            }
        }
        Ok(Some(Head {
            status,
            fields,
            length: end + 4,
        }))
    }

    fn field(&self, wanted: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }

    /// Reads the body behind the head. Returns the answer and the length of its body in `bytes`.
    fn answer(
        mut self,
        bytes: &[u8],
        ended: Ended,
        is_head: bool,
    ) -> Result<(Answer, usize), Broken> {
        let length = self.field("content-length").map(str::to_owned);
        let coding = self.field("transfer-encoding").map(str::to_owned);
        let broken = |what: &str| Err(format!("{what}: {self:?}"));
        if length.is_some() && coding.is_some() {
            return broken("two lengths");
        }
        if self.status < 200 && self.status != 101 {
            return broken("not final");
        }
        if matches!(self.status, 101 | 204) && (length.is_some() || coding.is_some()) {
            return broken("a length where there can be none");
        }
        if coding.as_ref().is_some_and(|coding| coding != "chunked") {
            return broken("an unknown coding");
        }
        let mut closes = match self.field("connection") {
            None | Some("keep-alive") => false,
            Some("close") => true,
            Some(_) => return broken("an unknown connection option"),
        };
        if !self.fields.iter().any(|(name, _)| name == "date") {
            return broken("no date");
        }
        let (mut body, mut trailers) = (Vec::new(), Vec::new());
        let is_empty = is_head || matches!(self.status, 101 | 204 | 304);
        let (is_whole, used) = if is_empty {
            (true, 0)
        } else if coding.is_some() {
            chunks(bytes, &mut body, &mut trailers)?
        } else if let Some(length) = length {
            if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return broken("a bad length");
            }
            let length: usize = length.parse().map_err(|_| "a length too long")?;
            let used = length.min(bytes.len());
            body.extend_from_slice(&bytes[..used]);
            (used == length, used)
        } else {
            if !closes {
                return broken("no end");
            }
            body.extend_from_slice(bytes);
            (ended == Ended::Well, bytes.len())
        };
        closes |= !is_whole;
        self.fields.retain(|(name, _)| name != "date");
        self.fields.sort();
        let answer = Answer {
            status: self.status,
            fields: self.fields,
            body,
            trailers,
            closes,
            is_whole,
        };
        Ok((answer, used))
    }
}

/// Reads fields, of which the last one has no line end.
fn read_fields(bytes: &[u8]) -> Result<Fields, Broken> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = find(rest, b"\r\n").unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 2..).unwrap_or_default();
        let colon = line.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or_else(|| format!("no colon: {}", text(line)))?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let is_token =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
        let is_value = |byte: &u8| !matches!(byte, 0 | b'\r' | b'\n');
        if name.is_empty() || !name.iter().all(is_token) || !value.iter().all(is_value) {
            return Err(format!("a bad field: {}", text(line)));
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value).trim().to_owned();
        fields.push((name, value));
    }
    Ok(fields)
}

/// Reads a chunked body. Returns whether it is whole, and its length.
fn chunks(
    bytes: &[u8],
    body: &mut Vec<u8>,
    trailers: &mut Fields,
) -> Result<(bool, usize), Broken> {
    let mut at = 0;
    while let Some(end) = find(&bytes[at..], b"\r\n") {
        let line = &bytes[at..at + end];
        at += end + 2;
        if line.is_empty() || line.len() > 8 || !line.iter().all(u8::is_ascii_hexdigit) {
            return Err(format!("a bad chunk line: {}", text(line)));
        }
        let size = String::from_utf8_lossy(line);
        let size = usize::from_str_radix(&size, 16).map_err(|error| error.to_string())?;
        if size == 0 {
            if bytes[at..].starts_with(b"\r\n") {
                return Ok((true, at + 2));
            }
            let Some(end) = find(&bytes[at..], b"\r\n\r\n") else {
                break;
            };
            *trailers = read_fields(&bytes[at..at + end])?;
            trailers.sort();
            return Ok((true, at + end + 4));
        }
        let come = size.min(bytes.len() - at);
        body.extend_from_slice(&bytes[at..at + come]);
        at += come;
        let line_end = &bytes[at..bytes.len().min(at + 2)];
        if !b"\r\n".starts_with(line_end) {
            return Err(format!("a chunk longer than it says: {}", text(line_end)));
        }
        if line_end.len() < 2 {
            break;
        }
        at += 2;
    }
    Ok((false, bytes.len()))
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}
