//! What a path and a query may have, so that the app sees them as they were sent.

use super::refusal::Refusal;

/// Refuses what the URL parser would change, so that the app sees the target that a proxy in front of the
/// server saw, whose rules could else be passed by: it reads a backslash in a path as a slash, resolves the
/// segments `.` and `..`, percent-encoded too, and percent-encodes what is no character of a URI
/// (RFC 3986, 2). Browsers encode all of these themselves. The apostrophe of a query is a character of a URI
/// and is encoded all the same: `Url` has no other way.
pub(super) fn check_path(target: &str) -> Result<(), Refusal> {
    let bytes = target.as_bytes();
    let length = bytes.iter().position(|&byte| byte == b'?');
    let (path, query) = bytes.split_at(length.unwrap_or(bytes.len()));
    if has(path, IN_PATH) || has(query, IN_QUERY) {
        return Err(match bytes.contains(&b'#') {
            true => Refusal::malformed("fragment in request target"),
            false => Refusal::malformed("bad request target"),
        });
    }
    // Few paths have a segment that begins so.
    let is_dot = |pair: (&u8, &u8)| (*pair.0 == b'/') & ((*pair.1 == b'.') | (*pair.1 == b'%'));
    let pairs = path.iter().zip(path.iter().skip(1));
    let may_have = pairs.fold(false, |found, pair| found | is_dot(pair));
    if may_have && target[..path.len()].split('/').any(is_dot_segment) {
        return Err(Refusal::malformed("dot segment in request target"));
    }
    Ok(())
}

/// The bit of a byte in [`REFUSED`] that must not be in a path.
const IN_PATH: u8 = 1;
/// The bit of a byte in [`REFUSED`] that must not be in a query.
const IN_QUERY: u8 = 2;

/// Where a byte must not be.
static REFUSED: [u8; 256] = {
    let mut table = [IN_PATH | IN_QUERY; 256];
    let mut byte = 0;
    while byte < 256 {
        if (byte as u8).is_ascii_graphic() {
            table[byte] = match byte as u8 {
                b'"' | b'<' | b'>' | b'#' => IN_PATH | IN_QUERY,
                b'\\' | b'`' | b'{' | b'}' => IN_PATH,
                _ => 0,
            };
        }
        byte += 1;
    }
    table
};

/// Returns true if a byte of `part` is refused there. There is no branch per byte.
fn has(part: &[u8], place: u8) -> bool {
    let all = part
        .iter()
        .fold(0, |all, &byte| all | REFUSED[usize::from(byte)]);
    all & place != 0
}

/// Returns true for `.` and `..`, each dot plain or percent-encoded (RFC 3986, 3.3 and 6.2.2.2).
fn is_dot_segment(segment: &str) -> bool {
    let (mut rest, mut dots) = (segment, 0);
    while !rest.is_empty() {
        let encoded = rest
            .get(..3)
            .is_some_and(|dot| dot.eq_ignore_ascii_case("%2e"));
        rest = match rest.strip_prefix('.') {
            Some(rest) => rest,
            None if encoded => &rest[3..],
            None => return false,
        };
        dots += 1;
    }
    matches!(dots, 1 | 2)
}
