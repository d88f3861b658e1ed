//! The last head of a connection, by which the next is read.

use super::head::{RawHead, RequestFraming, RequestHead, content_length};
use super::path::check_path;
use super::target::TargetForm;

/// The longest head that is remembered, in bytes.
const LONGEST: usize = 2048;
/// The most fields that may have another value.
const MOST_CHANGES: usize = 16;
/// No more heads are remembered once this many in a row were of no use.
const MOST_MISSES: u8 = 4;
/// What is behind the target.
const VERSION: &[u8] = b" HTTP/1.1\r\n";

/// The last head of a connection, by which the next is read.
///
/// The heads of one client mostly have the same fields, in the same order, and most of the same values:
/// what was the same as in a head that was parsed and checked needs no parsing and no check. A head that
/// differs in more than its target and the values of some fields is none that this type speaks about.
#[derive(Debug, Default)]
pub(in crate::http) struct LastHead {
    known: Option<Box<Known>>,

    /// How many fields the last head had that was not read in this way.
    count: usize,

    misses: u8,
}

/// A head that was parsed and checked: one of HTTP/1.1, for a path.
#[derive(Debug)]
struct Known {
    bytes: Vec<u8>,

    /// The length of the method, and of the request line with its end, in bytes.
    method: usize,
    request_line: usize,

    lines: Vec<Line>,
    facts: RequestHead,
}

/// A field of a known head. It begins where the one before has ended.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Where its colon has ended.
    colon: u16,

    /// Where its line has ended.
    end: u16,

    role: Role,
}

/// What the server takes of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Nothing: it is the app's.
    Free,

    /// The length of the body.
    Length,

    /// More than that.
    Fixed,
}

/// In what a head differs from the one that is remembered.
#[derive(Debug)]
pub struct Changes<'b> {
    bytes: &'b [u8],

    /// The target, if it is another one: a path, perhaps with a query.
    pub(in crate::http) target: Option<&'b str>,

    fields: [Change; MOST_CHANGES],
    count: usize,
    length: usize,
    framing: RequestFraming,
}

/// A field with another value.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// Which field of the head it is.
    at: u8,

    /// Where its value begins, and its length, in bytes.
    start: u16,
    length: u16,
}

impl LastHead {
    /// Finds in what a head differs, and returns what the server must know of it; `None` for one that is to
    /// be parsed. Then the changes mean nothing.
    #[inline(always)]
    pub(in crate::http) fn compare(&mut self, changes: &mut Changes<'_>) -> Option<RequestHead> {
        let known = self.known.as_deref()?;
        known.compare(changes)?;
        self.misses = 0;
        Some(RequestHead {
            length: changes.length,
            framing: changes.framing,
            ..known.facts
        })
    }

    /// Returns true if a head that was parsed is likely to be like the next ones.
    pub(in crate::http) fn is_worth_it(&mut self, head: &RawHead<'_>) -> bool {
        let count = head.fields.len();
        let is_second = std::mem::replace(&mut self.count, count) == count;
        is_second && self.misses < MOST_MISSES
    }

    /// Remembers a head. Returns false if it is none that can be.
    pub(in crate::http) fn remember(&mut self, head: &RawHead<'_>) -> bool {
        self.known = Known::new(head).map(Box::new);
        self.misses += u8::from(self.known.is_some());
        self.known.is_some()
    }

    #[cfg(test)]
    pub(in crate::http) fn is_known(&self) -> bool {
        self.known.is_some()
    }

    /// Forgets the head.
    pub(in crate::http) fn forget(&mut self) {
        self.known = None;
    }
}

impl Known {
    fn new(head: &RawHead<'_>) -> Option<Self> {
        if !is_plain(head) {
            return None;
        }
        let start = |part: &str| part.as_ptr() as usize - head.bytes.as_ptr() as usize;
        let names = head.fields.iter().map(|field| start(field.name));
        let ends = names.skip(1).chain([head.bytes.len() - 2]);
        let lines: Option<Vec<_>> = head.fields.iter().zip(ends).map(Line::new(start)).collect();
        let known = Self {
            bytes: head.bytes.to_vec(),
            method: head.method.len(),
            request_line: head.method.len() + 1 + head.target.len() + VERSION.len(),
            lines: lines?,
            facts: head.facts,
        };
        // No empty line was in front of it.
        let is_first = start(head.fields.first()?.name) == known.request_line;
        is_first.then_some(known)
    }

