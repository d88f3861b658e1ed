//! One server-sent event.

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;

/// A server-sent event (HTML Living Standard, 9.2.6), for [`events`](super::events).
///
/// `ServerEvent::default()` has no data: a client dispatches nothing, and takes the [`id`](ServerEvent::id) and the
/// [`retry`](ServerEvent::retry).
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use neap::http::ServerEvent;
///
/// let event = ServerEvent::new("two\nlines").event("news").id("7").retry(Duration::from_secs(2));
/// assert_eq!(event.to_string(), "data: two\ndata: lines\nevent: news\nid: 7\nretry: 2000\n\n");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerEvent {
    /// The fields, each with the end of its line.
    lines: String,
}

impl ServerEvent {
    /// Makes an event with this data. Each line of it is a field of its own, which the client puts together again; a
    /// carriage return ends a line, too.
    #[must_use]
    pub fn new(data: impl AsRef<str>) -> Self {
        let mut event = Self::default();
        let data = data.as_ref().replace("\r\n", "\n");
        for line in data.split(['\n', '\r']) {
            event.push("data", line);
        }
        event
    }

    /// Makes a comment, which clients drop: it keeps a connection from being idle.
    #[must_use]
    pub fn comment(text: impl AsRef<str>) -> Self {
        let mut event = Self::default();
        event.push("", text.as_ref());
        event
    }

    /// Sets the name of the event, `message` for clients unless set. Line ends in it are left out.
    #[must_use]
    pub fn event(mut self, name: impl AsRef<str>) -> Self {
        self.push("event", name.as_ref());
        self
    }

    /// Sets the id of the event, which a client says when it comes back, in `Last-Event-ID`. Line ends in it are
    /// left out, and NUL, with which a client would drop it.
    #[must_use]
    pub fn id(mut self, id: impl AsRef<str>) -> Self {
        self.push("id", &id.as_ref().replace('\0', ""));
        self
    }

    /// Sets after how long a client that has lost its connection comes back, in whole milliseconds.
    #[must_use]
    pub fn retry(mut self, after: Duration) -> Self {
        self.push("retry", &after.as_millis().to_string());
        self
    }

    /// Appends a field, in one line whatever its value is.
    fn push(&mut self, name: &str, value: &str) {
        self.lines.reserve(name.len() + value.len() + 4);
        self.lines.push_str(name);
        self.lines.push_str(": ");
        self.lines.extend(value.split(['\n', '\r']));
        self.lines.push('\n');
    }

    pub(super) fn into_bytes(mut self) -> Bytes {
        self.lines.push('\n');
        self.lines.into()
    }
}

/// Writes the event as it is sent, with the empty line that ends it.
impl std::fmt::Display for ServerEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.lines)?;
        f.write_char('\n')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_event_or_makes_a_field() {
        let text = "a\n\nid: 1\r\rb\r\n";
        let data = "data: a\ndata: \ndata: id: 1\ndata: \ndata: b\ndata: \n\n";
        assert_eq!(ServerEvent::new(text).to_string(), data);
        let event = ServerEvent::default().event(text).id("1\0\n2");
        assert_eq!(event.to_string(), "event: aid: 1b\nid: 12\n\n");
        assert_eq!(ServerEvent::comment("a\n\nb").to_string(), ": ab\n\n");
        assert_eq!(ServerEvent::new("").to_string(), "data: \n\n");
        assert_eq!(&*ServerEvent::new("").into_bytes(), b"data: \n\n");
    }
}
