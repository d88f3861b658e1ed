//! What a path and a query may have, so that the app sees them as they were sent.

use super::refusal::Refusal;

/// Refuses what the URL parser would change, so that the app sees the target that a proxy in front of the
/// server saw, whose rules could else be passed by: it reads a backslash in a path as a slash, resolves the
/// segments `.` and `..`, percent-encoded too, and percent-encodes what is no character of a URI
/// (RFC 3986, 2). Browsers encode all of these themselves. The apostrophe of a query is a character of a URI
/// and is encoded all the same: `Url` has no other way.
pub(super) fn check_path(target: &str) -> Result<(), Refusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if target.contains('#') {
        return Err(Refusal::malformed("fragment in request target"));
    }
    let stays = |part: &str, changed: &[u8]| {
        part.bytes()
            .all(|byte| byte.is_ascii_graphic() && !changed.contains(&byte))
    };
    if !stays(path, b"\"<>\\`{}") || !stays(query, b"\"<>") {
        return Err(Refusal::malformed("bad request target"));
    }
    if path.split('/').any(is_dot_segment) {
        return Err(Refusal::malformed("dot segment in request target"));
    }
    Ok(())
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
