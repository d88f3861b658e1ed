//! Writing a field of a response.

/// A set of bytes.
type Set = [bool; 256];

/// The bytes of a token, which a field's name is (RFC 9110, 5.6.2).
static TOKEN: Set = {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        set[others[at] as usize] = true;
        at += 1;
    }
    set
};

/// The bytes that do not end a line: all but CR, LF and NUL.
static IN_LINE: Set = {
    let mut set = [true; 256];
    (set[b'\r' as usize], set[b'\n' as usize], set[0]) = (false, false, false);
    set
};

/// Returns true if all bytes of `text` are in `set`. There is no branch per byte.
fn all_in(text: &[u8], set: &Set) -> bool {
    text.iter()
        .fold(true, |all, byte| all & set[usize::from(*byte)])
}

/// Appends one field, or leaves it out, with a log record, if it would end its line early.
pub(super) fn field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    if name.is_empty() || !all_in(name.as_bytes(), &TOKEN) {
        log::warn!(target: "neap", event = "field left out", field = name; "response field left out: {name:?} is not a field name");
    } else if !all_in(value, &IN_LINE) {
        log::warn!(target: "neap", event = "field left out", field = name; "response field `{name}` left out: its value has a line end or a NUL");
    } else {
        line(name, value, out);
    }
}

/// Appends the line of a field.
#[inline(always)]
pub(super) fn line(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