    #[inline(always)]
    fn compare(&self, changes: &mut Changes<'_>) -> Option<()> {
        let bytes = changes.bytes;
        (changes.length, changes.framing) = (self.facts.length, self.facts.framing);
        if bytes.starts_with(&self.bytes) {
            return Some(());
        }
        let mut rest = match bytes.strip_prefix(&self.bytes[..self.request_line]) {
            Some(rest) => rest,
            None => {
                let (target, rest) = self.target(bytes)?;
                changes.target = Some(target);
                rest
            }
        };
        let mut start = self.request_line;
        for (at, line) in self.lines.iter().enumerate() {
            let (colon, end) = (usize::from(line.colon), usize::from(line.end));
            rest = match rest.strip_prefix(&self.bytes[start..end]) {
                Some(rest) => rest,
                None => {
                    let (value, behind) = value(rest.strip_prefix(&self.bytes[start..colon])?)?;
                    changes.push(at, value, line.role)?;
                    behind
                }
            };
            start = end;
        }
        rest = rest.strip_prefix(b"\r\n")?;
        changes.length = bytes.len() - rest.len();
        Some(())
    }

    /// Returns a target behind the known method, and what is behind its line.
    fn target<'b>(&self, bytes: &'b [u8]) -> Option<(&'b str, &'b [u8])> {
        // With the space.
        let rest = bytes.strip_prefix(&self.bytes[..=self.method])?;
        let length = rest.iter().position(|&byte| byte == b' ')?;
        let (target, rest) = rest.split_at(length);
        let target = std::str::from_utf8(target).ok()?;
        let is_path = target.starts_with('/') && check_path(target).is_ok();
        Some((target, rest.strip_prefix(VERSION)?)).filter(|_| is_path)
    }
}

/// Returns true for a head that can be remembered: one for a path, without trailers or an expectation.
///
/// Whether a client that has an expectation waits, hangs on the length of the body.
fn is_plain(head: &RawHead<'_>) -> bool {
    let mut names = head.fields.iter().map(|field| field.name);
    head.form == TargetForm::Origin
        && !head.facts.is_http10
        && head.bytes.len() <= LONGEST
        && head.facts.framing != RequestFraming::Chunked
        && !names.any(|name| name.eq_ignore_ascii_case("expect"))
}

impl Line {
    /// Returns how a line is made of a field, and of where it ends.
    fn new<'h>(
        start: impl Fn(&str) -> usize,
    ) -> impl Fn((&httparse::Header<'h>, usize)) -> Option<Self> {
        move |(field, end)| {
            let colon = start(field.name) + field.name.len() + 1;
            Some(Self {
                colon: u16::try_from(colon).ok()?,
                end: u16::try_from(end).ok()?,
                role: Role::of(field.name),
            })
        }
    }
}

impl Role {
    fn of(name: &str) -> Self {
        let is = |other: &&str| name.eq_ignore_ascii_case(other);
        let fixed = ["host", "connection", "transfer-encoding"];
        match name {
            _ if is(&"content-length") => Self::Length,
            _ if fixed.iter().any(is) => Self::Fixed,
            _ => Self::Free,
        }
    }
}

impl<'b> Changes<'b> {
    /// Begins to look for the changes of the head at the start of `bytes`.
    #[inline(always)]
    pub(in crate::http) fn of(bytes: &'b [u8]) -> Self {
        let none = Change {
            at: 0,
            start: 0,
            length: 0,
        };
        Self {
            bytes,
            target: None,
            fields: [none; MOST_CHANGES],
            count: 0,
            length: 0,
            framing: RequestFraming::Empty,
        }
    }

    /// Returns the fields that have other values, in order: which of the head's they are, and the values.
    #[inline(always)]
    pub(in crate::http) fn fields(&self) -> impl Iterator<Item = (u8, &'b [u8])> {
        let value = |Change { at, start, length }: &Change| {
            let start = usize::from(*start);
            (*at, &self.bytes[start..start + usize::from(*length)])
        };
        self.fields[..self.count].iter().map(value)
    }

    fn push(&mut self, at: usize, value: &'b [u8], role: Role) -> Option<()> {
        match role {
            Role::Free => {}
            Role::Length => {
                self.framing = match content_length(value).ok()? {
                    0 => RequestFraming::Empty,
                    length => RequestFraming::Length(length),
                };
            }
            Role::Fixed => return None,
        }
        let slot = self.fields.get_mut(self.count)?;
        let start = value.as_ptr() as usize - self.bytes.as_ptr() as usize;
        *slot = Change {
            at: u8::try_from(at).ok()?,
            start: u16::try_from(start).ok()?,
            length: u16::try_from(value.len()).ok()?,
        };
        self.count += 1;
        Some(())
    }
}

/// Returns a field's value behind its colon, without the white space around it, and what is behind its line.
fn value(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_no_text = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let (value, rest) = bytes.split_at(bytes.iter().position(is_no_text)?);
    Some((value.trim_ascii(), rest.strip_prefix(b"\r\n")?))
}
